#include <fmt/format.h>
#include <libpq-fe.h>

#include <atomic>
#include <condition_variable>
#include <unordered_map>

#include "drivers/store/readers.h"
#include "drivers/store/turns.h"

namespace weft::store {
namespace {

// Each node's share of the server's connections, which are a hundred unless its administrator says otherwise.
constexpr size_t kMaxReaders = 24;
constexpr size_t kMaxStatements = 512;
constexpr auto kReconnect = std::chrono::seconds(10);  // To learn how a commit ended that lost its connection.
constexpr unsigned kBoolean = 16;                      // The server's number of the type.

struct Freed {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* answer) const { PQclear(answer); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  void operator()(char* text) const { PQfreemem(text); }
};
using Answer = std::unique_ptr<PGresult, Freed>;
using Words = std::unique_ptr<PQconninfoOption, Freed>;

// The first line, without the server's own "ERROR: ".
std::string OneLine(const char* message) {
  std::string_view text = message ? message : "";
  text = text.substr(0, text.find('\n'));
  for (std::string_view head : {"ERROR:", "FATAL:"}) {
    if (text.starts_with(head)) text.remove_prefix(head.size());
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return std::string(text);
}

Error Unreachable(const std::string& why) {
  return {Code::kUnavailable, fmt::format("the store cannot be reached ({}); it is tried again with every request",
                                          why.empty() ? "the connection ended" : why)};
}

Error Failure(const PGresult* answer) {
  const char* field = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  const std::string_view state = field ? field : "";
  const std::string message = OneLine(PQresultErrorMessage(answer));
  if (state == "23505") return {Code::kConflict, "the store has such a row already: " + message};
  if (state.starts_with("23")) return {Code::kInternal, "the store refused a row: " + message};
  if (state == "22021" || state == "22P05") return {Code::kInvalid, "a text is no UTF-8: " + message};
  if (state == "55P03") {
    return {Code::kUnavailable, "the store is busy: another transaction held it for 30 s; try again in a moment"};
  }
  if (state == "40001" || state == "40P01") {
    return {Code::kUnavailable, "the store is busy with another transaction; try again in a moment"};
  }
  if (state == "53100") {
    return {Code::kUnavailable, "the disk of the store is full: nothing was written; free space and try again"};
  }
  if (state.starts_with("53")) return {Code::kUnavailable, "the store has no room for more: " + message};
  if (state.starts_with("58")) return {Code::kUnavailable, "the store cannot be read or written: " + message};
  if (state == "25006") {
    return {Code::kInternal, fmt::format("a transaction that only reads tried to write ({})", message)};
  }
  if (state.starts_with("XX")) return {Code::kInternal, "the store is damaged: " + message};
  if (state.empty() || state.starts_with("57P") || state == "25P03" || (state.starts_with("08") && state != "08P01")) {
    return Unreachable(message);
  }
  return {Code::kInternal, "the store failed: " + message};
}

// What libpq is told: the words of the URL, and what Weft says where they say nothing. A password in it is refused: the
// processes of a machine can be listed by anyone, and settings are shown.
Result<Words> WordsOf(const std::string& url) {
  char* wrong = nullptr;
  Words words(PQconninfoParse(url.c_str(), &wrong));
  const std::unique_ptr<char, Freed> freed(wrong);
  if (!words) {
    return Error{Code::kInvalid, "the store's URL cannot be read: write postgres://USER@HOST:PORT/DATABASE"};
  }
  for (const PQconninfoOption* word = words.get(); word->keyword; ++word) {
    const std::string_view name = word->keyword;
    if (!word->val || (name != "password" && name != "sslpassword")) continue;
    return Error{Code::kInvalid,
                 "the store's URL has a password in it, which whoever lists processes or settings would read: take it "
                 "out, and put a line HOST:PORT:DATABASE:USER:PASSWORD into a file of mode 0600 that passfile=FILE in "
                 "the URL or PGPASSFILE names"};
  }
  return words;
}

Status CheckServer(PGconn* connection) {
  if (PQserverVersion(connection) < 130'000) {
    return Error{Code::kUnsupported, fmt::format("the store is PostgreSQL {}; Weft needs 13 or newer",
                                                 PQserverVersion(connection) / 10'000)};
  }
  const char* encoding = PQparameterStatus(connection, "server_encoding");
  if (encoding && std::string_view(encoding) == "UTF8") return {};
  return Error{Code::kInvalid,
               fmt::format("the store's database has the encoding {}: CREATE DATABASE … ENCODING 'UTF8'",
                           encoding ? encoding : "?")};
}

// One connection with its prepared statements. Used by one thread at a time.
class Connection {
 public:
  explicit Connection(PGconn* db) : db_(db) {}

  static Result<std::unique_ptr<Connection>> Open(const std::string& url) {
    const Words words = TRY(WordsOf(url));
    // A server that is gone without a word is noticed within half a minute.
    std::map<std::string, std::string> told = {{"application_name", "weft"},  {"client_encoding", "UTF8"},
                                               {"connect_timeout", "10"},     {"keepalives_idle", "10"},
                                               {"keepalives_interval", "5"},  {"keepalives_count", "3"},
                                               {"tcp_user_timeout", "25000"}, {"target_session_attrs", "read-write"}};
    for (const PQconninfoOption* word = words.get(); word->keyword; ++word) {
      if (word->val) told[word->keyword] = word->val;
    }
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : told) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    auto connection = std::make_unique<Connection>(PQconnectdbParams(keys.data(), values.data(), 0));
    PGconn* db = connection->db_.get();
    if (PQstatus(db) != CONNECTION_OK) {
      const bool needs = PQconnectionNeedsPassword(db) != 0;
      return Unreachable(OneLine(PQerrorMessage(db)) +
                         (needs ? "; the password is read from the file that passfile= in the URL or PGPASSFILE names, "
                                  "of mode 0600"
                                : ""));
    }
    TRY(CheckServer(db));
    // What is committed has to be on disk, whatever the server's administrator chose for others.
    TRY(connection->Simple(
        "SET client_min_messages = warning; SET jit = off; SET lock_timeout = '30s'; SELECT "
        "set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"));
    return connection;
  }

  // Several statements at once, without parameters; the rows of the last.
  Result<std::vector<Row>> Simple(const char* sql) { return RowsOf(Answer(PQexec(db_.get(), sql))); }

  Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args) {
    std::vector<const char*> values;
    for (const Cell& arg : args) {
      if (arg && arg->find('\0') != std::string::npos) {
        return Error{Code::kInvalid, "a text has a zero byte in it, which the store cannot keep"};
      }
      values.push_back(arg ? arg->c_str() : nullptr);
    }
    const std::string* name = TRY(Prepare(sql));
    return RowsOf(Answer(
        PQexecPrepared(db_.get(), name->c_str(), static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0)));
  }

  // In portions of a cursor, which ends with the transaction.
  Status Each(std::string_view sql, const std::function<Status(const Row&)>& visit) {
    TRY(Simple(fmt::format("DECLARE weft_each NO SCROLL CURSOR FOR {}", sql).c_str()));
    while (true) {
      const std::vector<Row> rows = TRY(Simple("FETCH 1000 FROM weft_each"));
      for (const Row& row : rows) TRY(visit(row));
      if (rows.empty()) break;
    }
    TRY(Simple("CLOSE weft_each"));
    return {};
  }

  bool lost() const { return PQstatus(db_.get()) != CONNECTION_OK; }
  bool in_transaction() const { return PQtransactionStatus(db_.get()) != PQTRANS_IDLE; }

 private:
  Result<const std::string*> Prepare(std::string_view sql) {
    const std::string text(sql);
    const auto found = statements_.find(text);
    if (found != statements_.end()) return &found->second;
    if (statements_.size() >= kMaxStatements) {
      TRY(Simple("DEALLOCATE ALL"));
      statements_.clear();
    }
    const std::string name = fmt::format("weft_{}", ++prepared_);
    TRY(RowsOf(Answer(PQprepare(db_.get(), name.c_str(), text.c_str(), 0, nullptr))));
    return &statements_.emplace(text, name).first->second;
  }

  Result<std::vector<Row>> RowsOf(const Answer& answer) const {
    const ExecStatusType status = PQresultStatus(answer.get());
    if (lost()) return Unreachable(OneLine(PQerrorMessage(db_.get())));
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      return Failure(answer.get());
    }
    const int columns = PQnfields(answer.get());
    std::vector<Row> rows;
    for (int r = 0; r < PQntuples(answer.get()); ++r) {
      std::vector<Cell> cells(static_cast<size_t>(columns));
      for (int c = 0; c < columns; ++c) {
        if (PQgetisnull(answer.get(), r, c)) continue;
        std::string text(PQgetvalue(answer.get(), r, c), static_cast<size_t>(PQgetlength(answer.get(), r, c)));
        if (PQftype(answer.get(), c) == kBoolean) text = text == "t" ? "1" : "0";
        cells[static_cast<size_t>(c)] = std::move(text);
      }
      rows.emplace_back(std::move(cells));
    }
    return rows;
  }

  const std::unique_ptr<PGconn, Freed> db_;
  std::unordered_map<std::string, std::string> statements_;  // Text → name.
  int64_t prepared_ = 0;
};

using ConnectionPtr = std::unique_ptr<Connection>;

// The machine's clock, moved to the server's: read without asking it.
class ServerClock final : public Clock {
 public:
  Instant Now() const override { return {SystemClock().Now().micros + offset_.load(std::memory_order_relaxed)}; }
  void Hear(int64_t server_micros) {
    offset_.store(server_micros - SystemClock().Now().micros, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> offset_ = 0;
};

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(std::string url) : url_(std::move(url)) {}

  Status Connect() {
    writer_ = TRY(Connection::Open(url_));
    return Hear(*writer_);
  }

  Result<std::unique_ptr<Txn>> Begin() override;
  Result<std::unique_ptr<Txn>> Read() override;
  Status Purge(std::string_view table) override;
  Clock& clock() override { return clock_; }

  void GiveBack(ConnectionPtr connection, bool writes) {
    if (connection && connection->lost()) connection.reset();
    if (writes) {
      writer_ = std::move(connection);
      turns_.Leave();
      return;
    }
    if (connection) {
      readers_.Put(std::move(connection));
    } else {
      readers_.Forget(true);  // What broke one has broken the others: they are opened anew.
    }
  }

  // Whether a transaction whose connection broke at its commit was committed. kUnavailable where nobody can tell.
  Status Outcome(const std::string& transaction) {
    const Deadline deadline = Deadline::After(kReconnect);
    while (!deadline.passed()) {
      auto connection = Connection::Open(url_);
      auto rows = connection ? (*connection)->Run("SELECT pg_xact_status($1::xid8)", std::vector<Cell>{transaction})
                             : Result<std::vector<Row>>(connection.error());
      if (rows && (*rows)[0].text(0) == "committed") return {};
      if (rows && (*rows)[0].text(0) == "aborted") return Unreachable("it went away before the commit");
      std::this_thread::sleep_for(Millis(100));
    }
    return Error{
        Code::kUnavailable,
        "the store went away during a commit: whether it was written is not known; look before doing it again"};
  }

 private:
  Status Hear(Connection& connection) {
    const auto rows = TRY(connection.Simple("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
    clock_.Hear(rows[0].integer(0));
    return {};
  }

  const std::string url_;
  ServerClock clock_;
  Turns turns_;
  ConnectionPtr writer_;  // Whose turn it is owns it; null while a transaction has it, or where it broke.
  Readers<Connection> readers_{kMaxReaders};
};

class PostgresTxn final : public Txn {
 public:
  PostgresTxn(PostgresStore& store, ConnectionPtr connection, bool writes)
      : store_(store), connection_(std::move(connection)), writes_(writes) {}
  ~PostgresTxn() override { End(); }

  Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args) override {
    TRY(StillGood());
    auto rows = connection_->Run(sql, args);
    if (!rows) broken_ = rows.error().message;
    return rows;
  }

  Status Each(std::string_view sql, const std::function<Status(const Row&)>& visit) override {
    TRY(StillGood());
    Status ran = connection_->Each(sql, visit);
    if (!ran) broken_ = ran.error().message;
    return ran;
  }

  Status Commit() override {
    TRY(StillGood());
    auto committed = connection_->Simple("COMMIT");
    const bool lost = connection_->lost();
    if (!committed) broken_ = committed.error().message;
    if (committed || lost) End();
    if (committed) return {};
    return lost && writes_ ? store_.Outcome(number_) : Status(committed.TakeError());
  }

  Dialect dialect() const override { return Dialect::kPostgres; }

  // Its number, by which Outcome asks for it.
  void SetNumber(std::string number) { number_ = std::move(number); }

 private:
  void End() {
    if (!connection_) return;
    if (!connection_->lost() && connection_->in_transaction()) (void)connection_->Simple("ROLLBACK");
    store_.GiveBack(std::move(connection_), writes_);
  }

  Status StillGood() const {
    if (!connection_) return Error{Code::kInternal, "the transaction has been committed already"};
    if (broken_.empty()) return {};
    return Error{Code::kInternal, "the transaction failed before and can only be rolled back: " + broken_};
  }

  PostgresStore& store_;
  ConnectionPtr connection_;  // Null once ended.
  const bool writes_;
  std::string number_;
  std::string broken_;
};

// Writers of all nodes queue for one lock, so that none loses a race; READ COMMITTED then shows each what the one
// before it left, where a snapshot would have been taken before the lock (docs/adr/0007-writers-queue.md). The server
// ends a writer that says nothing for a minute, so that a node that hangs holds up nobody.
Result<std::unique_ptr<Txn>> PostgresStore::Begin() {
  TRY(turns_.Take());
  Status failed;
  for (int tries = 0; tries < 2; ++tries) {  // A connection may have broken since it was last used.
    const bool kept = writer_ != nullptr;
    auto fresh = kept ? Result<ConnectionPtr>(std::move(writer_)) : Connection::Open(url_);
    if (!fresh) {
      turns_.Leave();
      return fresh.TakeError();
    }
    auto rows = (*fresh)->Simple(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL idle_in_transaction_session_timeout = '60s'; "
        "SELECT pg_advisory_xact_lock(hashtextextended('weft store ' || current_schema(), 0)); "
        "SELECT pg_current_xact_id()::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    if (!rows && kept && (*fresh)->lost()) continue;
    auto txn = std::make_unique<PostgresTxn>(*this, fresh.TakeValue(), true);  // Gives the turn back if it fails.
    if (!rows) return rows.TakeError();
    txn->SetNumber((*rows)[0].text(0));
    clock_.Hear((*rows)[0].integer(1));
    return std::unique_ptr<Txn>(std::move(txn));
  }
  turns_.Leave();
  return Unreachable("the connection ended");
}

Result<std::unique_ptr<Txn>> PostgresStore::Read() {
  for (int tries = 0;; ++tries) {
    ConnectionPtr reader = TRY(readers_.Take([this] { return Connection::Open(url_); }));
    // BEGIN alone takes no snapshot: the first query does, and a caller may be long in coming to it.
    auto began = reader->Simple("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1");
    const bool again = !began && reader->lost() && tries == 0;  // It may have broken since it was last used.
    auto txn = std::make_unique<PostgresTxn>(*this, std::move(reader), false);
    if (began) return std::unique_ptr<Txn>(std::move(txn));
    if (!again) return began.TakeError();
  }
}

// The table is written anew without what was deleted, once nobody can see that any more.
Status PostgresStore::Purge(std::string_view table) {
  ConnectionPtr own = TRY(Connection::Open(url_));
  const Deadline deadline = Deadline::After(Millis(5'000));
  const std::string now = TRY(own->Simple("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))[0].text(0);
  while (true) {
    const auto held = TRY(own->Run(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND "
        "age(backend_xmin) > age(($1::xid8)::xid)",
        std::vector<Cell>{now}));
    if (held[0].integer(0) == 0) break;
    if (deadline.passed()) {
      return Error{Code::kUnavailable, "a reader of the store still sees what was deleted; try again"};
    }
    std::this_thread::sleep_for(Millis(20));
  }
  TRY(own->Simple("SET lock_timeout = '5s'"));
  TRY(own->Simple(fmt::format("VACUUM (FULL) \"{}\"", table).c_str()));
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> OpenPostgres(const std::string& url) {
  auto store = std::make_unique<PostgresStore>(url);
  TRY(store->Connect());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace weft::store
