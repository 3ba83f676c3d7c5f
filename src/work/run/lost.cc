// Runs whose end could not be written when it came, the disk being full: the store has them as alive, and nobody
// executes them. Who asks is told how they ended, and their ends are written as soon as that goes, so that their ports
// can run.
#include "base/log.h"
#include "state/nodes/nodes.h"
#include "work/run/pool_runner.h"

namespace weft::run {
namespace {

bool Lives(const runs::Run& run) { return run.status == "pending" || run.status == "running"; }

Status WriteEnd(store::Txn& txn, Clock& clock, const runs::Run& run) {
  TRY(Close(txn, clock, run));
  const std::string kind = run.status == "denied" ? "refused" : run.status;
  return ledger::Append(txn, clock,
                        {kind, run.requested_by, "", run.port.Text(),
                         Json::Map({{"run", run.id}, {"step", run.step}, {"recorded", "late"}})});
}

}  // namespace

Status PoolRunner::RecordLost() {
  std::map<std::string, runs::Run> lost;
  {
    std::lock_guard lock(mutex_);
    lost = lost_;
  }
  if (lost.empty()) return {};
  auto txn = TRY(context_.store.Begin());
  for (const auto& [id, run] : lost) {
    const auto known = runs::Get(*txn, id);
    if (!known && known.error().code == Code::kNotFound) continue;
    if (!known) return known.error();
    if (Lives(*known)) TRY(WriteEnd(*txn, context_.clock, run));
  }
  TRY(txn->Commit());
  log::Info("ends of runs were recorded late", {{"runs", lost.size()}});
  std::lock_guard lock(mutex_);
  for (const auto& [id, run] : lost) lost_.erase(id);
  return {};
}

// `txn` holds the writer's turn, so no other request is between its rows and its jobs.
Status PoolRunner::EndLost(store::Txn& txn, const model::PortKey& port) {
  for (const char* status : {"pending", "running"}) {
    for (runs::Run& run : TRY(runs::List(txn, {port.Text(), status, 10}))) {
      {
        std::lock_guard lock(mutex_);
        if (queue_.Find(run.id)) continue;
        if (const auto lost = lost_.find(run.id); lost != lost_.end()) run = lost->second;
      }
      if (Lives(run)) {
        if (TRY(IsElsewhere(txn, run.id))) continue;
        run.status = "interrupted";
        run.message = "its end could not be recorded when it came; run the port again";
        run.ended_at = context_.clock.Now();
        run.failure = "interrupted";
      }
      TRY(WriteEnd(txn, context_.clock, run));
    }
  }
  return {};
}

}  // namespace weft::run
