#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

// Attaches the policy views under the names that the statement uses, and locks the instance to their files.
Status Furnish(engine::Instance& instance, const std::vector<Table>& tables) {
  auto connection = TRY(instance.Connect());
  std::set<std::string> made;
  std::vector<std::string> paths;
  std::string sql;
  for (const Table& table : tables) {
    const std::string catalog = SqlName(table.written.catalog);
    const std::string schema = catalog + "." + SqlName(table.written.schema);
    if (made.insert(Lower(catalog)).second) sql += fmt::format("ATTACH ':memory:' AS {};\n", catalog);
    if (made.insert(Lower(schema)).second) sql += fmt::format("CREATE SCHEMA {};\n", schema);
    sql += fmt::format("CREATE VIEW {}.{} AS {};\n", schema, SqlName(table.written.table), table.sql);
    paths.insert(paths.end(), table.paths.begin(), table.paths.end());
  }
  if (!sql.empty()) TRY(connection->Execute(sql));
  return instance.Lock(paths);
}

class PreparedStatement final : public Prepared {
 public:
  PreparedStatement(Shared& shared, model::Caller caller, std::string sql, std::vector<Table> tables)
      : shared_(shared),
        caller_(std::move(caller)),
        sql_(std::move(sql)),
        tables_(std::make_shared<const std::vector<Table>>(std::move(tables))) {}
  ~PreparedStatement() override {
    if (schema_.release) schema_.release(&schema_);
  }

  Status Bind() {
    auto running = TRY(shared_.Admit());
    instance_ = TRY(shared_.TakeInstance());
    Status furnished = Furnish(*instance_, *tables_);
    if (!furnished) {
      Error error = furnished.TakeError();
      // The statement has no part in the views: what is wrong is the node's, whatever the engine calls it.
      return Shown({error.code == Code::kUnavailable ? error.code : Code::kInternal, error.message}, *tables_);
    }
    return Describe(*running, &schema_, &parameters_);
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
    auto running = TRY(shared_.Admit());
    std::vector<std::string> parameters;
    return Describe(*running, out, &parameters);
  }

  const std::vector<std::string>& parameters() const override { return parameters_; }

  Status Execute(std::span<const engine::Value> params, ArrowArrayStream* out) override {
    auto running = TRY(shared_.Admit());
    TRY(DecideAgain());
    TRY(Watch(*running));
    const std::string id = NewId("read");
    TRY(shared_.Record(Entries(
        "read.started",
        Json::Map({{"read", id}, {"statement", Sha256(sql_)}, {"door", caller_.door}, {"token", caller_.token_id}}))));
    running->ended = Ending(id);
    auto stream = running->connection->Open(sql_, params);
    if (!stream) {
      Error error = ReadError(*running, stream.TakeError());
      running->ended(0, 0, fmt::format("failed: {}", CodeName(error.code)));
      return error;
    }
    (*stream)->Export(&running->rows);
    ExportGoverned(std::move(running), out);
    return {};
  }

  void Cancel() override {
    std::lock_guard lock(mutex_);
    stop_.request_stop();
    stop_ = std::stop_source();
  }

 private:
  // Gives the read a connection, and a watchdog over it.
  Status Watch(Running& running) const {
    running.instance = instance_;
    running.tables = tables_;
    running.connection = TRY(instance_->Connect());
    {
      std::lock_guard lock(mutex_);
      running.stop = stop_.get_token();
    }
    running.watchdog =
        std::make_unique<engine::Watchdog>(*running.connection, Deadline::After(running.timeout), running.stop);
    return {};
  }

  Status Describe(Running& running, ArrowSchema* schema, std::vector<std::string>* parameters) const {
    TRY(Watch(running));
    Status described = running.connection->Describe(sql_, schema, parameters);
    if (!described) return ReadError(running, described.TakeError());
    return {};
  }

  // A grant that ended since Prepare ends here too.
  Status DecideAgain() const {
    auto txn = TRY(shared_.context().store.Read());
    for (const Table& table : *tables_) {
      model::Decision decision = TRY(access::Decide(*txn, shared_.context().clock, caller_.principal,
                                                    model::Action::kRead, table.resource, caller_.purpose));
      if (!decision.permitted) {
        return Error{Code::kDenied, fmt::format("{} may no longer be read by {}: {}", table.written.Text(),
                                                caller_.principal.name, Join(decision.reasons, "; "))};
      }
      if (decision.row_filter != table.row_filter || decision.masks != table.masks) {
        return Error{Code::kConflict, fmt::format("the policy of {} has changed since the statement was prepared; "
                                                  "prepare it again",
                                                  table.written.Text())};
      }
    }
    return {};
  }

  // One row a table, so that a port's own log shows every read of it.
  std::vector<ledger::Entry> Entries(const std::string& kind, const Json& detail) const {
    std::vector<ledger::Entry> entries;
    for (const Table& table : *tables_) {
      Json of_table = detail;
      if (table.view.snapshot) of_table.Set("snapshot", std::to_string(table.view.snapshot->id));
      entries.push_back({kind, caller_.principal.name, caller_.purpose, table.view.table.key.Text(), of_table});
    }
    if (entries.empty()) entries.push_back({kind, caller_.principal.name, caller_.purpose, "", detail});
    return entries;
  }

  std::function<void(int64_t, int64_t, const std::string&)> Ending(const std::string& id) const {
    return [&shared = shared_, started = std::chrono::steady_clock::now(),
            entries = Entries("read.ended", Json::Map({{"read", id}}))](int64_t rows, int64_t bytes,
                                                                        const std::string& outcome) mutable {
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
      for (ledger::Entry& entry : entries) {
        entry.detail.Set("rows", rows).Set("bytes", bytes).Set("outcome", outcome).Set("ms", int64_t{took.count()});
      }
      shared.RecordLater(entries);
    };
  }

  Shared& shared_;
  const model::Caller caller_;
  const std::string sql_;
  const std::shared_ptr<const std::vector<Table>> tables_;  // Shared with reads that may outlive the statement.
  std::shared_ptr<engine::Instance> instance_;
  std::vector<std::string> parameters_;
  mutable std::mutex mutex_;
  mutable ArrowSchema schema_{};
  std::stop_source stop_;
};

}  // namespace

Result<std::unique_ptr<Prepared>> Bind(Shared& shared, const model::Caller& caller, const std::string& sql,
                                       std::vector<Table> tables) {
  auto statement = std::make_unique<PreparedStatement>(shared, caller, sql, std::move(tables));
  TRY(statement->Bind());
  return statement;
}

}  // namespace weft::query
