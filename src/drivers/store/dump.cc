#include "drivers/store/dump.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weft::store {
namespace {

constexpr size_t kCells = 400;  // A statement.

std::string NamesOf(const TableShape& table) {
  std::vector<std::string> names;
  for (const std::string& column : table.columns) names.push_back(SqlName(column));
  return Join(names, ", ");
}

}  // namespace

Result<std::vector<TableShape>> Tables(Txn& txn) {
  const bool sqlite = txn.dialect() == Dialect::kSqlite;
  const auto names =
      TRY(txn.Run(sqlite ? "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name"
                         : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND "
                           "table_type = 'BASE TABLE' ORDER BY table_name COLLATE \"C\""));
  std::vector<TableShape> tables;
  for (const Row& row : names) {
    TableShape table{row.text(0), {}};
    if (table.name.starts_with("sqlite_") || table.name == "schema_migrations") continue;
    const std::string_view columns =
        sqlite ? "SELECT name FROM pragma_table_info($1) ORDER BY cid"
               : "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND "
                 "table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position";
    for (const Row& column : TRY(txn.Run(columns, {table.name}))) table.columns.push_back(column.text(0));
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<int64_t> Dump(Txn& txn, const TableShape& table, const std::function<Status(std::string_view line)>& visit) {
  int64_t rows = 0;
  TRY(txn.Each(fmt::format("SELECT {} FROM {}", NamesOf(table), SqlName(table.name)), [&](const Row& row) -> Status {
    Json::Array cells;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (row.null(i)) {
        cells.emplace_back();
        continue;
      }
      const std::string& text = *row[i];
      if (!IsUtf8(text) || text.find('\0') != text.npos) {
        return Error{Code::kInternal,
                     fmt::format("a row of {} holds what is no text in its column {}", table.name, table.columns[i])};
      }
      cells.emplace_back(text);
    }
    ++rows;
    return visit(Json(std::move(cells)).Dump());
  }));
  return rows;
}

Loader::Loader(Txn& txn, TableShape table)
    : txn_(txn), table_(std::move(table)), together_(std::max<size_t>(1, kCells / table_.columns.size())) {}

Status Loader::Add(std::string_view line) {
  const Json row = TRY(Json::Parse(line));
  if (!row.is_array() || row.size() != table_.columns.size()) {
    return Error{Code::kInvalid, fmt::format("a line of the table {} has not its {}", table_.name,
                                             Count(table_.columns.size(), "column"))};
  }
  for (const Json& cell : row.Items()) cells_.push_back(cell.is_null() ? Cell() : Cell(cell.Text()));
  return cells_.size() < together_ * table_.columns.size() ? Status() : Insert();
}

Status Loader::Finish() { return cells_.empty() ? Status() : Insert(); }

Status Loader::Insert() {
  std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ", SqlName(table_.name), NamesOf(table_));
  for (size_t i = 0; i < cells_.size(); ++i) {
    const bool first = i % table_.columns.size() == 0;
    sql += fmt::format("{}${}", i == 0 ? "(" : first ? "), (" : ", ", i + 1);
  }
  TRY(txn_.Run(sql + ")", cells_));
  cells_.clear();
  return {};
}

// SQLite numbers after the greatest by itself.
Status CountOn(Txn& txn) {
  if (txn.dialect() == Dialect::kSqlite) return {};
  for (const Row& row : TRY(txn.Run("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema "
                                    "= current_schema() AND is_identity = 'YES'"))) {
    TRY(
        txn.Run(fmt::format("SELECT setval(pg_get_serial_sequence('{0}', '{1}'), coalesce(max({1}), 0) + 1, false) "
                            "FROM {2}",
                            row.text(0), row.text(1), SqlName(row.text(0)))));
  }
  return {};
}

}  // namespace weft::store
