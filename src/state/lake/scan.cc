#include <fmt/format.h>

#include "base/text.h"
#include "state/lake/lake.h"

namespace weft::lake {
namespace {

using Kind = model::Type::Kind;

const model::Field* ById(const std::vector<model::Field>& fields, int id) {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const model::Field& field) { return field.id == id; });
  return found == fields.end() ? nullptr : &*found;
}

// Whether a value of the one type is one of the other as it stands, names of nested fields included.
bool Same(const model::Type& from, const model::Type& to) {
  if (from.kind != to.kind || from.precision != to.precision || from.scale != to.scale) return false;
  if (from.fields.size() != to.fields.size()) return false;
  for (size_t i = 0; i < from.fields.size(); ++i) {
    const model::Field &a = from.fields[i], &b = to.fields[i];
    if (a.id != b.id || a.name != b.name || !Same(a.type, b.type)) return false;
  }
  return true;
}

// The value `expression` of a file's type as the view's type, nested fields by id.
std::string Convert(const std::string& expression, const model::Type& from, const model::Type& to, int depth) {
  if (Same(from, to)) return expression;
  const std::string item = fmt::format("item_{}", depth);
  if (from.kind == Kind::kStruct && to.kind == Kind::kStruct) {
    std::string members;
    for (const model::Field& field : to.fields) {
      const model::Field* source = ById(from.fields, field.id);
      members += (members.empty() ? "" : ", ") + SqlName(field.name) + " := ";
      members +=
          source ? Convert(fmt::format("({}).{}", expression, SqlName(source->name)), source->type, field.type, depth)
                 : "NULL::" + field.type.DuckDb();
    }
    return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", expression, members);
  }
  if (from.kind == Kind::kList && to.kind == Kind::kList) {
    return fmt::format("list_transform({}, lambda {}: {})", expression, item,
                       Convert(item, from.fields[0].type, to.fields[0].type, depth + 1));
  }
  if (from.kind == Kind::kMap && to.kind == Kind::kMap) {
    return fmt::format(
        "map_from_entries(list_transform(map_entries({0}), lambda {1}: struct_pack(k := {2}, v := {3})))", expression,
        item, Convert(item + ".key", from.fields[0].type, to.fields[0].type, depth + 1),
        Convert(item + ".value", from.fields[1].type, to.fields[1].type, depth + 1));
  }
  return fmt::format("CAST({} AS {})", expression, to.DuckDb());
}

std::string Columns(const model::TableSchema* from, const model::TableSchema& to) {
  std::string columns;
  for (const model::Field& field : to.fields) {
    const model::Field* source = from ? ById(from->fields, field.id) : nullptr;
    std::string value =
        source ? Convert(SqlName(source->name), source->type, field.type, 0) : "NULL::" + field.type.DuckDb();
    columns +=
        (columns.empty() ? "" : ", ") + (value == SqlName(field.name) ? value : value + " AS " + SqlName(field.name));
  }
  return columns;
}

// `file`: the name of a column for the path of each row's file; empty: none.
std::string Scan(const View& view, std::vector<std::string>* paths, std::string_view file) {
  if (view.files.empty()) {
    const std::string columns = view.schema.fields.empty() ? "NULL AS no_columns" : Columns(nullptr, view.schema);
    return fmt::format("SELECT {}{} WHERE false", columns, file.empty() ? "" : ", '' AS " + SqlName(file));
  }
  const std::string also = file.empty() ? "" : ", " + SqlName(file);
  const std::string option = file.empty() ? "" : ", filename = " + SqlText(file);
  std::string sql;
  for (size_t begin = 0; begin < view.files.size();) {
    const int schema_id = view.files[begin].schema_id;
    std::string list;
    for (; begin < view.files.size() && view.files[begin].schema_id == schema_id; ++begin) {
      list += (list.empty() ? "" : ", ") + SqlText(view.files[begin].path);
      if (paths) paths->push_back(view.files[begin].path);
    }
    const auto& schemas = view.table.schemas;
    auto written =
        std::find_if(schemas.begin(), schemas.end(), [&](const auto& schema) { return schema.id == schema_id; });
    const model::TableSchema& from = written == schemas.end() ? view.schema : *written;
    sql += fmt::format("{}SELECT {}{} FROM read_parquet([{}], hive_partitioning = false{})",
                       sql.empty() ? "" : " UNION ALL ", Columns(&from, view.schema), also, list, option);
  }
  return sql;
}

}  // namespace

std::string ScanSql(const View& view, std::vector<std::string>* paths) { return Scan(view, paths, ""); }

std::string ScanFilesSql(const View& view, std::string_view file) { return Scan(view, nullptr, file); }

Restricted ScanUnder(const View& view, const model::Restriction* restriction, const model::MaskKeys& keys, bool barrier,
                     std::vector<std::string>* paths) {
  Restricted scan;
  scan.policy = model::DuckDbSql(restriction, view.schema, keys);
  scan.sql = model::PolicyView(scan.policy, view.schema, ScanSql(view, paths), barrier);
  return scan;
}

}  // namespace weft::lake
