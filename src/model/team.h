// Who holds a role in a domain or in a product: principals, or "group:NAME".
#pragma once

#include <string>
#include <vector>

namespace weft::model {

struct Team {
  std::vector<std::string> owners, stewards, engineers;

  void Add(const Team& other);  // Whom it does not have yet.
  bool operator==(const Team&) const = default;
};

}  // namespace weft::model
