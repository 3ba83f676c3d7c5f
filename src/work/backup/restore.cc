#include <fmt/format.h>

#include "base/text.h"
#include "drivers/store/dump.h"
#include "state/catalog/catalog.h"
#include "state/nodes/nodes.h"
#include "work/backup/backup.h"
#include "work/backup/files.h"

namespace weft::backup {
namespace {

constexpr int kFormat = 1;

Error Damaged(const std::string& folder, std::string_view why) {
  return {Code::kInvalid, fmt::format("{} is no whole backup: {}", folder, why)};
}

// A backup that was found to be one.
class Reading {
 public:
  Reading(const Target& target, std::string folder) : target_(target), folder_(std::move(folder)) {}

  Result<Description> Restore() {
    TRY(Open());
    TRY(CheckTarget());
    TRY(CheckKeys());
    TRY(PlaceFiles());
    TRY(PlaceKeys());
    TRY(FillStore());
    return said_;
  }

 private:
  Status Open() {
    auto text = ReadFile(fs::path(folder_) / "backup.json");
    if (!text) {
      return Error{Code::kInvalid, fmt::format("{} is no backup: {}", folder_, text.error().message)};
    }
    auto parsed = Json::Parse(*text);
    if (!parsed) return Damaged(folder_, parsed.error().message);
    all_ = parsed.TakeValue();
    if (all_["format"].Int() > kFormat) {
      return Error{Code::kConflict, fmt::format("{} was made by a newer program: restore it with that one", folder_)};
    }
    said_.folder = folder_;
    said_.mesh = all_["mesh"].Text();
    said_.made_at = TRY(Instant::Parse(all_["made_at"].Text()));
    said_.tables = all_["tables"].Int();
    said_.rows = all_["rows"].Int();
    said_.files = all_["files"].Int();
    said_.bytes = all_["bytes"].Int();
    said_.ledger_row = all_["ledger_row"].Int();
    said_.keys = all_["keys"].Texts();
    for (const auto& [module, number] : all_["migrations"].Members()) {
      int64_t known = 0;
      for (const store::Migration& migration : target_.migrations) {
        if (migration.module == module) known = migration.number;
      }
      if (known >= number.Int()) continue;
      return Error{Code::kConflict,
                   fmt::format("{} was made by a newer program ('{}' is at version {} there, this program knows {}): "
                               "restore it with that one",
                               folder_, module, number.Int(), known)};
    }
    return {};
  }

  Status CheckTarget() {
    auto txn = TRY(target_.store.Begin());
    if (!TRY(store::Migrated(*txn)).empty()) {
      return Error{Code::kConflict,
                   "the store is not empty: a backup is restored into one that no node has used, and nothing is "
                   "overwritten; name another with --store or --data, or remove that one"};
    }
    txn.reset();
    const std::string& warehouse = all_["warehouse"].Text();
    if (warehouse != target_.places.warehouse && said_.files > 0) {
      return Error{Code::kInvalid,
                   fmt::format("the backup's tables lie in {}, and their files name each other by that path: restore "
                               "with --warehouse {}",
                               warehouse, warehouse)};
    }
    return {};
  }

  fs::path KeyIn(const std::string& name) const { return fs::path(folder_) / "keys" / name; }

  // What is there has to be the same: another key would open nothing of the backup.
  Status CheckKeys() const {
    for (const Places::Key& key : target_.places.keys) {
      if (std::ranges::find(said_.keys, key.name) == said_.keys.end()) continue;
      auto there = ReadFile(key.path);
      if (!there && there.error().code == Code::kNotFound) continue;
      if (!there) return there.TakeError();
      if (*there == TRY(ReadFile(KeyIn(key.name)))) continue;
      return Error{Code::kConflict, fmt::format("another key than the backup's is in {}: move it away", key.path)};
    }
    return {};
  }

  // Of a name that says where it belongs, and leads nowhere else.
  Result<fs::path> PlaceOf(const std::string& name) const {
    const fs::path path(name);
    for (const auto& [head, place] :
         {std::pair<std::string, const std::string&>{"warehouse/", target_.places.warehouse},
          {"uploads/", target_.places.uploads}}) {
      if (name.starts_with(head) && path.lexically_normal() == path && name.find("..") == name.npos) {
        return fs::path(place) / name.substr(head.size());
      }
    }
    return Damaged(folder_, fmt::format("a file is called '{}'", name));
  }

