#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>

#include "apps/weft/completion.h"
#include "apps/weft/exchange_commands.h"
#include "apps/weft/folder.h"
#include "apps/weft/told.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/engine/engine.h"
#include "model/address.h"
#include "model/exchange/exchange.h"
#include "model/sql.h"

namespace weft::app {
namespace {

namespace exchange = model::exchange;

constexpr size_t kLargest = size_t{512} << 20;  // A dbt manifest may be very large.

class ImportCommand : public Command {
 public:
  explicit ImportCommand(CLI::App& app) {
    app.add_option("words", words_, "[FORMAT] FILE: the format may be left out where the file says it")
        ->required()
        ->expected(1, 2)
        ->type_name(kFile);
    app.add_option("--into", into_, "The mesh's folder, or where the product's folder is to be")->capture_default_str();
    app.add_option("--domain", options_.domain, "The product's domain, where the file names none or another");
    app.add_option("--product", options_.product, "The product's name, instead of what the file says");
    app.add_option("--select", options_.select, "Of dbt: the models that become ports, with commas between them")
        ->delimiter(',');
    app.add_flag("--overwrite", overwrite_, "Replace files that are there");
  }

  Result<int> Run(Session& session) override {
    const fs::path file = TRY(File());
    const std::string text = TRY(ReadFile(file, kLargest));
    const std::string format = TRY(Format(text, file));
    TRY(Surroundings(file, text));
    exchange::Imported imported = TRY(Import(format, text, file));
    TRY(model::CheckSlug(imported.product, "a product"));
    const bool mesh = IsMesh();
    fs::path home(into_);
    home = (mesh ? home / "domains" / imported.domain / imported.product : home / imported.product).lexically_normal();
    const std::vector<std::string> made = TRY(Write(imported, home, file));
    if (session.json()) {
      session.PrintJson(Json::Map(
          {{"files", made}, {"kept", ToldJson(imported.told, false)}, {"lost", ToldJson(imported.told, true)}}));
      return 0;
    }
    for (const std::string& each : made) TellMade(session, each);
    session.Print(ToldText(session, file.string(), imported.told));
    const std::string folder = Safe(mesh ? into_ : home.string());
    session.Note(fmt::format("next: weft check {0}, weft plan {0}, weft apply {0}", folder));
    return 0;
  }

 private:
  bool IsMesh() const {
    std::error_code ignored;
    return fs::exists(fs::path(into_) / "mesh.yaml", ignored);
  }

  // The file itself; in a folder, dbt's manifest.
  Result<fs::path> File() const {
    std::error_code ignored;
    fs::path file = words_.back();
    if (!fs::is_directory(file, ignored)) return file;
    for (const char* place : {"manifest.json", "target/manifest.json"}) {
      if (fs::exists(file / place, ignored)) return file / place;
    }
    return Error{Code::kNotFound,
                 fmt::format("the folder '{}' has no target/manifest.json: run `dbt docs generate` in the project, "
                             "or name a file",
                             Safe(file.string()))};
  }

