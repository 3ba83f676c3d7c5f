#include "state/lake/expiry.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/log.h"
#include "state/lake/metadata.h"
#include "state/lake/staging.h"

namespace weft::lake {
namespace {

// What of a table its snapshots need that have not expired.
class Needs {
 public:
  explicit Needs(const std::vector<SnapshotRecord>& records) {
    for (const SnapshotRecord& record : records) {
      if (!record.expired) spans_.emplace_back(record.base, record.snapshot.sequence);
    }
  }
  // A file, or a manifest, that the snapshot `sequence` added, and the snapshot `gone` has no more.
  bool Has(int64_t sequence, const std::optional<int64_t>& gone) const {
    return std::ranges::any_of(spans_, [&](const auto& span) {
      return span.first <= sequence && sequence <= span.second && (!gone || *gone > span.second);
    });
  }

 private:
  std::vector<std::pair<int64_t, int64_t>> spans_;  // The sequences whose files each of them has.
};

// One table's rows and files after some of its snapshots have expired.
class Expiry {
 public:
  Expiry(store::Txn& txn, const model::PortKey& key, std::vector<SnapshotRecord>& records, Instant now)
      : txn_(txn), port_(key.Text()), records_(records), needs_(records), now_(now) {}

  Status Run(const std::set<int64_t>& sequences, Lake::Expired* told) {
    TRY(Mark(sequences));
    TRY(DropFiles(told));
    for (SnapshotRecord& record : records_) {
      if (record.expired) TRY(DropManifests(record, sequences.contains(record.snapshot.sequence)));
    }
    for (const SnapshotRecord& record : records_) TRY(DropRow(record));
    return {};
  }

 private:
  Status Mark(const std::set<int64_t>& sequences) {
    for (size_t i = 0; i < records_.size(); ++i) {
      const Snapshot& s = records_[i].snapshot;
      if (!sequences.contains(s.sequence)) continue;
      TRY(txn_.Run("UPDATE snapshots SET expired = 1 WHERE port = $1 AND sequence = $2",
                   {port_, store::Int(s.sequence)}));
      const bool follows = i > 0 && records_[i - 1].snapshot.sequence + 1 == s.sequence;
      if (!follows || records_[i - 1].expired) continue;  // What was before it knows until when it was current.
      TRY(txn_.Run("UPDATE snapshots SET until_micros = $3 WHERE port = $1 AND sequence = $2",
                   {port_, store::Int(records_[i - 1].snapshot.sequence), store::Int(s.at.micros)}));
    }
    return {};
  }

  Status Doom(const std::string& path) {
    TRY(
        txn_.Run("INSERT INTO doomed_files (port, path, at_micros) VALUES ($1, $2, $3) ON CONFLICT (port, path) DO "
                 "NOTHING",
                 {port_, path, store::Int(now_.micros)}));
    return {};
  }

  Status DropFiles(Lake::Expired* told) {
    std::set<std::string> needed;
    std::map<std::string, int64_t> gone;
    std::vector<std::pair<int64_t, int64_t>> rows;
    for (const store::Row& row : TRY(txn_.Run(
             "SELECT sequence, position, path, byte_count, removed_by FROM snapshot_files WHERE port = $1", {port_}))) {
      const auto removed = row.null(4) ? std::nullopt : std::optional(row.integer(4));
      if (needs_.Has(row.integer(0), removed)) {
        needed.insert(row.text(2));
        with_files_.insert(row.integer(0));
        continue;
      }
      rows.emplace_back(row.integer(0), row.integer(1));
      gone[row.text(2)] = row.integer(3);
    }
    for (const auto& [sequence, position] : rows) {
      TRY(txn_.Run("DELETE FROM snapshot_files WHERE port = $1 AND sequence = $2 AND position = $3",
                   {port_, store::Int(sequence), store::Int(position)}));
    }
    for (const auto& [path, bytes] : gone) {
      if (needed.contains(path)) continue;
      ++told->files;
      told->bytes += bytes;
      TRY(Doom(path));
    }
    return {};
  }

  Status DropManifests(SnapshotRecord& record, bool now) {
    const store::Cell sequence = store::Int(record.snapshot.sequence);
    auto drop = [&](std::string_view column, std::string& path) -> Status {
      if (path.empty()) return {};
      TRY(Doom(path));
      path.clear();
      TRY(txn_.Run(fmt::format("UPDATE snapshots SET {} = '' WHERE port = $1 AND sequence = $2", column),
                   {port_, sequence}));
      return {};
    };
    if (now) TRY(drop("manifest_list", record.manifest_list));
    for (auto [column, manifest] :
         {std::pair("manifest", &record.manifest), std::pair("kept_manifest", &record.kept)}) {
      if (!needs_.Has(record.snapshot.sequence, manifest->merged_by)) TRY(drop(column, manifest->path));
    }
    return {};
  }

