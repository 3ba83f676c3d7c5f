#include "work/upkeep/act.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "state/runs/runs.h"

namespace weft::upkeep {
namespace {

constexpr int64_t kMostFiles = 2'000;                // Of one commit:
constexpr int64_t kMostBytes = int64_t{1} << 30;     // what is lost where it fails.
constexpr int kTries = 5;                            // Of a commit that loses its race.
constexpr std::chrono::minutes kPatience(10);        // With runs that hold the table.
constexpr std::chrono::milliseconds kLookAgain(20);  // Whether they still do.
constexpr std::chrono::minutes kForMemory(5);

// A transaction that lost a race, or a disk that was full, is tried again as a whole.
template <class Do>
Status Persistently(Do work) {
  Status done = work();
  for (int tries = 1; !done && done.error().code == Code::kUnavailable && tries < kTries; ++tries) done = work();
  return done;
}

Error Impatient(const Error& why) {
  return {Code::kUnavailable, "it gave way to runs for ten minutes, and is tried again later: " + why.message};
}

std::string OrderOf(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back(SqlName(column));
  return Join(names, ", ");
}

// What files that are written anew are sorted by; empty: the order that they have.
std::vector<std::string> ClusterOf(const catalog::Port& port) {
  if (port.port->build && !port.port->build->cluster_by.empty()) return port.port->build->cluster_by;
  if (!IsUpserted(port) || !port.contract || port.contract->schema.empty()) return {};
  return port.contract->schema[0].PrimaryKey();
}

}  // namespace

// Members go in reverse: the engine before its memory.
struct Tending::Session {
  engine::MemoryBroker::Grant grant;
  std::unique_ptr<engine::Instance> instance;
  std::unique_ptr<engine::Connection> connection;
  std::unique_ptr<engine::Watchdog> watchdog;

