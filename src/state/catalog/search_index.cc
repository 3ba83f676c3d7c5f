#include "state/catalog/search_index.h"

#include "state/catalog/catalog.h"

namespace weft::catalog {
namespace index {
namespace {

bool IsPostgres(const store::Txn& txn) { return txn.dialect() == store::Dialect::kPostgres; }

}  // namespace

Status Add(store::Txn& txn, int64_t id) { return IsPostgres(txn) ? postgres::Add(txn, id) : fts5::Add(txn, id); }

Status Remove(store::Txn& txn, int64_t id) {
  return IsPostgres(txn) ? postgres::Remove(txn, id) : fts5::Remove(txn, id);
}

Result<int64_t> Count(store::Txn& txn, const Query& query, int64_t most) {
  return IsPostgres(txn) ? postgres::Count(txn, query, most) : fts5::Count(txn, query, most);
}

Result<std::vector<int64_t>> Find(store::Txn& txn, const Query& query, Scope scope, int limit) {
  return IsPostgres(txn) ? postgres::Find(txn, query, scope, limit) : fts5::Find(txn, query, scope, limit);
}

Result<std::vector<store::Row>> Facets(store::Txn& txn, const Query& query) {
  return IsPostgres(txn) ? postgres::Facets(txn, query) : fts5::Facets(txn, query);
}

}  // namespace index

Status IndexAll(store::Txn& txn) {
  for (const store::Row& row : TRY(txn.Run("SELECT id FROM search_docs ORDER BY id"))) {
    TRY(index::Add(txn, row.integer(0)));
  }
  return {};
}

}  // namespace weft::catalog
