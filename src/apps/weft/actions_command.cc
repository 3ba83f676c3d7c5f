#include "apps/weft/actions_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "model/roles.h"
#include "ports/flight/flight.h"
#include "ports/rest/rest.h"

namespace weft::app {
namespace {

// In the order in which they are told.
constexpr Action kAll[] = {Action::kOpen,       Action::kBrowse,  Action::kRead,   Action::kPublish,
                           Action::kRun,        Action::kGrant,   Action::kAudit,  Action::kGovern,
                           Action::kAdminister, Action::kRequest, Action::kApprove};

std::string RolesOf(Action action) {
  if (action == Action::kOpen) return "anybody";
  if (action == Action::kBrowse || action == Action::kRequest) return "any principal";
  if (action == Action::kApprove) return "whom the chain of the request names";
  std::string roles;
  for (const model::RoleEntry& entry : model::kRoles) {
    if (May(entry, action)) roles += (roles.empty() ? "" : ", ") + std::string(entry.name);
  }
  return roles;
}

// "publish" and who may; of several each with its own.
Json ActionsJson(const std::vector<Action>& actions) {
  Json::Array all;
  for (const Action action : actions) {
    all.push_back(Json::Map({{"action", ActionName(action)}, {"roles", RolesOf(action)}}));
  }
  return all;
}

Json AllActions() {
  Json::Array roles, routes, rpcs, commands;
  for (const model::RoleEntry& entry : model::kRoles) {
    std::vector<std::string> may;
    for (const Action action : kAll) {
      if (May(entry, action)) may.emplace_back(ActionName(action));
    }
    roles.push_back(Json::Map({{"role", entry.name}, {"may", may}, {"holds", entry.holds}}));
  }
  for (const gate::Route<rest::Api>& route : rest::Routes()) {
    std::vector<Action> actions = {route.action};
    for (const Action each : kAll) {
      if (route.within & Bits(each)) actions.push_back(each);
    }
    routes.push_back(Json::Map({{"method", route.method}, {"path", route.pattern}, {"actions", ActionsJson(actions)}}));
  }
  for (const flight::Rpc& rpc : flight::Rpcs()) {
    rpcs.push_back(Json::Map({{"rpc", rpc.name}, {"message", rpc.message}, {"actions", ActionsJson({rpc.action})}}));
  }
  for (const CommandEntry& entry : AllCommands()) {
    if (entry.group.empty()) continue;  // For programs.
    std::vector<Action> actions;
    for (const Action each : kAll) {
      if (entry.asks & Bits(each)) actions.push_back(each);
    }
    commands.push_back(Json::Map({{"command", entry.name}, {"actions", ActionsJson(actions)}}));
  }
  return Json::Map({{"roles", std::move(roles)},
                    {"rest", std::move(routes)},
                    {"flight", std::move(rpcs)},
                    {"commands", std::move(commands)}});
}

// The last two columns of a row.
std::string Columns(const Json& actions) {
  std::string names, roles;
  for (const Json& each : actions.Items()) {
    const bool first = names.empty();
    names += (first ? "" : "; ") + each["action"].Text();
    roles += (first ? "" : "; ") + each["roles"].Text();
  }
  return names.empty() ? "none | works without a node |\n" : fmt::format("{} | {} |\n", names, roles);
}

class ActionsCommand : public Command {
 public:
  explicit ActionsCommand(CLI::App& app) {
    app.add_flag("--markdown", markdown_, "The whole reference, as docs/actions.md has it");
  }

  Result<int> Run(Session& session) override {
    if (session.json()) return session.PrintJson(AllActions()), 0;
    if (markdown_) return session.Print(ActionsMarkdown()), 0;
    Table table({{"role"}, {"may"}, {"who"}});
    const Json all = AllActions();
    for (const Json& role : all["roles"].Items()) {
      table.Add({{role["role"].Text(), Style::kBold},
                 {Join(role["may"].Texts(), ", ")},
                 {ReplaceAll(role["holds"].Text(), "`", "")}});
    }
    session.Print(table.Text(session.screen()));
    return 0;
  }

 private:
  bool markdown_ = false;
};

}  // namespace

std::string ActionsMarkdown() {
  const Json all = AllActions();
  std::string text =
      "# Every action of every port\n\n"
      "Written by `weft actions --markdown`, from the table of roles, the routes, the calls and the commands that "
      "there\n"
      "are. Where a row has several actions, the first is asked of whoever comes, the others of what the request "
      "names.\n\n"
      "## Roles\n\n| role | may | who |\n|---|---|---|\n";
  for (const Json& role : all["roles"].Items()) {
    text +=
        fmt::format("| {} | {} | {} |\n", role["role"].Text(), Join(role["may"].Texts(), ", "), role["holds"].Text());
  }
  text += "\n## REST\n\n| | | actions | roles |\n|---|---|---|---|\n";
  for (const Json& route : all["rest"].Items()) {
    text += fmt::format("| {} | `{}` | {}", route["method"].Text(), route["path"].Text(), Columns(route["actions"]));
  }
  text += "\n## Flight SQL\n\n| calls | messages | actions | roles |\n|---|---|---|---|\n";
  for (const Json& rpc : all["flight"].Items()) {
    text += fmt::format("| {} | {} | {}", rpc["rpc"].Text(), rpc["message"].Text(), Columns(rpc["actions"]));
  }
  text += "\n## Commands\n\n| weft | actions | roles |\n|---|---|---|\n";
  for (const Json& command : all["commands"].Items()) {
    text += fmt::format("| `{}` | {}", command["command"].Text(), Columns(command["actions"]));
  }
  return text;
}

std::unique_ptr<Command> MakeActions(CLI::App& app) { return std::make_unique<ActionsCommand>(app); }

}  // namespace weft::app
