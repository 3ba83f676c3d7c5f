// How many of what is found there are of each: inside this room only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "state/catalog/search.h"
#include "state/catalog/search_match.h"

namespace weft::catalog {

// Owners of domains: they own all that is in theirs.
class Owners {
 public:
  static Result<Owners> Of(store::Txn& txn);
  const std::vector<std::string>& In(const std::string& domain) const;

 private:
  std::map<std::string, std::vector<std::string>> of_;
};

// Calls `visit` with each part of the text.
template <class Visit>
void EachPart(std::string_view text, char between, const Visit& visit) {
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(between, at), text.size());
    visit(text.substr(at, end - at));
    at = end + 1;
  }
}

Result<std::vector<Facet>> CountFacets(store::Txn& txn, Clock& clock, const index::Scores& scores);

}  // namespace weft::catalog
