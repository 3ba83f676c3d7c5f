#include "work/run/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "work/run/guess.h"

namespace weft::run {
namespace {

constexpr int64_t kUsualLine = 2'000'000;  // Bytes: what the engine's reader takes unless it is told.

std::string TableText(const model::Source& source) {
  const std::string& table = source.options["table"].Text();
  return table.empty() ? "its query" : fmt::format("'{}'", table);
}

const database::Column* Find(const database::Table& table, const std::string& name) {
  for (const database::Column& column : table.columns) {
    if (Lower(column.name) == Lower(name)) return &column;
  }
  return nullptr;
}

// The names that the input's contract has, all of which the table must have, or that the output has.
Result<std::vector<std::string>> Wanted(const database::Table& table, const Expected& expected, bool projected) {
  std::vector<std::string> names, missing;
  for (const Column& column : expected.columns) {
    if (Find(table, column.name)) names.push_back(column.name);
    if (expected.exact && !Find(table, column.name)) missing.push_back(column.name);
  }
  if (!expected.exact && (!projected || names.empty())) return std::vector<std::string>{};
  if (missing.empty()) return names;
  std::vector<std::string_view> has;
  for (const database::Column& column : table.columns) has.push_back(column.name);
  const std::string near = missing.size() == 1 ? DidYouMean(missing[0], has) : "";
  const std::vector<std::string> all(has.begin(), has.end());
  return Error{Code::kInvalid, fmt::format("it lacks {}, which the input's contract has{}; it has {}",
                                           Join(missing, ", "), near, Join(all, ", "))};
}

// What a cursor is a cursor of: of anything else it says nothing.
std::string AboutOf(const model::Source& source, const database::Table& table) {
  const std::string of = table.name.empty() ? "its query" : fmt::format("'{}'", table.name);
  return fmt::format("'{}' of {}", Lower(source.options["cursor"].Text()), of);
}

// The rows that come after those of the last run that counts.
Result<database::Window> WindowOf(database::Database& database, const database::Table& table,
                                  const model::Source& source, const Progress& progress) {
  const std::string& name = source.options["cursor"].Text();
  const database::Column* column = Find(table, name);
  if (!column) {
    std::vector<std::string_view> has;
    for (const database::Column& each : table.columns) has.push_back(each.name);
    return Error{Code::kInvalid,
                 fmt::format("it has no column '{}', which is the cursor{}", name, DidYouMean(name, has))};
  }
  database::Window window{.column = column->name, .after = {}, .until = {}, .again = {}};
  if (progress.cursor && !progress.whole) {
    if (progress.cursor->about != AboutOf(source, table)) {
      return Error{Code::kInvalid,
                   fmt::format("it was read by {} so far, and the source says {}: what is new cannot be told. What "
                               "helps: weft run --full, which reads all of it again",
                               progress.cursor->about, AboutOf(source, table))};
    }
    window.after = progress.cursor->value;
  }
  if (source.options["lag"].is_text()) {
    if (!table.loose && column->type != "DATE" && !column->type.starts_with("TIMESTAMP")) {
      return Error{Code::kInvalid, fmt::format("lag is of dates and times, and '{}' is {}: leave lag out", column->name,
                                               column->declared)};
    }
    window.again = TRY(Span::Parse(source.options["lag"].Text()));
  }
  window.until = TRY(database.Newest(table, *column));
  return window;
}

// How far it is read with what was copied. Where that is nothing, or what a lag gives again, it is as it was.
Status Advance(Progress& progress, const model::Source& source, const database::Window& window, Files& files) {
  // The cursor's column may be none of those that are copied.
  const std::string rows_hash =
      Hasher().AddNamed("rows", TRY(HashFile(files.paths[0]))).AddNamed("until", window.until).Hex();
  const int64_t rows = files.landed->copied.rows;
  const bool first = !progress.cursor || progress.whole;
  runs::Cursor now = first ? runs::Cursor{AboutOf(source, files.landed->table), {}, {}, {}} : *progress.cursor;
  if (first || (rows > 0 && rows_hash != now.rows_hash)) {
    now.version = Hasher().AddNamed("before", now.version).AddNamed("rows", rows_hash).Hex();
    now.rows_hash = rows_hash;
    if (!window.until.empty()) now.value = window.until;
  }
  files.version = now.version;
  progress.now.cursor = std::move(now);
  progress.told = fmt::format("{} {} row{}", HumanCount(rows),
                              first          ? "first"
                              : window.again ? "new or late"
                                             : "new",
                              rows == 1 ? "" : "s");
  return {};
}

}  // namespace

database::Server ServerOf(const model::Source& source) {
  const Json& options = source.options;
  return {options["host"].Text(), static_cast<int>(options["port"].Int(5432)), options["database"].Text(),
          options["user"].Text(), options["sslmode"].Text()};
}

std::string PlaceOf(const model::Source& source) {
  const std::string& table = source.options["table"].Text();
  const std::string what = table.empty() ? "?query" : "?table=" + table;
  if (source.kind == "sqlite") return "sqlite:" + source.path + what;
  const database::Server server = ServerOf(source);
  const std::string host = server.host.find(':') == server.host.npos ? server.host : "[" + server.host + "]";
  return fmt::format("postgres://{}{}/{}{}", host, server.port == 5432 ? "" : fmt::format(":{}", server.port),
                     server.database, what);
}

Result<Files> Land(database::Database& database, database::Table table, const std::vector<std::string>& columns,
                   const std::string& file, const database::Window& window) {
  if (!columns.empty()) {
    std::vector<database::Column> some;
    for (const std::string& name : columns) some.push_back(*Find(table, name));
    table.columns = std::move(some);
  }
  std::set<std::string> names;
  for (const database::Column& column : table.columns) {
    if (names.insert(Lower(column.name)).second) continue;
    return Error{Code::kInvalid, fmt::format("it has two columns '{}', as names are compared here: give them others in "
                                             "a view or a query",
                                             column.name)};
  }
  const database::Copied copied = TRY(database.Copy(table, file, window));
  Files files;
  files.paths = {file};
  files.names = {table.name.empty() ? "the query" : table.name};
  files.format = "table";
  files.compression = "none";
  Hasher hasher;
  for (const database::Column& column : table.columns) {
    hasher.Add(column.name).Add("\n").Add(column.declared).Add("\n").Add(column.type).Add("\n");
  }
  files.version = hasher.Add(TRY(HashFile(file))).Hex();
  files.landed = Landed{std::move(table), copied};
  return files;
}

Result<Reader> TableReader(engine::Connection& connection, const Files& files, const Expected& expected) {
  const Landed& landed = *files.landed;
  std::vector<Column> columns;
  for (const database::Column& column : landed.table.columns) {
    Column read{column.name, {}};
    const auto said = std::ranges::find_if(expected.columns,
                                           [&](const Column& each) { return Lower(each.name) == Lower(column.name); });
    if (said != expected.columns.end() && (expected.exact || column.type.empty())) {
      read.type = said->type;
    } else if (!column.type.empty()) {
      read.type = TRY(TypeOfDuckDb(column.type));
    }
    const auto kind = read.type.value_or(model::Type{}).kind;
    if (kind == model::Type::Kind::kStruct || kind == model::Type::Kind::kMap) {
      return Error{Code::kUnsupported,
                   fmt::format("the column '{}' is {} in '{}', and an object in the contract: read it as a string, and "
                               "take it apart in the build's SQL",
                               column.name, column.declared, files.names[0])};
    }
    columns.push_back(std::move(read));
  }
  Format format;
  format.table = true;
  Conversions conversions = TRY(ConversionsOf(connection, columns, format));
  const int64_t line = std::max(kUsualLine, landed.copied.longest + 1);
  const std::string read = fmt::format(
      "read_csv([{}], auto_detect=false, header=false, delim=',', quote='\"', escape='\"', nullstr={}, "
      "allow_quoted_nulls=false, max_line_size={}, buffer_size={}, parallel={}, columns={{{}}})",
      SqlText(files.paths[0]), SqlText(database::kNull), line, line * 16, !landed.copied.multiline,
      Join(conversions.texts, ", "));
  Reader reader;
  reader.select = fmt::format("SELECT {} FROM {}", Join(conversions.select, ", "), read);
  reader.texts = {"SELECT * FROM " + read};
  reader.lossy = std::move(conversions.lossy);
  return reader;
}

Landing::~Landing() {
  for (const std::string& file : files_) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
}

Result<database::Database*> Landing::Open(const Pinned& input, const model::Bundle& bundle,
                                          const std::vector<model::DataFile>& uploads) {
  const model::Source& source = *input.port->source;
  const database::Patience patience{.silence = options_.source_timeout, .stop = stop_};
  std::string key = source.path;
  std::unique_ptr<database::Database> opened;
  if (source.kind == "sqlite") {
    if (open_.contains(key)) return open_[key].get();
    const DatabaseFile file = TRY(FindDatabase(source, bundle.folder, uploads, options_));
    auto sqlite = database::OpenSqlite(file.path, file.still, patience);
    if (!sqlite) return sqlite.TakeError().With(fmt::format("the database '{}'", source.path));
    opened = sqlite.TakeValue();
  } else {
    const database::Server server = ServerOf(source);
    const std::string& secret = source.options["password"]["secret"].Text();
    key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", server.host, server.port, server.database, server.user, secret,
                      server.ssl_mode);
    if (open_.contains(key)) return open_[key].get();
    database::Login login;
    login.addresses = TRY(database::AllowedAddresses(server.host, options_.source_hosts));
    if (input.password) login.password = input.password->Copy();
    login.ca_file = options_.source_ca_file;
    auto postgres = database::OpenPostgres(server, login, patience);
    if (!postgres) {
      Error error = postgres.TakeError();
      if (error.code == Code::kInvalid && !secret.empty()) {
        error.message += fmt::format(". The password is the secret '{}' of '{}'", secret, bundle.product.domain);
      }
      return error;
    }
    opened = postgres.TakeValue();
  }
  return (open_[key] = std::move(opened)).get();
}

