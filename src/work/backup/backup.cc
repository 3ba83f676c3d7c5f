#include "work/backup/backup.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "drivers/store/dump.h"
#include "state/catalog/catalog.h"
#include "state/lake/lake.h"
#include "work/backup/files.h"

namespace weft::backup {
namespace {

// One backup while it is written, in a folder beside the one that it becomes.
class Writing {
 public:
  Writing(Context& context, std::string folder)
      : context_(context), folder_(std::move(folder)), draft_(folder_ + ".part-" + NewSecret(6)) {}
  ~Writing() {
    std::error_code ignored;
    fs::remove_all(draft_, ignored);
  }

  Result<Description> Write(const model::Caller& caller, bool with_keys) {
    made_.folder = folder_;
    made_.made_at = context_.clock.Now();
    const auto held = lake::Hold();  // Until all is copied.
    {
      auto txn = TRY(context_.store.Read());
      made_.mesh = TRY(catalog::MeshId(*txn));
      for (const ledger::Sealed& newest : TRY(ledger::List(*txn, {.limit = 1, .newest_first = true}))) {
        made_.ledger_row = newest.seq;
        ledger_hash_ = newest.hash;
      }
      TRY(FindFiles(*txn));
      TRY(MakeFolders(draft_));
      TRY(WriteStore(*txn));
    }
    TRY(CopyFiles());
    if (with_keys) TRY(CopyKeys());
    TRY(Describe(caller));
    std::error_code failure;
    fs::rename(draft_, folder_, failure);
    if (failure) return Error{Code::kUnavailable, fmt::format("cannot make {}: {}", folder_, failure.message())};
    TRY(SyncFolder(fs::path(folder_).parent_path()));
    return made_;
  }

 private:
  // What the snapshot of the store names; it goes on being there, since nothing younger than a day is swept, nothing
  // that is named, and nothing that was when it was held.
  Status FindFiles(store::Txn& txn) {
    const std::string warehouse = fs::path(context_.places.warehouse).string() + "/";
    for (const std::string& path : TRY(lake::NamedFiles(txn))) {
      if (!path.starts_with(warehouse)) {
        return Error{Code::kUnavailable, fmt::format("{} lies outside the warehouse {}: it cannot be backed up", path,
                                                     context_.places.warehouse)};
      }
      files_.emplace("warehouse/" + path.substr(warehouse.size()), path);
    }
    for (const catalog::ProductRow& product : TRY(catalog::Products(txn))) {
      for (const model::DataFile& file : TRY(catalog::Data(txn, product.domain, product.name))) {
        const std::string place = file.sha256.substr(0, 2) + "/" + file.sha256;
        files_.emplace("uploads/" + place, context_.places.uploads + "/" + place);
      }
    }
    int64_t bytes = 0;
    for (const auto& [name, path] : files_) {
      std::error_code failure;
      const auto size = fs::file_size(path, failure);
      if (failure) return Error{Code::kUnavailable, fmt::format("cannot read {}: {}", path, failure.message())};
      bytes += static_cast<int64_t>(size);
    }
    return CheckRoom(folder_, bytes);
  }

  Status WriteStore(store::Txn& txn) {
    const auto rows = TRY(txn.Run("SELECT module, max(number) FROM schema_migrations GROUP BY module ORDER BY module"));
    for (const store::Row& row : rows) migrations_.Set(row.text(0), row.integer(1));
    for (const store::TableShape& table : TRY(store::Tables(txn))) {
      if (table.name == "search_postings") continue;  // Made anew from the documents.
      LinesOut out = TRY(LinesOut::Create(fs::path(draft_) / "store" / (table.name + ".jsonl")));
      const int64_t count = TRY(store::Dump(txn, table, [&](std::string_view line) { return out.Add(line); }));
      const Copied written = TRY(out.Finish());
      tables_.Push(Json::Map(
          {{"name", table.name}, {"columns", Json(table.columns)}, {"rows", count}, {"sha256", written.sha256}}));
      ++made_.tables;
      made_.rows += count;
    }
    return SyncFolder(fs::path(draft_) / "store");
  }

