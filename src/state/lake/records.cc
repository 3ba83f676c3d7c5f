#include "state/lake/records.h"

#include <fmt/format.h>

#include <map>

namespace weft::lake {
namespace {

constexpr store::Migration kMigrations[] = {{"lake", 1, R"sql(
CREATE TABLE tables (
  port TEXT PRIMARY KEY,
  uuid TEXT NOT NULL,
  location TEXT NOT NULL,
  metadata_path TEXT NOT NULL,
  version BIGINT NOT NULL,
  snapshot_id BIGINT NOT NULL,
  schemas TEXT NOT NULL,
  contract_version TEXT NOT NULL
);
CREATE TABLE snapshots (
  port TEXT NOT NULL,
  id BIGINT NOT NULL,
  parent BIGINT,
  sequence BIGINT NOT NULL,
  base BIGINT NOT NULL,
  at_micros BIGINT NOT NULL,
  operation TEXT NOT NULL,
  run_id TEXT NOT NULL,
  schema_id BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  file_count BIGINT NOT NULL,
  byte_count BIGINT NOT NULL,
  added_rows BIGINT NOT NULL,
  added_files BIGINT NOT NULL,
  added_bytes BIGINT NOT NULL,
  manifest_list TEXT NOT NULL,
  manifest TEXT NOT NULL,
  manifest_bytes BIGINT NOT NULL,
  PRIMARY KEY (port, id),
  UNIQUE (port, sequence)
);
CREATE TABLE snapshot_files (
  port TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  position BIGINT NOT NULL,
  path TEXT NOT NULL,
  schema_id BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  byte_count BIGINT NOT NULL,
  split_offsets TEXT NOT NULL,
  statistics TEXT NOT NULL,
  PRIMARY KEY (port, sequence, position)
);
CREATE TABLE tags (
  port TEXT NOT NULL,
  name TEXT NOT NULL,
  snapshot_id BIGINT NOT NULL,
  PRIMARY KEY (port, name)
);
CREATE TABLE leases (
  port TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  token BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  folder TEXT NOT NULL
);
)sql"},
                                            {"lake", 2, R"sql(
ALTER TABLE snapshots ADD COLUMN restores BIGINT;
)sql"},
                                            {"lake", 3, R"sql(
ALTER TABLE snapshot_files ADD COLUMN removed_by BIGINT;
ALTER TABLE snapshots ADD COLUMN merged_by BIGINT;
ALTER TABLE snapshots ADD COLUMN removed_files BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN removed_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN removed_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN kept_manifest TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshots ADD COLUMN kept_manifest_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN kept_files BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN kept_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN kept_least_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshots ADD COLUMN kept_merged_by BIGINT;
)sql"},
                                            {"lake", 4, R"sql(
ALTER TABLE snapshots ADD COLUMN rows_at_micros BIGINT;
ALTER TABLE snapshots ADD COLUMN until_micros BIGINT;
ALTER TABLE snapshots ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
CREATE TABLE doomed_files (
  port TEXT NOT NULL,
  path TEXT NOT NULL,
  at_micros BIGINT NOT NULL,
  PRIMARY KEY (port, path)
);
CREATE TABLE upkeep (
  id TEXT PRIMARY KEY,
  port TEXT NOT NULL,
  status TEXT NOT NULL,
  cause TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  label TEXT NOT NULL,
  files BIGINT NOT NULL,
  into_files BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  into_bytes BIGINT NOT NULL,
  expired BIGINT NOT NULL,
  snapshot_id BIGINT,
  message TEXT NOT NULL,
  node TEXT NOT NULL,
  alive_until BIGINT NOT NULL,
  stop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX upkeep_requested ON upkeep (requested_at);
CREATE INDEX upkeep_port ON upkeep (port, requested_at);
CREATE UNIQUE INDEX upkeep_alive ON upkeep (port) WHERE status IN ('pending', 'running');
)sql"}};

Json StatisticsToJson(const std::vector<ColumnStats>& columns) {
  Json list{Json::Array()};
  auto text = [](const std::optional<std::string>& bound) { return bound ? Json(*bound) : Json(); };
  for (const ColumnStats& c : columns) {
    list.Push(Json::Array{c.field_id, c.bytes, c.values, c.nulls, text(c.min), text(c.max), c.has_nan});
  }
  return list;
}

std::vector<ColumnStats> StatisticsFromJson(const Json& json) {
  std::vector<ColumnStats> columns;
  auto bound = [](const Json& text) { return text.is_text() ? std::optional(text.Text()) : std::nullopt; };
  for (const Json& c : json.Items()) {
    columns.push_back({static_cast<int>(c[size_t{0}].Int()), c[1].Int(), c[2].Int(), c[3].Int(), bound(c[4]),
                       bound(c[5]), c[6].Bool()});
  }
  return columns;
}

Result<Table> TableOf(const store::Row& row, const model::PortKey& key) {
  Table table{key, row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4), {}, {}, row.text(6)};
  Json schemas = TRY(Json::Parse(row.text(5)));
  for (const Json& schema : schemas.Items()) table.schemas.push_back(TRY(model::TableSchema::FromJson(schema)));
  if (table.schemas.empty())
    return Error{Code::kInternal, fmt::format("the table {} has no schema in the store", key.Text())};
  table.schema = table.schemas.back();
  return table;
}

constexpr std::string_view kRecordColumns =
    "id, parent, sequence, base, at_micros, operation, run_id, schema_id, row_count, file_count, byte_count, "
    "added_rows, added_files, added_bytes, manifest_list, manifest, manifest_bytes, restores, merged_by, "
    "removed_files, "
    "removed_rows, removed_bytes, kept_manifest, kept_manifest_bytes, kept_files, kept_rows, kept_least_sequence, "
    "kept_merged_by, rows_at_micros, until_micros, expired";

SnapshotRecord RecordOf(const store::Row& row) {
  SnapshotRecord record;
  Snapshot& s = record.snapshot;
  s.id = row.integer(0);
  if (!row.null(1)) s.parent = row.integer(1);
  s.sequence = row.integer(2);
  record.base = row.integer(3);
  s.at = {row.integer(4)};
  s.operation = row.text(5);
  s.run_id = row.text(6);
  s.schema_id = static_cast<int>(row.integer(7));
  s.rows = row.integer(8);
  s.files = row.integer(9);
  s.bytes = row.integer(10);
  s.added_rows = row.integer(11);
  record.added_bytes = row.integer(13);
  record.manifest_list = row.text(14);
  Manifest& manifest = record.manifest;
  manifest = {row.text(15), row.integer(16), s.sequence, s.id, row.integer(12), s.added_rows};
  manifest.least_sequence = s.sequence;
  if (!row.null(17)) s.restores = row.integer(17);
  if (!row.null(18)) manifest.merged_by = row.integer(18);
  record.removed = {row.integer(19), row.integer(20), row.integer(21)};
  Manifest& kept = record.kept;
  kept = {row.text(22), row.integer(23), s.sequence, s.id};
  kept.kept_files = row.integer(24);
  kept.kept_rows = row.integer(25);
  kept.removed_files = record.removed.files;
  kept.removed_rows = record.removed.rows;
  kept.least_sequence = row.integer(26);
  if (!row.null(27)) kept.merged_by = row.integer(27);
  s.rows_at = row.null(28) ? s.at : Instant{row.integer(28)};
  if (!row.null(29)) s.until = Instant{row.integer(29)};
  record.expired = row.flag(30);
  return record;
}

Result<std::map<int64_t, std::vector<std::string>>> Tags(store::Txn& txn, const model::PortKey& key) {
  std::map<int64_t, std::vector<std::string>> tags;
  for (const store::Row& row :
       TRY(txn.Run("SELECT snapshot_id, name FROM tags WHERE port = $1 ORDER BY name", {key.Text()}))) {
    tags[row.integer(0)].push_back(row.text(1));
  }
  return tags;
}

Result<std::vector<DataFile>> FilesOf(store::Txn& txn, const model::PortKey& key, const SnapshotRecord& record) {
  std::vector<DataFile> files;
  for (const store::Row& row :
       TRY(txn.Run("SELECT path, schema_id, row_count, byte_count, split_offsets, statistics, sequence "
                   "FROM snapshot_files WHERE port = $1 AND sequence >= $2 AND sequence <= $3 "
                   "AND (removed_by IS NULL OR removed_by > $3) ORDER BY sequence, position",
                   {key.Text(), store::Int(record.base), store::Int(record.snapshot.sequence)}))) {
    DataFile file{row.text(0), static_cast<int>(row.integer(1)), row.integer(2), row.integer(3), {}, {}};
    Json offsets = TRY(Json::Parse(row.text(4))), statistics = TRY(Json::Parse(row.text(5)));
    for (const Json& offset : offsets.Items()) file.split_offsets.push_back(offset.Int());
    file.columns = StatisticsFromJson(statistics);
    file.sequence = row.integer(6);
    files.push_back(std::move(file));
  }
  return files;
}

std::string Wanted(const At& at) {
  if (at.snapshot_id) return fmt::format("snapshot {}", *at.snapshot_id);
  if (!at.tag.empty()) return fmt::format("tag '{}'", at.tag);
  return at.time ? fmt::format("state of {}", at.time->Text()) : "snapshot";
}

// The snapshot that `at` names, or none.
Result<std::optional<SnapshotRecord>> Choose(store::Txn& txn, const Table& table, const At& at) {
  const std::string port = table.key.Text();
  std::string condition = "id = $2";
  store::Cell argument = store::Int(at.snapshot_id.value_or(table.snapshot_id.value_or(0)));
  if (!at.snapshot_id && !at.tag.empty()) {
    condition = "id = (SELECT snapshot_id FROM tags WHERE port = $1 AND name = $2)";
    argument = at.tag;
  } else if (!at.snapshot_id && at.time) {
    condition = "at_micros <= $2";
    argument = store::Int(at.time->micros);
  }
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM snapshots WHERE port = $1 AND {} AND expired = 0 ORDER BY "
                                      "sequence DESC LIMIT 1",
                                      kRecordColumns, condition),
                          {port, argument}));
  if (rows.empty()) return std::optional<SnapshotRecord>();
  SnapshotRecord record = RecordOf(rows[0]);
  const bool gone =
      at.time && !at.snapshot_id && at.tag.empty() && record.snapshot.until && *record.snapshot.until <= *at.time;
  if (gone) return std::optional<SnapshotRecord>();  // What was there then came after it, and has expired.
  return std::optional(std::move(record));
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Result<std::optional<Table>> Find(store::Txn& txn, const model::PortKey& key) {
  auto rows =
      TRY(txn.Run("SELECT uuid, location, metadata_path, version, snapshot_id, schemas, contract_version FROM tables "
                  "WHERE port = $1",
                  {key.Text()}));
  if (rows.empty()) return std::optional<Table>();
  return std::optional<Table>(TRY(TableOf(rows[0], key)));
}

Result<View> Open(store::Txn& txn, const model::PortKey& key, const At& at) {
  View view;
  view.held = Hold();
  std::optional<Table> table = TRY(Find(txn, key));
  view.table.key = key;
  const bool newest = !at.snapshot_id && !at.time && at.tag.empty();
  if (!table && newest) return view;
  auto record = table ? TRY(Choose(txn, *table, at)) : std::nullopt;
  if (!record) {
    const auto expired =
        TRY(txn.Run("SELECT 1 FROM snapshots WHERE port = $1 AND (expired > 0 OR until_micros IS NOT "
                    "NULL) LIMIT 1",
                    {key.Text()}));
    return Error{Code::kNotFound, fmt::format("{} has no {}{}: list its snapshots and tags to choose one", key.Text(),
                                              Wanted(at), expired.empty() ? "" : ", or it has expired")};
  }
  view.table = std::move(*table);
  view.files = TRY(FilesOf(txn, key, *record));
  auto tags = TRY(Tags(txn, key));
  record->snapshot.tags = tags[record->snapshot.id];
  for (const model::TableSchema& schema : view.table.schemas) {
    if (schema.id == record->snapshot.schema_id) view.schema = schema;
  }
  view.snapshot = std::move(record->snapshot);
  return view;
}

Result<std::vector<SnapshotRecord>> Records(store::Txn& txn, const model::PortKey& key) {
  std::vector<SnapshotRecord> records;
  auto tags = TRY(Tags(txn, key));
  for (const store::Row& row : TRY(txn.Run(
           fmt::format("SELECT {} FROM snapshots WHERE port = $1 AND expired < 2 ORDER BY sequence", kRecordColumns),
           {key.Text()}))) {
    records.push_back(RecordOf(row));
    records.back().snapshot.tags = tags[records.back().snapshot.id];
  }
  return records;
}

Result<std::vector<Snapshot>> History(store::Txn& txn, const model::PortKey& key) {
  auto records = TRY(Records(txn, key));
  std::vector<Snapshot> snapshots;
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (!record->expired) snapshots.push_back(std::move(record->snapshot));
  }
  return snapshots;
}

