#include "state/lake/metadata.h"

#include <fmt/format.h>

#include <map>

#include "base/id.h"
#include "base/text.h"
#include "state/lake/bounds.h"
#include "state/lake/parquet.h"

namespace weft::lake {
namespace {

// Field ids are the Iceberg specification's. A required field:
std::string Required(int id) { return fmt::format("{{'__duckdb_field_id': {}, '__duckdb_nullable': false}}", id); }
std::string MapIds(int id, int key, int value) {
  return fmt::format("{{'__duckdb_field_id': {}, 'key': {}, 'value': {}}}", id, Required(key), Required(value));
}
std::string ListIds(int id, int element) {
  return fmt::format("{{'__duckdb_field_id': {}, 'list': {}}}", id, Required(element));
}

std::string ManifestIds() {
  return fmt::format(
      "{{'status': {}, 'snapshot_id': 1, 'sequence_number': 3, 'file_sequence_number': 4, 'data_file': "
      "{{'__duckdb_field_id': 2, '__duckdb_nullable': false, 'content': {}, 'file_path': {}, 'file_format': {}, "
      "'partition': {}, 'record_count': {}, 'file_size_in_bytes': {}, 'column_sizes': {}, 'value_counts': {}, "
      "'null_value_counts': {}, 'nan_value_counts': {}, 'lower_bounds': {}, 'upper_bounds': {}, 'split_offsets': {}, "
      "'equality_ids': {}, 'sort_order_id': 140, 'referenced_data_file': 143}}}}",
      Required(0), Required(134), Required(100), Required(101), Required(102), Required(103), Required(104),
      MapIds(108, 117, 118), MapIds(109, 119, 120), MapIds(110, 121, 122), MapIds(137, 138, 139), MapIds(125, 126, 127),
      MapIds(128, 129, 130), ListIds(132, 133), ListIds(135, 136));
}

std::string ListFieldIds() {
  return fmt::format(
      "{{'manifest_path': {}, 'manifest_length': {}, 'partition_spec_id': {}, 'content': {}, 'sequence_number': {}, "
      "'min_sequence_number': {}, 'added_snapshot_id': {}, 'added_files_count': {}, 'existing_files_count': {}, "
      "'deleted_files_count': {}, 'added_rows_count': {}, 'existing_rows_count': {}, 'deleted_rows_count': {}, "
      "'partitions': {{'__duckdb_field_id': 507, 'list': {{'__duckdb_field_id': 508, '__duckdb_nullable': false, "
      "'contains_null': {}, 'contains_nan': 518, 'lower_bound': 510, 'upper_bound': 511}}}}}}",
      Required(500), Required(501), Required(502), Required(517), Required(515), Required(516), Required(503),
      Required(504), Required(505), Required(506), Required(512), Required(513), Required(514), Required(509));
}

// A map literal over field ids; null where it is empty.
class IdMap {
 public:
  void Add(int id, const std::string& value) {
    keys_ += (keys_.empty() ? "" : ", ") + std::to_string(id);
    values_ += (values_.empty() ? "" : ", ") + value;
  }
  void AddBytes(int id, const std::optional<std::string>& bytes) {
    if (bytes) Add(id, fmt::format("unhex('{}')", Hex(*bytes)));
  }
  std::string Sql(std::string_view value_type) const {
    if (keys_.empty()) return fmt::format("NULL::MAP(INTEGER, {})", value_type);
    return fmt::format("MAP([{}]::INTEGER[], [{}]::{}[])", keys_, values_, value_type);
  }

