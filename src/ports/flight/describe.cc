// The commands about the catalogue. What one may not read is listed too, but for drafts that one may not know of.
#include <arrow/api.h>
#include <arrow/array/builder_union.h>
#include <arrow/config.h>
#include <arrow/ipc/writer.h>
#include <google/protobuf/any.pb.h>

#include "FlightSql.pb.h"
#include "base/text.h"
#include "model/policy/restriction.h"
#include "ports/flight/internal.h"
#include "ports/flight/schemas.h"
#include "state/access/granted.h"
#include "state/catalog/seen.h"

namespace weft::flight {
namespace {

namespace sql = arrow::flight::protocol::sql;
using TablePtr = std::shared_ptr<arrow::Table>;

// SQL's LIKE, with % and _, without escapes, case-sensitive as the standard's clients expect.
bool Like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') return Like(text, pattern.substr(1)) || (!text.empty() && Like(text.substr(1), pattern));
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) && Like(text.substr(1), pattern.substr(1));
}

template <class T>
Result<T> Ours(arrow::Result<T> result) {
  if (!result.ok()) return FromArrow(result.status());
  return result.MoveValueUnsafe();
}

// Rows of text, one array a column; an absent cell of an integer column cannot be.
arrow::Result<TablePtr> TableOf(const std::shared_ptr<arrow::Schema>& schema,
                                const std::vector<std::vector<std::string>>& rows) {
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(schema->field(i)->type()));
    for (const auto& row : rows) {
      switch (schema->field(i)->type()->id()) {
        case arrow::Type::INT32:
          ARROW_RETURN_NOT_OK(static_cast<arrow::Int32Builder&>(*builder).Append(std::stoi(row[i])));
          break;
        default:
          ARROW_RETURN_NOT_OK(static_cast<arrow::BinaryBuilder&>(*builder).Append(row[i]));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return arrow::Table::Make(schema, columns);
}

Result<TablePtr> TableFrom(const std::shared_ptr<arrow::Schema>& schema,
                           const std::vector<std::vector<std::string>>& rows) {
  return Ours(TableOf(schema, rows));
}

struct Named {
  std::string catalog;
  std::string schema;
  std::string table;
  catalog::PortRow row;
};

Result<std::vector<Named>> Everything(const catalog::Seen& seen) {
  std::vector<Named> all;
  for (catalog::PortRow& row : TRY(seen.Ports())) {
    all.push_back({model::SqlNameOf(row.key.domain), model::SqlNameOf(row.key.product), row.sql_name, row});
  }
  std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) {
    return std::tie(a.catalog, a.schema, a.table) < std::tie(b.catalog, b.schema, b.table);
  });
  return all;
}

Result<TablePtr> Catalogs(const catalog::Seen& seen) {
  std::set<std::vector<std::string>> rows;
  for (const Named& named : TRY(Everything(seen))) rows.insert({named.catalog});
  return TableFrom(CatalogsSchema(), {rows.begin(), rows.end()});
}

Result<TablePtr> DbSchemas(const catalog::Seen& seen, const sql::CommandGetDbSchemas& command) {
  std::set<std::vector<std::string>> rows;
  for (const Named& named : TRY(Everything(seen))) {
    if (command.has_catalog() && named.catalog != command.catalog()) continue;
    if (command.has_db_schema_filter_pattern() && !Like(named.schema, command.db_schema_filter_pattern())) continue;
    rows.insert({named.catalog, named.schema});
  }
  return TableFrom(DbSchemasSchema(), {rows.begin(), rows.end()});
}

// Who asks, and by what is decided what they are told.
struct Asked {
  const Context& context;
  const model::Caller& caller;
  const catalog::Seen& seen;

  // Whether the caller sees the column, where there is any that they may read; else the catalogue's word is told.
  Result<std::shared_ptr<const model::Restriction>> Sight(store::Txn& txn, const catalog::Port& port) const {
    model::Decision decision = TRY(context.gate.Ask(txn, caller, model::Action::kRead, port.resource));
    if (!decision.permitted) return std::shared_ptr<const model::Restriction>();
    return std::move(decision.restriction);
  }
};

Result<std::string> SchemaBytes(store::Txn& txn, const Asked& asked, const catalog::PortRow& row) {
  const catalog::Port port = TRY(asked.seen.Load(row));
  model::TableSchema schema;
  if (port.contract && !port.contract->schema.empty()) {
    schema = TRY(model::SchemaOf(port.contract->schema.front(), nullptr));
  }
  if (const auto sight = TRY(asked.Sight(txn, port))) {
    std::erase_if(schema.fields, [&](const model::Field& field) { return !sight->Shows(field.name); });
  }
  auto bytes = TRY(Ours(arrow::ipc::SerializeSchema(*ArrowSchemaOf(schema))));
  return bytes->ToString();
}

Result<TablePtr> Tables(store::Txn& txn, const Asked& asked, const sql::CommandGetTables& command) {
  std::vector<std::vector<std::string>> rows;
  const auto& types = command.table_types();
  const bool typed = types.empty() || std::find(types.begin(), types.end(), "TABLE") != types.end();
  for (const Named& named : TRY(Everything(asked.seen))) {
    if (!typed || (command.has_catalog() && named.catalog != command.catalog())) continue;
    if (command.has_db_schema_filter_pattern() && !Like(named.schema, command.db_schema_filter_pattern())) continue;
    if (command.has_table_name_filter_pattern() && !Like(named.table, command.table_name_filter_pattern())) continue;
    rows.push_back({named.catalog, named.schema, named.table, "TABLE"});
    if (command.include_schema()) rows.back().push_back(TRY(SchemaBytes(txn, asked, named.row)));
  }
  return TableFrom(TablesSchema(command.include_schema()), rows);
}

