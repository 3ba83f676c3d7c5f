#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <chrono>

#include "base/json.h"
#include "base/text.h"
#include "base/threads.h"
#include "drivers/database/internal.h"

namespace weft::database {
namespace {

constexpr Millis kLook{100};  // How soon a stop is seen.
constexpr const char* kNothing = "/nonexistent";
constexpr size_t kLongestQuery = size_t{1} << 20;

// Types whose own text is read as an engine's value; all others stay texts.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"bool", "BOOLEAN"}, {"int2", "INTEGER"},        {"int4", "INTEGER"},  {"int8", "BIGINT"},
    {"oid", "BIGINT"},   {"float4", "FLOAT"},        {"float8", "DOUBLE"}, {"date", "DATE"},
    {"time", "TIME"},    {"timestamp", "TIMESTAMP"}, {"bytea", "BLOB"},    {"timestamptz", "TIMESTAMP WITH TIME ZONE"}};

// What each column's type is, whatever domains stand around it, and all words of an enum.
constexpr const char* kDescribe = R"(
WITH RECURSIVE c(i, oid, mod, declared) AS (
  SELECT i, o, m, format_type(o, m) FROM unnest($1::oid[], $2::int4[]) WITH ORDINALITY AS u(o, m, i)
  UNION ALL
  SELECT c.i, t.typbasetype, t.typtypmod, c.declared FROM c JOIN pg_type t ON t.oid = c.oid WHERE t.typtype = 'd')
SELECT c.declared, CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END, c.mod,
  CASE WHEN t.typcategory = 'A' AND e.typnamespace = 'pg_catalog'::regnamespace THEN e.typname ELSE '' END,
  t.typcategory = 'A' AND t.typelem <> 0,
  coalesce((SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid), '[]')
FROM c JOIN pg_type t ON t.oid = c.oid LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE t.typtype <> 'd' ORDER BY c.i)";

constexpr const char* kFind = R"(
SELECT c.oid, n.nspname, c.relname, coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND
  CASE WHEN $1 = '' THEN pg_table_is_visible(c.oid) ELSE n.nspname = $1 END)";

constexpr const char* kTables = R"(
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND has_table_privilege(c.oid, 'SELECT') AND
  n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND ($1 = '' OR n.nspname = $1) ORDER BY 1)";

constexpr const char* kColumns = R"(
SELECT attname, attnotnull, coalesce(col_description(attrelid, attnum), '') FROM pg_attribute
WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)";

constexpr const char* kConstraints = R"(
SELECT c.contype,
  (SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(c.conkey) WITH ORDINALITY AS k(n, i)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n),
  coalesce(n.nspname || '.' || f.relname, ''),
  coalesce((SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(c.confkey) WITH ORDINALITY AS k(n, i)
    JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n), '[]')
FROM pg_constraint c LEFT JOIN pg_class f ON f.oid = c.confrelid LEFT JOIN pg_namespace n ON n.oid = f.relnamespace
WHERE c.conrelid = $1::oid AND c.contype IN ('p', 'u', 'f') AND c.convalidated ORDER BY c.conname)";