  // Oldest first, since what a manifest was merged by is younger, and has to be there as long as it is.
  Status DropRow(const SnapshotRecord& record) {
    const int64_t sequence = record.snapshot.sequence;
    const bool rests = !record.manifest.path.empty() || !record.kept.path.empty() || with_files_.contains(sequence) ||
                       merged_by_.contains(sequence);
    if (!record.expired || rests) {
      for (const Manifest* manifest : {&record.manifest, &record.kept}) {
        if (manifest->merged_by) merged_by_.insert(*manifest->merged_by);
      }
      return {};
    }
    // What led to what stays known: a rollback over it withdraws its run too.
    TRY(txn_.Run("UPDATE snapshots SET expired = 2, manifest_list = '' WHERE port = $1 AND sequence = $2",
                 {port_, store::Int(sequence)}));
    return {};
  }

  store::Txn& txn_;
  const std::string port_;
  std::vector<SnapshotRecord>& records_;
  const Needs needs_;
  const Instant now_;
  std::set<int64_t> with_files_;  // Sequences of which there are files.
  std::set<int64_t> merged_by_;   // Those whose manifests stand for others'.
};

// Which may go, by sequence.
std::set<int64_t> Ripe(const std::vector<SnapshotRecord>& records, Instant before, const std::set<int64_t>& keep) {
  std::set<int64_t> ripe;
  for (size_t i = 0; i + 1 < records.size(); ++i) {
    const SnapshotRecord& record = records[i];
    const Instant until = record.snapshot.until.value_or(records[i + 1].snapshot.at);
    if (record.expired || !record.snapshot.tags.empty() || keep.contains(record.snapshot.id)) continue;
    if (until < before) ripe.insert(record.snapshot.sequence);
  }
  return ripe;
}

}  // namespace

Result<std::vector<Doomed>> AllDoomed(store::Txn& txn) {
  std::vector<Doomed> doomed;
  for (const store::Row& row : TRY(txn.Run("SELECT port, path, at_micros FROM doomed_files")))
    doomed.push_back({row.text(0), row.text(1), {row.integer(2)}});
  return doomed;
}

Status ForgetDoomed(store::Txn& txn, const Doomed& doomed) {
  TRY(txn.Run("DELETE FROM doomed_files WHERE port = $1 AND path = $2", {doomed.port, doomed.path}));
  return {};
}

Result<Lake::Expired> ExpireSnapshots(const Where& where, const model::PortKey& key, const std::string& act,
                                      Instant before, const std::set<int64_t>& keep,
                                      const std::function<Status(store::Txn&, const Lake::Expired&)>& also) {
  auto txn = TRY(where.store.Begin());
  if (Ripe(TRY(Records(*txn, key)), before, keep).empty()) return Lake::Expired{};
  const Lease lease = TRY(TakeLease(*txn, key, act, where.clock.Now()));
  std::vector<SnapshotRecord> records = TRY(Records(*txn, key));
  auto table = TRY(Find(*txn, key));
  TRY(txn->Commit());
  txn.reset();
  if (!table) return Error{Code::kInternal, "the table " + key.Text() + " has snapshots and no row"};

  const std::set<int64_t> ripe = Ripe(records, before, keep);
  Lake::Expired expired;
  for (SnapshotRecord& record : records) {
    if (!ripe.contains(record.snapshot.sequence)) continue;
    record.expired = true;
    expired.snapshots.push_back(record.snapshot.id);
  }
  const int64_t version = table->version++;
  table->metadata_path =
      fmt::format("{}/metadata/{:05}-{}.metadata.json", table->location, table->version, lease.label);
  auto commit = [&]() -> Status {
    TRY(WriteFileAtomically(table->metadata_path, MetadataJson(*table, records, where.codec).Dump()));
    auto last = TRY(where.store.Begin());
    TRY(CheckLease(*last, lease));
    const auto rows = TRY(last->Run("SELECT version FROM tables WHERE port = $1", {key.Text()}));
    if (rows.empty() || rows[0].integer(0) != version)
      return Error{Code::kConflict, key.Text() + " has moved since its metadata were written"};
    TRY(Expiry(*last, key, records, where.clock.Now()).Run(ripe, &expired));
    TRY(PutTable(*last, *table));
    TRY(ReleaseLease(*last, lease));
    TRY(also(*last, expired));
    return last->Commit();
  };
  Status done = commit();
  if (done) {
    WriteHint(*table);
    return expired;
  }
  if (auto release = where.store.Begin()) {
    if (ReleaseLease(**release, lease)) (void)(*release)->Commit();
  }
  return done.TakeError();
}

void WriteHint(const Table& table) {
  const std::string name = fs::path(table.metadata_path).filename().string();
  Status hinted = WriteFileAtomically(table.location + "/metadata/version-hint.text", name.substr(0, name.find('.')));
  if (!hinted) log::Warn("version hint not written", {{"port", table.key.Text()}, {"why", hinted.error().message}});
}

}  // namespace weft::lake
