#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/database_rows.h"
#include "apps/weft/dev_command.h"
#include "apps/weft/folder.h"
#include "apps/weft/scaffold.h"
#include "base/file.h"
#include "base/text.h"
#include "model/own.h"

namespace weft::app {
namespace {

constexpr int64_t kCopied = int64_t{256} << 20;  // Larger files stay where they are.

class NewProductCommand : public Command {
 public:
  explicit NewProductCommand(CLI::App& app) {
    app.add_option("product", product_, "Its address: DOMAIN/PRODUCT")->required();
    app.add_option("--from", from_,
                   "Files of rows (CSV, JSON, Parquet; packed too), folders of them, a database (a file of SQLite, "
                   "postgres://USER@HOST/DATABASE), or another product's port")
        ->required()
        ->type_name(kFile);
    app.add_option("--table", tables_, "Of a database only this table, or 'SCHEMA.*'; may be repeated")
        ->type_name("TABLE");
    app.add_option("--into", into_, "The mesh's folder, or where the product's folder is to be")->capture_default_str();
  }

  Result<int> Run(Session& session) override {
    const model::Address address = TRY(Addressed());
    fs::path home = fs::path(into_);
    std::error_code ignored;
    const bool mesh = fs::exists(home / "mesh.yaml", ignored);
    home = (mesh ? home / "domains" / address.domain / address.product : home / address.product).lexically_normal();
    if (fs::exists(home / "product.odps.yaml", ignored)) {
      return Error{Code::kConflict, fmt::format("{} is there already: give another name, or another folder with --into",
                                                (home / "product.odps.yaml").string())};
    }
    std::vector<std::string> made;
    if (from_.size() > 1 && std::ranges::any_of(from_, IsDatabase)) {
      return session.Misused("new product", "of databases, one makes a product: give it alone");
    }
    if (!tables_.empty() && (from_.size() != 1 || !IsDatabase(from_[0]))) {
      return session.Misused("new product", "--table chooses of one database, which --from does not name");
    }
    if (const auto port = Port()) {
      TRY(FromPort(session, address, *port, home, made));
    } else {
      TRY(FromRows(session, address, home, made));
    }
    if (session.json()) return 0;
    const std::string folder = Safe(mesh ? into_ : home.string());
    session.Note(fmt::format(
        "say what it is for and who owns it, then: weft check {0}, weft plan {0}, weft apply {0}, weft run {1}/{2}",
        folder, address.domain, address.product));
    if (mesh) TellEnvironments(session, home);
    return 0;
  }

 private:
  // What differs between them is for the person to say.
  void TellEnvironments(const Session& session, const fs::path& home) const {
    const auto text = ReadFile(fs::path(into_) / "mesh.yaml", size_t{16} << 20);
    const auto mesh = text ? model::Mesh::Parse(*text, "mesh.yaml") : Result<model::Mesh>(text.error());
    std::vector<std::string> names;
    for (size_t i = 0; mesh && i < mesh->environments.size(); ++i) names.push_back(Safe(mesh->environments[i].name));
    if (names.empty()) return;
    session.Note(fmt::format("where the sources of {} differ, say so in {}", Join(names, ", "),
                             Safe((home / "env" / (names.size() == 1 ? names[0] + ".yaml" : "NAME.yaml")).string())));
  }

  Result<model::Address> Addressed() const {
    model::Address address = TRY(model::Address::Parse(product_));
    if (address.product.empty() || !address.port.empty() || address.major) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' names no product: write DOMAIN/PRODUCT, as in sales/orders", product_)};
    }
    return address;
  }

  // What --from names where it is no file, but could be a port.
  std::optional<model::Address> Port() const {
    std::error_code ignored;
    if (from_.size() != 1 || fs::exists(from_[0], ignored)) return std::nullopt;
    auto address = model::Address::Parse(from_[0]);
    if (!address || address->port.empty()) return std::nullopt;
    return address.TakeValue();
  }

  static Status FromPort(Session& session, const model::Address& product, const model::Address& from,
                         const fs::path& home, std::vector<std::string>& made) {
    TRY(session.Serves(from));
    const Place place = TRY(PortPlace(from));
    const Json answer = TRY(session.Get(place.path, place.query));
    const model::Address port = TRY(model::Address::Parse(answer["address"].Text()));
    TRY(Write(DescriptorsFrom(product.domain, product.product, port, answer["contract"]), home, made));
    if (session.json()) return session.PrintJson(Json::Map({{"files", made}, {"tables", Json::Array{}}})), Status();
    for (const std::string& file : made) TellMade(session, file);
    session.Note(fmt::format("its runs read {0} as the product: weft grant product:{1}/{2} {0}, by an owner of it",
                             port.Short(), product.domain, product.product));
    return {};
  }

