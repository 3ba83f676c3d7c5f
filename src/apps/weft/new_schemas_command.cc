#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/folder.h"
#include "base/file.h"
#include "model/json_schema.h"

namespace weft::app {
namespace {

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
    {"new schemas", "Publish", "Lay down JSON Schemas of all files, for editors", "weft new schemas .", kAlone,
     Make<NewSchemasCommand>},
};

}  // namespace

std::span<const CommandEntry> NewSchemasCommands() { return kCommands; }

}  // namespace weft::app
