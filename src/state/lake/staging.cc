#include "state/lake/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "model/quarantine.h"
#include "state/lake/parquet.h"

namespace weft::lake {
namespace {

int64_t ExpiryOf(Instant now) { return now.micros + kLeaseTime.count() * 1000; }

Error Lost(const Lease& lease) {
  return {Code::kConflict, fmt::format("run {} no longer holds the right to write {}: it was taken over after a minute "
                                       "without a sign of life; run it again",
                                       lease.run_id, lease.key.Text())};
}

}  // namespace

Result<Lease> TakeLease(store::Txn& txn, const model::PortKey& key, const std::string& run_id, Instant now,
                        const std::string& label) {
  auto rows = TRY(txn.Run("SELECT run_id, token, expires_at FROM leases WHERE port = $1", {key.Text()}));
  if (!rows.empty() && rows[0].text(0) != run_id && rows[0].integer(2) > now.micros) {
    return Error{Code::kConflict,
                 fmt::format("{} is being written by run {}: wait for it or cancel it", key.Text(), rows[0].text(0))};
  }
  Lease lease{key, run_id, (rows.empty() ? 0 : rows[0].integer(1)) + 1, label.empty() ? NewUuid() : label};
  TRY(txn.Run(
      "INSERT INTO leases (port, run_id, token, expires_at, folder) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (port) "
      "DO UPDATE SET run_id = $2, token = $3, expires_at = $4, folder = $5",
      {key.Text(), run_id, store::Int(lease.token), store::Int(ExpiryOf(now)), lease.label}));
  return lease;
}

Result<bool> IsTended(store::Txn& txn, const model::PortKey& key, Instant now) {
  const auto rows = TRY(txn.Run("SELECT run_id FROM leases WHERE port = $1 AND expires_at > $2 AND folder <> ''",
                                {key.Text(), store::Int(now.micros)}));
  return !rows.empty() && rows[0].text(0).starts_with(kActPrefix);
}

Status CheckLease(store::Txn& txn, const Lease& lease) {
  auto rows = TRY(txn.Run("SELECT token FROM leases WHERE port = $1", {lease.key.Text()}));
  if (rows.empty() || rows[0].integer(0) != lease.token) return Lost(lease);
  return {};
}

Status RenewLease(store::Txn& txn, const Lease& lease, Instant now) {
  auto rows = TRY(txn.Run("UPDATE leases SET expires_at = $3 WHERE port = $1 AND token = $2 RETURNING token",
                          {lease.key.Text(), store::Int(lease.token), store::Int(ExpiryOf(now))}));
  if (rows.empty()) return Lost(lease);
  return {};
}

Status ReleaseLease(store::Txn& txn, const Lease& lease) {
  TRY(txn.Run("UPDATE leases SET expires_at = 0, folder = '', token = token + 1 WHERE port = $1 AND token = $2",
              {lease.key.Text(), store::Int(lease.token)}));
  return {};
}

Status EndLease(store::Txn& txn, const model::PortKey& key, const std::string& run_id) {
  for (const model::PortKey& port : {key, model::QuarantineKey(key)}) {
    TRY(
        txn.Run("UPDATE leases SET expires_at = 0, folder = '', token = token + 1 WHERE port = $1 AND run_id = $2 AND "
                "folder <> ''",
                {port.Text(), run_id}));
  }
  return {};
}

Result<std::vector<std::string>> EndExpiredLeases(store::Txn& txn, Instant now) {
  TRY(txn.Run("UPDATE leases SET folder = '', token = token + 1 WHERE expires_at <= $1 AND folder <> ''",
              {store::Int(now.micros)}));
  std::vector<std::string> labels;
  for (const store::Row& row : TRY(txn.Run("SELECT folder FROM leases WHERE folder <> '' UNION SELECT label FROM "
                                           "upkeep WHERE label <> '' AND status IN ('pending', 'running')"))) {
    labels.push_back(row.text(0));
  }
  return labels;
}

FolderStaging::FolderStaging(store::Store& store, Clock& clock, Codec codec, Lease lease, View parent, Table table)
    : store_(store),
      clock_(clock),
      codec_(codec),
      lease_(std::move(lease)),
      snapshot_id_(NewPositiveInt64()),
      parent_(std::move(parent)),
      table_(std::move(table)),
      folder_(table_.location + "/data/" + lease_.label) {}

FolderStaging::~FolderStaging() {
  if (published_ || (committed_ && Visible())) return;
  if (auto txn = store_.Begin()) {
    Status released = ReleaseLease(**txn, lease_);
    if (released) released = (*txn)->Commit();
    if (!released) log::Warn("lease not released", {{"port", lease_.key.Text()}, {"why", released.error().message}});
  }
  std::error_code ignored;  // What stays behind is swept later.
  fs::remove_all(folder_, ignored);
  for (const std::string& path : metadata_files_) fs::remove(path, ignored);
}

bool FolderStaging::Visible() {
  auto txn = store_.Read();
  if (!txn) return true;
  auto rows =
      (*txn)->Run("SELECT 1 FROM snapshots WHERE port = $1 AND id = $2", {lease_.key.Text(), store::Int(snapshot_id_)});
  return !rows || !rows->empty();
}

Status FolderStaging::Write(engine::Connection& connection, const std::string& select, const std::string& order_by,
                            int64_t file_bytes) {
  const Target target{folder_, fmt::format("part-{:05}", writes_++), file_bytes, codec_};
  for (DataFile& file : TRY(WriteParquet(connection, table_.schema, select, order_by, target)))
    files_.push_back(std::move(file));
  return {};
}

std::vector<DataFile> FolderStaging::Kept() const {
  std::set<std::string> gone;
  for (const DataFile& file : removed_) gone.insert(file.path);
  std::vector<DataFile> kept = parent_.files;
  std::erase_if(kept, [&](const DataFile& file) { return gone.contains(file.path); });
  return kept;
}

// Both sides are read again, for the proof: what it costs is little beside the writing.
Status FolderStaging::Rewrite(engine::Connection& connection, const std::vector<DataFile>& of,
                              const std::string& order_by) {
  View view = parent_;
  view.schema = table_.schema;
  view.files = of;
  const std::string select = ScanSql(view);
  const Target target{folder_, fmt::format("part-{:05}", writes_++), 0, codec_};
  std::vector<DataFile> into = TRY(WriteParquet(connection, table_.schema, select, order_by, target));
  std::string columns;
  for (const model::Field& field : table_.schema.fields) columns += (columns.empty() ? "" : ", ") + SqlName(field.name);
  auto proof = [&](const std::string& rows) -> Result<std::pair<std::string, std::string>> {
    const engine::Rows sums =
        TRY(connection.Query(fmt::format("SELECT count(*), coalesce(sum(hash({})), 0) FROM ({})", columns, rows)));
    return std::pair(sums.text(0, 0), sums.text(0, 1));
  };
  const auto before = TRY(proof(select));
  view.files = into;
  const auto after = TRY(proof(ScanSql(view)));
  if (before != after) {
    return Error{Code::kInternal,
                 fmt::format("files of {} written anew do not have the same rows ({} with the sum {}, and {} with {}): "
                             "they are not committed, and nothing has changed",
                             lease_.key.Text(), before.first, before.second, after.first, after.second)};
  }
  rewritten_.push_back({of, std::move(into)});
  Gather();
  return {};
}

void FolderStaging::Gather() {
  files_.clear();
  removed_.clear();
  for (const Rewritten& each : rewritten_) {
    files_.insert(files_.end(), each.into.begin(), each.into.end());
    removed_.insert(removed_.end(), each.of.begin(), each.of.end());
  }
}

void FolderStaging::Rebase(Lease lease, View parent) {
  lease_ = std::move(lease);
  parent_ = std::move(parent);
  table_ = parent_.table;
  std::set<std::pair<int64_t, std::string>> there;
  for (const DataFile& file : parent_.files) there.emplace(file.sequence, file.path);
  std::erase_if(rewritten_, [&](const Rewritten& each) {
    const bool whole = std::ranges::all_of(each.of, [&](const DataFile& file) {
      return there.contains({file.sequence, file.path});
    });
    std::error_code ignored;
    for (const DataFile& file : each.into) {
      if (!whole) fs::remove(file.path, ignored);
    }
    return !whole;
  });
  Gather();
}

Status FolderStaging::Restore(const View& former) {
  if (!former.snapshot) return Error{Code::kInternal, "there is no snapshot to restore"};
  for (const DataFile& file : former.files) {
    std::error_code failure;
    const auto bytes = fs::file_size(file.path, failure);
    if (!failure && static_cast<int64_t>(bytes) == file.bytes) continue;
    return Error{
        Code::kNotFound,
        fmt::format("the rows of snapshot {} of {} are not whole any more: {} is {}", former.snapshot->id,
                    lease_.key.Text(), fs::path(file.path).filename().string(), failure ? "gone" : "of another size")};
  }
  files_ = former.files;
  restores_ = former.snapshot->id;
  return {};
}

Status FolderStaging::Renew() {
  auto txn = TRY(store_.Begin());
  TRY(RenewLease(*txn, lease_, clock_.Now()));
  return txn->Commit();
}

}  // namespace weft::lake