 private:
  std::string keys_;
  std::string values_;
};

std::string EntrySql(const Entry& entry, const std::vector<Leaf>& leaves) {
  const DataFile& file = *entry.file;
  IdMap sizes, values, nulls, nans, lower, upper;
  for (const ColumnStats& column : file.columns) {
    sizes.Add(column.field_id, std::to_string(column.bytes));
    values.Add(column.field_id, std::to_string(column.values));
    nulls.Add(column.field_id, std::to_string(column.nulls));
    auto leaf =
        std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& l) { return l.field->id == column.field_id; });
    if (leaf == leaves.end()) continue;
    const model::Type& type = leaf->field->type;
    const bool floating = type.kind == model::Type::Kind::kFloat || type.kind == model::Type::Kind::kDouble;
    // How many NaN there are is not known, only whether: without a count readers assume some.
    if (floating && !column.has_nan) nans.Add(column.field_id, "0");
    if (column.min) lower.AddBytes(column.field_id, Bound(type, *column.min, true));
    if (column.max) upper.AddBytes(column.field_id, Bound(type, *column.max, false));
  }
  // Of a file that is added both sequence numbers are inherited from the manifest list, so that it outlives a lost
  // race.
  const std::string sequence = entry.status == Entry::Status::kAdded ? "NULL" : std::to_string(file.sequence);
  return fmt::format(
      "SELECT {}::INTEGER AS status, {}::BIGINT AS snapshot_id, {}::BIGINT AS sequence_number, {}::BIGINT AS "
      "file_sequence_number, {{'content': 0::INTEGER, 'file_path': {}, 'file_format': 'PARQUET', 'partition': "
      "{{'__duckdb_empty_struct_marker': NULL::INTEGER}}, 'record_count': {}::BIGINT, 'file_size_in_bytes': "
      "{}::BIGINT, "
      "'column_sizes': {}, 'value_counts': {}, 'null_value_counts': {}, 'nan_value_counts': {}, 'lower_bounds': {}, "
      "'upper_bounds': {}, 'split_offsets': [{}]::BIGINT[], 'equality_ids': NULL::INTEGER[], 'sort_order_id': "
      "0::INTEGER, "
      "'referenced_data_file': NULL::VARCHAR}} AS data_file",
      static_cast<int>(entry.status), entry.snapshot_id, sequence, sequence, SqlText(file.path), file.rows, file.bytes,
      sizes.Sql("BIGINT"), values.Sql("BIGINT"), nulls.Sql("BIGINT"), nans.Sql("BIGINT"), lower.Sql("BLOB"),
      upper.Sql("BLOB"), fmt::join(file.split_offsets, ", "));
}

Json SnapshotJson(const SnapshotRecord& record, const SnapshotRecord* parent) {
  const Snapshot& s = record.snapshot;
  Json summary = Json::Map({{"operation", s.operation}});
  auto count = [&](const char* name, int64_t value) { summary.Set(name, std::to_string(value)); };
  count("added-data-files", record.manifest.files);
  count("added-records", s.added_rows);
  count("added-files-size", record.added_bytes);
  Amount removed = record.removed;
  const bool whole = record.base == s.sequence && s.operation == "overwrite";
  if (parent && whole) removed = {parent->snapshot.files, parent->snapshot.rows, parent->snapshot.bytes};
  if (s.operation == "replace" || (s.operation == "overwrite" && (parent || (!whole && s.parent)))) {
    count("deleted-data-files", removed.files);
    count("deleted-records", removed.rows);
    count("removed-files-size", removed.bytes);
  }
  count("total-data-files", s.files);
  count("total-records", s.rows);
  count("total-files-size", s.bytes);
  count("total-delete-files", 0);
  count("total-position-deletes", 0);
  count("total-equality-deletes", 0);
  summary.Set("weft.run-id", s.run_id);
  if (s.restores)
    summary.Set(s.rewrites() ? "weft.rows-of-snapshot-id" : "weft.restores-snapshot-id", std::to_string(*s.restores));
  Json json = Json::Map({{"snapshot-id", s.id},
                         {"sequence-number", s.sequence},
                         {"timestamp-ms", s.at.millis()},
                         {"manifest-list", record.manifest_list},
                         {"schema-id", s.schema_id},
                         {"summary", summary}});
  if (s.parent) json.Set("parent-snapshot-id", *s.parent);
  return json;
}

}  // namespace

std::string ManifestSql(const std::string& path, const model::TableSchema& schema, const std::vector<Entry>& entries) {
  const std::vector<Leaf> leaves = LeavesOf(schema);
  std::string rows;
  for (const Entry& entry : entries) rows += (rows.empty() ? "" : "\nUNION ALL ") + EntrySql(entry, leaves);
  return fmt::format(
      "COPY ({}) TO {} (FORMAT avro, ROOT_NAME 'manifest_entry', FIELD_IDS {}, METADATA {{'schema': {}, 'schema-id': "
      "'{}', "
      "'partition-spec': '[]', 'partition-spec-id': '0', 'format-version': '2', 'content': 'data'}})",
      rows, SqlText(path), ManifestIds(), SqlText(schema.Iceberg().Dump()), schema.id);
}

