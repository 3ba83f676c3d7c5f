#include <fmt/format.h>

#include "state/catalog/rows.h"

// The roles of domains (without a product) and of products.
namespace weft::catalog {
namespace {

Result<Teams> ReadTeams(store::Txn& txn, std::string_view where, std::initializer_list<store::Cell> args) {
  Teams teams;
  const std::string sql = fmt::format(
      "SELECT domain, product, role, principal FROM team_members WHERE {} ORDER BY domain, product, role, position",
      where);
  for (const store::Row& row : TRY(txn.Run(sql, args))) {
    model::Team& team = teams[{row.text(0), row.text(1)}];
    for (const auto& [role, names] : model::kTeamRoles) {
      if (row.text(2) == role) (team.*names).push_back(row.text(3));
    }
  }
  return teams;
}

}  // namespace

Status PutTeam(store::Txn& txn, const std::string& domain, const std::string& product, const model::Team& team) {
  TRY(txn.Run("DELETE FROM team_members WHERE domain = $1 AND product = $2", {domain, product}));
  for (const auto& [role, names] : model::kTeamRoles) {
    for (size_t i = 0; i < (team.*names).size(); ++i) {
      TRY(txn.Run("INSERT INTO team_members (domain, product, role, position, principal) VALUES ($1, $2, $3, $4, $5)",
                  {domain, product, std::string(role), store::Int(static_cast<int64_t>(i)), (team.*names)[i]}));
    }
  }
  return {};
}

Result<model::Team> TeamOf(store::Txn& txn, const std::string& domain, const std::string& product) {
  Teams teams = TRY(ReadTeams(txn, "domain = $1 AND product = $2", {domain, product}));
  return std::move(teams[{domain, product}]);
}

Result<model::Team> WholeTeamOf(store::Txn& txn, const std::string& domain, const std::string& product) {
  const Teams teams = TRY(ReadTeams(txn, "domain = $1 AND product IN ('', $2)", {domain, product}));
  return WholeTeamIn(teams, domain, product);
}

Result<Teams> TeamsOf(store::Txn& txn, const std::string& domain) {
  return ReadTeams(txn, "$1 = '' OR domain = $1", {domain});
}

model::Team WholeTeamIn(const Teams& teams, const std::string& domain, const std::string& product) {
  model::Team whole;
  for (const std::string& each : {product, std::string()}) {
    if (auto team = teams.find({domain, each}); team != teams.end()) whole.Add(team->second);
  }
  return whole;
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
    resource.Add(TRY(WholeTeamOf(txn, resource.domain, resource.product)));
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
