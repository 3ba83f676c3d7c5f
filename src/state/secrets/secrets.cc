#include "state/secrets/secrets.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/address.h"

namespace weft::secrets {
namespace {

constexpr store::Migration kMigrations[] = {{"secrets", 1, R"(
CREATE TABLE sealed (
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  value TEXT NOT NULL,
  put_by TEXT NOT NULL,
  put_at TEXT NOT NULL,
  PRIMARY KEY (kind, scope, name)
);
)"},
                                            {"secrets", 2, R"(
CREATE TABLE entity_keys (
  entity TEXT NOT NULL,
  generation INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  made_at TEXT NOT NULL,
  erased_at TEXT,
  PRIMARY KEY (entity, generation)
);
)"}};

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status CheckName(const std::string& name) { return model::CheckSlug(name, "a secret"); }

Result<std::vector<Listed>> List(store::Txn& txn, const std::string& kind, const std::string& scope) {
  std::vector<Listed> listed;
  for (const store::Row& row :
       TRY(txn.Run("SELECT scope, name, put_by, put_at FROM sealed WHERE kind = $1 AND ($2 = '' OR scope = $2) "
                   "ORDER BY scope, name",
                   {kind, scope}))) {
    listed.push_back({{kind, row.text(0), row.text(1)}, row.text(2), TRY(row.time(3))});
  }
  return listed;
}

Status Purge(store::Store& store) { return store.Purge("sealed"); }

Status Remove(store::Txn& txn, const Name& name) {
  const auto removed = TRY(txn.Run("DELETE FROM sealed WHERE kind = $1 AND scope = $2 AND name = $3 RETURNING name",
                                   {name.kind, name.scope, name.name}));
  if (!removed.empty()) return {};
  std::vector<std::string> names;
  for (const Listed& each : TRY(List(txn, name.kind, name.scope))) names.push_back(each.name.name);
  const std::vector<std::string_view> views(names.begin(), names.end());
  return Error{Code::kNotFound,
               fmt::format("'{}' has no {} '{}'{}", name.scope, name.kind, name.name, DidYouMean(name.name, views))};
}

}  // namespace weft::secrets
