#include "apps/weft/upkeep_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/completion.h"
#include "apps/weft/following.h"
#include "base/text.h"

namespace weft::app {
namespace {

class UpkeepCommand : public Command {
 public:
  explicit UpkeepCommand(CLI::App& app) {
    auto* addresses = app.add_option("address", addresses_, "Output ports, products or domains")->type_name(kPlace);
    app.add_flag("--all", all_, "Every table that you may run")->excludes(addresses);
    app.add_flag("--dry-run", dry_run_, "Only say what there is to do");
  }

  Result<int> Run(Session& session) override {
    if (addresses_.empty() && !all_) {
      return session.Misused("upkeep", "nothing to tend: give addresses (domain/product/port), or --all");
    }
    Json body = Json::Map({{"dry_run", dry_run_}});
    if (all_) body.Set("all", true);
    if (!all_) body.Set("addresses", addresses_);
    const Json answer = TRY(session.Post("/v1/upkeep", body));
    if (dry_run_) return Plan(session, answer);
    if (!session.json() && answer["runs"].size() == 0) return session.Print(Nothing(answer)), 0;
    return Follow(session, answer);
  }

 private:
  static std::string Nothing(const Json& answer) {
    const Json& ports = answer["ports"];
    if (ports.size() == 0) return "nothing to do: there is no table that you may tend\n";
    if (ports.size() > 1) return fmt::format("nothing to do: {} tables are as they should be\n", ports.size());
    return fmt::format("nothing to do: {} is as it should be\n", Safe(ports[size_t{0}]["address"].Text()));
  }

  // A number that a policy may keep from the reader.
  static std::string Hidden(const Json& number, std::string (*text)(int64_t)) {
    return number.is_null() ? "hidden" : text(number.Int());
  }

  static int Plan(Session& session, const Json& answer) {
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"address", false, Narrow::kKeep},
                 {"files", true, Narrow::kKeep},
                 {"size", true, Narrow::kDrop, 1},
                 {"small", true, Narrow::kDrop, 2},
                 {"would become", true, Narrow::kKeep},
                 {"snapshots go", true, Narrow::kKeep}});
    for (const Json& port : answer["ports"].Items()) {
      if (!port["needed"].Bool()) continue;
      const int64_t after = port["files"].Int() - port["merged"].Int() + port["into"].Int();
      table.Add({{Safe(port["address"].Text()), Style::kBold},
                 {Hidden(port["files"], HumanCount)},
                 {Hidden(port["bytes"], HumanBytes)},
                 {Hidden(port["small_files"], HumanCount)},
                 {port["files"].is_null() ? "hidden" : HumanCount(after)},
                 {Hidden(port["expires"], HumanCount)}});
    }
    session.Print(table.empty() ? Nothing(answer) : table.Text(session.screen()));
    return 0;
  }

  std::vector<std::string> addresses_;
  bool all_ = false;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeUpkeep(CLI::App& app) { return std::make_unique<UpkeepCommand>(app); }

}  // namespace weft::app
