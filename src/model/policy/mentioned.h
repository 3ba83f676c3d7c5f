// Whom and what for policies speak of by name.
#pragma once

#include <set>
#include <string>

#include "model/policy/policy.h"

namespace weft::model {

struct Mentioned {
  std::set<std::string> principals;  // Those whom `principals` lists, or principal.name is compared with; no groups.
  std::set<std::string> purposes;    // The same of purposes.

  void Add(const Policy& policy);
};

}  // namespace weft::model
