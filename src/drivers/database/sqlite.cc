#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>

#include "base/text.h"
#include "drivers/database/internal.h"

namespace weft::database {
namespace {

constexpr int kBusyMs = 10'000;         // A writer holds the file at most as long as it writes.
constexpr int kInstructions = 100'000;  // Of SQLite's machine, between looks at the stop.

// A path as an URI: what has a meaning there is escaped.
std::string Uri(const std::string& path, bool still) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + (still ? "?mode=ro&immutable=1" : "?mode=ro");
}

// What the declared type means for the engine, as far as values keep to it.
std::string EngineType(const std::string& declared) {
  const std::string type = Lower(declared);
  auto has = [&](std::string_view word) { return type.find(word) != type.npos; };
  int precision = 0, scale = 0;
  if (has("bool")) return "BOOLEAN";
  if (std::sscanf(type.c_str(), "%*[a-z](%d,%d)", &precision, &scale) == 2 && (has("dec") || has("num")) &&
      precision > 0 && precision <= 38 && scale >= 0 && scale <= precision) {
    return fmt::format("DECIMAL({},{})", precision, scale);
  }
  if (has("datetime") || has("timestamp")) return "TIMESTAMP";
  if (has("date")) return "DATE";
  if (has("int")) return "BIGINT";
  if (has("char") || has("clob") || has("text")) return "VARCHAR";
  if (has("blob")) return "BLOB";
  return has("real") || has("floa") || has("doub") ? "DOUBLE" : "";
}

class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  sqlite3_stmt* get() const { return statement_; }

  std::string Text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text ? std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))) : "";
  }
  int Int(int column) const { return sqlite3_column_int(statement_, column); }

 private:
  sqlite3_stmt* statement_;
};

class Sqlite final : public Database {
 public:
  explicit Sqlite(Patience patience) : patience_(std::move(patience)) {}
  ~Sqlite() override { sqlite3_close_v2(database_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  Status Open(const std::string& path, bool still) {
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE;
    const int opened = sqlite3_open_v2(Uri(path, still).c_str(), &database_, flags, nullptr);
    if (opened != SQLITE_OK) return Failed();
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, kBusyMs);
    // The file is somebody else's: what stands in its schema is no program of ours.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_progress_handler(
        database_, kInstructions,
        [](void* patience) { return static_cast<Patience*>(patience)->stop.stop_requested() ? 1 : 0; }, &patience_);
    // One state of the file for all that is read: the first statement of a transaction takes it.
    for (const char* sql : {"PRAGMA cell_size_check = ON", "BEGIN", "SELECT count(*) FROM sqlite_schema"}) {
      Statement statement = TRY(Prepare(sql));
      TRY(Step(statement));
    }
    return {};
  }

