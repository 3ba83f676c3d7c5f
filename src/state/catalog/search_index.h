// The store's own full text, as the rest of search sees it: inside this room only. One file for each kind of store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/store/store.h"
#include "state/catalog/words.h"

namespace weft::catalog::index {

// The row of search_docs with this id is there already, or still.
Status Add(store::Txn& txn, int64_t id);
Status Remove(store::Txn& txn, int64_t id);

// Where the words must stand.
enum class Scope {
  kTitle,
  kTitleOrTags,
  kSomeInTitle,  // One in the title, and the others anywhere.
  kAnywhere,
};

struct Query {
  std::vector<Term> terms;                      // All of them.
  std::vector<std::vector<std::string>> marks;  // Of each list one.
  std::vector<std::string> without;             // None of these marks.
  std::string fresh_since;                      // Empty, or a time.
};

Result<int64_t> Count(store::Txn& txn, const Query& query);
// At most so many, the newest first.
Result<std::vector<int64_t>> Find(store::Txn& txn, const Query& query, Scope scope, int limit);
// (domain, facets, fresh_at) of all.
Result<std::vector<store::Row>> Facets(store::Txn& txn, const Query& query);

}  // namespace weft::catalog::index