struct FreeAnswer {
  void operator()(PGresult* answer) const { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, FreeAnswer>;

std::string Cell(const Answer& answer, int row, int column) {
  return {PQgetvalue(answer.get(), row, column), static_cast<size_t>(PQgetlength(answer.get(), row, column))};
}

std::vector<std::string> Words(const Answer& answer, int row, int column) {
  const auto list = Json::Parse(Cell(answer, row, column));
  return list ? list->Texts() : std::vector<std::string>{};
}

// The server's own words without the label that stands before them, on one line.
std::string Said(std::string_view message) {
  std::string text;
  for (const std::string& line : Split(Trim(message), '\n')) {
    text += (text.empty() ? "" : "; ") + std::string(Trim(line));
  }
  constexpr std::string_view kBefore = " failed: ";  // "connection to server at …": that is said already.
  if (const size_t at = text.find(kBefore); text.starts_with("connection to server") && at != text.npos) {
    text.erase(0, at + kBefore.size());
  }
  return ReplaceAll(text, "FATAL:  ", "");
}

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost" || address.starts_with('/');
}

class Postgres final : public Database {
 public:
  Postgres(const Server& server, Patience patience) : server_(server), patience_(std::move(patience)) {}
  ~Postgres() override { PQfinish(connection_); }
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  Status Open(const Login& login) {
    Status opened = Error{Code::kUnavailable, "no address was given"};
    std::vector<std::string> addresses = login.addresses;
    if (addresses.empty()) addresses.emplace_back();
    for (const std::string& address : addresses) {
      opened = Connect(login, address);
      // Another address of the same host would say the same of the password.
      if (opened || opened.error().code != Code::kUnavailable || patience_.stop.stop_requested()) break;
    }
    if (!opened) return opened;
    // One state for all that is read; texts that say everything, whatever the server's or the user's habits.
    TRY(Run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    return ToStatus(
        Run("SELECT set_config(k, v, true) FROM (VALUES ('datestyle', 'ISO, YMD'), ('intervalstyle', 'iso_8601'), "
            "('timezone', 'UTC'), ('extra_float_digits', '3'), ('bytea_output', 'hex'), ('lock_timeout', '15s'), "
            "('standard_conforming_strings', 'on'), ('statement_timeout', '0'), "
            "('client_connection_check_interval', '2s')) AS s(k, v) WHERE k IN (SELECT lower(name) FROM pg_settings)"));
  }

  Result<std::vector<std::string>> Tables(const std::string& schema) override {
    const Answer answer = TRY(Run(kTables, {schema.empty() ? "public" : schema}));
    std::vector<std::string> names;
    for (int i = 0; i < PQntuples(answer.get()); ++i) names.push_back(Cell(answer, i, 0));
    return names;
  }

  Result<Table> OfTable(const std::string& name) override {
    const size_t dot = name.find('.');
    const std::string schema = dot == name.npos ? "" : name.substr(0, dot), bare = name.substr(dot + 1);
    const Answer found = TRY(Run(kFind, {schema, bare}));
    if (PQntuples(found.get()) == 0) {
      const Answer all = TRY(Run(kTables, {""}));
      std::vector<std::string> names;
      for (int i = 0; i < PQntuples(all.get()); ++i) names.push_back(Cell(all, i, 0));
      return NoTable(name, names);
    }
    const std::string oid = Cell(found, 0, 0), in = Cell(found, 0, 1);
    Table table = TRY(Described(fmt::format("SELECT * FROM {}.{}", SqlName(in), SqlName(bare))));
    table.name = in + "." + bare;
    table.comment = Cell(found, 0, 3);
    TRY(ReadColumns(oid, table));
    TRY(ReadConstraints(oid, table));
    return table;
  }

  Result<Table> OfQuery(const std::string& sql) override {
    if (sql.size() > kLongestQuery) return Error{Code::kInvalid, "the query is longer than a megabyte"};
    std::string_view one = Trim(sql);
    while (one.ends_with(';')) one = Trim(one.substr(0, one.size() - 1));
    return Described(std::string(one));
  }

  Result<std::string> Newest(const Table& table, const Column& column) override {
    // Rows without a value come first in this order, so that one look finds them or the greatest.
    const Answer answer = TRY(Run(fmt::format("SELECT {0}::text FROM (\n{1}\n) AS weft_rows ORDER BY {0} DESC LIMIT 1",
                                              "weft_rows." + SqlName(column.name), table.select)));
    if (PQntuples(answer.get()) == 0) return std::string();
    if (PQgetisnull(answer.get(), 0, 0) != 0) return NoValue(column.name);
    std::string newest = Cell(answer, 0, 0);
    if (newest == "infinity" || newest == "NaN" || newest == "Infinity") return LastForEver(column.name, newest);
    return newest;
  }

  Result<Copied> Copy(const Table& table, const std::string& file, const Window& window) override {
    std::vector<std::string> columns;
    for (const Column& column : table.columns) columns.push_back(Sent(column));
    // The line break ends a comment that the query may end with; that the query is one, alone, was asked of the server.
    TRY(Send(
        fmt::format("COPY (SELECT {} FROM (\n{}\n) AS weft_rows{}) TO STDOUT (FORMAT csv, NULL '{}', FORCE_QUOTE *)",
                    Join(columns, ", "), table.select, Where(window), kNull),
        {}));
    const Answer begun = TRY(Next());
    if (PQresultStatus(begun.get()) != PGRES_COPY_OUT) return Failed(begun);
    RowFile rows = TRY(RowFile::Make(file));
    const Millis silence = patience_.silence;
    for (Deadline deadline = Deadline::After(silence);;) {
      char* row = nullptr;
      const int got = PQgetCopyData(connection_, &row, 1);
      if (got > 0) {
        Status added = rows.Add({row, static_cast<size_t>(got)});
        PQfreemem(row);
        TRY(std::move(added));
        deadline = Deadline::After(silence);
        if (patience_.stop.stop_requested()) return Stopped();
      } else if (got == 0) {
        TRY(Wait(POLLIN, deadline));
        if (PQconsumeInput(connection_) == 0) return Lost();
      } else {
        break;
      }
    }
    const Answer ended = TRY(Next());
    if (PQresultStatus(ended.get()) != PGRES_COMMAND_OK) return Failed(ended);
    const std::string copied = PQcmdTuples(ended.get());
    TRY(Drain());
    const Copied all = TRY(rows.Finish());
    if (copied == std::to_string(all.rows)) return all;
    return Error{Code::kUnavailable, fmt::format("the server sent {} rows and says they are {}", all.rows, copied)};
  }

 private:
  static Status ToStatus(Result<Answer> answer) {
    if (!answer) return answer.TakeError();
    return {};
  }

  std::string Place() const { return fmt::format("{}:{}", server_.host, server_.port); }

  Status Connect(const Login& login, const std::string& address) {
    PQfinish(connection_);
    const std::string port = std::to_string(server_.port);
    const bool here = IsLoopback(address.empty() ? server_.host : address);
    const std::string mode = !server_.ssl_mode.empty() ? server_.ssl_mode : here ? "prefer" : "require";
    std::vector<std::pair<const char*, const char*>> words{
        {"host", server_.host.c_str()}, {"port", port.c_str()},    {"dbname", server_.database.c_str()},
        {"user", server_.user.c_str()}, {"sslmode", mode.c_str()}, {"client_encoding", "UTF8"},
        {"application_name", "weft"},   {"gssencmode", "disable"}};
    if (!address.empty()) words.emplace_back("hostaddr", address.c_str());
    const char* password = login.password ? login.password->bytes().data() : "none";
    // A password that is not there is "none", since without any the environment's would be sent.
    if (login.password || !login.own) words.emplace_back("password", password);
    // What the node's own user keeps for libpq is nobody else's.
    if (!login.own) words.insert(words.end(), {{"passfile", kNothing}, {"sslcert", kNothing}, {"sslkey", kNothing}});
    if (!login.ca_file.empty()) words.emplace_back("sslrootcert", login.ca_file.c_str());
    std::vector<const char*> names, values;
    for (const auto& [name, value] : words) names.push_back(name), values.push_back(value);
    names.push_back(nullptr), values.push_back(nullptr);
    connection_ = PQconnectStartParams(names.data(), values.data(), 0);
    if (!connection_) return Error{Code::kUnavailable, "out of memory"};
    PQsetNoticeProcessor(
        connection_, [](void*, const char*) {}, nullptr);
    const Deadline deadline = Deadline::After(patience_.connect);
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
         next = PQconnectPoll(connection_)) {
      if (next == PGRES_POLLING_FAILED || PQstatus(connection_) == CONNECTION_BAD) return Unconnected(login);
      Status waited = Wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
      if (waited) continue;
      if (patience_.stop.stop_requested()) return waited;
      return Error{Code::kUnavailable, fmt::format("the database at {} did not answer within {} s", Place(),
                                                   patience_.connect.count() / 1000)};
    }
    return {};
  }

