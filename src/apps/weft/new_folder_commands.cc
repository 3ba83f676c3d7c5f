#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/folder.h"
#include "base/file.h"
#include "base/text.h"
#include "model/address.h"
#include "model/json_schema.h"
#include "model/repository.h"

namespace weft::app {
namespace {

class NewMeshCommand : public Command {
 public:
  explicit NewMeshCommand(CLI::App& app) {
    app.add_option("folder", folder_, "Where it is to be: made where it is not there")->required();
    app.add_option("--domain", domains_, "A domain of it; may be repeated")->required()->type_name("NAME ...");
    app.add_option("--owner", owner_, "Who owns the domains")->capture_default_str();
    app.add_option("--id", id_, "The mesh's name for good; the folder's if absent");
  }

  Result<int> Run(Session& session) override {
    const fs::path home = fs::path(folder_).lexically_normal(), path = home / "mesh.yaml";
    std::error_code failure;
    if (fs::exists(path, failure)) {
      return Error{Code::kConflict, fmt::format("{} is there already: write a domain into it", path.string())};
    }
    const fs::path whole = fs::absolute(home, failure).lexically_normal();
    const std::string id =
        !id_.empty() ? id_ : (whole.has_filename() ? whole : whole.parent_path()).filename().string();
    std::string text = "# Its name for good, its domains and who owns them.\nid: " + id + "\ndomains:\n";
    for (const std::string& domain : domains_) {
      text += fmt::format("  - name: {}\n    owners: ['{}']\n", domain, ReplaceAll(owner_, "'", "''"));
    }
    TRY(MakesMesh(id, text));
    TRY(MakeFolders(home));
    TRY(WriteFileAtomically(path, text));
    if (session.json()) return session.PrintJson(Json::Map({{"files", Json::Array{path.string()}}})), 0;
    TellMade(session, path.string());
    session.Note(fmt::format("bring rows: weft new product {}/NAME --from FILE --into {}", domains_[0], Safe(folder_)));
    return 0;
  }

 private:
  Status MakesMesh(const std::string& id, const std::string& text) const {
    Status good = model::CheckSlug(id, "the mesh");
    if (!good && id_.empty()) return good.TakeError().With("the folder gives the mesh its name, or --id does");
    TRY(std::move(good));
    for (const std::string& domain : domains_) TRY(model::CheckSlug(domain, "the domain"));
    model::Repository repository = model::ReadRepository({{"mesh.yaml", text}}, {}, false);
    if (repository.problems.empty()) return {};
    return Error{Code::kInvalid, repository.problems[0].message};
  }

  std::string folder_, owner_ = "admin", id_;
  std::vector<std::string> domains_;
};

class NewSchemasCommand : public Command {
 public:
  explicit NewSchemasCommand(CLI::App& app) {
    app.add_option("folder", folder_, "The mesh's folder, or a product's")->capture_default_str();
  }

  Result<int> Run(Session& session) override {
    const fs::path home(folder_), schemas = home / ".weft";
    TRY(MakeFolders(schemas));
    std::vector<std::string> made;
    Json settings = Json::Object();
    for (const model::SchemaOfFiles& files : model::SchemasOfFiles()) {
      const std::string name = fmt::format("{}.schema.json", files.name);
      TRY(WriteFileAtomically(schemas / name, model::JsonSchemaOf(files.name).Dump() + "\n"));
      made.push_back((schemas / name).string());
      settings.Set(".weft/" + name, files.glob);
    }
    const fs::path code = home / ".vscode" / "settings.json";
    std::error_code ignored;
    const bool there = fs::exists(code, ignored);
    if (!there) {
      TRY(MakeFolders(code.parent_path()));
      TRY(WriteFileAtomically(code, Json::Map({{"yaml.schemas", settings}}).Pretty() + "\n"));
      made.push_back(code.string());
    }
    if (session.json()) return session.PrintJson(Json::Map({{"files", made}, {"yaml.schemas", settings}})), 0;
    for (const std::string& file : made) TellMade(session, file);
    if (there) {
      session.Note(fmt::format("{} is there already: add \"yaml.schemas\": {}", Safe(code.string()), settings.Dump()));
    }
    session.Note("editors with the YAML language server complete and underline by them; weft check judges");
    return 0;
  }

 private:
  std::string folder_ = ".";
};

constexpr CommandEntry kCommands[] = {
    {"new mesh", "Publish", "Begin a mesh: its name and its domains",
     "weft new mesh mesh --domain sales --domain finance", kAlone, Make<NewMeshCommand>},
    {"new schemas", "Publish", "Lay down JSON Schemas of all files, for editors", "weft new schemas .", kAlone,
     Make<NewSchemasCommand>},
};

}  // namespace

std::span<const CommandEntry> NewFolderCommands() { return kCommands; }

}  // namespace weft::app
