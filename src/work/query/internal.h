// What the room's own files share: turns, the tables of a statement, and the stream that counts and records.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/threads.h"
#include "drivers/engine/ready.h"
#include "drivers/engine/scans.h"
#include "model/policy/restriction.h"
#include "work/query/query.h"

namespace weft::query {

// At most so many at once, and for one principal one less, so that nobody can hold every turn. Thread-safe; outlives
// its turns.
class Turns {
 public:
  explicit Turns(int count) : free_(count), most_(std::max(1, count - 1)) {}

  class Turn {
   public:
    Turn(Turns* turns, std::string holder) : turns_(turns), holder_(std::move(holder)) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), holder_(std::move(other.holder_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    Turns* turns_;
    std::string holder_;
  };
  // kUnavailable after `deadline`.
  Result<Turn> Take(const std::string& principal, Deadline deadline);

 private:
  std::mutex mutex_;
  std::condition_variable given_back_;
  int free_;
  const int most_;                   // Of one principal.
  std::map<std::string, int> held_;  // By principal; none at zero.
};

// A table of a statement: which port, at which snapshot, under which decision.
struct Table {
  model::TableName written;
  model::Resource resource;
  lake::View view;
  std::shared_ptr<const model::Restriction> restriction;  // As it was decided; null: none.
  std::vector<secrets::Pseudonym> pseudonyms;             // That it needs.
  model::PolicySql policy;                                // `restriction` over the view's columns.
  std::optional<Instant> ends;                            // The right to it, where that is soon.
  std::optional<model::Deprecation> deprecated;           // What its owner says, where it is.
  std::map<std::string, std::string> ask_for;             // Columns that are not granted, in lower case: how to ask.
  std::string sql;                                        // The policy view's SELECT.
  std::vector<std::string> paths;                         // Every file that it reads.
  std::string right;                                      // By which it may be read.
  Json policies;                                          // That had a part in the decision.
};

// Tells which columns of its tables a statement reads, each as {"amount": "clear", "customer": "mask-alphanum"}; all of
// them where it cannot be told. Thread-safe.
class ColumnReader {
 public:
  std::vector<Json> Read(const std::vector<Table>& tables, const std::string& sql,
                         std::span<const engine::Value> params);

 private:
  Result<engine::Planner::Columns> Plan(const std::vector<Table>& tables, const std::string& sql,
                                        std::span<const engine::Value> params);

  std::mutex mutex_;
  std::unique_ptr<engine::Planner> planner_;  // Opened by the first statement that has tables.
  size_t stood_ = 0;
};

// How a read ended: "completed", "cancelled", "cut off", "failed" or "interrupted", and why.
struct Outcome {
  std::string how;
  std::string why = {};
};

// The error as a consumer may see it: no path of a file, no text of a policy. What is withheld goes to the log.
Error Shown(Error error, const std::vector<Table>& tables);

// What the engine says about a column that is not there: where it is only not granted, how to ask for it.
std::optional<Error> OfGrants(const Error& error, const std::vector<Table>& tables);

// The engine's error in words of the person's SQL: what is wrong with what, near names, and the line and column where
// the engine pointed at the statement. An error of Weft's own stays as it is.
Error Worded(Error error, std::string_view sql);

// An instance with the policy views of one set of tables, locked to exactly their files.
struct Furnished {
  std::string key;  // The views and files: statements over the same ones need not make another.
  std::unique_ptr<engine::Instance> instance;
  std::unique_ptr<engine::Connection> connection;  // Made before the lock, with settings of its own.
  bool keyed = false;                              // It has keys of pseudonyms, which are not to lie about.
  std::atomic<bool> lent = false;                  // A read uses `connection`.
  std::atomic<bool> broken = false;                // The engine failed in a way of its own: not to be used again.
};

class Shared;

// The right to a statement's tables, asked again while rows flow, so that a revocation stops them. Shared by a
// statement and its reads, which may outlive it. Thread-safe.
class Permit {
 public:
  // `vouched`: the caller's groups that are not by its name.
  Permit(Shared& shared, model::Caller caller, std::vector<std::string> vouched,
         std::shared_ptr<const std::vector<Table>> tables)
      : shared_(shared), caller_(std::move(caller)), vouched_(std::move(vouched)), tables_(std::move(tables)) {}

  // kDenied, once it is in the ledger, when the caller may no longer read a table; kUnauthenticated when the token has
  // ended; kConflict when the policy is another one than the statement was bound under.
  Status Check();
  // The same, by an answer that is at most 100 ms old: cheap enough for every batch.
  Status CheckSoon();
  bool refused() const { return refused_; }
  // Why a read under it is cut off: the code of Check's error in words.
  static Outcome CutOff(Code code);
  Outcome CutOff();

