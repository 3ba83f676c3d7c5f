#include <fmt/format.h>

#include <algorithm>
#include <set>
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

constexpr size_t kReadyInstances = 2;
constexpr size_t kIdleInstances = 4;
constexpr size_t kClosingQueue = 16;
constexpr int64_t kParserMemory = int64_t{256} << 20;

}  // namespace

Turns::Turn::~Turn() {
  if (!turns_) return;
  {
    std::lock_guard lock(turns_->mutex_);
    ++turns_->free_;
    if (--turns_->held_[holder_] == 0) turns_->held_.erase(holder_);
  }
  turns_->given_back_.notify_all();  // Whose turn it is depends on who waits.
}

Result<Turns::Turn> Turns::Take(const std::string& principal, Deadline deadline) {
  std::unique_lock lock(mutex_);
  auto may = [&] {
    const auto held = held_.find(principal);
    return free_ > 0 && (held == held_.end() || held->second < most_);
  };
  if (!given_back_.wait_until(lock, deadline.at(), may)) {
    return Error{Code::kUnavailable, free_ > 0 ? fmt::format("{} has {} queries running, which is as many as one may "
                                                             "have at once; try again when one has ended",
                                                             principal, most_)
                                               : "the node answers as many queries as it may at once; try again in a "
                                                 "moment"};
  }
  --free_;
  ++held_[principal];
  return Turn(this, principal);
}

Shared::Shared(Context context)
    : context_(context),
      turns_(context.options.concurrent),
      ready_([this] { return OpenInstance(); }, kReadyInstances),
      closing_("query", 1, kClosingQueue) {}

