#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "apps/weft/backup_commands.h"
#include "apps/weft/home.h"
#include "apps/weft/migrations.h"
#include "apps/weft/places.h"
#include "apps/weft/setting_flags.h"
#include "base/file.h"
#include "base/text.h"

namespace weft::app {

namespace {

std::string Amounts(const Json& backup) {
  return fmt::format("{} of the store, {}, {}", Count(static_cast<size_t>(backup["rows"].Int()), "row"),
                     Count(static_cast<size_t>(backup["files"].Int()), "file"), HumanBytes(backup["bytes"].Int()));
}

class BackupCommand : public Command {
 public:
  explicit BackupCommand(CLI::App& app) {
    app.add_option("folder", folder_, "A new folder, on the node's machine")->required();
    app.add_flag("--with-keys", with_keys_,
                 "With the keys too: whoever has the backup then reads its secrets and signs as the mesh");
  }

  Result<int> Run(Session& session) override {
    const std::string folder = fs::absolute(folder_).lexically_normal().string();
    const Json made = TRY(session.Post("/v1/backup", Json::Map({{"folder", folder}, {"with_keys", with_keys_}})));
    if (session.json()) return session.PrintJson(made), 0;
    session.Print(fmt::format("backup {}: {}, up to row {} of the ledger\n", Safe(folder), Amounts(made),
                              made["ledger_row"].Int()));
    if (with_keys_) return 0;
    session.Print("the keys are not in it; keep copies of them elsewhere, for without them no secret can be opened:\n");
    for (const std::string& file : made["key_files"].Texts()) session.Print("  " + Safe(file) + "\n");
    return 0;
  }

 private:
  std::string folder_;
  bool with_keys_ = false;
};

class RestoreCommand : public Command {
 public:
  explicit RestoreCommand(CLI::App& app) : flags_(app) {
    app.add_option("folder", folder_, "What weft backup wrote")->required();
  }

  Result<int> Run(Session& session) override {
    auto settings = flags_.Read();
    if (!settings) return BadSettings(session, "restore", settings.TakeError());
    const backup::Places places = PlacesOf(*settings);
    const Json restored = TRY(Restore(*settings, places));
    if (session.json()) return session.PrintJson(restored), 0;
    session.Print(fmt::format("restored {}, as of {}: {}\n", Safe(restored["mesh"].Text("a mesh without a name")),
                              restored["made_at"].Text(), Amounts(restored)));
    session.Print("what came later is gone, and so are revocations: look at weft grants and weft token list\n");
    for (const backup::Places::Key& key : places.keys) {
      std::error_code ignored;
      if (fs::exists(key.path, ignored)) continue;
      session.Print(fmt::format("before the node starts, put back {}\n", Safe(key.path)));
    }
    session.Print("start it with the same settings: weft serve\n");
    return 0;
  }

 private:
  Result<Json> Restore(const Settings& settings, const backup::Places& places) const {
    ::umask(0077);  // As the node does: the folder holds the mesh's data and keys.
    const std::string& data = settings.Text("data");
    TRY(MakeFolders(data));
    TRY(MakeFolders(settings.Text("shared")));
    TRY(MakeFolders(places.warehouse));
    const FolderLock lock = TRY(FolderLock::Take(data));
    const std::unique_ptr<store::Store> store = TRY(store::Open(settings.Text("store")));
    const std::vector<store::Migration> migrations = AllMigrations();
    const backup::Target target{*store, migrations, places};
    const backup::Description restored =
        TRY(backup::Restore(target, fs::absolute(folder_).lexically_normal().string()));
    return restored.ToJson();
  }

  SettingFlags flags_;
  std::string folder_;
};

constexpr CommandEntry kCommands[] = {
    {"backup", "Operate", "Copy the whole mesh into a folder",
     "weft backup /mnt/backups/monday\nweft backup /mnt/backups/monday --with-keys", Bits(Action::kAdminister),
     Make<BackupCommand>},
    {"restore", "Operate", "Make an empty store what a backup says",
     "weft restore /mnt/backups/monday --data /srv/weft\n"
     "weft restore /mnt/backups/monday --store 'postgres://weft@db/weft?sslmode=verify-full'",
     kAlone, Make<RestoreCommand>},
};

}  // namespace

std::span<const CommandEntry> BackupCommands() { return kCommands; }

}  // namespace weft::app