  Result<std::vector<std::string>> Tables(const std::string&) override {
    Statement statement =
        TRY(Prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE "
                    "'sqlite^_%' ESCAPE '^' ORDER BY name"));
    std::vector<std::string> names;
    while (TRY(Step(statement))) names.push_back(statement.Text(0));
    return names;
  }

  Result<Table> OfTable(const std::string& name) override {
    Statement found =
        TRY(Prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE", {name}));
    if (!TRY(Step(found))) return NoTable(name, TRY(Tables("")));
    Table table;
    table.name = found.Text(0);
    table.loose = true;
    table.select = "SELECT * FROM " + SqlName(table.name);
    std::map<int, std::string> key;
    Statement columns = TRY(Prepare(
        "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid", {table.name}));
    while (TRY(Step(columns))) {
      table.columns.push_back(
          {columns.Text(0), columns.Text(1), EngineType(columns.Text(1)), columns.Int(2) != 0, {}, {}});
      if (columns.Int(3) > 0) key[columns.Int(3)] = columns.Text(0);
    }
    for (const auto& [position, column] : key) table.key.push_back(column);
    for (Column& column : table.columns) {
      const bool rowid = table.key.size() == 1 && table.key[0] == column.name && Lower(column.declared) == "integer";
      column.required = column.required || rowid;  // Other keys may be null in SQLite.
    }
    TRY(ReadUnique(table));
    TRY(ReadReferences(table));
    return table;
  }

  Result<Table> OfQuery(const std::string&) override {
    return Error{Code::kUnsupported, "of SQLite tables and views are read, by their name"};
  }

  // As an SQL literal, since 10 and '10' are two values here.
  Result<std::string> Newest(const Table& table, const Column& column) override {
    const std::string name = SqlName(column.name);
    Statement found = TRY(
        Prepare(fmt::format("SELECT CASE typeof({0}) WHEN 'real' THEN 'integer' ELSE typeof({0}) END, quote(max({0})) "
                            "FROM {1} GROUP BY 1 ORDER BY 1",
                            name, SqlName(table.name))));
    std::string newest, kind;
    while (TRY(Step(found))) {
      const std::string each = found.Text(0);
      if (each == "null") return NoValue(column.name);
      if (!kind.empty() || each == "blob") {
        return Error{Code::kInvalid,
                     fmt::format("'{0}' holds {1}, which have no order that rows could be read in: read a view that "
                                 "casts it, as in CAST({0} AS TEXT)",
                                 column.name, kind.empty() ? "bytes" : "numbers and texts")};
      }
      kind = each;
      newest = found.Text(1);
    }
    if (newest == "9.0e+999") return LastForEver(column.name, "infinity");
    return newest;
  }

  Result<Copied> Copy(const Table& table, const std::string& file, const Window& window) override {
    std::vector<std::string> columns;
    for (const Column& column : table.columns) columns.push_back(SqlName(column.name));
    const std::string where = TRY(Where(table, window));
    Statement rows = TRY(Prepare(fmt::format("SELECT {} FROM {}{}", Join(columns, ", "), SqlName(table.name), where)));
    RowFile out = TRY(RowFile::Make(file));
    std::string line;
    for (int64_t row = 1; TRY(Step(rows)); ++row) {
      line.clear();
      for (size_t i = 0; i < table.columns.size(); ++i) {
        if (i > 0) line += ',';
        if (Status added = Add(rows, i, table.columns[i], line); !added) {
          return added.TakeError().With(fmt::format("row {}, column {}", row, table.columns[i].name));
        }
      }
      TRY(out.Add(line += '\n'));
    }
    return out.Finish();
  }

 private:
  Result<std::string> Where(const Table& table, const Window& window) {
    const std::string column = SqlName(window.column);
    std::vector<std::string> bounds;
    if (!window.after.empty() && window.again) {
      // Dates and times are texts of several forms: held against each other as days, to the millisecond.
      const std::string begin = fmt::format("julianday({}, '-{} months') - {:.9f}", window.after, window.again->months,
                                            static_cast<double>(window.again->micros) / 86'400e6);
      Statement odd =
          TRY(Prepare(fmt::format("SELECT {0} FROM {1} WHERE typeof({0}) <> 'text' OR julianday({0}) IS NULL "
                                  "LIMIT 1",
                                  column, SqlName(table.name))));
      if (TRY(Step(odd))) {
        return Error{Code::kInvalid, fmt::format("lag is of dates and times such as 2024-01-31 10:00:00, and '{}' "
                                                 "has values that are none: leave lag out",
                                                 window.column)};
      }
      bounds.push_back(fmt::format("julianday({}) > {}", column, begin));
    } else if (!window.after.empty()) {
      bounds.push_back(fmt::format("{} > {}", column, window.after));
    }
    if (!window.until.empty()) bounds.push_back(fmt::format("{} <= {}", column, window.until));
    return bounds.empty() ? "" : " WHERE " + Join(bounds, " AND ");
  }

  // One value, as database.h says.
  static Status Add(const Statement& rows, size_t at, const Column& column, std::string& line) {
    const int index = static_cast<int>(at);
    const int kind = sqlite3_column_type(rows.get(), index);
    if (kind == SQLITE_NULL) {
      line += kNull;
      return {};
    }
    line += '"';
    if (column.type == "BLOB") {
      const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(rows.get(), index));
      const int size = sqlite3_column_bytes(rows.get(), index);
      for (int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(line), "\\x{:02X}", bytes[i]);
    } else if (kind == SQLITE_FLOAT) {
      line += fmt::format("{}", sqlite3_column_double(rows.get(), index));  // The shortest text that is this number.
    } else if (kind == SQLITE_BLOB) {
      return Error{Code::kInvalid, fmt::format("it holds bytes, and is declared '{}': read a view that casts it, as in "
                                               "CAST({} AS TEXT)",
                                               column.declared, column.name)};
    } else {
      const std::string text = rows.Text(index);
      if (text.find('\0') != text.npos) return Error{Code::kInvalid, "it has a NUL byte, which no text of ours has"};
      if (!IsUtf8(text)) return Error{Code::kInvalid, "its bytes are no UTF-8 text"};
      line += ReplaceAll(text, "\"", "\"\"");
    }
    line += '"';
    return {};
  }

  Error Failed() const {
    const int code = database_ ? sqlite3_errcode(database_) : SQLITE_NOMEM;
    const std::string said = database_ ? sqlite3_errmsg(database_) : "out of memory";
    if (code == SQLITE_NOTADB) return {Code::kInvalid, "it is no SQLite database, or an encrypted one"};
    if (code == SQLITE_CORRUPT) return {Code::kInvalid, "it is damaged: " + said};
    if (code == SQLITE_BUSY) return {Code::kUnavailable, "another program holds it: " + said};
    if (code == SQLITE_INTERRUPT) return Stopped();
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) {
      return {Code::kUnavailable,
              fmt::format("it cannot be opened for reading: {}. Of a file in WAL mode the folder must be open to this "
                          "user, or its writer must run",
                          said)};
    }
    return {Code::kInvalid, said};
  }

  Result<Statement> Prepare(const std::string& sql, const std::vector<std::string>& params = {}) {
    sqlite3_stmt* made = nullptr;
    const int code = sqlite3_prepare_v2(database_, sql.c_str(), static_cast<int>(sql.size()), &made, nullptr);
    Statement statement(made);
    if (code != SQLITE_OK) return Failed();
    for (size_t i = 0; i < params.size(); ++i) {
      sqlite3_bind_text(made, static_cast<int>(i) + 1, params[i].c_str(), static_cast<int>(params[i].size()),
                        SQLITE_TRANSIENT);
    }
    return statement;
  }

  // Whether there is a row.
  Result<bool> Step(const Statement& statement) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return Failed();
  }

  Status ReadUnique(Table& table) {
    Statement found = TRY(Prepare(
        "SELECT min(i.name) FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i WHERE l.\"unique\" = 1 AND "
        "l.origin = 'u' GROUP BY l.name HAVING count(*) = 1 ORDER BY 1",
        {table.name}));
    while (TRY(Step(found))) table.unique.push_back(found.Text(0));
    return {};
  }

  Status ReadReferences(Table& table) {
    Statement found = TRY(Prepare(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq", {table.name}));
    for (int last = -1; TRY(Step(found));) {
      if (found.Int(0) != last) table.references.push_back({{}, found.Text(1), {}});
      last = found.Int(0);
      table.references.back().columns.push_back(found.Text(2));
      table.references.back().keys.push_back(found.Text(3));  // Empty: the other's key.
    }
    return {};
  }

  Patience patience_;
  sqlite3* database_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path, bool still, Patience patience) {
  auto database = std::make_unique<Sqlite>(std::move(patience));
  TRY(database->Open(path, still));
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace weft::database
