#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/ledger/audit.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

class PreparedStatement final : public Prepared {
 public:
  PreparedStatement(Shared& shared, model::Caller caller, std::vector<std::string> vouched, std::string sql,
                    std::vector<Table> tables)
      : shared_(shared),
        caller_(std::move(caller)),
        sql_(std::make_shared<const std::string>(std::move(sql))),
        tables_(std::make_shared<const std::vector<Table>>(std::move(tables))),
        permit_(std::make_shared<Permit>(shared_, caller_, std::move(vouched), tables_)) {
    for (const Table& table : *tables_) {
      if (table.ends) endings_.push_back({table.view.table.key.Text(), *table.ends});
      if (table.deprecated)
        deprecated_.push_back({table.view.table.key.Text(), table.resource.status, *table.deprecated});
    }
  }
  ~PreparedStatement() override {
    if (schema_.release) schema_.release(&schema_);
  }

  Status Bind() {
    auto running = TRY(shared_.Admit(caller_));
    auto furnished = shared_.Furnish(*tables_);
    if (!furnished) {
      Error error = furnished.TakeError();
      // The statement has no part in the views: what is wrong is the node's, whatever the engine calls it.
      return Shown({error.code == Code::kUnavailable ? error.code : Code::kInternal, error.message}, *tables_);
    }
    furnished_ = furnished.TakeValue();
    TRY(Watch(*running));
    bound_ = TRY(Describe(*running, &schema_, &parameters_));
    return {};
  }

  // The first schema is the one that Bind found; whoever asks again has the statement described again.
  Status Schema(ArrowSchema* out) const override {
    {
      std::lock_guard lock(mutex_);
      if (schema_.release) {
        *out = std::exchange(schema_, {});
        return {};
      }
    }
    auto running = TRY(shared_.Admit(caller_));
    TRY(Watch(*running));
    std::vector<std::string> parameters;
    TRY(Describe(*running, out, &parameters));
    return {};
  }

  const std::vector<std::string>& parameters() const override { return parameters_; }
  const std::vector<Prepared::Ending>& endings() const override { return endings_; }
  const std::vector<Prepared::Deprecated>& deprecated() const override { return deprecated_; }

  // The engine begins while the ledger's row is on its way to the disk; nothing leaves before both are there.
  Status Execute(std::span<const engine::Value> params, ArrowArrayStream* out) override {
    auto running = TRY(shared_.Admit(caller_));
    TRY(permit_->Check());  // A grant that ended since Prepare ends here too.
    TRY(Watch(*running));
    const std::string id = NewId("read");
    const std::vector<ledger::Entry> started = Started(id, Columns(params));
    const ledger::Ledger::Waiter recorded = TRY(shared_.Record(started));
    auto stream = Open(*running, params);
    if (stream) (*stream)->Export(&running->rows);
    TRY(recorded());
    running->ended = Ending(id, started);
    if (!stream) {
      Error error = ReadError(*running, stream.TakeError());
      running->ended(0, 0, running->OutcomeOf(error.code));
      return error;
    }
    ExportAttended(shared_, permit_, std::move(running), out);
    return {};
  }

  void Cancel(Canceller by) override {
    std::lock_guard lock(mutex_);
    *by_node_ = by == Canceller::kNode;
    stop_.request_stop();
    stop_ = std::stop_source();
    by_node_ = std::make_shared<std::atomic<bool>>(false);
  }

  Status MayGoOn() override { return permit_->CheckSoon(); }

 private:
  // Gives the read a connection, and a watchdog over it.
  Status Watch(Running& running) const {
    running.tables = tables_;
    running.sql = sql_;
    TRY(running.Connect(furnished_));
    {
      std::lock_guard lock(mutex_);
      running.stop = stop_.get_token();
      running.by_node = by_node_;
    }
    running.watchdog =
        std::make_unique<engine::Watchdog>(*running.connection, Deadline::After(running.timeout), running.stop);
    return {};
  }

  Result<std::unique_ptr<engine::Statement>> Describe(Running& running, ArrowSchema* schema,
                                                      std::vector<std::string>* parameters) const {
    auto statement = running.connection->Prepare(*sql_);
    Status described = statement ? (*statement)->Describe(schema, parameters) : Status(statement.error());
    if (!described) return ReadError(running, described.TakeError());
    return statement;
  }