  Result<std::string> Format(const std::string& text, const fs::path& file) const {
    auto has = [&](const char* line) {
      return text.starts_with(line) || text.find(std::string("\n") + line) != text.npos;
    };
    if (has("kind: DataContract") || has("kind: DataProduct")) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' needs no import: it is what Weft reads (ODCS and ODPS of Bitol). Put a contract "
                               "into the product's folder as <port>.odcs.yaml, a product as product.odps.yaml",
                               Safe(file.string()))};
    }
    if (words_.size() > 1) return words_[0];
    std::string format(exchange::FormatOf(text));
    if (!format.empty()) return format;
    std::vector<std::string> names;
    for (const exchange::Format& each : exchange::Formats()) names.emplace_back(each.name);
    return Error{Code::kInvalid, fmt::format("'{}' does not say what it is: name its format before it, one of {}",
                                             Safe(file.string()), Join(names, ", "))};
  }

  // What is known beside the file: the catalogue of a dbt project, and the one domain of a mesh.
  Status Surroundings(const fs::path& file, const std::string& text) {
    std::error_code ignored;
    const fs::path catalog = file.parent_path() / "catalog.json";
    if (text.find("dbt_schema_version") != text.npos && fs::exists(catalog, ignored)) {
      options_.catalog = TRY(ReadFile(catalog, kLargest));
    }
    if (!options_.domain.empty()) return model::CheckSlug(options_.domain, "a domain");
    if (!IsMesh()) return {};
    const fs::path path = fs::path(into_) / "mesh.yaml";
    const model::Mesh mesh = TRY(model::Mesh::Parse(TRY(ReadFile(path, 1 << 20)), path.string()));
    for (const model::Mesh::Domain& domain : mesh.domains) domains_.push_back(domain.name);
    return {};
  }

  Result<exchange::Imported> Import(const std::string& format, const std::string& text, const fs::path& file) {
    std::unique_ptr<engine::Instance> instance;
    std::unique_ptr<engine::Connection> connection;
    options_.judge = [&](const std::string& sql) -> Result<std::vector<std::string>> {
      if (!connection) {
        instance = TRY(engine::Instance::Open({}));
        connection = TRY(instance->Connect());
      }
      const Json tree = TRY(connection->ParseTree(sql));
      std::vector<std::string> tables;
      for (const model::TableName& table : TRY(model::Walk(tree, sql)).tables) tables.push_back(table.Text());
      return tables;
    };
    if (options_.domain.empty() && domains_.size() == 1) options_.domain = domains_[0];
    auto imported = exchange::Import(format, text, file.string(), options_);
    if (!imported) return imported.TakeError().With(Safe(file.string()));
    const bool known = domains_.empty() || std::ranges::find(domains_, imported->domain) != domains_.end();
    if (!imported->domain.empty() && known) return imported;
    return Error{Code::kInvalid,
                 fmt::format("{}: name the domain that the product is of: --domain {}",
                             imported->domain.empty()
                                 ? "it says of no domain"
                                 : fmt::format("its domain '{}' is not one of the mesh", Safe(imported->domain)),
                             domains_.empty() ? "NAME" : Join(domains_, " or "))};
  }

  Result<std::vector<std::string>> Write(const exchange::Imported& imported, const fs::path& home,
                                         const fs::path& source) const {
    std::error_code ignored;
    std::vector<std::string> there;
    for (const auto& [name, text] : imported.files) {
      if (fs::exists(home / name, ignored)) there.push_back((home / name).string());
    }
    for (const auto& [from, name] : imported.copies) {
      if (fs::exists(home / name, ignored)) there.push_back((home / name).string());
    }
    if (!there.empty() && !overwrite_) {
      return Error{Code::kConflict, fmt::format("{} is there already: give --overwrite, another --product, or another "
                                                "folder with --into; nothing was written",
                                                Safe(Join(there, ", ")))};
    }
    for (const auto& [from, name] : imported.copies) {
      const fs::path file = (source.parent_path() / from).lexically_normal();
      if (fs::is_regular_file(file, ignored)) continue;
      return Error{Code::kNotFound, fmt::format("'{}', which a port reads, is not there: import where the project is, "
                                                "or leave the port out with --select; nothing was written",
                                                Safe(file.string()))};
    }
    std::vector<std::string> made;
    for (const auto& [from, name] : imported.copies) {
      TRY(Copy(source.parent_path() / from, home / name));
      made.push_back((home / name).string());
    }
    TRY(MakeFolders(home));
    for (const auto& [name, text] : imported.files) {
      TRY(WriteFileAtomically(home / name, text));
      made.push_back((home / name).string());
    }
    return made;
  }

  static Status Copy(const fs::path& from, const fs::path& to) {
    TRY(MakeFolders(to.parent_path()));
    std::error_code failure;
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, failure);
    if (!failure) return {};
    return Error{Code::kUnavailable, fmt::format("'{}' cannot be copied to '{}': {}", Safe(from.string()),
                                                 Safe(to.string()), failure.message())};
  }

  std::vector<std::string> words_, domains_;
  std::string into_ = ".";
  exchange::ImportOptions options_;
  bool overwrite_ = false;
};

constexpr CommandEntry kCommands[] = {
    {"import", "Publish", "Write a product from a descriptor of another format",
     "weft import orders.datacontract.yaml --domain sales\nweft import dbt ../shop/target/manifest.json --domain sales "
     "--into ../mesh",
     kAlone, Make<ImportCommand>},
    {"export", "Publish", "Write a product or port in the words of another format",
     "weft export datacontract sales/orders/orders@1 -o orders.datacontract.yaml\nweft export dbt domains/sales/orders",
     Bits(Action::kBrowse), MakeExport},
};

}  // namespace

std::span<const CommandEntry> ExchangeCommands() { return kCommands; }

}  // namespace weft::app
