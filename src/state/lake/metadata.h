// Iceberg's own files: manifests and manifest lists as SQL for an engine with the avro extension, metadata as JSON.
#pragma once

#include <string>
#include <vector>

#include "state/lake/records.h"

namespace weft::lake {

// COPY statements that write the one file. `schema` is the table's, `files` are those that `snapshot_id` adds.
std::string ManifestSql(const std::string& path, const model::TableSchema& schema, int64_t snapshot_id,
                        const std::vector<DataFile>& files);
std::string ManifestListSql(const std::string& path, const Snapshot& snapshot, const std::vector<Manifest>& manifests);

// The manifests of the newest of `records`, which are oldest first.
std::vector<Manifest> ManifestsOf(const std::vector<SnapshotRecord>& records);

// `records` are all of the table's snapshots, oldest first; the last one is current.
Json MetadataJson(const Table& table, const std::vector<SnapshotRecord>& records, Codec codec);

}  // namespace weft::lake