Result<std::vector<Snapshot>> Ancestry(store::Txn& txn, const model::PortKey& key) {
  std::vector<Snapshot> all;
  for (const store::Row& row : TRY(txn.Run(
           "SELECT id, parent, restores FROM snapshots WHERE port = $1 ORDER BY sequence DESC", {key.Text()}))) {
    Snapshot snapshot;
    snapshot.id = row.integer(0);
    if (!row.null(1)) snapshot.parent = row.integer(1);
    if (!row.null(2)) snapshot.restores = row.integer(2);
    all.push_back(std::move(snapshot));
  }
  return all;
}

std::vector<int64_t> LineOf(const std::vector<Snapshot>& history, int64_t id) {
  std::map<int64_t, const Snapshot*> all;
  for (const Snapshot& snapshot : history) all[snapshot.id] = &snapshot;
  std::vector<int64_t> line;
  // A snapshot is younger than what it restores and than its parent, so the walk ends.
  for (auto at = all.find(id); at != all.end();) {
    const Snapshot& snapshot = *at->second;
    if (!snapshot.restores) line.push_back(snapshot.id);
    const std::optional<int64_t> next = snapshot.restores ? snapshot.restores : snapshot.parent;
    at = next ? all.find(*next) : all.end();
    if (at == all.end() && snapshot.restores) line.push_back(*snapshot.restores);
  }
  return line;
}