  // The server says why in its own language; what it is about is told by what was asked before it hung up.
  Error Unconnected(const Login& login) const {
    const std::string said = Said(PQerrorMessage(connection_));
    const bool asked = PQconnectionUsedPassword(connection_) != 0 || PQconnectionNeedsPassword(connection_) != 0;
    if (!asked) {
      return {Code::kUnavailable,
              fmt::format("the database '{}' at {} cannot be reached: {}", server_.database, Place(), said)};
    }
    const bool none = !login.password;
    return {Code::kInvalid, fmt::format("the server at {} does not let {} into the database '{}'{}: {}", Place(),
                                        server_.user.empty() ? "you" : "'" + server_.user + "'", server_.database,
                                        none ? " without a password" : "", said)};
  }

  Error Lost() const {
    return {Code::kUnavailable,
            fmt::format("the database at {} went away: {}", Place(), Said(PQerrorMessage(connection_)))};
  }

  Error Failed(const Answer& answer) const {
    auto field = [&](int code) -> std::string {
      const char* text = PQresultErrorField(answer.get(), code);
      return text ? text : "";
    };
    const std::string state = field(PG_DIAG_SQLSTATE);
    if (state.empty()) return Lost();
    const std::string detail = field(PG_DIAG_MESSAGE_DETAIL);
    const std::string said = field(PG_DIAG_MESSAGE_PRIMARY) + (detail.empty() ? "" : "; " + detail);
    // Rights, names, syntax and data are for people to mend; the rest passes.
    const bool theirs = state.starts_with("42") || state.starts_with("22") || state.starts_with("25") ||
                        state.starts_with("0A") || state.starts_with("26");
    if (state == "42501") {
      return {Code::kInvalid, fmt::format("the user '{}' of the database '{}' may not read it: {}", server_.user,
                                          server_.database, said)};
    }
    return {theirs ? Code::kInvalid : Code::kUnavailable,
            fmt::format("the database '{}' at {} says: {}", server_.database, Place(), said)};
  }