 private:
  Status Ask(std::chrono::steady_clock::duration* good_for);

  Shared& shared_;
  const model::Caller caller_;
  const std::vector<std::string> vouched_;
  const std::shared_ptr<const std::vector<Table>> tables_;
  std::mutex mutex_;
  std::atomic<bool> refused_ = false;
  std::atomic<std::chrono::steady_clock::rep> good_until_ = 0;
  Status last_;
};

// What a read needs while it runs; destroyed from the last member up.
struct Running {
  explicit Running(Turns::Turn its_turn) : turn(std::move(its_turn)) {}
  ~Running();

  // Gives it the furnished connection, or one of its own where another read uses that.
  Status Connect(std::shared_ptr<Furnished> from);
  Outcome OutcomeOf(Code code) const;  // Of an error.

  Turns::Turn turn;
  engine::MemoryBroker::Grant memory;
  std::shared_ptr<Furnished> furnished;  // Shared by a statement and its reads, which may outlive it.
  std::unique_ptr<engine::Connection> own;
  engine::Connection* connection = nullptr;
  std::unique_ptr<engine::Watchdog> watchdog;
  ArrowArrayStream rows{};
  std::stop_token stop;
  std::shared_ptr<const std::atomic<bool>> by_node;  // Whether it is the node that stops it. Shared with the statement.
  int64_t row_limit = 0;
  std::chrono::milliseconds timeout{0};
  std::shared_ptr<const std::vector<Table>> tables;
  std::shared_ptr<const std::string> sql;  // The statement, for errors that point into it.
  std::function<void(int64_t rows, int64_t bytes, const Outcome&)> ended;  // Called once, at the end.
};

// Moves it all into a C stream. An error's errno tells its code: see CodeOfErrno.
void ExportGoverned(std::unique_ptr<Running> running, ArrowArrayStream* out);

// The same stream under attendance: its right is asked again before each batch ("cut off"), the client's own time does
// not count as the query's, and a client that takes nothing for too long loses its turn ("idle").
class Attended;
void ExportAttended(Shared& shared, std::shared_ptr<Permit> permit, std::unique_ptr<Running> running,
                    ArrowArrayStream* out);

// How a failed read is to be shown: a timeout and a cancel are no errors of the engine.
Error ReadError(const Running& running, Error error);

// What all statements of a node share: the parser, opened instances, turns and the ledger. Thread-safe.
class Shared {
 public:
  explicit Shared(Context context);
  Status Open();

  Result<Json> Parse(const std::string& sql);
  // An instance with views of `tables`: a free one that has them already, or a new one. Free again when the last
  // holder lets go of it.
  Result<std::shared_ptr<Furnished>> Furnish(const std::vector<Table>& tables);
  // A turn and the memory for it, waited for within the limits.
  Result<std::unique_ptr<Running>> Admit(const model::Caller& caller);
  // The waiter returns when the rows are durable: until then no row may leave.
  Result<ledger::Ledger::Waiter> Record(const std::vector<ledger::Entry>& entries);
  // The error of a denied read: "`what`: reasons; remedy". The denial is in the ledger before the caller knows of it.
  Error Denied(const model::Caller& caller, const model::PortKey& key, const model::Decision& decision,
               const std::string& what);
  // For the rows that end a read, which no reader waits for: a missing one means interrupted.
  void RecordLater(const std::vector<ledger::Entry>& entries);
  const Context& context() const { return context_; }
  ColumnReader& columns() { return columns_; }
  void Attend(Attended* read, bool begins);  // While it lives.

 private:
  void EndIdle();
  void DropKeys();

  Result<std::unique_ptr<engine::Instance>> OpenInstance();
  void GiveBack(std::unique_ptr<Furnished> furnished);

  const Context context_;
  Turns turns_;
  ColumnReader columns_;
  std::mutex parser_mutex_;
  std::unique_ptr<engine::Instance> parser_;
  std::unique_ptr<engine::Connection> parsing_;
  engine::Ready ready_;
  std::mutex idle_mutex_;
  std::deque<std::unique_ptr<Furnished>> idle_;  // Furnished and free, the newest first.
  std::mutex attended_mutex_;
  std::set<Attended*> attended_;
  Pool closing_;                     // Of instances: what it runs needs the others.
  std::unique_ptr<Ticker> watcher_;  // So does this.
};

// Binds the statement over its policy views, in an instance of its own. `vouched`: as a Permit's.
Result<std::unique_ptr<Prepared>> Bind(Shared& shared, const model::Caller& caller, std::vector<std::string> vouched,
                                       const std::string& sql, std::vector<Table> tables);

}  // namespace weft::query