Status Tag(store::Txn& txn, const model::PortKey& key, const std::string& name, int64_t snapshot_id) {
  const At meant = TRY(At::Parse("tag:" + name));
  if (name == "main")
    return Error{Code::kInvalid, "'main' is the table's branch and cannot be a tag: choose another name"};
  TRY(Open(txn, key, {snapshot_id, {}, ""}));
  auto rows =
      TRY(txn.Run("INSERT INTO tags (port, name, snapshot_id) VALUES ($1, $2, $3) ON CONFLICT (port, name) "
                  "DO UPDATE SET snapshot_id = tags.snapshot_id RETURNING snapshot_id",
                  {key.Text(), meant.tag, store::Int(snapshot_id)}));
  if (!rows.empty() && rows[0].integer(0) == snapshot_id) return {};
  return Error{Code::kConflict,
               fmt::format("the tag '{}' of {} stands for another snapshot, and tags never move: choose "
                           "another name",
                           name, key.Text())};
}

Result<At> At::Parse(std::string_view text) {
  At at;
  auto bad = [&](std::string_view why) {
    return Error{Code::kInvalid, fmt::format("'{}' names no snapshot: {}; write snapshot:ID, tag:NAME, a time such as "
                                             "2026-01-31T09:00:00Z, or a tag's name",
                                             text, why)};
  };
  if (text.starts_with("snapshot:")) {
    const std::string digits(text.substr(9));
    if (digits.empty() || digits.size() > 19 || digits.find_first_not_of("0123456789") != digits.npos) {
      return bad("an id has digits only");
    }
    at.snapshot_id = std::strtoll(digits.c_str(), nullptr, 10);
    return at;
  }
  const bool tagged = text.starts_with("tag:");
  if (auto time = Instant::Parse(text); time && !tagged) {
    at.time = *time;
    return at;
  }
  at.tag = text.substr(tagged ? 4 : 0);
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (at.tag.empty() || at.tag.size() > 128 || at.tag.find_first_not_of(kAllowed) != at.tag.npos) {
    return bad("a tag has 1 to 128 letters, digits, dots, underscores and hyphens");
  }
  return at;
}

