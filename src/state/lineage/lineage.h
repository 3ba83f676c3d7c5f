// Where rows and columns came from, as the engine that ran the job recorded it. Owns lineage_edges, lineage_columns.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"

namespace weft::lineage {

std::span<const store::Migration> Migrations();

// An input of one run: another port at a snapshot, or a source outside (then `source` names it and `version` its hash).
struct Input {
  std::string name;      // The input port.
  std::string port;      // PortKey::Text(), or empty.
  std::string snapshot;  // Of `port`.
  std::string source;    // "file:data/flights.csv"
  std::string version;   // sha256
};
// One column of the output and a column of an input that it is made from. `how`: direct, computed, filter.
struct ColumnEdge {
  std::string column;
  std::string input;
  std::string input_column;
  std::string how;
  auto operator<=>(const ColumnEdge&) const = default;
};

Status Record(store::Txn& txn, const model::PortKey& output, int64_t snapshot_id, const std::string& run_id,
              const std::vector<Input>& inputs, const std::vector<ColumnEdge>& columns);

// The rows of a former snapshot of `output` are those of `snapshot_id` again: and so is what they were made of.
Status Carry(store::Txn& txn, const model::PortKey& output, int64_t former, int64_t snapshot_id);

struct Edge {
  std::string from;  // A port's key or a source.
  std::string from_snapshot;
  std::string to;
  std::string to_snapshot;
  std::string run_id;
  std::vector<ColumnEdge> columns;
};
enum class Direction { kUp, kDown };
// Edges of the newest snapshots reachable from `port`, breadth first; each edge once.
Result<std::vector<Edge>> Walk(store::Txn& txn, const std::string& port, Direction direction);

}  // namespace weft::lineage
