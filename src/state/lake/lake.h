// The system of record of every table port: Apache Iceberg v2 tables over Parquet in a folder.
// Owns tables, snapshots, snapshot_files, tags, leases, upkeep, doomed_files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "model/policy/restriction.h"
#include "model/schema.h"

namespace weft::lake {

std::span<const store::Migration> Migrations();

struct ColumnStats {
  int field_id = 0;
  int64_t bytes = 0;
  int64_t values = 0;
  int64_t nulls = 0;
  std::optional<std::string> min;  // DuckDB's text; none where the type or value has none.
  std::optional<std::string> max;
  bool has_nan = false;
};

struct DataFile {
  std::string path;   // Absolute.
  int schema_id = 0;  // With which it was written.
  int64_t rows = 0;
  int64_t bytes = 0;
  std::vector<int64_t> split_offsets;
  std::vector<ColumnStats> columns;
  int64_t sequence = 0;  // Of the snapshot that added it; 0 while it is staged.
};

struct Table {
  model::PortKey key;
  std::string uuid;
  std::string location;
  std::string metadata_path;  // Empty before the first commit.
  int64_t version = 0;        // Grows with each commit: what a commit is fenced by.
  std::optional<int64_t> snapshot_id;
  model::TableSchema schema;
  std::vector<model::TableSchema> schemas;  // All that it ever had, by id; `schema` is the newest.
  std::string contract_version;
};

struct Snapshot {
  int64_t id = 0;
  std::optional<int64_t> parent;
  int64_t sequence = 0;
  Instant at;
  std::string operation;  // append, overwrite; replace: the rows are those of `restores`, in other files
  std::string run_id;     // That made the rows.
  int schema_id = 0;
  int64_t rows = 0;  // In all.
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t added_rows = 0;
  std::vector<std::string> tags;
  std::optional<int64_t> restores = {};  // The snapshot whose rows it has: it rolled back to that, or wrote them anew.
  Instant rows_at = {};                  // When the rows were committed: of a replace those of `restores`.
  std::optional<Instant> until = {};     // Its successor's time, where that one has expired.

  bool rewrites() const { return operation == "replace" && restores; }
  // By what its rows are known: for those who read them, a replace is the snapshot that it wrote anew.
  int64_t rows_of() const { return rewrites() ? *restores : id; }
};

// What a reader may see of a table at one snapshot: immutable.
struct View {
  Table table;
  std::optional<Snapshot> snapshot;  // None: no commit yet, no rows, and no schema but what the caller puts in.
  model::TableSchema schema;         // Of that snapshot.
  std::vector<DataFile> files;
  std::shared_ptr<const void> held = {};  // See Hold: shared by whoever reads the files.
};

// While somebody has it, the sweep leaves every file that a snapshot named when it was taken: whoever reads files has
// one, which Open gives with its view.
std::shared_ptr<const void> Hold();
// Since when files are held in this process; `now` where none are.
Instant HeldSince(Instant now);

// Which snapshot: none of them is the newest; `at` is the newest at or before.
struct At {
  std::optional<int64_t> snapshot_id;
  std::optional<Instant> time;
  std::string tag;
  static Result<At> Parse(std::string_view text);  // "snapshot:123", "tag:NAME", a time, or a bare tag name.
};

Result<std::optional<Table>> Find(store::Txn& txn, const model::PortKey& key);  // None before the first commit.
// kNotFound where `at` names no snapshot; a port without a commit is an empty view.
Result<View> Open(store::Txn& txn, const model::PortKey& key, const At& at = {});
// Every snapshot that there ever was, expired ones too: `id`, `parent` and `restores` alone; newest first.
Result<std::vector<Snapshot>> Ancestry(store::Txn& txn, const model::PortKey& key);
Result<std::vector<Snapshot>> History(store::Txn& txn, const model::PortKey& key);  // Newest first.
// The snapshots that led to the rows of `id`, from itself back, without those that were rolled back. A snapshot that
// restores another stands for that one and is not listed; it ends with one that has expired. `history` is newest first.
std::vector<int64_t> LineOf(const std::vector<Snapshot>& history, int64_t id);
// Readers of Weft see the tag at once, readers of the Iceberg metadata with the next commit. kConflict where the name
// stands for another snapshot: a tag never moves.
Status Tag(store::Txn& txn, const model::PortKey& key, const std::string& name, int64_t snapshot_id);

// SELECT over the view's files with columns by field id: renames, re-adds and later columns are right; without files a
// SELECT of no rows. `paths` receives every file that it reads.
std::string ScanSql(const View& view, std::vector<std::string>* paths = nullptr);

// The same of what a restriction (null: none) leaves: how rows are read on anybody's behalf. Hashes of scans that have
// the salt of `keys` in common can be joined, and with no others. `barrier`: see model::PolicyView.
struct Restricted {
  model::PolicySql policy;
  std::string sql;
};
Restricted ScanUnder(const View& view, const model::Restriction* restriction, const model::MaskKeys& keys, bool barrier,
                     std::vector<std::string>* paths);

// The same with the path of each row's file, as the column `file`.
std::string ScanFilesSql(const View& view, std::string_view file);

// Files that a run is writing; no reader can see them. Removed on destruction unless committed.
class Staging;

// Whether the parent's files stay (those that Staging::Remove took aside) or all go; kReplace: as kAppend, and the rows
// are the parent's.
enum class Operation { kAppend, kOverwrite, kReplace };

// Every file that a snapshot or a table's newest metadata names.
Result<std::vector<std::string>> NamedFiles(store::Txn& txn);

// Ends the leases of a run that has ended, on the port and on its quarantine, so that nobody waits for them to expire.
Status EndLease(store::Txn& txn, const model::PortKey& key, const std::string& run_id);

// A file of a table that is upserted is written again as a whole for each row of it that changes, so that files are
// small.
inline constexpr int64_t kUpsertFileBytes = int64_t{8} << 20;

// How the pages of data files are compressed. What is there stays as it is, and is read whichever it has.
enum class Codec { kZstd, kSnappy, kUncompressed };
// By Iceberg's name of it (its table property write.parquet.compression-codec); kInvalid lists them.
Result<Codec> CodecFrom(std::string_view name);
std::string_view CodecName(Codec codec);

class Lake {
 public:
  static Result<std::unique_ptr<Lake>> Open(store::Store& store, Clock& clock, std::string warehouse,
                                            Codec codec = Codec::kZstd);
  virtual ~Lake() = default;

