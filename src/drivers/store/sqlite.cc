#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <unordered_map>

#include "drivers/store/readers.h"
#include "drivers/store/turns.h"

namespace weft::store {
namespace {

constexpr auto kBusyMillis = 5'000;  // For other processes that hold the file.
constexpr size_t kMaxReaders = 64;
constexpr size_t kMaxStatements = 256;

Error Failure(sqlite3* db, int code, std::string_view path) {
  const char* message = sqlite3_errmsg(db);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID) {
        return {Code::kConflict, fmt::format("the store has such a row already: {}", message)};
      }
      return {Code::kInternal, fmt::format("the store refused a row: {}", message)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, "the store is busy with another program; try again in a moment"};
    case SQLITE_FULL:
      return {Code::kUnavailable,
              fmt::format("the disk of the store {} is full: nothing was written; free space and try again", path)};
    case SQLITE_IOERR:
      return {Code::kUnavailable,
              fmt::format("the store {} cannot be read or written ({}); check its disk", path, message)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::kInternal, fmt::format("{} is damaged or no store: {}", path, message)};
    case SQLITE_READONLY:
      return {Code::kInternal, fmt::format("a transaction that only reads tried to write ({})", message)};
    default:
      return {Code::kInternal, fmt::format("the store failed: {}", message)};
  }
}

// One connection with its prepared statements. Used by one thread at a time.
class Connection {
 public:
  Connection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  ~Connection() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement.handle);
    sqlite3_close(db_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static Result<std::unique_ptr<Connection>> Open(const std::string& path, bool writes) {
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
    auto connection = std::make_unique<Connection>(db, path);
    if (code != SQLITE_OK) return Failure(db, code, path).With("cannot open the store " + path);
    sqlite3_busy_timeout(db, kBusyMillis);
    TRY(connection->Execute("PRAGMA journal_mode=WAL"));
    TRY(connection->Execute("PRAGMA synchronous=FULL"));
    TRY(connection->Execute("PRAGMA foreign_keys=ON"));
    TRY(connection->Execute("PRAGMA journal_size_limit=67108864"));
    if (writes) TRY(connection->Execute("PRAGMA secure_delete=ON"));  // What is deleted is overwritten with zeros.
    if (!writes) TRY(connection->Execute("PRAGMA query_only=ON"));
    return connection;
  }

  Status Execute(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return Failure(db_, code, path_);
    return {};
  }

  Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args) {
    std::vector<Row> rows;
    TRY(Each(sql, args, [&](Row row) -> Status {
      rows.push_back(std::move(row));
      return {};
    }));
    return rows;
  }

  template <class Visit>
  Status Each(std::string_view sql, std::span<const Cell> args, const Visit& visit) {
    Statement* statement = TRY(Prepare(sql));
    struct Reset {
      sqlite3_stmt* handle;
      ~Reset() {
        sqlite3_reset(handle);
        sqlite3_clear_bindings(handle);
      }
    } reset{statement->handle};
    TRY(Bind(*statement, args, sql));
    int step = sqlite3_step(statement->handle);
    for (; step == SQLITE_ROW; step = sqlite3_step(statement->handle)) TRY(visit(Fetch(statement->handle)));
    if (step != SQLITE_DONE) return Failure(db_, step, path_);
    return {};
  }

  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

 private:
  struct Statement {
    sqlite3_stmt* handle = nullptr;
    std::vector<int> slots;  // Of $1, $2, …; 0 where the text has none.
  };

  Result<Statement*> Prepare(std::string_view sql) {
    auto found = statements_.find(std::string(sql));
    if (found != statements_.end()) return &found->second;
    if (statements_.size() >= kMaxStatements) {
      for (auto& [text, old] : statements_) sqlite3_finalize(old.handle);
      statements_.clear();
    }
    Statement statement;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement.handle, &tail);
    if (code != SQLITE_OK) return Failure(db_, code, path_);
    if (!statement.handle) return Error{Code::kInternal, "an empty statement"};
    for (int n = 1; n <= sqlite3_bind_parameter_count(statement.handle); ++n) {
      statement.slots.push_back(sqlite3_bind_parameter_index(statement.handle, fmt::format("${}", n).c_str()));
    }
    return &statements_.emplace(std::string(sql), std::move(statement)).first->second;
  }

  Status Bind(const Statement& statement, std::span<const Cell> args, std::string_view sql) {
    if (args.size() != statement.slots.size()) {
      return Error{Code::kInternal, fmt::format("a statement of {} parameters was given {}: {}", statement.slots.size(),
                                                args.size(), sql)};
    }
    for (size_t i = 0; i < args.size(); ++i) {
      if (!args[i]) continue;
      // The caller's values outlive the statement's run.
      const int code = sqlite3_bind_text64(statement.handle, statement.slots[i], args[i]->data(), args[i]->size(),
                                           SQLITE_STATIC, SQLITE_UTF8);
      if (code != SQLITE_OK) return Failure(db_, code, path_);
    }
    return {};
  }

  static Row Fetch(sqlite3_stmt* handle) {
    std::vector<Cell> cells(static_cast<size_t>(sqlite3_column_count(handle)));
    for (size_t c = 0; c < cells.size(); ++c) {
      const int column = static_cast<int>(c);
      const unsigned char* text = sqlite3_column_text(handle, column);
      if (!text) continue;
      cells[c].emplace(reinterpret_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(handle, column)));
    }
    return Row(std::move(cells));
  }

  sqlite3* db_;
  const std::string path_;
  std::unordered_map<std::string, Statement> statements_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<Connection> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  Result<std::unique_ptr<Txn>> Begin() override;
  Result<std::unique_ptr<Txn>> Read() override;
  Status Purge(std::string_view table) override;
  Clock& clock() override { return SystemClock(); }

  void GiveBack(std::unique_ptr<Connection> connection, bool writes) {
    if (writes) {
      writer_ = std::move(connection);
      turns_.Leave();
      return;
    }
    readers_.Put(std::move(connection));
  }

 private:
  const std::string path_;
  Turns turns_;
  std::unique_ptr<Connection> writer_;  // Whose turn it is owns it; null while a transaction has it.
  Readers<Connection> readers_{kMaxReaders};
};