std::string ManifestListSql(const std::string& path, const Snapshot& snapshot, const std::vector<Manifest>& manifests) {
  std::string rows;
  auto add = [&](const Manifest& m) {
    rows += fmt::format("{}({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", rows.empty() ? "" : ", ", SqlText(m.path),
                        m.bytes, m.sequence, m.least_sequence, m.snapshot_id, m.files, m.kept_files, m.removed_files,
                        m.rows, m.kept_rows, m.removed_rows, !manifests.empty());
  };
  for (const Manifest& manifest : manifests) add(manifest);
  if (manifests.empty()) add({});  // Gives the columns their shape; the condition below leaves it out.
  return fmt::format(
      "COPY (SELECT path AS manifest_path, bytes::BIGINT AS manifest_length, 0::INTEGER AS partition_spec_id, "
      "0::INTEGER AS content, sequence::BIGINT AS sequence_number, least::BIGINT AS min_sequence_number, "
      "snapshot::BIGINT AS added_snapshot_id, added::INTEGER AS added_files_count, kept::INTEGER AS "
      "existing_files_count, removed::INTEGER AS deleted_files_count, added_rows::BIGINT AS added_rows_count, "
      "kept_rows::BIGINT AS existing_rows_count, removed_rows::BIGINT AS deleted_rows_count, "
      "NULL::STRUCT(contains_null BOOLEAN, contains_nan BOOLEAN, lower_bound BLOB, upper_bound BLOB)[] AS partitions "
      "FROM (VALUES {}) AS m(path, bytes, sequence, least, snapshot, added, kept, removed, added_rows, kept_rows, "
      "removed_rows, real) WHERE real) TO {} (FORMAT avro, ROOT_NAME "
      "'manifest_file', FIELD_IDS {}, METADATA {{'snapshot-id': '{}', 'parent-snapshot-id': '{}', 'sequence-number': "
      "'{}', "
      "'format-version': '2'}})",
      rows, SqlText(path), ListFieldIds(), snapshot.id, snapshot.parent ? std::to_string(*snapshot.parent) : "null",
      snapshot.sequence);
}

std::vector<Manifest> ManifestsOf(const std::vector<SnapshotRecord>& records) {
  const SnapshotRecord& last = records.back();
  std::vector<Manifest> manifests;
  for (const SnapshotRecord& record : records) {
    if (record.snapshot.sequence < last.base) continue;
    for (const Manifest* manifest : {&record.kept, &record.manifest}) {
      // What lists only files that are gone is told once.
      const bool tells = manifest->files + manifest->kept_files > 0 || manifest->sequence == last.snapshot.sequence;
      if (!manifest->path.empty() && !manifest->merged_by && tells) manifests.push_back(*manifest);
    }
  }
  return manifests;
}

Json MetadataJson(const Table& table, const std::vector<SnapshotRecord>& records, Codec codec) {
  const Snapshot& current = records.back().snapshot;
  Json schemas{Json::Array()}, snapshots{Json::Array()}, log{Json::Array()};
  for (const model::TableSchema& schema : table.schemas) schemas.Push(schema.Iceberg());
  Json refs = Json::Map({{"main", Json::Map({{"snapshot-id", current.id}, {"type", "branch"}})}});
  std::map<int64_t, const SnapshotRecord*> by_id;
  for (const SnapshotRecord& record : records) by_id[record.snapshot.id] = &record;
  auto parent_of = [&](const Snapshot& s) -> const SnapshotRecord* {
    const auto found = s.parent ? by_id.find(*s.parent) : by_id.end();
    return found == by_id.end() ? nullptr : found->second;
  };
  for (const SnapshotRecord& record : records) {
    const Snapshot& s = record.snapshot;
    if (record.expired) continue;
    snapshots.Push(SnapshotJson(record, parent_of(s)));
    // What was current before one that has expired would seem to have been so for longer than it was.
    const SnapshotRecord* parent = parent_of(s);
    if (!parent || parent->expired) log = Json(Json::Array());
    log.Push(Json::Map({{"snapshot-id", s.id}, {"timestamp-ms", s.at.millis()}}));
    for (const std::string& tag : s.tags) refs.Set(tag, Json::Map({{"snapshot-id", s.id}, {"type", "tag"}}));
  }
  const Json unpartitioned = Json::Map({{"spec-id", 0}, {"fields", Json::Array()}});
  const Json unsorted = Json::Map({{"order-id", 0}, {"fields", Json::Array()}});
  return Json::Map({{"format-version", 2},
                    {"table-uuid", table.uuid},
                    {"location", table.location},
                    {"last-sequence-number", current.sequence},
                    {"last-updated-ms", current.at.millis()},
                    {"last-column-id", table.schema.last_field_id},
                    {"current-schema-id", table.schema.id},
                    {"schemas", schemas},
                    {"default-spec-id", 0},
                    {"partition-specs", Json::Array{unpartitioned}},
                    {"last-partition-id", 999},
                    {"default-sort-order-id", 0},
                    {"sort-orders", Json::Array{unsorted}},
                    {"properties", Json::Map({{"write.parquet.compression-codec", std::string(CodecName(codec))},
                                              {"weft.port", table.key.Text()},
                                              {"weft.contract-version", table.contract_version}})},
                    {"current-snapshot-id", current.id},
                    {"refs", refs},
                    {"snapshots", snapshots},
                    {"statistics", Json::Array()},
                    {"partition-statistics", Json::Array()},
                    {"snapshot-log", log},
                    {"metadata-log", Json::Array()}});
}

}  // namespace weft::lake