  Status Open(const Context& context, const std::stop_token& stop) {
    if (connection) return {};
    const int64_t bytes = Memory(context);
    grant = TRY(context.memory.Take(bytes, Deadline::After(kForMemory), stop));
    // Two instances in one folder would overwrite each other's spill.
    const std::string& folder = context.options.temp_folder;
    instance = TRY(engine::Instance::Open({.threads = context.options.threads,
                                           .memory_bytes = bytes,
                                           .temp_folder = folder.empty() ? "" : folder + "/" + NewId("spill"),
                                           .extensions = {}}));
    connection = TRY(instance->Connect());
    watchdog = std::make_unique<engine::Watchdog>(*connection, Deadline::Never(), stop);
    return {};
  }
};

void Job::Enter(std::string step) {
  std::lock_guard lock(mutex_);
  step_ = std::move(step);
}

std::string Job::Step() const {
  std::lock_guard lock(mutex_);
  return step_;
}

bool IsUpserted(const catalog::Port& port) { return port.port->build && port.port->build->mode == "upsert"; }

int64_t Memory(const Context& context) { return std::min(context.options.memory_bytes, context.memory.total()); }

Result<bool> RunWaits(store::Txn& txn) { return !TRY(runs::List(txn, {"", "pending", 1})).empty(); }

Status RecordEnd(store::Txn& txn, Clock& clock, const lake::Act& act, const std::string& purpose) {
  if (act.status == "succeeded") return {};  // What it did is on record.
  return ledger::Append(txn, clock,
                        {"upkeep.ended", act.requested_by, purpose, act.port.Text(),
                         Json::Map({{"upkeep", act.id}, {"cause", act.cause}, {"outcome", act.status}})});
}

void Tending::Run(const std::optional<Error>& why) {
  Status outcome = why ? Status(*why) : Begin();
  if (outcome) outcome = Work();
  if (Status ended = End(outcome); !ended)
    log::Error("upkeep cannot be recorded", {{"upkeep", job_.act.id}, {"error", ended.error().message}});
  log::Info("upkeep ended", {{"upkeep", job_.act.id},
                             {"port", job_.act.port.Text()},
                             {"status", job_.act.status},
                             {"files", job_.act.files},
                             {"into", job_.act.into},
                             {"expired", job_.act.expired}});
}

Status Tending::Begin() {
  TRY(Stopped());
  job_.act.status = "running";
  job_.act.started_at = context_.clock.Now();
  job_.Enter("looking");
  auto txn = TRY(context_.store.Begin());
  TRY(lake::Update(*txn, job_.act));
  port_ = TRY(catalog::Load(*txn, job_.act.port));
  rule_ = upkeep_.RuleOf(port_);
  return txn->Commit();
}

Status Tending::Stopped() const {
  if (!job_.stop.stop_requested()) return {};
  return Error{Code::kUnavailable, "it was cancelled"};
}

// What nobody asked for leaves off where a run waits, or its time of the day is over.
Result<bool> Tending::GivesWay() const {
  if (job_.act.cause == "by hand") return false;
  if (!context_.options.window.Has(context_.clock.Now())) return true;
  auto txn = TRY(context_.store.Read());
  return RunWaits(*txn);
}

Status Tending::Work() {
  {
    Session session;
    for (int lost = 0;;) {
      TRY(Stopped());
      if (TRY(GivesWay())) {
        job_.act.message = "it gave way; the rest follows";
        return {};
      }
      auto more = Compact(session);
      if (!more && more.error().code == Code::kConflict && ++lost < kTries) continue;
      if (!TRY(std::move(more))) break;
    }
  }
  return Expire();
}

// The files of `view` by the least value of the first column that they are sorted by, so that neighbours become one.
Result<std::vector<lake::DataFile>> Tending::InOrder(engine::Connection& connection, const lake::View& view) const {
  const std::vector<std::string> cluster = ClusterOf(port_);
  const model::Field* field = cluster.empty() ? nullptr : view.schema.Find(cluster.front());
  if (!field || view.files.empty()) return view.files;
  std::vector<std::string> rows;
  for (size_t i = 0; i < view.files.size(); ++i) {
    const auto& columns = view.files[i].columns;
    const auto stats = std::ranges::find(columns, field->id, &lake::ColumnStats::field_id);
    // SQL has no literal for a text with a zero byte.
    const bool known = stats != columns.end() && stats->min && stats->min->find('\0') == std::string::npos;
    rows.push_back(fmt::format("({}, {})", i, known ? SqlText(*stats->min) : "NULL"));
  }
  const engine::Rows sorted =
      TRY(connection.Query(fmt::format("SELECT i FROM (VALUES {}) AS f(i, least) ORDER BY TRY_CAST(least AS {}) NULLS "
                                       "LAST, i",
                                       Join(rows, ", "), field->type.DuckDb())));
  std::vector<lake::DataFile> files;
  for (size_t i = 0; i < sorted.size(); ++i) files.push_back(view.files[static_cast<size_t>(sorted.integer(i, 0))]);
  return files;
}

// One commit's worth. Whether there may be more.
Result<bool> Tending::Compact(Session& session) {
  const bool anyway = job_.act.cause == "by hand";
  {
    auto txn = TRY(context_.store.Read());
    if (TRY(upkeep_.Look(*txn, port_, anyway)).merged == 0) return false;
  }
  job_.Enter("waiting for memory");
  TRY(session.Open(context_, job_.stop.get_token()));
  std::optional<lake::Codec> codec;
  const std::string compression = port_.port->storage ? port_.port->storage->compression : "";
  if (!compression.empty()) codec = TRY(lake::CodecFrom(compression));
  auto staging = TRY(context_.lake.StageRewrite(job_.act.port, job_.act.id, codec));
  const std::vector<lake::DataFile> files = TRY(InOrder(*session.connection, staging->parent()));
  std::vector<int64_t> sizes;
  for (const lake::DataFile& file : files) sizes.push_back(file.bytes);
  const std::vector<std::vector<size_t>> groups = GroupsOf(sizes, rule_, anyway);
  if (groups.empty()) return false;
  int64_t count = 0, bytes = 0;
  for (const std::vector<size_t>& group : groups) {
    std::vector<lake::DataFile> of;
    for (const size_t i : group) of.push_back(files[i]), bytes += files[i].bytes;
    count += static_cast<int64_t>(of.size());
    job_.Enter(
        fmt::format("writing {} of {} files", HumanCount(count), HumanCount(static_cast<int64_t>(files.size()))));
    TRY(staging->Rewrite(*session.connection, of, OrderOf(ClusterOf(port_))));
    TRY(Stopped());
    if (count >= kMostFiles || bytes >= kMostBytes) break;
  }
  job_.Enter("committing");
  if (TRY(Take(*staging))) TRY(Commit(*staging));
  return true;
}

// Whether something is left of what was written. A run that holds the table goes first.
Result<bool> Tending::Take(lake::Staging& staging) const {
  const Deadline deadline = Deadline::After(kPatience);
  for (;;) {
    Status taken = context_.lake.Take(staging);
    if (taken) return true;
    if (taken.error().code == Code::kNotFound) return Error{Code::kConflict, taken.error().message};
    if (taken.error().code != Code::kConflict) return taken.TakeError();
    if (deadline.passed()) return Impatient(taken.error());
    TRY(Stopped());
    std::this_thread::sleep_for(kLookAgain);
  }
}

Status Tending::Commit(lake::Staging& staging) {
  TRY(context_.lake.Prepare(staging, lake::Operation::kReplace));
  lake::Act act = job_.act;
  const std::vector<lake::DataFile> kept = staging.Kept();
  const auto files = static_cast<int64_t>(staging.parent().files.size() - kept.size());
  int64_t bytes = 0, into_bytes = 0;
  for (const lake::DataFile& file : staging.parent().files) bytes += file.bytes;
  for (const lake::DataFile& file : kept) bytes -= file.bytes;
  for (const lake::DataFile& file : staging.files()) into_bytes += file.bytes;
  const auto into = static_cast<int64_t>(staging.files().size());
  act.files += files;
  act.into += into;
  act.bytes += bytes;
  act.into_bytes += into_bytes;
  auto commit = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    const lake::Snapshot snapshot = TRY(context_.lake.Commit(*txn, staging));
    act.snapshot_id = snapshot.id;
    TRY(lake::Update(*txn, act));
    Json detail = Json::Map({{"upkeep", act.id},
                             {"cause", act.cause},
                             {"snapshot", std::to_string(snapshot.id)},
                             {"rows_of", std::to_string(snapshot.rows_of())},
                             {"files", files},
                             {"into", into},
                             {"bytes", bytes},
                             {"into_bytes", into_bytes}});
    TRY(ledger::Append(*txn, context_.clock,
                       {"compacted", act.requested_by, job_.purpose, act.port.Text(), std::move(detail)}));
    return txn->Commit();
  };
  TRY(Persistently(commit));
  context_.lake.Published(staging);
  job_.act = act;
  return {};
}