  // Takes the table's writing lease for `run_id`: kConflict while another run holds it and is alive, and where `schema`
  // does not follow the table's newest one (by model::SchemaOf). What crashed holds it for a minute at most. `codec`:
  // that of its files, where it is not the lake's own.
  virtual Result<std::unique_ptr<Staging>> Stage(const model::PortKey& key, const model::TableSchema& schema,
                                                 const std::string& contract_version, const std::string& run_id,
                                                 std::optional<Codec> codec = {}) = 0;
  // Writes manifests, manifest list and metadata of the next snapshot and syncs all files: not visible yet.
  // Pieces of metadata only: may be called again after a lost race.
  virtual Status Prepare(Staging& staging, Operation operation) = 0;
  // Moves the pointer: part of the caller's transaction. kConflict when the table moved since Prepare or the lease
  // was lost. Call Published after the transaction committed.
  virtual Result<Snapshot> Commit(store::Txn& txn, Staging& staging) = 0;
  virtual void Published(Staging& staging) = 0;

  // For upkeep `act`, which is under way: files of the table are to be written anew, with the same rows, while runs may
  // write it. Its files have the act's label.
  virtual Result<std::unique_ptr<Staging>> StageRewrite(const model::PortKey& key, const std::string& act,
                                                        std::optional<Codec> codec = {}) = 0;
  // Takes the table's writing lease for the commit of a rewrite, and sees the table as it is by then: files written in
  // place of some that are gone are left out. A run that wants to write meanwhile waits. kConflict while a run has the
  // lease; kNotFound where nothing is left of the rewrite.
  virtual Status Take(Staging& staging) = 0;

  struct Expired {
    std::vector<int64_t> snapshots;  // Oldest first.
    int64_t files = 0;               // Of data that no snapshot names any more.
    int64_t bytes = 0;
  };
  // Forgets snapshots that were superseded before `before`: never the newest, one with a tag or one of `keep`. `also`
  // is part of the transaction, and not called where there is none to forget. kConflict while a run has the writing
  // lease.
  virtual Result<Expired> Expire(const model::PortKey& key, const std::string& act, Instant before,
                                 const std::set<int64_t>& keep,
                                 const std::function<Status(store::Txn&, const Expired&)>& also) = 0;

  struct Swept {
    int64_t files = 0;
    int64_t bytes = 0;
  };
  // Removes what no snapshot and no live lease refers to and is older than `age`; of what snapshots named that have
  // expired, what they did so long ago, and before `held_since`: what a reader of any node may still read.
  virtual Result<Swept> Sweep(Millis age, Instant held_since) = 0;
};

class Staging {
 public:
  virtual ~Staging() = default;
  virtual const std::string& folder() const = 0;
  virtual const model::TableSchema& schema() const = 0;  // Field ids as they will be committed.
  virtual const View& parent() const = 0;                // What is there now.
  // COPY (select) as Parquet with field ids and statistics; `order_by` may be empty. May be called again: adds. With
  // `file_bytes` a file ends when it has so many, and the rows of neighbouring files may overlap in their order.
  virtual Status Write(engine::Connection& connection, const std::string& select, const std::string& order_by,
                       int64_t file_bytes = 0) = 0;
  // Files of the parent that the next snapshot does not have, if it is committed with kAppend; former ones keep them.
  virtual void Remove(std::vector<DataFile> files) = 0;
  // Writes the rows of these files of the parent, in their order where `order_by` is empty, as a file in their place:
  // of a rewrite. kInternal where count and checksum of both sides are not the same.
  virtual Status Rewrite(engine::Connection& connection, const std::vector<DataFile>& of,
                         const std::string& order_by) = 0;
  // What of the parent stays with kAppend.
  virtual std::vector<DataFile> Kept() const = 0;
  // The files of a former snapshot of the table instead of any that are written; they are committed with kOverwrite.
  // kNotFound where one of them is no longer there.
  virtual Status Restore(const View& former) = 0;
  virtual const std::vector<DataFile>& files() const = 0;
  virtual Status Renew() = 0;  // Keeps the lease for another minute.
};

}  // namespace weft::lake
