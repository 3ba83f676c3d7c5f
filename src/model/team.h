// Who holds a role in a domain or in a product: principals, or "group:NAME".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::model {

struct Team {
  std::vector<std::string> owners, stewards, engineers;

  void Add(const Team& other);  // Whom it does not have yet.
  bool operator==(const Team&) const = default;
};

// The roles of a team by their names: as descriptors of products and the store have them; "owners" in mesh.yaml.
inline constexpr std::pair<std::string_view, std::vector<std::string> Team::*> kTeamRoles[] = {
    {"owner", &Team::owners}, {"steward", &Team::stewards}, {"engineer", &Team::engineers}};

}  // namespace weft::model