// What runs of the port are under way to bring back.
Result<std::set<int64_t>> Tending::Wanted() const {
  auto txn = TRY(context_.store.Read());
  std::set<int64_t> wanted;
  for (const char* status : {"pending", "running"}) {
    for (const runs::Run& run : TRY(runs::List(*txn, {job_.act.port.Text(), status, 10}))) {
      if (run.restores) wanted.insert(*run.restores);
    }
  }
  return wanted;
}

Status Tending::Expire() {
  const auto keeps = upkeep_.Keeps(port_);
  if (!keeps) return {};
  job_.Enter("forgetting snapshots");
  const Instant before{context_.clock.Now().micros - keeps->count() * 1'000};
  lake::Act act = job_.act;
  auto also = [&](store::Txn& txn, const lake::Lake::Expired& expired) -> Status {
    act.expired = job_.act.expired + static_cast<int64_t>(expired.snapshots.size());
    TRY(lake::Update(txn, act));
    std::vector<std::string> ids;
    for (const int64_t id : expired.snapshots) ids.push_back(std::to_string(id));
    return ledger::Append(txn, context_.clock,
                          {"expired", act.requested_by, job_.purpose, act.port.Text(),
                           Json::Map({{"upkeep", act.id},
                                      {"cause", act.cause},
                                      {"snapshots", Json(ids)},
                                      {"superseded_before", before.Text()},
                                      {"files", expired.files},
                                      {"bytes", expired.bytes}})});
  };
  const Deadline deadline = Deadline::After(kPatience);
  for (;;) {
    auto expired = context_.lake.Expire(act.port, act.id, before, TRY(Wanted()), also);
    if (expired) break;
    if (expired.error().code != Code::kConflict) return expired.TakeError();
    if (deadline.passed()) return Impatient(expired.error());
    TRY(Stopped());
    std::this_thread::sleep_for(kLookAgain);
  }
  job_.act = act;
  return {};
}

// A failure's message is the engine's or the disk's: those who may run the port read it.
Status Tending::End(const Status& outcome) {
  lake::Act& act = job_.act;
  act.status = outcome ? "succeeded" : job_.stop.stop_requested() ? "cancelled" : "failed";
  if (!outcome)
    act.message = job_.stop.stop_requested() ? "it was cancelled" : engine::PlainWords(outcome.error().message);
  act.ended_at = context_.clock.Now();
  return Persistently([&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    TRY(lake::Update(*txn, act));
    TRY(RecordEnd(*txn, context_.clock, act, job_.purpose));
    return txn->Commit();
  });
}

}  // namespace weft::upkeep
