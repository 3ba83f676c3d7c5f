// What one run is writing: its lease, its files and the snapshot that they are to become.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/lake/records.h"

namespace weft::lake {

inline constexpr Millis kLeaseTime{60'000};

struct Lease {
  model::PortKey key;
  std::string run_id;
  int64_t token = 0;  // Grows each time that the lease changes hands: an old holder's is worth nothing.
  std::string label;  // In the names of all files that its holder writes.
};

// kConflict while another run's lease lives. `label`: a new one where it is empty.
Result<Lease> TakeLease(store::Txn& txn, const model::PortKey& key, const std::string& run_id, Instant now,
                        const std::string& label = "");
// Whether upkeep holds it for a commit: moments, for which a run waits.
Result<bool> IsTended(store::Txn& txn, const model::PortKey& key, Instant now);
inline constexpr std::string_view kActPrefix = "upk_";  // Ids of acts of upkeep, as holders of leases.
// kConflict when somebody else has taken it, or the sweep has ended it.
Status CheckLease(store::Txn& txn, const Lease& lease);
Status RenewLease(store::Txn& txn, const Lease& lease, Instant now);
Status ReleaseLease(store::Txn& txn, const Lease& lease);
// Ends what has expired, so that no late holder can commit files that a sweep removes. The labels of live leases.
Result<std::vector<std::string>> EndExpiredLeases(store::Txn& txn, Instant now);

class FolderStaging final : public Staging {
 public:
  FolderStaging(store::Store& store, Clock& clock, Codec codec, Lease lease, View parent, Table table);
  ~FolderStaging() override;

  const std::string& folder() const override { return folder_; }
  const model::TableSchema& schema() const override { return table_.schema; }
  const View& parent() const override { return parent_; }
  Status Write(engine::Connection& connection, const std::string& select, const std::string& order_by,
               int64_t file_bytes) override;
  void Remove(std::vector<DataFile> files) override { removed_ = std::move(files); }
  std::vector<DataFile> Kept() const override;
  Status Rewrite(engine::Connection& connection, const std::vector<DataFile>& of, const std::string& order_by) override;
  Status Restore(const View& former) override;
  const std::vector<DataFile>& files() const override { return files_; }
  Status Renew() override;

 private:
  friend class FolderLake;

  std::string MetadataPath(const std::string& name) const { return table_.location + "/metadata/" + name; }
  // Of a rewrite: sees the table as it is by now, and leaves out what was written in place of files that are gone.
  void Rebase(Lease lease, View parent);
  void Gather();   // What is written and removed, from all that was written anew.
  bool Visible();  // Whether the snapshot is in the store; also true where that cannot be known.

  store::Store& store_;
  Clock& clock_;
  const Codec codec_;
  Lease lease_;
  const int64_t snapshot_id_;
  View parent_;
  Table table_;  // As it will be after the commit.
  std::string folder_;
  std::vector<DataFile> files_;
  std::vector<DataFile> removed_;  // Of the parent.
  struct Rewritten {
    std::vector<DataFile> of, into;
  };
  std::vector<Rewritten> rewritten_;
  std::optional<int64_t> restores_;
  int writes_ = 0;
  int attempts_ = 0;
  std::vector<std::string> metadata_files_;  // That would be useless without the commit.
  Manifest manifest_;                        // Of `files_`. Written once: it outlives a lost race.
  std::optional<Change> prepared_;
  bool committed_ = false;  // In some transaction, whose outcome only its owner knows.
  bool published_ = false;
};

}  // namespace weft::lake