class SqliteTxn final : public Txn {
 public:
  SqliteTxn(SqliteStore& store, std::unique_ptr<Connection> connection, bool writes)
      : store_(store), connection_(std::move(connection)), writes_(writes) {}
  ~SqliteTxn() override {
    if (!connection_) return;
    // A rollback that fails leaves a transaction open, and the next BEGIN says so.
    if (connection_->in_transaction()) (void)connection_->Execute("ROLLBACK");
    store_.GiveBack(std::move(connection_), writes_);
  }

  Status Start() { return connection_->Execute(writes_ ? "BEGIN IMMEDIATE" : "BEGIN"); }

  Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args) override {
    TRY(StillGood());
    auto rows = connection_->Run(sql, args);
    if (!rows) broken_ = rows.error().message;
    return rows;
  }

  Status Each(std::string_view sql, const std::function<Status(const Row&)>& visit) override {
    TRY(StillGood());
    Status ran = connection_->Each(sql, {}, visit);
    if (!ran) broken_ = ran.error().message;
    return ran;
  }

  Dialect dialect() const override { return Dialect::kSqlite; }

  Status Commit() override {
    TRY(StillGood());
    Status committed = connection_->Execute("COMMIT");
    if (!committed) {
      broken_ = committed.error().message;
      return committed;
    }
    // The next writer need not wait for this object's end.
    store_.GiveBack(std::move(connection_), writes_);
    return {};
  }

 private:
  // PostgreSQL allows nothing but a rollback after a failed statement; held here too, so that both behave alike.
  Status StillGood() const {
    if (!connection_) return Error{Code::kInternal, "the transaction has been committed already"};
    if (broken_.empty()) return {};
    return Error{Code::kInternal, "the transaction failed before and can only be rolled back: " + broken_};
  }

  SqliteStore& store_;
  std::unique_ptr<Connection> connection_;  // Null once committed.
  const bool writes_;
  std::string broken_;
};

Result<std::unique_ptr<Txn>> SqliteStore::Begin() {
  TRY(turns_.Take());
  auto txn = std::make_unique<SqliteTxn>(*this, std::move(writer_), true);
  TRY(txn->Start());
  return std::unique_ptr<Txn>(std::move(txn));
}

// The write-ahead log has pages as they were before; into the file, and the log begins anew at length zero.
Status SqliteStore::Purge(std::string_view) {
  TRY(turns_.Take());
  auto moved = writer_->Run("PRAGMA wal_checkpoint(TRUNCATE)", {});
  turns_.Leave();
  if (!moved) return moved.TakeError();
  if (moved->empty() || !(*moved)[0].flag(0)) return {};
  return Error{Code::kUnavailable, "a reader holds the store's log, which still has what was deleted; try again"};
}

Result<std::unique_ptr<Txn>> SqliteStore::Read() {
  auto reader = readers_.Take([this] { return Connection::Open(path_, false); });
  auto txn = std::make_unique<SqliteTxn>(*this, TRY(std::move(reader)), false);
  TRY(txn->Start());
  // BEGIN alone takes no snapshot: the first read does, and a caller may be long in coming to it.
  TRY(txn->Run("SELECT count(*) FROM sqlite_schema", {}));
  return std::unique_ptr<Txn>(std::move(txn));
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqlite(const std::string& path) {
  // Made here rather than by SQLite, so that no one else can read it; the files beside it take over its mode.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return Error{Code::kUnavailable, fmt::format("cannot open the store {}: {}", path, std::strerror(errno))};
  ::close(file);
  auto writer = TRY(Connection::Open(path, true));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path, std::move(writer)));
}

}  // namespace weft::store