  Status CopyFiles() {
    LinesOut list = TRY(LinesOut::Create(fs::path(draft_) / "files.jsonl"));
    for (const auto& [name, path] : files_) {
      const Copied copied = TRY(CopyFile(path, fs::path(draft_) / name));
      TRY(list.Add(Json::Map({{"name", name}, {"bytes", copied.bytes}, {"sha256", copied.sha256}}).Dump()));
      ++made_.files;
      made_.bytes += copied.bytes;
    }
    list_ = TRY(list.Finish());
    return {};
  }

  Status CopyKeys() {
    for (const Places::Key& key : context_.places.keys) {
      std::error_code ignored;
      if (!fs::exists(key.path, ignored)) continue;  // Nothing has been sealed yet.
      const fs::path to = fs::path(draft_) / "keys" / key.name;
      TRY(MakeFolders(to.parent_path()));
      TRY(WriteFileAtomically(to, TRY(ReadFile(key.path)), 0600));
      made_.keys.push_back(key.name);
    }
    return {};
  }

  Status Describe(const model::Caller& caller) {
    Json all = made_.ToJson();
    all.Set("format", 1);
    all.Set("made_by", caller.principal.name);
    all.Set("ledger_hash", ledger_hash_);
    all.Set("migrations", migrations_);
    all.Set("store", tables_);
    all.Set("warehouse", context_.places.warehouse);
    all.Set("files_sha256", list_.sha256);
    return WriteFileAtomically(fs::path(draft_) / "backup.json", all.Pretty() + "\n", 0600);
  }

  Context& context_;
  const std::string folder_;
  const std::string draft_;
  std::map<std::string, std::string> files_;  // Name in the backup → where it is.
  Description made_;
  std::string ledger_hash_;
  Json migrations_ = Json::Map({});
  Json tables_{Json::Array()};
  Copied list_;
};

Status CheckPlace(const std::string& folder) {
  const fs::path path(folder);
  if (!path.is_absolute() || path.lexically_normal() != path || !path.has_filename()) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' names no folder: write it whole, from / on, on the node's machine", folder)};
  }
  std::error_code ignored;
  if (!fs::is_directory(path.parent_path(), ignored)) {
    return Error{Code::kNotFound, fmt::format("there is no folder {} on the node's machine to write the backup into: "
                                              "make it, for the user that the node runs as",
                                              path.parent_path().string())};
  }
  if (fs::exists(path, ignored) && !fs::is_empty(path, ignored)) {
    return Error{Code::kConflict,
                 fmt::format("{} is there already: a backup overwrites nothing; name a new folder", folder)};
  }
  return {};
}

}  // namespace

Json Description::ToJson() const {
  return Json::Map({{"folder", folder},
                    {"mesh", mesh},
                    {"made_at", made_at.Text()},
                    {"tables", tables},
                    {"rows", rows},
                    {"files", files},
                    {"bytes", bytes},
                    {"ledger_row", ledger_row},
                    {"keys", Json(keys)}});
}

Result<Description> Make(Context& context, const model::Caller& caller, const std::string& folder, bool with_keys) {
  TRY(CheckPlace(folder));
  auto tell = [&](std::string kind, Json detail) {
    detail.Set("folder", folder);
    detail.Set("with_keys", with_keys);
    detail.Set("door", caller.door);
    return context.ledger.AppendDurably(
        {std::move(kind), caller.principal.name, caller.purpose, "", std::move(detail)});
  };
  TRY(tell("backup.started", Json::Map({})));
  TRY(context.ledger.SealNow());  // So that the row of this backup is in it.
  Writing writing(context, folder);
  Description made = TRY(writing.Write(caller, with_keys));
  TRY(tell("backup.made", Json::Map({{"files", made.files}, {"bytes", made.bytes}, {"ledger_row", made.ledger_row}})));
  return made;
}

}  // namespace weft::backup
