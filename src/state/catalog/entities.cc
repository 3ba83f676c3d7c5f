#include "base/id.h"
#include "base/kept.h"
#include "state/catalog/rows.h"

namespace weft::catalog {
namespace {

Kept<model::Entities>& KeptEntities() {
  static Kept<model::Entities> kept;
  return kept;
}

}  // namespace

Result<std::shared_ptr<const model::Entities>> EntitiesOf(store::Txn& txn) {
  const std::vector<store::Row> rows = TRY(txn.Run("SELECT path, text FROM entity_files ORDER BY path"));
  Hasher hasher;
  for (const store::Row& row : rows) hasher.AddNamed(row.text(0), row.text(1));
  const std::string digest = hasher.Hex();
  if (auto known = KeptEntities().Find(digest)) return known;
  std::vector<model::EntityFile> files;
  for (const store::Row& row : rows) files.push_back(TRY(model::EntityFile::Parse(row.text(1), row.text(0))));
  auto entities = TRY(model::Entities::Of(std::move(files)));
  KeptEntities().Put(digest, entities);
  return entities;
}

Status PutEntities(store::Txn& txn, Clock& clock, const std::vector<model::EntityFile>& files,
                   const std::string& principal) {
  for (const model::EntityFile& file : files) {
    TRY(
        txn.Run("INSERT INTO entity_files (path, text, applied_by, applied_at) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (path) DO UPDATE SET text = excluded.text, applied_by = excluded.applied_by, "
                "applied_at = excluded.applied_at",
                {file.file, file.bytes, principal, clock.Now().Text()}));
  }
  return {};
}

Result<std::vector<EntityColumn>> EntityColumns(store::Txn& txn, const std::string& entity) {
  std::vector<EntityColumn> columns;
  for (const store::Row& row :
       TRY(txn.Run("SELECT entity, domain, product, port, major, column_name FROM entity_columns WHERE $1 = '' OR "
                   "entity = $1 ORDER BY entity, domain, product, port, major, position",
                   {entity}))) {
    columns.push_back(
        {row.text(0), {row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4))}, row.text(5)});
  }
  return columns;
}

Status PutEntityColumns(store::Txn& txn, const PortRow& row, const model::Contract* contract) {
  int64_t position = 0;
  for (const model::SchemaObject& object : contract ? contract->schema : std::vector<model::SchemaObject>()) {
    for (const model::Property& property : object.properties) {
      if (!property.entity) continue;
      TRY(
          txn.Run("INSERT INTO entity_columns (domain, product, port, major, column_name, position, entity) VALUES "
                  "($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (domain, product, port, major, column_name) DO NOTHING",
                  {row.key.domain, row.key.product, row.key.port, store::Int(row.key.major), property.name,
                   store::Int(position++), property.entity->name}));
    }
  }
  return {};
}

}  // namespace weft::catalog
