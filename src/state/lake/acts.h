// Acts of upkeep: who tends which table, since when, and what came of it. Of a table there is one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/lake/lake.h"

namespace weft::lake {

struct Act {
  std::string id;  // "upk_…"
  model::PortKey port;
  std::string status;      // pending, running, succeeded, cancelled, failed, interrupted
  std::string cause = {};  // by hand, upkeep
  std::string requested_by = {};
  Instant requested_at = {};
  std::optional<Instant> started_at = {};
  std::optional<Instant> ended_at = {};
  int64_t files = 0;  // That were written anew,
  int64_t into = 0;   // as so many.
  int64_t bytes = 0;
  int64_t into_bytes = 0;
  int64_t expired = 0;  // Snapshots.
  std::optional<int64_t> snapshot_id = {};
  std::string message = {};  // Why it did not succeed.

  bool moves() const { return status == "pending" || status == "running"; }
};

// `node` does it, and counts as doing it for a minute. kConflict while another of the port is under way.
Status Insert(store::Txn& txn, const Act& act, const std::string& node);
Status Update(store::Txn& txn, const Act& act);
Result<Act> FindAct(store::Txn& txn, const std::string& id);
struct ActQuery {
  std::string port_prefix = {};  // "operations" or "operations/flights" …
  std::string status = {};
  int limit = 20;
};
Result<std::vector<Act>> Acts(store::Txn& txn, const ActQuery& query);  // Newest first.

// Keeps what `node` does for another minute. Those that it was asked to stop.
Result<std::vector<std::string>> Renew(store::Txn& txn, const std::string& node, Instant now);
Status AskToStop(store::Txn& txn, const std::string& id);
// Ends, as interrupted, acts whose node has not kept them, and all of `node`'s where it is just starting; so that
// others may tend their tables, and nobody waits for them. Those that it ended.
Result<std::vector<Act>> EndLost(store::Txn& txn, Instant now, const std::string& starting_node = "");

// A table as it is, by the sizes of its files.
struct Shape {
  model::PortKey port;
  int64_t files = 0;
  int64_t bytes = 0;
  std::vector<int64_t> smaller = {};  // How many files are smaller than each of the sizes that were asked for.
  int64_t snapshots = 0;              // That have not expired.
};
Result<std::vector<Shape>> Shapes(store::Txn& txn, const std::vector<int64_t>& sizes);

// When each snapshot was superseded; the newest was not. `history` is newest first.
std::vector<std::optional<Instant>> Superseded(const std::vector<Snapshot>& history);

}  // namespace weft::lake
