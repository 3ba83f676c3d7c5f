#include "model/roles.h"

#include <algorithm>

namespace weft::model {
namespace {

void AddNames(const std::vector<std::string>& names, std::vector<std::string>* all) {
  for (const std::string& name : names) {
    if (std::ranges::find(*all, name) == all->end()) all->push_back(name);
  }
}

}  // namespace

void Team::Add(const Team& other) {
  for (const auto& [role, names] : kTeamRoles) AddNames(other.*names, &(this->*names));
}

std::string_view RoleName(Role role) {
  for (const RoleEntry& entry : kRoles) {
    if (entry.role == role) return entry.name;
  }
  return "unknown";
}

const std::vector<std::string>* HoldersOf(const Team& team, Role role) {
  for (const auto& [name, names] : kTeamRoles) {
    if (name == RoleName(role)) return &(team.*names);
  }
  return nullptr;
}

std::string_view GroupOf(Role role) {
  if (role == Role::kGovernance) return "governance";
  return role == Role::kAuditor ? "auditors" : "";
}

std::string_view GroupOf(Action action) {
  for (const RoleEntry& entry : kRoles) {
    if (May(entry, action) && !GroupOf(entry.role).empty()) return GroupOf(entry.role);
  }
  return "";
}

std::string RolesText(Action action, std::string_view between) {
  std::string text;
  for (const RoleEntry& entry : kRoles) {
    if (entry.reach == Reach::kTeam && May(entry, action)) text.append(text.empty() ? "" : between).append(entry.name);
  }
  return text;
}

}  // namespace weft::model
