#include "work/run/orphans.h"

#include "base/log.h"
#include "state/nodes/nodes.h"
#include "work/run/execution.h"

namespace weft::run {
namespace {

constexpr int kMostAlive = 100'000;  // More are not queued.

}  // namespace

Status EndOrphans(store::Txn& txn, const Context& context, bool starting) {
  size_t ended = 0;
  for (const char* status : {"pending", "running"}) {
    for (runs::Run& run : TRY(runs::List(txn, {"", status, kMostAlive}))) {
      const std::string holder = TRY(nodes::HolderOf(txn, run.id));
      const bool own = holder == context.options.node;
      if (own ? !starting : TRY(nodes::IsAlive(txn, context.clock, holder))) continue;
      run.status = "interrupted";
      run.ended_at = context.clock.Now();
      run.message = "the node stopped while this run was under way; weft retry starts it again";
      run.failure = "interrupted";
      TRY(Close(txn, context.clock, run));
      TRY(nodes::Drop(txn, run.id));
      TRY(ledger::Append(
          txn, context.clock,
          {"interrupted", run.requested_by, "", run.port.Text(), Json::Map({{"run", run.id}, {"step", run.step}})}));
      ++ended;
    }
  }
  if (ended > 0) log::Warn("runs were interrupted when their node ended", {{"runs", ended}});
  return {};
}

}  // namespace weft::run
