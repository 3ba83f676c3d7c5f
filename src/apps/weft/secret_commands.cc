#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/typing.h"
#include "base/file.h"
#include "base/text.h"

namespace weft::app {
namespace {

constexpr size_t kMostBytes = size_t{64} << 10;

class SecretPut : public Command {
 public:
  explicit SecretPut(CLI::App& app) {
    app.add_option("name", name_, "What sources will name it by")->required();
    app.add_option("--domain", domain_, "Whose it is")->required()->type_name(kDomain);
    app.add_option("--host", hosts_,
                   "The host that alone gets it, such as db.example.com or *.example.com; repeatable");
    app.add_option("--from-file", file_, "A file that holds the value; standard input if absent")->type_name(kFile);
  }

  Result<int> Run(Session& session) override {
    const std::string value = TRY(Value());
    if (value.empty()) return Error{Code::kInvalid, "the value is empty: nothing was put"};
    if (!IsUtf8(value)) return Error{Code::kInvalid, "the value is no UTF-8 text: put its base64 instead"};
    Json body = Json::Map({{"name", name_}, {"domain", domain_}, {"value", value}});
    if (!hosts_.empty()) body.Set("hosts", hosts_);
    const Json answer = TRY(session.Post("/v1/secrets", body));
    if (session.json()) return session.PrintJson(answer), 0;
    const std::vector<std::string> hosts = answer["hosts"].Texts();
    const std::string where = hosts.empty() ? "" : fmt::format(", for {} alone", Safe(Join(hosts, ", ")));
    session.Print(fmt::format("secret {} of {} is sealed{}\n", Safe(name_), Safe(domain_), where));
    return 0;
  }

 private:
  Result<std::string> Value() const {
    if (!file_.empty()) return WithoutLineEnd(TRY(ReadFile(file_, kMostBytes)));
    if (::isatty(STDIN_FILENO) == 0) return ReadAll(kMostBytes);
    return ReadUnseen(fmt::format("Value of {}:", Safe(name_)));
  }

  std::string name_, domain_, file_;
  std::vector<std::string> hosts_;
};

class SecretList : public Command {
 public:
  explicit SecretList(CLI::App& app) { app.add_option("--domain", domain_, "Only this domain's")->type_name(kDomain); }

  Result<int> Run(Session& session) override {
    Session::Query query;
    if (!domain_.empty()) query["domain"] = domain_;
    const Json answer = TRY(session.Get("/v1/secrets", query));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"secret", false, Narrow::kKeep}, {"domain", false, Narrow::kKeep}, {"hosts"}, {"put by"}, {"when"}});
    for (const Json& secret : answer["secrets"].Items()) {
      table.Add({{Safe(secret["name"].Text()), Style::kBold},
                 {Safe(secret["domain"].Text())},
                 {secret["hosts"].size() == 0 ? "any" : Safe(Join(secret["hosts"].Texts(), ", "))},
                 {Safe(secret["put_by"].Text())},
                 {AgoText(secret["put_at"].Text())}});
    }
    if (table.empty()) return session.Note("no secrets: `weft secret put NAME --domain DOMAIN` seals one"), 0;
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  std::string domain_;
};

class SecretRemove : public Command {
 public:
  explicit SecretRemove(CLI::App& app) {
    app.add_option("name", name_, "Which")->required()->type_name(kSecret);
    app.add_option("--domain", domain_, "Whose it is")->required()->type_name(kDomain);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Delete(fmt::format("/v1/secrets/{}/{}", domain_, name_)));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(fmt::format("secret {} of {} is removed\n", Safe(name_), Safe(domain_)));
    return 0;
  }

 private:
  std::string name_, domain_;
};

class SecretReseal : public Command {
 public:
  explicit SecretReseal(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Post("/v1/secrets/reseal", Json::Map({})));
    if (session.json()) return session.PrintJson(answer), 0;
    session.Print(
        fmt::format("a new seal key; {} sealed anew\n", Count(static_cast<size_t>(answer["values"].Int()), "value")));
    return 0;
  }
};

constexpr CommandEntry kCommands[] = {
    {"secret put", "Operate", "Seal a domain's secret; its value comes from standard input or a file",
     "weft secret put warehouse-password --domain sales\nweft secret put warehouse-password --domain sales --host "
     "db.example.com\nweft secret put warehouse-key --domain sales --from-file key.pem",
     Bits(Action::kPublish), Make<SecretPut>},
    {"secret list", "Operate", "Secrets by name; their values are shown nowhere",
     "weft secret list\nweft secret list --domain sales", Bits(Action::kPublish), Make<SecretList>},
    {"secret remove", "Operate", "Remove a domain's secret", "weft secret remove warehouse-password --domain sales",
     Bits(Action::kPublish), Make<SecretRemove>},
    {"secret reseal", "Operate", "Exchange the node's seal key, and seal everything anew", "weft secret reseal",
     Bits(Action::kAdminister), Make<SecretReseal>},
};

}  // namespace

std::span<const CommandEntry> SecretCommands() { return kCommands; }

}  // namespace weft::app
