// The lake's rows in the control store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/lake/lake.h"

namespace weft::lake {

// How many files, and what is in them.
struct Amount {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// One manifest: an Avro file that lists data files.
struct Manifest {
  std::string path;
  int64_t bytes = 0;
  int64_t sequence = 0;  // Of the snapshot that wrote it.
  int64_t snapshot_id = 0;
  int64_t files = 0;  // That the snapshot added.
  int64_t rows = 0;
  int64_t kept_files = 0;  // That former ones added.
  int64_t kept_rows = 0;
  int64_t removed_files = 0;  // That the snapshot has no more.
  int64_t removed_rows = 0;
  int64_t least_sequence = 0;             // Of its files that are not removed.
  std::optional<int64_t> merged_by = {};  // The sequence of the snapshot whose `kept` has taken its place.
};

// A snapshot and what Iceberg's metadata tells of it. It holds the files that were added by the snapshots of its table
// with a sequence from `base` to its own, less those that were removed by one of them: an append keeps its parent's
// base, an overwrite is its own.
struct SnapshotRecord {
  Snapshot snapshot;
  int64_t base = 0;
  std::string manifest_list;
  Manifest manifest;  // Of the files that were added; without path where there is none.
  Manifest kept;      // In place of former ones that listed a file that was removed; without path where there is none.
  int64_t added_bytes = 0;
  Amount removed;
  bool expired = false;  // Nobody can ask for it any more; its manifests may be those of later ones.
};

// Oldest first, with tags; those that have expired as long as something rests on them.
Result<std::vector<SnapshotRecord>> Records(store::Txn& txn, const model::PortKey& key);
// What a commit changes: its snapshot's record, the files that it adds, those that it removes, and the manifests of
// former snapshots (by sequence, and whether it is their `kept`) that its own has taken the place of.
struct Change {
  SnapshotRecord record;
  std::vector<std::pair<int64_t, bool>> merged;
};
Status InsertSnapshot(store::Txn& txn, const model::PortKey& key, const Change& change,
                      const std::vector<DataFile>& added, const std::vector<DataFile>& removed);
// Replaces the row of `table.key`.
Status PutTable(store::Txn& txn, const Table& table);
// Files that no snapshot names since some that did have expired, and when that was.
struct Doomed {
  std::string port;
  std::string path;
  Instant at;
};
Result<std::vector<Doomed>> AllDoomed(store::Txn& txn);
Status ForgetDoomed(store::Txn& txn, const Doomed& doomed);
// Every port that has a table or ever had a lease.
Result<std::vector<model::PortKey>> Ports(store::Txn& txn);
// Paths that snapshots of the table refer to.
Result<std::vector<std::string>> Referenced(store::Txn& txn, const model::PortKey& key);

}  // namespace weft::lake
