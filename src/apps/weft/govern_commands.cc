#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/folder.h"
#include "apps/weft/starter.h"
#include "base/file.h"
#include "base/text.h"

namespace weft::app {
namespace {

// "mail: mask-alphanum, born_on: truncate-to-year"
std::string Masks(const Json& masked) {
  std::string text;
  for (const auto& [column, action] : masked.Members()) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", Safe(column), Safe(action.Text()));
  }
  return text;
}

class ExplainCommand : public Command {
 public:
  explicit ExplainCommand(CLI::App& app) {
    app.add_option("principal", principal_, "Who: ana, service:loader, product:DOMAIN/PRODUCT")
        ->required()
        ->type_name(kPrincipal);
    app.add_option("action", action_, "read, request, approve, publish, run, grant, audit, govern or administer")
        ->required()
        ->type_name(kAction);
    app.add_option("address", address_, "An output port; a domain or product where it is about that; absent: the mesh")
        ->type_name(kPlace);
  }

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/explain", {{"principal", principal_},
                                                        {"action", action_},
                                                        {"address", address_},
                                                        {"purpose", session.options().purpose}}));
    if (session.json()) return session.PrintJson(answer), 0;
    const bool permitted = answer["permitted"].Bool();
    std::string line = fmt::format("{} {} {} {}", Safe(principal_),
                                   session.Paint(permitted ? Style::kGood : Style::kBad, permitted ? "may" : "may not"),
                                   Safe(answer["action"].Text()), Safe(answer["address"].Text()));
    if (!answer["purpose"].Text().empty()) line += " for " + Safe(answer["purpose"].Text());
    if (!answer["until"].Text().empty()) line += " until " + Safe(answer["until"].Text());
    if (!answer["right"].Text().empty()) line += " (" + Safe(answer["right"].Text()) + ")";
    session.Print(line + "\n");
    for (const std::string& reason : answer["reasons"].Texts()) session.Print("  because " + Safe(reason) + "\n");
    if (!permitted && !answer["remedy"].Text().empty()) {
      session.Print("  what helps: " + Safe(answer["remedy"].Text()) + "\n");
    }
    if (permitted && !answer["columns"].is_null()) {
      session.Print("  columns  only " + Safe(Join(answer["columns"].Texts(), ", ")) + "\n");
    }
    if (!answer["rows"].Text().empty()) session.Print("  rows     " + Safe(answer["rows"].Text()) + "\n");
    if (answer["masked"].size() > 0) session.Print("  masked   " + Masks(answer["masked"]) + "\n");
    for (const Json& policy : answer["policies"].Items()) {
      session.Print(fmt::format("  by {} ({}), {}{}\n", session.Paint(Style::kBold, Safe(policy["name"].Text())),
                                Safe(policy["where"].Text()), Safe(policy["effect"].Text()),
                                policy["detail"].Text().empty() ? "" : ": " + Safe(policy["detail"].Text())));
      if (!policy["message"].Text().empty()) {
        session.Print("     " + session.Paint(Style::kDim, Safe(policy["message"].Text())) + "\n");
      }
    }
    return 0;
  }

 private:
  std::string principal_, action_, address_;
};

class PolicyListCommand : public Command {
 public:
  explicit PolicyListCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/policies"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"policy"}, {"effect"}, {"where"}, {"description"}});
    for (const Json& policy : answer["policies"].Items()) {
      table.Add({{Safe(policy["name"].Text()), Style::kBold},
                 {Safe(policy["effect"].Text())},
                 {Safe(policy["where"].Text()), Style::kDim},
                 {Safe(policy["description"].Text())}});
    }
    if (table.empty()) {
      session.Note("no policies are in force: `weft new policies FOLDER` lays down some to begin with");
      return 0;
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class PurposeListCommand : public Command {
 public:
  explicit PurposeListCommand(CLI::App&) {}

  Result<int> Run(Session& session) override {
    const Json answer = TRY(session.Get("/v1/purposes"));
    if (session.json()) return session.PrintJson(answer), 0;
    Table table({{"purpose"}, {"under"}, {"not with"}, {"description"}});
    for (const Json& purpose : answer["purposes"].Items()) {
      table.Add({{Safe(purpose["name"].Text()), Style::kBold},
                 {Safe(purpose["parent"].Text())},
                 {Safe(Join(purpose["incompatible"].Texts(), ", "))},
                 {Safe(purpose["description"].Text())}});
    }
    if (table.empty()) {
      session.Note("the mesh declares no purposes, and takes any: policies/*.yaml may list them under purposes");
      return 0;
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }
};

class NewPoliciesCommand : public Command {
 public:
  explicit NewPoliciesCommand(CLI::App& app) {
    app.add_option("folder", folder_, "The mesh's folder, beside mesh.yaml")->capture_default_str()->type_name(kFolder);
  }

  Result<int> Run(Session& session) override {
    const fs::path home = fs::path(folder_) / "policies";
    Json::Array made;
    for (const StarterFile& file : StarterPolicies()) {
      const fs::path path = home / std::string(file.name);
      std::error_code ignored;
      if (fs::exists(path, ignored)) {
        session.Note(fmt::format("{} is there already: left as it is", path.string()));
        continue;
      }
      TRY(MakeFolders(home));
      TRY(WriteFileAtomically(path, file.text));
      made.push_back(path.string());
      if (!session.json()) TellMade(session, path.string());
    }
    if (session.json()) return session.PrintJson(Json::Map({{"files", made}})), 0;
    if (!made.empty())
      session.Note(fmt::format("read them, change them, then: weft check {0} and weft plan {0}", folder_));
    return 0;
  }

 private:
  std::string folder_ = ".";
};

constexpr CommandEntry kCommands[] = {
    {"explain", "Govern", "Whether somebody may do something, why, and what they would not see",
     "weft explain ana read people/customers/customers --purpose billing\nweft explain ana publish people/customers\n"
     "weft explain ana govern",
     Bits(Action::kBrowse, Action::kGovern, Action::kAudit, Action::kGrant), Make<ExplainCommand>},
    {"policy list", "Govern", "The policies in force", "weft policy list", Bits(Action::kBrowse),
     Make<PolicyListCommand>},
    {"purpose list", "Govern", "What data may be read for", "weft purpose list", Bits(Action::kBrowse),
     Make<PurposeListCommand>},
    {"new policies", "Govern", "Lay down policies to begin with", "weft new policies .", kAlone,
     Make<NewPoliciesCommand>},
};

}  // namespace

std::span<const CommandEntry> GovernCommands() { return kCommands; }

}  // namespace weft::app
