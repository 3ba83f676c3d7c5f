// Iceberg's own files: manifests and manifest lists as SQL for an engine with the avro extension, metadata as JSON.
#pragma once

#include <string>
#include <vector>

#include "state/lake/records.h"

namespace weft::lake {

// A data file as a manifest tells of it.
struct Entry {
  enum class Status { kKept = 0, kAdded = 1, kRemoved = 2 };
  Status status = Status::kAdded;
  const DataFile* file = nullptr;
  int64_t snapshot_id = 0;  // That added or removed it.
};
// COPY statements that write the one file. `schema` is the table's.
std::string ManifestSql(const std::string& path, const model::TableSchema& schema, const std::vector<Entry>& entries);
std::string ManifestListSql(const std::string& path, const Snapshot& snapshot, const std::vector<Manifest>& manifests);

// The manifests of the newest of `records`, which are oldest first; those that it merges say so.
std::vector<Manifest> ManifestsOf(const std::vector<SnapshotRecord>& records);

// `records` are all of the table's snapshots, oldest first; the last one is current.
Json MetadataJson(const Table& table, const std::vector<SnapshotRecord>& records, Codec codec);

}  // namespace weft::lake