  // Until the socket is ready, the deadline or a stop.
  Status Wait(short events, const Deadline& deadline) const {
    pollfd waiting{PQsocket(connection_), events, 0};
    if (waiting.fd < 0) return Lost();
    while (!patience_.stop.stop_requested()) {
      if (::poll(&waiting, 1, static_cast<int>(kLook.count())) != 0) return {};
      if (deadline.passed()) {
        return Error{Code::kUnavailable, fmt::format("the database at {} said nothing for {} s", Place(),
                                                     patience_.silence.count() / 1000)};
      }
    }
    return Stopped();
  }

  // The extended protocol takes one statement and no second one.
  Status Send(const std::string& sql, const std::vector<std::string>& params) {
    std::vector<const char*> values;
    for (const std::string& param : params) values.push_back(param.c_str());
    const int sent = PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                       values.data(), nullptr, nullptr, 0);
    if (sent == 0) return Lost();
    return {};
  }

  // The next answer; null where there is none any more.
  Result<Answer> Next() {
    const Deadline deadline = Deadline::After(patience_.silence);
    while (PQisBusy(connection_) != 0) {
      TRY(Wait(POLLIN, deadline));
      if (PQconsumeInput(connection_) == 0) return Lost();
    }
    return Answer(PQgetResult(connection_));
  }

  Status Drain() {
    while (TRY(Next())) continue;
    return {};
  }

  Result<Answer> Run(const std::string& sql, const std::vector<std::string>& params = {}) {
    TRY(Send(sql, params));
    Answer answer = TRY(Next());
    TRY(Drain());
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return answer;
    return Failed(answer);
  }

