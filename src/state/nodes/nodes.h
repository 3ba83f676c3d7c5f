// The nodes over one store: which of them are alive, and which runs each of them executes. Owns nodes, node_runs,
// node_duties.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::nodes {

std::span<const store::Migration> Migrations();

// It counts as alive for so long; then what it executes is taken from it. `clock` is the store's: all nodes go by one.
// It reads files that it has opened since `reading_since`, and none that were opened before.
Status KeepAlive(store::Txn& txn, Clock& clock, const std::string& node, Millis time, Instant reading_since);
// The least of what the nodes but `node` said that are alive; `now` where there is none.
Result<Instant> ReadingSince(store::Txn& txn, Instant now, const std::string& node);
// Of a store that was restored: whoever wrote in it then is not there now.
Status ForgetAll(store::Txn& txn);
Result<bool> IsAlive(store::Txn& txn, Clock& clock, const std::string& node);

// The node executes the run.
Status Take(store::Txn& txn, const std::string& run_id, const std::string& node);
Status Drop(store::Txn& txn, const std::string& run_id);
Result<std::string> HolderOf(store::Txn& txn, const std::string& run_id);  // Empty: none.

// Another node asks the one that executes the run to stop it.
Status AskToStop(store::Txn& txn, const std::string& run_id);
struct Held {
  std::string run_id;
  bool stop = false;
};
Result<std::vector<Held>> HeldBy(store::Txn& txn, const std::string& node);

// A duty that one node has at a time: whether `node` has it from now for so long, since it had it, nobody had, or
// whoever had said nothing until its time was over.
Result<bool> TakeDuty(store::Txn& txn, Clock& clock, const std::string& duty, const std::string& node, Millis time);
Status LeaveDuty(store::Txn& txn, const std::string& duty, const std::string& node);
// Who has it now; empty: nobody.
Result<std::string> OnDuty(store::Txn& txn, Clock& clock, const std::string& duty);

}  // namespace weft::nodes