Result<TablePtr> PrimaryKeys(store::Txn& txn, const Asked& asked, const sql::CommandGetPrimaryKeys& command) {
  std::vector<std::vector<std::string>> rows;
  for (const Named& named : TRY(Everything(asked.seen))) {
    if (named.table != command.table()) continue;
    if (command.has_catalog() && named.catalog != command.catalog()) continue;
    if (command.has_db_schema() && named.schema != command.db_schema()) continue;
    const catalog::Port port = TRY(asked.seen.Load(named.row));
    if (!port.contract || port.contract->schema.empty()) continue;
    const auto sight = TRY(asked.Sight(txn, port));
    const std::vector<std::string> key = port.contract->schema.front().PrimaryKey();
    if (sight && !std::ranges::all_of(key, [&](const std::string& column) { return sight->Shows(column); })) continue;
    int position = 0;
    for (const std::string& column : key) {
      rows.push_back({named.catalog, named.schema, named.table, column, "primary_key", std::to_string(++position)});
    }
  }
  return TableFrom(PrimaryKeysSchema(), rows);
}

struct Info {
  uint32_t name;
  std::variant<std::string, bool, int64_t> value;
};

std::vector<Info> Infos(const std::string& version) {
  constexpr int64_t kNoTransactions = 0, kCaseInsensitive = 1;
  return {{0, "Weft"},
          {1, version},
          {2, ARROW_VERSION_STRING},
          {3, true},   // Read-only.
          {4, true},   // SQL.
          {5, false},  // Substrait.
          {8, kNoTransactions},
          {9, true},     // Cancel.
          {10, false},   // Bulk ingestion.
          {500, false},  // DDL of catalogues, schemas and tables.
          {501, false},
          {502, false},
          {503, kCaseInsensitive},
          {504, "\""},
          {505, kCaseInsensitive}};
}

arrow::Result<TablePtr> SqlInfo(const std::string& version, const sql::CommandGetSqlInfo& command) {
  auto schema = SqlInfoSchema();
  const auto& type = schema->field(1)->type();
  arrow::UInt32Builder names;
  auto texts = std::make_shared<arrow::StringBuilder>();
  auto flags = std::make_shared<arrow::BooleanBuilder>();
  auto numbers = std::make_shared<arrow::Int64Builder>();
  std::vector<std::shared_ptr<arrow::ArrayBuilder>> builders{texts, flags, numbers};
  for (int i = 3; i < type->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type->field(i)->type()));
    builders.push_back(std::move(builder));
  }
  arrow::DenseUnionBuilder values(arrow::default_memory_pool(), builders, type);
  const auto& wanted = command.info();
  for (const Info& info : Infos(version)) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), info.name) == wanted.end()) continue;
    ARROW_RETURN_NOT_OK(names.Append(info.name));
    ARROW_RETURN_NOT_OK(values.Append(static_cast<int8_t>(info.value.index())));
    if (const auto* text = std::get_if<std::string>(&info.value)) ARROW_RETURN_NOT_OK(texts->Append(*text));
    if (const auto* flag = std::get_if<bool>(&info.value)) ARROW_RETURN_NOT_OK(flags->Append(*flag));
    if (const auto* number = std::get_if<int64_t>(&info.value)) ARROW_RETURN_NOT_OK(numbers->Append(*number));
  }
  ARROW_ASSIGN_OR_RAISE(auto name_column, names.Finish());
  ARROW_ASSIGN_OR_RAISE(auto value_column, values.Finish());
  return arrow::Table::Make(schema, {name_column, value_column});
}

template <class Message>
Message Unpack(const google::protobuf::Any& any) {
  Message message;
  any.UnpackTo(&message);
  return message;
}

}  // namespace

Result<TablePtr> Describe(const Context& context, const model::Caller& caller, const std::string& version,
                          const google::protobuf::Any& any) {
  if (any.Is<sql::CommandGetSqlInfo>()) return Ours(SqlInfo(version, Unpack<sql::CommandGetSqlInfo>(any)));
  if (any.Is<sql::CommandGetTableTypes>()) return TableFrom(TableTypesSchema(), {{"TABLE"}});
  if (any.Is<sql::CommandGetXdbcTypeInfo>()) return Ours(arrow::Table::MakeEmpty(XdbcTypesSchema()));
  if (any.Is<sql::CommandGetExportedKeys>() || any.Is<sql::CommandGetImportedKeys>() ||
      any.Is<sql::CommandGetCrossReference>()) {
    return Ours(arrow::Table::MakeEmpty(ForeignKeysSchema()));
  }
  auto txn = TRY(context.store.Read());
  const model::Sight sight = TRY(
      catalog::SightOf(*txn, caller.principal, TRY(access::GrantedTo(*txn, context.store.clock(), caller.principal))));
  const catalog::Seen seen(*txn, sight);
  const Asked asked{context, caller, seen};
  if (any.Is<sql::CommandGetCatalogs>()) return Catalogs(seen);
  if (any.Is<sql::CommandGetDbSchemas>()) return DbSchemas(seen, Unpack<sql::CommandGetDbSchemas>(any));
  if (any.Is<sql::CommandGetTables>()) return Tables(*txn, asked, Unpack<sql::CommandGetTables>(any));
  if (any.Is<sql::CommandGetPrimaryKeys>()) return PrimaryKeys(*txn, asked, Unpack<sql::CommandGetPrimaryKeys>(any));
  return Error{Code::kUnsupported, "this door reads only: it does not know the command " + any.type_url()};
}

}  // namespace weft::flight