  Status FromRows(Session& session, const model::Address& product, const fs::path& home,
                  std::vector<std::string>& made) const {
    Scaffold scaffold{product.domain, product.product, {}, {}, {}};
    std::map<std::string, std::string> copies;
    std::vector<std::string> next;
    const ScratchFolder scratch = TRY(ScratchFolder::Make());  // Before the profiler, whose engine reads from it.
    auto profiler = TRY(run::Profiler::Open());
    if (from_.size() == 1 && IsDatabase(from_[0])) {
      TRY(ProfileDatabase(session, *profiler, from_[0], tables_, home, scratch.path(), scaffold, next));
    } else {
      TRY(Profile(session, *profiler, home, scaffold, copies));
    }
    TRY(Name(scaffold));
    scaffold.references = TRY(profiler->References(scaffold.tables));
    for (const auto& [from, to] : copies) {
      TRY(MakeFolders(home / "data"));
      std::error_code failure;
      fs::copy_file(from, home / to, failure);
      if (failure) {
        return Error{Code::kUnavailable,
                     fmt::format("'{}' cannot be copied to '{}': {}", from, (home / to).string(), failure.message())};
      }
      made.push_back((home / to).string());
    }
    TRY(Write(Descriptors(scaffold), home, made));
    if (session.json()) {
      Json::Array tables;
      for (const run::TableProfile& table : scaffold.tables) tables.push_back(TableJson(table));
      return session.PrintJson(Json::Map({{"files", made}, {"tables", tables}, {"next", next}})), Status();
    }
    for (const std::string& file : made) TellMade(session, file);
    for (size_t i = 0; i < scaffold.tables.size(); ++i) Print(session, scaffold, i);
    for (const std::string& line : next) session.Note(Safe(line));
    return {};
  }

  static Status Write(const std::map<std::string, std::string>& files, const fs::path& home,
                      std::vector<std::string>& made) {
    TRY(MakeFolders(home));
    for (const auto& [name, text] : files) {
      TRY(WriteFileAtomically(home / name, text));
      made.push_back((home / name).string());
    }
    return {};
  }

  // The files of what was named, in the order of names.
  Result<std::vector<std::string>> Files() const {
    std::vector<std::string> files;
    for (const std::string& path : from_) {
      std::error_code failure;
      if (!fs::is_directory(path, failure)) {
        files.push_back(path);
        continue;
      }
      const size_t before = files.size();
      for (const auto& entry : fs::directory_iterator(path, failure)) {
        const std::string name = Lower(entry.path().filename().string());
        const model::own::FileKind kind = model::own::KindOf(name);
        if (!name.starts_with('.') && entry.is_regular_file(failure) && kind.ending != ".txt" && !kind.format.empty()) {
          files.push_back(entry.path().string());
        }
      }
      if (files.size() == before) {
        return Error{Code::kNotFound, fmt::format("the folder '{}' holds no file of rows: .csv, .tsv, .json, .jsonl, "
                                                  ".ndjson or .parquet, which may end in .gz or .zst",
                                                  path)};
      }
      std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    }
    return files;
  }

  Status Profile(Session& session, run::Profiler& profiler, const fs::path& home, Scaffold& scaffold,
                 std::map<std::string, std::string>& copies) const {
    for (const std::string& file : TRY(Files())) {
      if (!session.json()) session.Note(fmt::format("reading {}", Safe(file)));
      run::TableProfile table = TRY(profiler.Profile({file}));
      if (scaffold.sources.contains(table.name)) {
        return Error{Code::kConflict,
                     fmt::format("'{}' would be the port '{}', which another file is already: rename one", file,
                                 PortName(table.name))};
      }
      std::error_code failure;
      const fs::path real = table.paths[0];
      const fs::path inside = real.lexically_relative(fs::weakly_canonical(home, failure));
      std::string source = (fs::path("data") / real.filename()).string();
      if (!inside.empty() && *inside.begin() != "..") {
        source = inside.string();
      } else if (static_cast<int64_t>(fs::file_size(real, failure)) > kCopied) {
        source = real.string();
        table.findings.push_back(
            fmt::format("the file is large and stays where it is: the node reads it from there when it is "
                        "started with --source-roots {}",
                        real.parent_path().string()));
      } else {
        copies[real.string()] = source;
      }
      Json said = Json::Map({{"kind", "file"}, {"path", source}, {"format", table.format}});
      for (const auto& [option, value] : table.options.Members()) said.Set(option, value);
      scaffold.sources[table.name] = std::move(said);
      scaffold.tables.push_back(std::move(table));
    }
    return {};
  }