  // What Bind bound serves the first read that has its connection.
  Result<std::unique_ptr<engine::Stream>> Open(Running& running, std::span<const engine::Value> params) {
    std::unique_ptr<engine::Statement> statement;
    if (!running.own) {
      std::lock_guard lock(mutex_);
      statement = std::move(bound_);
    }
    if (!statement) statement = TRY(running.connection->Prepare(*sql_));
    return statement->Open(params);
  }

  // Of each table. A parameter that is null may leave others unread.
  std::vector<Json> Columns(std::span<const engine::Value> params) {
    if (!params.empty()) return shared_.columns().Read(*tables_, *sql_, params);
    {
      std::lock_guard lock(mutex_);
      if (columns_) return *columns_;
    }
    std::vector<Json> columns = shared_.columns().Read(*tables_, *sql_, params);
    std::lock_guard lock(mutex_);
    columns_ = columns;
    return columns;
  }

  // One row a table, so that a port's own log shows every read of it.
  std::vector<ledger::Entry> Started(const std::string& id, const std::vector<Json>& columns) const {
    Json detail = Json::Map({{"read", id}, {"statement", Sha256(*sql_)}, {"door", caller_.door}});
    if (!caller_.peer.empty()) detail.Set("peer", caller_.peer);
    detail.Set("token", caller_.token_id);
    std::vector<ledger::Entry> entries;
    for (size_t i = 0; i < tables_->size(); ++i) {
      const Table& table = (*tables_)[i];
      Json of_table = detail;
      if (table.view.snapshot) of_table.Set("snapshot", std::to_string(table.view.snapshot->id));
      of_table.Set("columns", columns[i]).Set("right", table.right).Set("policies", table.policies);
      entries.push_back(
          {"read.started", caller_.principal.name, caller_.purpose, table.view.table.key.Text(), std::move(of_table)});
    }
    if (entries.empty()) entries.push_back({"read.started", caller_.principal.name, caller_.purpose, "", detail});
    return entries;
  }

  std::function<void(int64_t, int64_t, const Outcome&)> Ending(const std::string& id,
                                                               const std::vector<ledger::Entry>& started) const {
    std::vector<ledger::Entry> ending;
    for (const ledger::Entry& entry : started) {
      Json detail = Json::Map({{"read", id}, {"seen", ledger::SeenDigest(entry.detail)}});
      if (entry.detail["snapshot"].is_text()) detail.Set("snapshot", entry.detail["snapshot"]);
      ending.push_back({"read.ended", entry.principal, entry.purpose, entry.address, std::move(detail)});
    }
    return [&shared = shared_, began = std::chrono::steady_clock::now(), entries = std::move(ending)](
               int64_t rows, int64_t bytes, const Outcome& outcome) mutable {
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
      for (ledger::Entry& entry : entries) {
        entry.detail.Set("rows", rows).Set("bytes", bytes).Set("outcome", outcome.how);
        if (!outcome.why.empty()) entry.detail.Set("why", outcome.why);
        entry.detail.Set("ms", int64_t{took.count()});
      }
      shared.RecordLater(entries);
    };
  }

  Shared& shared_;
  const model::Caller caller_;
  const std::shared_ptr<const std::string> sql_;            // Shared with the same.
  const std::shared_ptr<const std::vector<Table>> tables_;  // Shared with reads that may outlive the statement.
  const std::shared_ptr<Permit> permit_;                    // Shared with the same.
  std::shared_ptr<Furnished> furnished_;                    // Shared with the same.
  std::unique_ptr<engine::Statement> bound_;                // Over furnished_'s connection: goes before it.
  std::vector<std::string> parameters_;
  std::vector<Prepared::Ending> endings_;
  std::vector<Prepared::Deprecated> deprecated_;
  mutable std::mutex mutex_;
  mutable ArrowSchema schema_{};
  std::stop_source stop_;
  std::shared_ptr<std::atomic<bool>> by_node_ = std::make_shared<std::atomic<bool>>(false);  // Shared with reads.
  std::optional<std::vector<Json>> columns_;  // Where no parameter can change them.
};

}  // namespace

Result<std::unique_ptr<Prepared>> Bind(Shared& shared, const model::Caller& caller, std::vector<std::string> vouched,
                                       const std::string& sql, std::vector<Table> tables) {
  auto statement = std::make_unique<PreparedStatement>(shared, caller, std::move(vouched), sql, std::move(tables));
  TRY(statement->Bind());
  return statement;
}

}  // namespace weft::query
