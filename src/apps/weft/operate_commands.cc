#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/actions_command.h"
#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/init_command.h"
#include "apps/weft/serve.h"
#include "apps/weft/setting_flags.h"
#include "apps/weft/upkeep_command.h"
#include "base/text.h"

namespace weft::app {
namespace {

class ServeCommand : public Command {
 public:
  explicit ServeCommand(CLI::App& app) : flags_(app) {}

  Result<int> Run(Session& session) override {
    Status served = ServeIt(session.json());
    if (!served) return BadSettings(session, "serve", served.TakeError());
    return 0;
  }

 private:
  Status ServeIt(bool json) const {
    const Settings settings = TRY(flags_.Read());
    return Serve(settings, json);
  }

  SettingFlags flags_;
};

class SettingsCommand : public Command {
 public:
  explicit SettingsCommand(CLI::App& app) : flags_(app) {
    app.add_flag("--markdown", markdown_, "The reference of all settings, as docs/settings.md has it");
  }

  Result<int> Run(Session& session) override {
    if (markdown_ && session.json()) return session.PrintJson(Json::Map({{"markdown", SettingsMarkdown()}})), 0;
    if (markdown_) return session.Print(SettingsMarkdown()), 0;
    auto settings = flags_.Read();
    if (!settings) return BadSettings(session, "settings", settings.TakeError());
    if (session.json()) return session.PrintJson(settings->ToJson()), 0;
    Table table({{"setting", false, Narrow::kKeep},
                 {"value", false, Narrow::kKeep},
                 {"from", false, Narrow::kKeep},
                 {"what it does", false, Narrow::kBelow}});
    const Json all = settings->ToJson();
    for (const auto& [name, setting] : all.Members()) {
      const std::string& value = setting["value"].Text();
      table.Add({{Safe(name), Style::kBold},
                 {value.empty() ? "-" : Safe(value)},
                 {Safe(setting["from"].Text())},
                 {Safe(setting["description"].Text()), Style::kDim}});
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  SettingFlags flags_;
  bool markdown_ = false;
};

// "dev, prod (https://prod.example.com:7470)"
std::string NamesIn(const Json& environments) {
  std::vector<std::string> names;
  for (const Json& each : environments.Items()) {
    const std::string& node = each["node"].Text();
    names.push_back(each["name"].Text() + (node.empty() ? "" : " (" + node + ")"));
  }
  return Join(names, ", ");
}

class StatusCommand : public Command {
 public:
  explicit StatusCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    Json node = TRY(session.Get("/v1/node"));
    const Json products = TRY(session.Get("/v1/products"));
    auto ready = session.Get("/v1/ready");
    std::map<std::string, int64_t> domains;
    int64_t ports = 0;
    for (const Json& product : products["products"].Items()) {
      ++domains[product["domain"].Text()];
      ports += static_cast<int64_t>(product["ports"].size());
    }
    node.Set("ready", ready.has_value());
    node.Set("domains", static_cast<int64_t>(domains.size()));
    node.Set("products", static_cast<int64_t>(products["products"].size()));
    node.Set("output_ports", ports);
    if (session.json()) return session.PrintJson(node), ready ? 0 : ExitCode(ready.error().code);
    for (const auto& [name, value] : node.Members()) {
      if (name == "ready" || (value.is_text() && value.Text().empty())) continue;
      if (value.is_array() && value.size() == 0) continue;
      std::string text = value.is_text() ? value.Text() : value.is_array() ? NamesIn(value) : value.Dump();
      session.Print(session.Paint(Style::kDim, Pad(ReplaceAll(name, "_", " "), 12)) + " " + Safe(text) + "\n");
    }
    session.Print(session.Paint(Style::kDim, Pad("ready", 12)) + " " +
                  (ready ? session.Paint(Style::kGood, "yes") : "no") + "\n");
    if (!ready) return ready.TakeError();
    return 0;
  }
};

class SweepCommand : public Command {
 public:
  explicit SweepCommand(CLI::App& app) {
    app.add_option("--age", age_, "Only files older than this: 24h, 7d")->capture_default_str();
  }

  Result<int> Run(Session& session) override {
    auto age = ParseDuration(age_);
    if (!age) return session.Misused("sweep", "--age: " + Safe(age.error().message));
    const Json swept =
        TRY(session.Post("/v1/sweep", Json::Map({{"age_seconds", static_cast<int64_t>(age->count() / 1000)}})));
    if (session.json()) return session.PrintJson(swept), 0;
    session.Print(fmt::format("swept {}, {}\n", Count(static_cast<size_t>(swept["files"].Int()), "file"),
                              HumanBytes(swept["bytes"].Int())));
    return 0;
  }

 private:
  std::string age_ = "24h";
};

class CompletionCommand : public Command {
 public:
  explicit CompletionCommand(CLI::App& app) {
    app.add_option("shell", shell_, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  Result<int> Run(Session& session) override {
    const std::string_view script = CompletionScript(shell_);
    if (session.json()) return session.PrintJson(Json::Map({{"shell", shell_}, {"script", script}})), 0;
    session.Print(script);
    return 0;
  }

 private:
  std::string shell_;
};

// What the scripts call.
class CompleteCommand : public Command {
 public:
  explicit CompleteCommand(CLI::App& app) : root_(*app.get_parent()) {
    app.add_option("words", words_, "The words so far; the last is being written");
  }

  Result<int> Run(Session& session) override {
    session.Print(Complete(session, root_, words_));
    return 0;
  }

 private:
  const CLI::App& root_;
  std::vector<std::string> words_;
};

class VersionCommand : public Command {
 public:
  explicit VersionCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    if (session.json()) return session.PrintJson(Json::Map({{"version", WEFT_VERSION}})), 0;
    session.Print("weft " WEFT_VERSION "\n");
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"init", "Operate", "Make a certificate for this node, and trust it here",
     "weft init\nweft init --host mesh.example.org --host 192.0.2.7", kAlone, MakeInit},
    {"serve", "Operate", "Be a node, until a signal", "weft serve\nweft serve --data /srv/weft --http-port 8080",
     kAlone, Make<ServeCommand>},
    {"status", "Operate", "How the node is, and what it holds", "weft status", Bits(Action::kBrowse),
     Make<StatusCommand>},
    {"upkeep", "Operate", "Make few files of a table's many small ones, and forget snapshots that are kept no longer",
     "weft upkeep sales/orders/orders\nweft upkeep --all --dry-run", Bits(Action::kRun, Action::kRead), MakeUpkeep},
    {"sweep", "Operate", "Remove files that nothing refers to", "weft sweep --age 7d", Bits(Action::kAdminister),
     Make<SweepCommand>},
    {"actions", "Operate", "What every role may, and what every door asks of whom",
     "weft actions\nweft actions --markdown > docs/actions.md", kAlone, MakeActions},
    {"settings", "Operate", "Every setting, its value and where that is from",
     "weft settings\nweft settings --data /srv/weft", kAlone, Make<SettingsCommand>},
    {"completion", "Operate", "A script that completes commands in your shell",
     "source <(weft completion bash)\nweft completion fish > ~/.config/fish/completions/weft.fish", kAlone,
     Make<CompletionCommand>},
    {"complete", "", "What may follow", "weft complete -- show oper", Bits(Action::kBrowse), Make<CompleteCommand>},
    {"version", "Operate", "This program's version", "weft version", kAlone, Make<VersionCommand>},
};

}  // namespace

std::span<const CommandEntry> OperateCommands() { return kCommands; }

}  // namespace weft::app
