#include "model/roles.h"
#include "state/catalog/catalog.h"
#include "state/catalog/rows.h"

// The roles of domains (without a product) and of products.
namespace weft::catalog {

Status PutTeam(store::Txn& txn, const std::string& domain, const std::string& product, const model::Team& team) {
  TRY(txn.Run("DELETE FROM team_members WHERE domain = $1 AND product = $2", {domain, product}));
  for (const model::RoleEntry& entry : model::kRoles) {
    const std::vector<std::string>* names = model::HoldersOf(team, entry.role);
    for (size_t i = 0; names && i < names->size(); ++i) {
      TRY(txn.Run("INSERT INTO team_members (domain, product, role, position, principal) VALUES ($1, $2, $3, $4, $5)",
                  {domain, product, std::string(entry.name), store::Int(static_cast<int64_t>(i)), (*names)[i]}));
    }
  }
  return {};
}

Result<model::Team> TeamOf(store::Txn& txn, const std::string& domain, const std::string& product) {
  model::Team team;
  for (const store::Row& row : TRY(txn.Run(
           "SELECT role, principal FROM team_members WHERE domain = $1 AND product = $2 ORDER BY role, position",
           {domain, product}))) {
    if (row.text(0) == model::RoleName(model::Role::kOwner)) team.owners.push_back(row.text(1));
    if (row.text(0) == model::RoleName(model::Role::kSteward)) team.stewards.push_back(row.text(1));
    if (row.text(0) == model::RoleName(model::Role::kEngineer)) team.engineers.push_back(row.text(1));
  }
  return team;
}

Result<std::vector<model::Resource>> ProductsWith(store::Txn& txn, const std::string& member) {
  std::vector<model::Resource> products;
  for (const store::Row& row :
       TRY(txn.Run("SELECT DISTINCT domain, product FROM team_members WHERE principal = $1 AND product <> '' "
                   "ORDER BY domain, product",
                   {member}))) {
    model::Resource resource;
    resource.domain = row.text(0);
    resource.product = row.text(1);
    resource.Add(TRY(TeamOf(txn, resource.domain, resource.product)));
    resource.Add(TRY(TeamOf(txn, resource.domain)));
    products.push_back(std::move(resource));
  }
  return products;
}

Result<std::vector<std::string>> TeamMembers(store::Txn& txn) {
  std::vector<std::string> members;
  for (const store::Row& row : TRY(txn.Run("SELECT DISTINCT principal FROM team_members ORDER BY principal"))) {
    members.push_back(row.text(0));
  }
  return members;
}

}  // namespace weft::catalog