  // The columns of what is one statement by itself and gives rows.
  Result<Table> Described(const std::string& select) {
    auto prepared = [&]() -> Result<Answer> {
      if (PQsendPrepare(connection_, "", select.c_str(), 0, nullptr) == 0) return Lost();
      Answer answer = TRY(Next());
      TRY(Drain());
      if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return Failed(answer);
      if (PQsendDescribePrepared(connection_, "") == 0) return Lost();
      answer = TRY(Next());
      TRY(Drain());
      if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) return Failed(answer);
      return answer;
    };
    const Answer shape = TRY(prepared());
    Table table;
    table.select = select;
    std::vector<std::string> oids, mods;
    for (int i = 0; i < PQnfields(shape.get()); ++i) {
      table.columns.push_back({PQfname(shape.get(), i), {}, {}, false, {}, {}});
      oids.push_back(std::to_string(PQftype(shape.get(), i)));
      mods.push_back(std::to_string(PQfmod(shape.get(), i)));
    }
    if (oids.empty()) return Error{Code::kInvalid, "it gives no column"};
    const Answer types = TRY(Run(kDescribe, {"{" + Join(oids, ",") + "}", "{" + Join(mods, ",") + "}"}));
    for (int i = 0; i < PQntuples(types.get()); ++i) {
      Column& column = table.columns[static_cast<size_t>(i)];
      column.declared = Cell(types, i, 0);
      const int mod = std::stoi(Cell(types, i, 2));
      const bool list = Cell(types, i, 4) == "t";
      column.type = EngineType(Cell(types, i, list ? 3 : 1), mod, list);
      if (list) column.type = (column.type.empty() ? "VARCHAR" : column.type) + "[]";
      column.words = Words(types, i, 5);
    }
    return table;
  }

  static std::string EngineType(const std::string& name, int mod, bool element) {
    if (name == "numeric") {
      const int precision = (mod - 4) >> 16 & 0xFFFF, scale = (mod - 4) & 0x7FF;
      const bool held = mod >= 4 && precision <= 38 && scale <= precision;
      return held ? fmt::format("DECIMAL({},{})", precision, scale) : "";
    }
    if (name == "money") return "";
    if (element && name == "bytea") return "VARCHAR";
    for (const auto& [known, type] : kTypes) {
      if (name == known) return std::string(type);
    }
    return "VARCHAR";
  }

  // Literals without a type take the column's.
  static std::string Where(const Window& window) {
    const std::string column = "weft_rows." + SqlName(window.column);
    std::vector<std::string> bounds;
    if (!window.after.empty() && window.again) {
      // A date less a span is a timestamp, which dates are held against as they begin.
      bounds.push_back(fmt::format("{} > {}::timestamptz - make_interval(months => {}, secs => {:.6f})", column,
                                   SqlText(window.after), window.again->months,
                                   static_cast<double>(window.again->micros) / 1e6));
    } else if (!window.after.empty()) {
      bounds.push_back(fmt::format("{} > {}", column, SqlText(window.after)));
    }
    if (!window.until.empty()) bounds.push_back(fmt::format("{} <= {}", column, SqlText(window.until)));
    return bounds.empty() ? "" : " WHERE " + Join(bounds, " AND ");
  }

  // How the server writes the values of a column.
  static std::string Sent(const Column& column) {
    std::string name = SqlName(column.name);
    if (column.type == "BLOB") return fmt::format(R"(regexp_replace(encode({}, 'hex'), '(..)', '\\x\1', 'g'))", name);
    if (column.declared == "money") return name + "::numeric";
    if (column.type.ends_with("[]")) {
      // One of more dimensions than one stays what no list is, and is refused where it is read.
      return fmt::format("CASE WHEN array_ndims({0}) > 1 THEN {0}::text ELSE to_json({0}::text[])::text END", name);
    }
    return name;
  }

  Status ReadColumns(const std::string& oid, Table& table) {
    const Answer answer = TRY(Run(kColumns, {oid}));
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      for (Column& column : table.columns) {
        if (column.name != Cell(answer, i, 0)) continue;
        column.required = Cell(answer, i, 1) == "t";
        column.comment = Cell(answer, i, 2);
      }
    }
    return {};
  }

  Status ReadConstraints(const std::string& oid, Table& table) {
    const Answer answer = TRY(Run(kConstraints, {oid}));
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      const std::string kind = Cell(answer, i, 0);
      std::vector<std::string> columns = Words(answer, i, 1);
      if (kind == "p") {
        table.key = std::move(columns);
      } else if (kind == "f") {
        table.references.push_back({std::move(columns), Cell(answer, i, 2), Words(answer, i, 3)});
      } else if (columns.size() == 1) {
        table.unique.push_back(columns[0]);
      }
    }
    return {};
  }

  const Server server_;
  const Patience patience_;
  PGconn* connection_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Database>> OpenPostgres(const Server& server, const Login& login, Patience patience) {
  auto database = std::make_unique<Postgres>(server, std::move(patience));
  TRY(database->Open(login));
  return std::unique_ptr<Database>(std::move(database));
}

Server WithOwnUser(Server server) {
  PQconninfoOption* all = PQconndefaults();
  for (const PQconninfoOption* each = all; server.user.empty() && each && each->keyword; ++each) {
    if (std::string_view(each->keyword) == "user" && each->val) server.user = each->val;
  }
  PQconninfoFree(all);
  return server;
}

std::optional<Secret> OwnPassword(const Server& server) {
  const std::string port = std::to_string(server.port);
  const char* names[] = {"host", "port", "dbname", "user", nullptr};
  const char* values[] = {server.host.c_str(), port.c_str(), server.database.c_str(), server.user.c_str(), nullptr};
  PGconn* connection = PQconnectStartParams(names, values, 0);
  const char* found = connection ? PQpass(connection) : nullptr;
  std::optional<Secret> password;
  if (found && *found) password = Secret(found);
  PQfinish(connection);
  return password;
}

}  // namespace weft::database