Status Shared::Open() {
  parser_ =
      TRY(engine::Instance::Open({.threads = 1, .memory_bytes = kParserMemory, .temp_folder = "", .extensions = {}}));
  parsing_ = TRY(parser_->Connect());
  TRY(parser_->Lock({}));
  const auto often =
      std::clamp<std::chrono::milliseconds>(context_.options.idle_timeout / 4, Millis(50), Millis(5'000));
  watcher_ = std::make_unique<Ticker>(often, [this] {
    EndIdle();
    DropKeys();
  });
  return {};
}

Result<Json> Shared::Parse(const std::string& sql) {
  std::lock_guard lock(parser_mutex_);
  auto tree = parsing_->ParseTree(sql);
  if (!tree && tree.error().message.find("nested") != std::string::npos) {
    return Error{Code::kInvalid, "the statement is nested too deeply; split it with WITH"};
  }
  return tree;
}

Result<std::shared_ptr<Furnished>> Shared::Furnish(const std::vector<Table>& tables) {
  std::set<std::string> made;
  std::vector<std::string> paths;
  std::vector<secrets::Pseudonym> pseudonyms;
  std::string sql;
  for (const Table& table : tables) {
    const std::string catalog = SqlName(table.written.catalog);
    const std::string schema = catalog + "." + SqlName(table.written.schema);
    if (made.insert(Lower(catalog)).second) sql += fmt::format("ATTACH ':memory:' AS {};\n", catalog);
    if (made.insert(Lower(schema)).second) sql += fmt::format("CREATE SCHEMA {};\n", schema);
    sql += fmt::format("CREATE VIEW {}.{} AS {};\n", schema, SqlName(table.written.table), table.sql);
    paths.insert(paths.end(), table.paths.begin(), table.paths.end());
    pseudonyms.insert(pseudonyms.end(), table.pseudonyms.begin(), table.pseudonyms.end());
  }
  // Functions of pseudonyms are named after their keys, and stand in the views.
  const std::string key = sql + Join(paths, "\n");
  std::unique_ptr<Furnished> furnished;
  {
    std::lock_guard lock(idle_mutex_);
    const auto found = std::ranges::find(idle_, key, [](const auto& idle) { return idle->key; });
    if (found != idle_.end()) {
      furnished = std::move(*found);
      idle_.erase(found);
    }
  }
  if (!furnished) {
    furnished = std::make_unique<Furnished>();
    furnished->key = key;
    furnished->keyed = !pseudonyms.empty();
    furnished->instance = TRY(ready_.Take());
    furnished->connection = TRY(furnished->instance->Connect(engine::kReadAhead));
    TRY(secrets::Define(*furnished->connection, pseudonyms));
    if (!sql.empty()) TRY(furnished->connection->Execute(sql));
    TRY(furnished->instance->Lock(paths));
  }
  return std::shared_ptr<Furnished>(furnished.release(),
                                    [this](Furnished* done) { GiveBack(std::unique_ptr<Furnished>(done)); });
}

// Closing an instance takes milliseconds that no reader should wait for.
void Shared::GiveBack(std::unique_ptr<Furnished> furnished) {
  std::shared_ptr<Furnished> surplus;  // Shared with the task, which std::function wants to copy.
  {
    std::lock_guard lock(idle_mutex_);
    if (!furnished->broken) idle_.push_front(std::move(furnished));
    if (idle_.size() > kIdleInstances) {
      surplus = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (furnished) surplus = std::move(furnished);
  if (surplus) Status closing = closing_.Submit([surplus] {});
}

Result<std::unique_ptr<Running>> Shared::Admit(const model::Caller& caller) {
  const Deadline deadline = Deadline::After(context_.options.queue_wait);
  auto running = std::make_unique<Running>(TRY(turns_.Take(caller.principal.name, deadline)));
  running->memory = TRY(context_.memory.Take(context_.options.memory_bytes, deadline));
  running->row_limit = context_.options.row_limit;
  running->timeout = context_.options.timeout;
  return running;
}

Result<ledger::Ledger::Waiter> Shared::Record(const std::vector<ledger::Entry>& entries) {
  return context_.ledger.AppendSoon(entries);
}

Error Shared::Denied(const model::Caller& caller, const model::PortKey& key, const model::Decision& decision,
                     const std::string& what) {
  Status recorded = context_.ledger.Deny(ledger::Denial(caller, model::Action::kRead, key.Text(), decision.reasons));
  if (!recorded) return recorded.TakeError();
  return {Code::kDenied, what + ": " + decision.Why()};
}

void Shared::RecordLater(const std::vector<ledger::Entry>& entries) {
  auto recorded = context_.ledger.AppendSoon(entries);
  if (!recorded) log::Error("the end of a read is not in the ledger", {{"message", recorded.error().message}});
}

Running::~Running() {
  if (rows.release) rows.release(&rows);
  watchdog.reset();
  if (furnished && connection == furnished->connection.get()) furnished->lent = false;
}

Outcome Running::OutcomeOf(Code code) const {
  if (!stop.stop_requested()) return {"failed", std::string(CodeName(code))};
  if (*by_node) return {"interrupted", "the node stopped"};
  return {"cancelled", "its client has gone"};
}

Status Running::Connect(std::shared_ptr<Furnished> from) {
  furnished = std::move(from);
  if (!furnished->lent.exchange(true)) {
    connection = furnished->connection.get();
    return {};
  }
  own = TRY(furnished->instance->Connect());
  connection = own.get();
  return {};
}

Result<std::unique_ptr<engine::Instance>> Shared::OpenInstance() {
  const Options& options = context_.options;
  // Two instances in one folder would overwrite each other's spill.
  std::string folder = options.temp_folder.empty() ? "" : options.temp_folder + "/" + NewId("spill");
  auto instance = TRY(engine::Instance::Open({.threads = options.threads,
                                              .memory_bytes = options.memory_bytes,
                                              .temp_folder = std::move(folder),
                                              .extensions = {}}));
  // An idle instance holds no data: the files' pages are the operating system's to keep. Files never change, so what
  // is known of their insides may stay.
  auto connection = TRY(instance->Connect());
  TRY(connection->Execute("SET GLOBAL enable_external_file_cache = false; SET GLOBAL parquet_metadata_cache = true"));
  return instance;
}

}  // namespace weft::query