Status InsertSnapshot(store::Txn& txn, const model::PortKey& key, const Change& change,
                      const std::vector<DataFile>& added, const std::vector<DataFile>& removed) {
  const SnapshotRecord& record = change.record;
  const Snapshot& s = record.snapshot;
  const Manifest& kept = record.kept;
  TRY(txn.Run(
      fmt::format("INSERT INTO snapshots (port, {}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                  "$14, $15, $16, $17, $18, $19, NULL, $20, $21, $22, $23, $24, $25, $26, $27, NULL, $28, NULL, 0)",
                  kRecordColumns),
      {key.Text(),
       store::Int(s.id),
       s.parent ? store::Int(*s.parent) : std::nullopt,
       store::Int(s.sequence),
       store::Int(record.base),
       store::Int(s.at.micros),
       s.operation,
       s.run_id,
       store::Int(s.schema_id),
       store::Int(s.rows),
       store::Int(s.files),
       store::Int(s.bytes),
       store::Int(s.added_rows),
       store::Int(record.manifest.files),
       store::Int(record.added_bytes),
       record.manifest_list,
       record.manifest.path,
       store::Int(record.manifest.bytes),
       s.restores ? store::Int(*s.restores) : std::nullopt,
       store::Int(record.removed.files),
       store::Int(record.removed.rows),
       store::Int(record.removed.bytes),
       kept.path,
       store::Int(kept.bytes),
       store::Int(kept.kept_files),
       store::Int(kept.kept_rows),
       store::Int(kept.least_sequence),
       store::Int(s.rows_at.micros)}));
  for (const auto& [sequence, of_kept] : change.merged) {
    TRY(txn.Run(fmt::format("UPDATE snapshots SET {} = $3 WHERE port = $1 AND sequence = $2",
                            of_kept ? "kept_merged_by" : "merged_by"),
                {key.Text(), store::Int(sequence), store::Int(s.sequence)}));
  }
  for (const DataFile& file : removed) {
    TRY(txn.Run("UPDATE snapshot_files SET removed_by = $4 WHERE port = $1 AND sequence = $2 AND path = $3",
                {key.Text(), store::Int(file.sequence), file.path, store::Int(s.sequence)}));
  }
  for (size_t i = 0; i < added.size(); ++i) {
    const DataFile& file = added[i];
    Json offsets{Json::Array(file.split_offsets.begin(), file.split_offsets.end())};
    TRY(txn.Run(
        "INSERT INTO snapshot_files (port, sequence, position, path, schema_id, row_count, byte_count, split_offsets, "
        "statistics) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        {key.Text(), store::Int(s.sequence), store::Int(static_cast<int64_t>(i)), file.path, store::Int(file.schema_id),
         store::Int(file.rows), store::Int(file.bytes), offsets.Dump(), StatisticsToJson(file.columns).Dump()}));
  }
  return {};
}

