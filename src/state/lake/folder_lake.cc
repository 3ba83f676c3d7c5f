#include <fmt/format.h>

#include <map>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "state/lake/acts.h"
#include "state/lake/expiry.h"
#include "state/lake/metadata.h"
#include "state/lake/staging.h"

namespace weft::lake {

namespace {

constexpr Millis kTended{10'000};  // So long a run waits at most for upkeep to commit, which takes moments.
constexpr Millis kLookAgain{5};

// Writes manifests: an engine with the avro extension, opened when it is first needed, since the node starts without
// it.
class AvroWriter {
 public:
  // Runs one COPY; the file's length.
  Result<int64_t> Write(const std::string& sql, const std::string& path) {
    std::lock_guard lock(mutex_);
    if (!connection_) {
      auto instance = TRY(engine::Instance::Open(
          {.threads = 1, .memory_bytes = int64_t{96} << 20, .temp_folder = "", .extensions = {"avro"}}));
      connection_ = TRY(instance->Connect());
      instance_ = std::move(instance);
    }
    TRY(connection_->Execute(sql));
    std::error_code failure;
    const auto bytes = fs::file_size(path, failure);
    if (failure) return Error{Code::kUnavailable, fmt::format("cannot read {}: {}", path, failure.message())};
    TRY(SyncFile(path));
    return static_cast<int64_t>(bytes);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
};

// The table as it will be once rows of `schema` are committed.
Result<Table> NextTable(const View& parent, const model::PortKey& key, const model::TableSchema& schema,
                        const std::string& contract_version, const std::string& warehouse) {
  Table table = parent.table;
  if (!parent.snapshot) {
    table = {key, NewUuid(), warehouse + "/" + key.Folder(), "", 0, {}, schema, {schema}, contract_version};
    return table;
  }
  table.contract_version = contract_version;
  if (schema.fields == table.schema.fields) return table;
  if (schema.id <= table.schema.id || schema.last_field_id < table.schema.last_field_id) {
    return Error{Code::kConflict, fmt::format("the schema for {} was made from an older one than the table has by now "
                                              "(schema {}): start again",
                                              key.Text(), table.schema.id)};
  }
  table.schema = schema;
  table.schemas.push_back(schema);
  return table;
}

Error Moved(const model::PortKey& key, std::string_view what) {
  return {Code::kConflict, fmt::format("{} has moved since the snapshot was prepared: {}", key.Text(), what)};
}

Instant ModifiedAt(const fs::directory_entry& entry) {
  std::error_code failure;
  const auto at = entry.last_write_time(failure);
  if (failure) return {INT64_MAX};  // Gone, or not ours to read: as good as new.
  const auto since = std::chrono::file_clock::to_sys(at).time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

}  // namespace

class FolderLake final : public Lake {
 public:
  FolderLake(store::Store& store, Clock& clock, std::string warehouse, Codec codec)
      : store_(store), clock_(clock), warehouse_(std::move(warehouse)), codec_(codec) {}

  Result<std::unique_ptr<Staging>> Stage(const model::PortKey& key, const model::TableSchema& schema,
                                         const std::string& contract_version, const std::string& run_id,
                                         std::optional<Codec> codec) override {
    auto txn = TRY(store_.Begin());
    const Deadline deadline = Deadline::After(kTended);
    while (TRY(IsTended(*txn, key, clock_.Now())) && !deadline.passed()) {
      txn.reset();
      std::this_thread::sleep_for(kLookAgain);
      txn = TRY(store_.Begin());
    }
    Lease lease = TRY(TakeLease(*txn, key, run_id, clock_.Now()));
    View parent = TRY(lake::Open(*txn, key));
    Table table = TRY(NextTable(parent, key, schema, contract_version, warehouse_));
    TRY(txn->Commit());
    txn.reset();
    auto staging = std::make_unique<FolderStaging>(store_, clock_, codec.value_or(codec_), std::move(lease),
                                                   std::move(parent), std::move(table));
    TRY(MakeFolders(staging->folder()));
    TRY(MakeFolders(staging->table_.location + "/metadata"));
    return staging;
  }

  Result<std::unique_ptr<Staging>> StageRewrite(const model::PortKey& key, const std::string& act,
                                                std::optional<Codec> codec) override {
    auto txn = TRY(store_.Begin());
    Lease lease{key, act, 0, NewUuid()};
    const auto rows = TRY(
        txn->Run("UPDATE upkeep SET label = $2 WHERE id = $1 AND status = 'running' RETURNING id", {act, lease.label}));
    if (rows.empty()) return Error{Code::kConflict, fmt::format("upkeep {} is no longer under way", act)};
    View parent = TRY(lake::Open(*txn, key));
    if (!parent.snapshot) return Error{Code::kNotFound, key.Text() + " has no snapshot yet"};
    TRY(txn->Commit());
    txn.reset();
    Table table = parent.table;
    auto staging = std::make_unique<FolderStaging>(store_, clock_, codec.value_or(codec_), std::move(lease),
                                                   std::move(parent), std::move(table));
    TRY(MakeFolders(staging->folder()));
    return staging;
  }

  Status Take(Staging& staging) override {
    auto& s = static_cast<FolderStaging&>(staging);
    auto txn = TRY(store_.Begin());
    Lease lease = TRY(TakeLease(*txn, s.lease_.key, s.lease_.run_id, clock_.Now(), s.lease_.label));
    View parent = TRY(lake::Open(*txn, s.lease_.key));
    TRY(txn->Commit());
    s.Rebase(std::move(lease), std::move(parent));
    if (!s.rewritten_.empty()) return {};
    return Error{Code::kNotFound, fmt::format("the files of {} that were written anew have been replaced meanwhile",
                                              s.lease_.key.Text())};
  }

  Result<Expired> Expire(const model::PortKey& key, const std::string& act, Instant before,
                         const std::set<int64_t>& keep,
                         const std::function<Status(store::Txn&, const Expired&)>& also) override {
    return ExpireSnapshots({store_, clock_, codec_}, key, act, before, keep, also);
  }

  Status Prepare(Staging& staging, Operation operation) override {
    auto& s = static_cast<FolderStaging&>(staging);
    auto txn = TRY(store_.Read());
    std::vector<SnapshotRecord> records = TRY(Records(*txn, s.lease_.key));
    View parent = TRY(lake::Open(*txn, s.lease_.key));
    txn.reset();
    if (parent.table.version != s.parent_.table.version) {
      if (!s.removed_.empty()) return Moved(s.lease_.key, "run it again");
      Table table = TRY(NextTable(parent, s.lease_.key, s.table_.schema, s.table_.contract_version, warehouse_));
      s.table_ = std::move(table);
      s.parent_ = std::move(parent);
    }
    TRY(SyncData(s));
    Change change{NextRecord(s, operation, records), {}};
    SnapshotRecord& record = change.record;
    if (s.manifest_.path.empty() && !s.files_.empty()) {
      std::vector<Entry> entries;
      for (const DataFile& file : s.files_) entries.push_back({Entry::Status::kAdded, &file, s.snapshot_id_});
      s.manifest_ = TRY(WriteManifest(s, "m0", entries));
      s.manifest_.files = static_cast<int64_t>(s.files_.size());
      s.manifest_.rows = record.snapshot.added_rows;
    }
    record.manifest = s.manifest_;
    record.manifest.sequence = record.manifest.least_sequence = record.snapshot.sequence;
    if (record.removed.files > 0) TRY(WriteKept(s, records, change));
    record.manifest_list =
        s.MetadataPath(fmt::format("snap-{}-{}-{}.avro", s.snapshot_id_, ++s.attempts_, s.lease_.label));
    s.metadata_files_.push_back(record.manifest_list);
    records.push_back(record);
    TRY(avro_.Write(ManifestListSql(record.manifest_list, record.snapshot, ManifestsOf(records)),
                    record.manifest_list));

    s.table_.version = s.parent_.table.version + 1;
    s.table_.snapshot_id = s.snapshot_id_;
    s.table_.metadata_path = s.MetadataPath(fmt::format("{:05}-{}.metadata.json", s.table_.version, s.lease_.label));
    s.metadata_files_.push_back(s.table_.metadata_path);
    TRY(WriteFileAtomically(s.table_.metadata_path,
                            MetadataJson(s.table_, records, s.codec_).Dump()));  // Syncs the folder, too.
    s.prepared_ = std::move(change);
    return {};
  }

  Result<Snapshot> Commit(store::Txn& txn, Staging& staging) override {
    auto& s = static_cast<FolderStaging&>(staging);
    if (!s.prepared_) return Error{Code::kInternal, "a commit needs a prepared snapshot"};
    TRY(CheckLease(txn, s.lease_));
    const std::string port = s.lease_.key.Text();
    auto rows = TRY(txn.Run("SELECT version FROM tables WHERE port = $1", {port}));
    if ((rows.empty() ? 0 : rows[0].integer(0)) != s.parent_.table.version) {
      return Moved(s.lease_.key, "prepare it again");
    }
    s.committed_ = true;
    TRY(InsertSnapshot(txn, s.lease_.key, *s.prepared_, s.files_, s.removed_));
    TRY(PutTable(txn, s.table_));
    TRY(ReleaseLease(txn, s.lease_));
    return s.prepared_->record.snapshot;
  }

  void Published(Staging& staging) override {
    auto& s = static_cast<FolderStaging&>(staging);
    s.published_ = true;
    std::error_code ignored;
    fs::remove(s.folder_, ignored);  // Where nothing was written into it.
    WriteHint(s.table_);
  }

  Result<Swept> Sweep(Millis age, Instant held_since) override {
    // Before the leases are read: what a later lease's holder writes is younger.
    const Instant before{clock_.Now().micros - age.count() * 1000};
    auto txn = TRY(store_.Begin());
    TRY(EndLost(*txn, clock_.Now()));
    const std::vector<std::string> live = TRY(EndExpiredLeases(*txn, clock_.Now()));
    std::set<std::string> keep;
    std::vector<std::string> locations;
    for (const model::PortKey& key : TRY(Ports(*txn))) {
      for (std::string& path : TRY(Referenced(*txn, key))) keep.insert(std::move(path));
      locations.push_back(warehouse_ + "/" + key.Folder());
    }
    std::vector<Doomed> doomed = TRY(AllDoomed(*txn));
    std::erase_if(doomed, [&](const Doomed& one) {
      const bool stays = one.at > before || one.at > held_since;
      if (stays) keep.insert(one.path);
      return stays;
    });
    TRY(txn->Commit());
    txn.reset();
    Swept swept;
    for (const std::string& location : locations) SweepTable(location, live, keep, before, swept);
    if (doomed.empty()) return swept;
    txn = TRY(store_.Begin());
    for (const Doomed& one : doomed) {
      std::error_code failure;
      if (!fs::exists(one.path, failure) && !failure) TRY(ForgetDoomed(*txn, one));
    }
    TRY(txn->Commit());
    return swept;
  }

 private:
  // The files, their folder, and every folder on the way to the warehouse: a new table's are new.
  Status SyncData(const FolderStaging& s) {
    for (const DataFile& file : s.files_) TRY(SyncFile(file.path));
    std::set<fs::path> folders = {s.folder_};
    for (const DataFile& file : s.files_) folders.insert(fs::path(file.path).parent_path());
    for (const fs::path& folder : folders) TRY(SyncFolder(folder));
    TRY(SyncFolder(s.table_.location + "/data"));
    if (s.parent_.snapshot) return {};
    for (fs::path folder = s.table_.location; folder.string().size() >= warehouse_.size();
         folder = folder.parent_path()) {
      TRY(SyncFolder(folder));
    }
    return {};
  }

  Result<Manifest> WriteManifest(FolderStaging& s, std::string_view name, const std::vector<Entry>& entries) {
    const std::string path = s.MetadataPath(fmt::format("{}-{}.avro", s.lease_.label, name));
    s.metadata_files_.push_back(path);
    const int64_t bytes = TRY(avro_.Write(ManifestSql(path, s.table_.schema, entries), path));
    return Manifest{path, bytes, 0, s.snapshot_id_};
  }

  // The manifests of former snapshots that list a file which is removed become one, which tells what of them is kept.
  Status WriteKept(FolderStaging& s, std::vector<SnapshotRecord>& records, Change& change) {
    SnapshotRecord& record = change.record;
    std::map<int64_t, SnapshotRecord*> by_sequence;
    for (SnapshotRecord& each : records) by_sequence[each.snapshot.sequence] = &each;
    auto lister = [&](const DataFile& file) {
      Manifest* manifest = &by_sequence.at(file.sequence)->manifest;
      while (manifest->merged_by) manifest = &by_sequence.at(*manifest->merged_by)->kept;
      return manifest;
    };
    std::set<std::string> gone;
    std::set<Manifest*> merged;
    for (const DataFile& file : s.removed_) {
      gone.insert(file.path);
      merged.insert(lister(file));
    }
    int64_t rows = 0, least = record.snapshot.sequence;
    std::vector<Entry> entries;
    for (const DataFile& file : s.parent_.files) {
      if (!merged.contains(lister(file))) continue;
      if (gone.contains(file.path)) {
        entries.push_back({Entry::Status::kRemoved, &file, s.snapshot_id_});
        continue;
      }
      entries.push_back({Entry::Status::kKept, &file, by_sequence.at(file.sequence)->snapshot.id});
      rows += file.rows;
      least = std::min(least, file.sequence);
    }
    record.kept = TRY(WriteManifest(s, fmt::format("m1-{}", s.attempts_), entries));
    record.kept.sequence = record.snapshot.sequence;
    record.kept.kept_files = static_cast<int64_t>(entries.size() - s.removed_.size());
    record.kept.kept_rows = rows;
    record.kept.removed_files = record.removed.files;
    record.kept.removed_rows = record.removed.rows;
    record.kept.least_sequence = least;
    for (Manifest* manifest : merged) {
      manifest->merged_by = record.snapshot.sequence;
      change.merged.emplace_back(manifest->sequence, manifest == &by_sequence.at(manifest->sequence)->kept);
    }
    return {};
  }

  SnapshotRecord NextRecord(const FolderStaging& s, Operation operation, const std::vector<SnapshotRecord>& records) {
    SnapshotRecord record;
    Snapshot& next = record.snapshot;
    const SnapshotRecord* last = records.empty() ? nullptr : &records.back();
    next.id = s.snapshot_id_;
    next.sequence = last ? last->snapshot.sequence + 1 : 1;
    next.operation = operation == Operation::kReplace                        ? "replace"
                     : operation == Operation::kAppend && s.removed_.empty() ? "append"
                                                                             : "overwrite";
    next.run_id = s.lease_.run_id;
    next.schema_id = s.table_.schema.id;
    next.restores = s.restores_;
    // Iceberg's clock has milliseconds, and its snapshots never go back in time.
    int64_t millis = clock_.Now().millis();
    if (last) {
      next.parent = last->snapshot.id;
      millis = std::max(millis, last->snapshot.at.millis() + 1);
    }
    next.at = {millis * 1000};
    next.rows_at = next.at;
    if (operation == Operation::kReplace && last) {
      next.run_id = last->snapshot.run_id;
      next.restores = last->snapshot.rows_of();
      next.rows_at = last->snapshot.rows_at;
    }
    const bool grows = last && operation != Operation::kOverwrite;
    record.base = grows ? last->base : next.sequence;
    for (const DataFile& file : s.files_) {
      next.added_rows += file.rows;
      record.added_bytes += file.bytes;
    }
    if (grows) {
      for (const DataFile& file : s.removed_) {
        record.removed.rows += file.rows;
        record.removed.bytes += file.bytes;
      }
      record.removed.files = static_cast<int64_t>(s.removed_.size());
    }
    const Snapshot before = grows ? last->snapshot : Snapshot{};
    next.rows = next.added_rows + before.rows - record.removed.rows;
    next.bytes = record.added_bytes + before.bytes - record.removed.bytes;
    next.files = static_cast<int64_t>(s.files_.size()) + before.files - record.removed.files;
    return record;
  }

  static void SweepTable(const std::string& location, const std::vector<std::string>& live,
                         const std::set<std::string>& keep, Instant before, Swept& swept) {
    std::error_code failure;
    std::vector<fs::path> doomed;
    for (fs::recursive_directory_iterator at(location, failure), end; !failure && at != end; at.increment(failure)) {
      const std::string path = at->path().string();
      auto leased = [&](const std::string& label) { return path.find(label) != path.npos; };
      std::error_code unknown;
      if (!at->is_regular_file(unknown) || keep.contains(path) || path.ends_with("/version-hint.text")) continue;
      if (std::any_of(live.begin(), live.end(), leased) || ModifiedAt(*at) > before) continue;
      doomed.push_back(at->path());
    }
    for (const fs::path& path : doomed) {
      const auto bytes = fs::file_size(path, failure);
      if (failure || !fs::remove(path, failure)) continue;
      ++swept.files;
      swept.bytes += static_cast<int64_t>(bytes);
      // Folders that are empty by now, up to that of all data.
      for (fs::path folder = path.parent_path(); folder.string().starts_with(location + "/data/");
           folder = folder.parent_path()) {
        if (!fs::remove(folder, failure)) break;
      }
    }
  }

  store::Store& store_;
  Clock& clock_;
  const std::string warehouse_;
  const Codec codec_;
  AvroWriter avro_;
};

Result<std::unique_ptr<Lake>> Lake::Open(store::Store& store, Clock& clock, std::string warehouse, Codec codec) {
  TRY(MakeFolders(warehouse));
  std::error_code failure;
  const std::string folder = fs::canonical(warehouse, failure).string();
  if (failure)
    return Error{Code::kInternal, fmt::format("cannot find the warehouse {}: {}", warehouse, failure.message())};
  if (folder.find_first_of("*?[]{}") != folder.npos) {
    return Error{Code::kInvalid,
                 fmt::format("the warehouse {} has one of * ? [ ] {{ }} in its path, which the engine takes for "
                             "patterns: choose another folder",
                             folder)};
  }
  return std::make_unique<FolderLake>(store, clock, folder, codec);
}

}  // namespace weft::lake
