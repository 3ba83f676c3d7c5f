// The lake's rows in the control store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/lake/lake.h"

namespace weft::lake {

// One manifest: an Avro file that lists the data files of one snapshot.
struct Manifest {
  std::string path;
  int64_t bytes = 0;
  int64_t sequence = 0;
  int64_t snapshot_id = 0;
  int64_t files = 0;
  int64_t rows = 0;
};

// A snapshot and what Iceberg's metadata tells of it. It holds the files that were added by the snapshots of its table
// with a sequence from `base` to its own: an append keeps its parent's base, an overwrite is its own.
struct SnapshotRecord {
  Snapshot snapshot;
  int64_t base = 0;
  std::string manifest_list;
  Manifest manifest;  // Without path where no file was added.
  int64_t added_bytes = 0;
};

Result<std::vector<SnapshotRecord>> Records(store::Txn& txn, const model::PortKey& key);  // Oldest first, with tags.
Status InsertSnapshot(store::Txn& txn, const model::PortKey& key, const SnapshotRecord& record,
                      const std::vector<DataFile>& files);
// Replaces the row of `table.key`.
Status PutTable(store::Txn& txn, const Table& table);
// Every port that has a table or ever had a lease.
Result<std::vector<model::PortKey>> Ports(store::Txn& txn);
// Paths that snapshots of the table refer to.
Result<std::vector<std::string>> Referenced(store::Txn& txn, const model::PortKey& key);

}  // namespace weft::lake