Status PutTable(store::Txn& txn, const Table& table) {
  Json schemas{Json::Array()};
  for (const model::TableSchema& schema : table.schemas) schemas.Push(schema.ToJson());
  TRY(txn.Run(
      "INSERT INTO tables (port, uuid, location, metadata_path, version, snapshot_id, schemas, contract_version) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (port) DO UPDATE SET metadata_path = $4, version = $5, "
      "snapshot_id = $6, schemas = $7, contract_version = $8",
      {table.key.Text(), table.uuid, table.location, table.metadata_path, store::Int(table.version),
       store::Int(table.snapshot_id.value_or(0)), schemas.Dump(), table.contract_version}));
  return {};
}

Result<std::vector<model::PortKey>> Ports(store::Txn& txn) {
  std::vector<model::PortKey> ports;
  for (const store::Row& row : TRY(txn.Run("SELECT port FROM tables UNION SELECT port FROM leases ORDER BY 1"))) {
    ports.push_back(TRY(model::PortKey::Parse(row.text(0))));
  }
  return ports;
}

Result<std::vector<std::string>> Referenced(store::Txn& txn, const model::PortKey& key) {
  std::vector<std::string> paths;
  for (const store::Row& row : TRY(txn.Run("SELECT path FROM snapshot_files WHERE port = $1 "
                                           "UNION ALL SELECT manifest_list FROM snapshots WHERE port = $1 "
                                           "UNION ALL SELECT manifest FROM snapshots WHERE port = $1 "
                                           "UNION ALL SELECT kept_manifest FROM snapshots WHERE port = $1 "
                                           "UNION ALL SELECT metadata_path FROM tables WHERE port = $1",
                                           {key.Text()}))) {
    paths.push_back(row.text(0));
  }
  return paths;
}

Result<std::vector<std::string>> NamedFiles(store::Txn& txn) {
  std::vector<std::string> files;
  for (const model::PortKey& key : TRY(Ports(txn))) {
    for (std::string& path : TRY(Referenced(txn, key))) {
      if (!path.empty()) files.push_back(std::move(path));
    }
  }
  return files;
}

}  // namespace weft::lake
