// Executions of builds: what each read, wrote and found. Owns runs, run_checks,
// run_pieces, run_cursors.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"

namespace weft::runs {

std::span<const store::Migration> Migrations();

struct CheckResult {
  std::string id;
  std::string description;
  std::string outcome;  // passed, failed, warned, listed
  std::optional<double> value;
  std::string expected;  // "0 rows"
  int64_t failing_rows = 0;
  Json sample;         // Up to 5 failing rows, only to those who may read the port; the ledger has its hash.
  std::string place;   // "flights.odcs.yaml:31:9"
  bool tells = false;  // Whether `value` is data rather than a count: for those who may read the port.
};

struct Run {
  std::string id;  // "run_…"
  model::PortKey port;
  std::string status;  // pending, running, succeeded, skipped, refused, denied, failed, cancelled, interrupted
  std::string key;     // Hash of build, contract, inputs and (where used) logical time.
  std::string requested_by;
  Instant requested_at;
  std::optional<Instant> started_at;
  std::optional<Instant> ended_at;
  Instant logical_time;
  std::string step;     // resolving, reading, checking, committing
  double progress = 0;  // Percent.
  int64_t rows = 0;
  std::optional<int64_t> snapshot_id;
  std::string message;  // Why it did not succeed. Of a failed run, it may quote data.
  Json inputs;
  std::vector<CheckResult> checks;
  std::string basis = {};                // The same as `key` but for the logical time.
  std::optional<int64_t> restores = {};  // A rollback: the snapshot whose rows readers are to see again,
  std::string reason = {};               // and why.
  std::string withdrawn_by = {};         // The rollback by which readers no longer see what it wrote.
  std::string cause = "by hand";         // by hand, schedule, inputs, freshness, retry, back-fill: what started it.
  std::string retry_of = {};             // The run before, of which it is another try,
  int attempt = 1;                       // and the how manieth it is.
  std::string failure = {};              // What kind it ended of: a code's name, timeout, stopped, interrupted.
};

Status Insert(store::Txn& txn, const Run& run);  // kConflict when the port already has a pending or running one.
Status Update(store::Txn& txn, const Run& run);  // Everything but `checks`.
Status PutChecks(store::Txn& txn, const std::string& run_id, const std::vector<CheckResult>& checks);
Result<Run> Get(store::Txn& txn, const std::string& id);  // With checks.
// The pending or running run of each port that has one.
Result<std::map<model::PortKey, std::string>> Alive(store::Txn& txn);
// The newest run of the port that nobody waits for any more; none where there is none.
Result<std::optional<Run>> LastEnded(store::Txn& txn, const model::PortKey& port);
struct Query {
  std::string port_prefix = {};  // "operations" or "operations/flights" …
  std::string status = {};
  int limit = 20;
};
Result<std::vector<Run>> List(store::Txn& txn, const Query& query);  // Newest first, without checks.
// The newest run that succeeded, with a snapshot or without, where its key is `key`.
Result<std::optional<Run>> Succeeded(store::Txn& txn, const model::PortKey& port, const std::string& key);
// The newest run whose key is `key` and that no rollback withdrew, whatever came after it.
Result<std::optional<Run>> Done(store::Txn& txn, const model::PortKey& port, const std::string& key);
// The newest run that succeeded, that no rollback withdrew and whose logical time begins with `time`.
Result<std::optional<Run>> DoneAt(store::Txn& txn, const model::PortKey& port, const std::string& time);
// The newest run of the port of the same basis, where a rollback withdrew it.
Result<std::optional<Run>> Withdrawn(store::Txn& txn, const model::PortKey& port, const std::string& basis);
// After a rollback: the runs of the snapshots `gone` are withdrawn by it, those of `back` no more. Those withdrawn.
Result<std::vector<Run>> Withdraw(store::Txn& txn, const model::PortKey& port, const std::string& rollback,
                                  const std::vector<int64_t>& gone, const std::vector<int64_t>& back);

}  // namespace weft::runs