Status Landing::Land(Pinned& input, database::Database& database, const model::Bundle& bundle,
                     const model::TableSchema* output) {
  const model::Source& source = *input.port->source;
  const std::string &name = source.options["table"].Text(), &query = source.options["query"].Text();
  auto described = name.empty() ? database.OfQuery(query) : database.OfTable(name);
  if (!described) return described.TakeError();
  const Expected expected = ExpectedOf(bundle, *input.port, output ? *output : model::TableSchema{});
  auto wanted = Wanted(*described, expected, output != nullptr);
  if (!wanted) return wanted.TakeError().With(TableText(source));
  database::Window window;
  if (input.progress) {
    auto found = WindowOf(database, *described, source, *input.progress);
    if (!found) return found.TakeError().With(TableText(source));
    window = found.TakeValue();
  }
  files_.push_back((fs::path(options_.temp_folder) / fmt::format("{}-{}.rows", run_, files_.size())).string());
  auto files = run::Land(database, described.TakeValue(), *wanted, files_.back(), window);
  if (!files) return files.TakeError().With(TableText(source));
  input.files = files.TakeValue();
  if (input.progress) TRY(Advance(*input.progress, source, window, *input.files));
  return {};
}

Status Landing::Copy(std::vector<Pinned>& inputs, const model::Bundle& bundle,
                     const std::vector<model::DataFile>& uploads, const model::TableSchema* output,
                     const std::stop_token& stop) {
  stop_ = stop;
  for (Pinned& input : inputs) {
    const model::Source& source = *input.port->source;
    if (source.kind != "postgres" && source.kind != "sqlite") continue;
    auto land = [&]() -> Status { return Land(input, *TRY(Open(input, bundle, uploads)), bundle, output); };
    if (Status landed = land(); !landed) {
      return landed.TakeError().With(fmt::format("the input '{}' ({})", input.port->name, PlaceOf(source)));
    }
    input.paths = input.files->paths;
    input.lineage = {input.port->name, "", "", PlaceOf(source), input.files->version};
  }
  open_.clear();  // The databases need not wait for the build.
  return {};
}

}  // namespace weft::run