  // Ports are called as their tables are; a single one as the product is.
  static Status Name(Scaffold& scaffold) {
    if (scaffold.tables.size() == 1) {
      const std::string name = run::SnakeCase(scaffold.product);
      scaffold.sources = {{name, scaffold.sources.begin()->second}};
      scaffold.tables[0].name = name;
    }
    for (const run::TableProfile& table : scaffold.tables) TRY(model::CheckSlug(PortName(table.name), "port"));
    return {};
  }

  static std::string TypeText(const run::ColumnProfile& column) { return Lower(column.type.DuckDb()); }

  static void Print(Session& session, const Scaffold& scaffold, size_t at) {
    const run::TableProfile& table = scaffold.tables[at];
    std::string line =
        fmt::format("{}: {}, {}", PortName(table.name), table.rows == 1 ? "1 row" : HumanCount(table.rows) + " rows",
                    Count(table.columns.size(), "column"));
    line += table.key.empty() ? table.declared ? ", no key" : ", no key was found" : ", key " + Join(table.key, ", ");
    session.Print(session.Paint(Style::kBold, Safe(line)) + "\n");
    for (const run::Reference& reference : scaffold.references) {
      if (reference.from != at) continue;
      const std::string key = PortName(scaffold.tables[reference.to].name) + "." + Join(reference.keys, ", ");
      const std::string column = Join(reference.columns, ", ");
      if (reference.missing == 0) {
        session.Print(fmt::format("  {} refers to {}\n", Safe(column), Safe(key)));
      } else {
        session.Print(fmt::format("  {}{} refers to {} but in {} of {} rows: it is not promised\n",
                                  session.Paint(Style::kWarn, "see: "), Safe(column), Safe(key),
                                  HumanCount(reference.missing), HumanCount(table.rows)));
      }
    }
    for (const run::ColumnProfile& column : table.columns) {
      const auto personal = run::PersonalOf(column);
      if (!personal) continue;
      session.Print(fmt::format("  {} seems to be {} ({}): it is tagged pii\n", Safe(column.name), personal->what,
                                personal->evidence));
    }
    for (const std::string& finding : table.findings) {
      session.Print(fmt::format("  {}{}\n", session.Paint(Style::kWarn, "see: "), Safe(finding)));
    }
  }

  static Json TableJson(const run::TableProfile& table) {
    Json::Array columns;
    for (const run::ColumnProfile& column : table.columns) {
      Json entry = Json::Map({{"name", column.name}, {"type", TypeText(column)}, {"values", column.values}});
      if (const auto personal = run::PersonalOf(column)) {
        entry.Set("personal", Json::Map({{"what", personal->what}, {"evidence", personal->evidence}}));
      }
      columns.push_back(std::move(entry));
    }
    return Json::Map({{"name", table.name},
                      {"rows", table.rows},
                      {"key", table.key},
                      {"columns", columns},
                      {"findings", table.findings}});
  }

  std::string product_;
  std::vector<std::string> from_;
  std::vector<std::string> tables_;
  std::string into_ = ".";
};

constexpr CommandEntry kCommands[] = {
    {"new product", "Publish", "Write a product from the rows that there are",
     "weft new product sales/orders --from orders.csv\nweft new product sales/shop --from exports/ --into "
     "../mesh\nweft new product sales/shop --from postgres://reader@db.example.com/shop --table 'public.*'\nweft new "
     "product insight/late --from sales/orders/orders@1",
     kAlone, Make<NewProductCommand>},
    {"dev", "Publish", "Check, publish and run a folder at every save, on a scratch node",
     "weft dev\nweft dev domains/sales/orders", kAlone, MakeDev},
};

}  // namespace

std::span<const CommandEntry> NewProductCommands() { return kCommands; }

}  // namespace weft::app