  Status EachFile(
      const std::function<Status(const Json& file, const fs::path& from, const fs::path& to)>& visit) const {
    return EachLine(fs::path(folder_) / "files.jsonl", all_["files_sha256"].Text(),
                    [&](std::string_view line) -> Status {
                      const Json file = TRY(Json::Parse(line));
                      return visit(file, fs::path(folder_) / file["name"].Text(), TRY(PlaceOf(file["name"].Text())));
                    });
  }

  Status PlaceFiles() {
    int64_t missing = 0;
    TRY(EachFile([&](const Json& file, const fs::path& from, const fs::path& to) -> Status {
      std::error_code failure;
      const auto bytes = fs::file_size(from, failure);
      if (failure || static_cast<int64_t>(bytes) != file["bytes"].Int()) {
        return Damaged(folder_, fmt::format("{} is missing or has another length", file["name"].Text()));
      }
      if (!fs::exists(to, failure)) missing += file["bytes"].Int();
      return {};
    }));
    TRY(CheckRoom(target_.places.warehouse, missing));
    std::set<fs::path> folders;
    TRY(EachFile([&](const Json& file, const fs::path& from, const fs::path& to) -> Status {
      std::error_code failure;
      if (fs::exists(to, failure)) {
        if (TRY(HashFile(to)) == file["sha256"].Text()) return {};
        return Error{Code::kConflict,
                     fmt::format("{} is there with other bytes than the backup's: move it away", to.string())};
      }
      const Copied copied = TRY(CopyFile(from, to));
      if (copied.sha256 != file["sha256"].Text()) {
        fs::remove(to, failure);
        return Damaged(folder_, fmt::format("{} is not as it was written", file["name"].Text()));
      }
      for (fs::path above = to.parent_path(); folders.insert(above).second && above.has_relative_path();) {
        above = above.parent_path();
      }
      return HintOf(to);
    }));
    for (const fs::path& above : folders) TRY(SyncFolder(above));
    return {};
  }

  // For readers that are given a table's folder alone: which metadata is the newest.
  static Status HintOf(const fs::path& to) {
    const std::string name = to.filename().string();
    if (!name.ends_with(".metadata.json")) return {};
    return WriteFileAtomically(to.parent_path() / "version-hint.text", name.substr(0, name.find('.')));
  }

  Status PlaceKeys() {
    for (const Places::Key& key : target_.places.keys) {
      std::error_code ignored;
      if (std::ranges::find(said_.keys, key.name) == said_.keys.end() || fs::exists(key.path, ignored)) continue;
      TRY(MakeFolders(fs::path(key.path).parent_path()));
      TRY(WriteFileAtomically(key.path, TRY(ReadFile(KeyIn(key.name))), 0600));
    }
    return {};
  }

  // As it was, by the migrations of then; and then onwards by the program's.
  Status FillStore() {
    auto txn = TRY(target_.store.Begin());
    std::vector<store::Migration> then;
    for (const store::Migration& migration : target_.migrations) {
      if (migration.number <= all_["migrations"][migration.module].Int()) then.push_back(migration);
    }
    TRY(store::Migrate(*txn, then));
    for (const Json& table : all_["store"].Items()) {
      store::Loader loader(*txn, {table["name"].Text(), table["columns"].Texts()});
      TRY(EachLine(fs::path(folder_) / "store" / (table["name"].Text() + ".jsonl"), table["sha256"].Text(),
                   [&](std::string_view line) { return loader.Add(line); }));
      TRY(loader.Finish());
    }
    TRY(store::CountOn(*txn));
    TRY(store::Migrate(*txn, target_.migrations));
    TRY(catalog::IndexAll(*txn));
    TRY(nodes::ForgetAll(*txn));
    TRY(ledger::Append(
        *txn, target_.store.clock(),
        {"restored", "node", "", "",
         Json::Map({{"folder", folder_}, {"made_at", said_.made_at.Text()}, {"ledger_row", said_.ledger_row}})}));
    return txn->Commit();
  }

  const Target& target_;
  const std::string folder_;
  Json all_;
  Description said_;
};

}  // namespace

Result<Description> Restore(const Target& target, const std::string& folder) {
  return Reading(target, folder).Restore();
}

}  // namespace weft::backup
