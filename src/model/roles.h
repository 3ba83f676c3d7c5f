// Who may what: the roles that a principal can have, and the one table of what each of them may do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/access.h"
#include "model/team.h"

namespace weft::model {

enum class Role { kOwner, kSteward, kEngineer, kConsumer, kProduct, kGovernance, kAuditor, kAdministrator };

// What a role is about.
enum class Reach {
  kTeam,   // A domain with its products, or one product.
  kGrant,  // The output port that it was given.
  kOwn,    // The ports of the product that it is.
  kMesh,
};

struct RoleEntry {
  Role role;
  std::string_view name;   // "owner"
  std::string_view holds;  // How one comes to hold it.
  Reach reach;
  unsigned may;  // A bit of each Action.
};

constexpr unsigned Bits(auto... actions) { return (0u | ... | (1u << static_cast<unsigned>(actions))); }

inline constexpr RoleEntry kRoles[] = {
    {Role::kOwner, "owner", "`owners` of the domain in mesh.yaml, or `role: owner` in the product's team", Reach::kTeam,
     Bits(Action::kRead, Action::kPublish, Action::kRun, Action::kGrant, Action::kAudit)},
    {Role::kSteward, "steward", "`stewards` of the domain in mesh.yaml, or `role: steward` in the product's team",
     Reach::kTeam, Bits(Action::kGrant, Action::kAudit)},
    {Role::kEngineer, "engineer", "`engineers` of the domain in mesh.yaml, or `role: engineer` in the product's team",
     Reach::kTeam, Bits(Action::kRead, Action::kPublish, Action::kRun)},
    {Role::kConsumer, "consumer", "a grant on the output port", Reach::kGrant, Bits(Action::kRead)},
    {Role::kProduct, "product", "a product's runs, as `product:DOMAIN/PRODUCT`", Reach::kOwn, Bits(Action::kRead)},
    {Role::kGovernance, "governance", "member of the group `governance` of mesh.yaml", Reach::kMesh,
     Bits(Action::kGovern)},
    {Role::kAuditor, "auditor", "member of the group `auditors` of mesh.yaml", Reach::kMesh, Bits(Action::kAudit)},
    {Role::kAdministrator, "administrator", "a token made with `--administrator`", Reach::kMesh,
     Bits(Action::kAdminister, Action::kAudit, Action::kPublish, Action::kRun, Action::kGrant, Action::kGovern)},
};

constexpr bool May(const RoleEntry& entry, Action action) { return (entry.may & Bits(action)) != 0; }
std::string_view RoleName(Role role);  // "owner"
// Those of the team who hold it; null where the role is no team's.
const std::vector<std::string>* HoldersOf(const Team& team, Role role);
// The group of mesh.yaml whose members have the role, or may do it everywhere; empty where there is none.
std::string_view GroupOf(Role role);
std::string_view GroupOf(Action action);
// "owner nor steward": the roles of a team that may do it.
std::string RolesText(Action action, std::string_view between);

}  // namespace weft::model
