#include <fmt/format.h>

#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

constexpr std::string_view kCsvOptions[] = {"delimiter",        "quote",       "escape", "header", "null", "encoding",
                                            "timestamp_format", "date_format", "decimal"};
constexpr std::string_view kJsonOptions[] = {"layout", "timestamp_format", "date_format"};

std::string List(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(SqlText(text));
  return "[" + Join(quoted, ", ") + "]";
}

template <size_t N>
Status CheckOptions(const Json& options, const std::string_view (&known)[N]) {
  for (const auto& [name, value] : options.Members()) {
    if (std::find(std::begin(known), std::end(known), name) != std::end(known)) continue;
    return Error{Code::kInvalid, fmt::format("'{}' is no option of this source{}", name, DidYouMean(name, known))};
  }
  return {};
}

// Why a CSV cannot be read, of DuckDB's message: not the line itself, nor the advice that follows.
std::string Brief(const std::string& message) {
  std::string plain = engine::PlainWords(message);
  if (plain.find("CSV Error on Line") == plain.npos) return plain;
  std::vector<std::string> lines;
  for (const std::string& line : Split(message, '\n')) {
    if (line.empty() || line.starts_with("Possible") || line.starts_with("This type was")) break;
    if (size_t at = line.find("CSV Error on Line: "); at != line.npos) {
      lines.push_back("line " + line.substr(at + 19));
    } else if (!line.starts_with("Original Line")) {
      lines.push_back(line.find("not utf-8 encoded") == line.npos
                          ? line
                          : "it is not UTF-8: say its encoding in the source (encoding: latin-1), or convert the file");
    }
  }
  return Join(lines, "; ");
}

// The cells of one line. A quoted cell that goes on in the next line is no header.
std::vector<std::string> CellsOf(std::string_view line, const std::string& delimiter, char quote, char escape) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == escape && i + 1 < line.size() && line[i + 1] == quote) {
      cells.back() += line[++i];
    } else if (quote && line[i] == quote) {
      quoted = !quoted;
    } else if (!quoted && line.substr(i).starts_with(delimiter)) {
      cells.emplace_back();
      i += delimiter.size() - 1;
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

// Reads CSV as the source describes it: nothing is guessed from the rows.
class Csv {
 public:
  Csv(engine::Connection& connection, const Files& files, const Json& options, const Expected& expected)
      : connection_(connection), files_(files), options_(options), expected_(expected) {}

  Result<Reader> Make() {
    TRY(CheckOptions(options_, kCsvOptions));
    delimiter_ = options_["delimiter"].Text(Lower(files_.names[0]).find(".tsv") == std::string::npos ? "," : "\t");
    if (delimiter_ == "\\t" || delimiter_ == "tab") delimiter_ = "\t";
    quote_ = options_["quote"].Text("\"");
    escape_ = options_["escape"].Text(quote_);
    header_ = options_["header"].Bool(true);
    plain_ = files_.compression == "none" && !Lower(options_["encoding"].Text()).starts_with("utf-16");
    if (delimiter_.empty() || delimiter_.size() > 4 || quote_.size() > 1 || escape_.size() > 1) {
      return Error{Code::kInvalid,
                   "a CSV source has a delimiter of 1 to 4 bytes, and a quote and an escape of one character"};
    }
    if (plain_) TRY(Sound());
    std::vector<std::string> names = TRY(FirstLine(0));
    if (header_) {
      for (size_t i = 1; i < files_.paths.size(); ++i) {
        if (TRY(FirstLine(i)) == names) continue;
        return Error{Code::kInvalid,
                     fmt::format("the columns of '{}' are not those of '{}'", files_.names[i], files_.names[0])};
      }
    }
    const std::vector<Column> columns = TRY(Named(names));
    const Format format{.refuse_nul = !plain_,
                        .dates = options_["date_format"].is_text(),
                        .timestamps = options_["timestamp_format"].is_text(),
                        .comma = options_["decimal"].Text() == ","};
    Conversions conversions = TRY(ConversionsOf(connection_, columns, format));
    auto read = [&](const std::vector<std::string>& paths, const std::vector<std::string>& types) {
      return fmt::format("read_csv({}, {}, columns={{{}}}", List(paths), Arguments(), Join(types, ", "));
    };
    std::vector<std::string> all;
    for (const Column& column : columns) all.push_back(fmt::format("count({})", SqlName(column.name)));
    Reader reader;
    reader.select =
        fmt::format("SELECT {} FROM {})", Join(conversions.select, ", "), read(files_.paths, conversions.texts));
    reader.rejects = fmt::format("SELECT {} FROM {}, store_rejects=true, rejects_limit=10000)", Join(all, ", "),
                                 read(files_.paths, conversions.typed));
    for (const std::string& path : files_.paths) {
      reader.texts.push_back(fmt::format("SELECT * FROM {})", read({path}, conversions.texts)));
    }
    std::vector<std::string> texts;
    for (const Column& column : columns) texts.push_back(SqlText(column.name) + ": 'VARCHAR'");
    for (const std::string& path : files_.paths) {
      reader.sent.push_back(fmt::format("SELECT * FROM {}, store_rejects=true)", read({path}, texts)));
    }
    reader.values = TRY(ConversionsOfTexts(connection_, columns, format, options_));
    reader.lossy = std::move(conversions.lossy);
    reader.first_line = header_ ? 2 : 1;
    return reader;
  }

 private:
  std::string Encoding() const {
    return fmt::format("compression={}, encoding={}", SqlText(files_.compression),
                       SqlText(Lower(options_["encoding"].Text("utf-8"))));
  }

  std::string Arguments() const {
    std::vector<std::string> nulls =
        options_["null"].is_array() ? options_["null"].Texts() : std::vector{options_["null"].Text("")};
    std::string text =
        fmt::format("auto_detect=false, {}, header={}, delim={}, quote={}, escape={}, nullstr={}", Encoding(), header_,
                    SqlText(delimiter_), SqlText(quote_), SqlText(escape_), List(nulls));
    // Where the bytes are not ours to look at first: its threads drop a line that is longer than their buffers.
    if (!plain_) text += ", parallel=false";
    for (auto [name, argument] :
         {std::pair("timestamp_format", "timestampformat"), std::pair("date_format", "dateformat")}) {
      if (options_[name].is_text()) text += fmt::format(", {}={}", argument, SqlText(options_[name].Text()));
    }
    return text;
  }

  // A NUL is in no text that people write: the file is damaged, or in another encoding than it says.
  Status Sound() const {
    for (size_t i = 0; i < files_.paths.size(); ++i) {
      const std::optional<Damage> damage = TRY(DamageOf(files_.paths[i]));
      if (!damage) continue;
      if (damage->nul) {
        return Error{Code::kInvalid,
                     fmt::format("'{}' has a NUL byte in line {}: the file is damaged, or its encoding is "
                                 "another than the source says (encoding: utf-16?)",
                                 files_.names[i], damage->line)};
      }
      return Error{
          Code::kInvalid,
          fmt::format("line {} of '{}' is longer than {} bytes: a line end is missing, or a value is too large "
                      "for CSV (Parquet takes it)",
                      damage->line, files_.names[i], HumanCount(kLongestLine))};
    }
    return {};
  }

  Result<std::vector<std::string>> FirstLine(size_t file) {
    auto rows = connection_.Query(fmt::format(
        "SELECT line FROM read_csv([{}], auto_detect=false, {}, header=false, delim='\x01', quote='', escape='', "
        "strict_mode=false, columns={{'line': 'VARCHAR'}}) LIMIT 1",
        SqlText(files_.paths[file]), Encoding()));
    if (!rows) {
      return Error{rows.error().code,
                   fmt::format("'{}' cannot be read: {}", files_.names[file], Brief(rows.error().message))};
    }
    if (rows->size() == 0)
      return Error{Code::kInvalid, fmt::format("'{}' is empty: it has not even a header", files_.names[file])};
    std::string_view line = rows->text(0, 0);
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    while (line.ends_with('\r')) line.remove_suffix(1);
    return CellsOf(line, delimiter_, quote_.empty() ? '\0' : quote_[0], escape_.empty() ? '\0' : escape_[0]);
  }

  // The file's columns in its own order, each with the type that is expected of its name.
  Result<std::vector<Column>> Named(const std::vector<std::string>& cells) {
    std::vector<Column> columns;
    if (!header_) {
      if (expected_.exact && cells.size() != expected_.columns.size()) {
        return Error{Code::kInvalid, fmt::format("'{}' has {}, and its contract {}", files_.names[0],
                                                 Count(cells.size(), "column"), expected_.columns.size())};
      }
      for (size_t i = 0; i < cells.size(); ++i) {
        columns.push_back(expected_.exact ? expected_.columns[i] : Column{fmt::format("column{}", i), {}});
      }
      return columns;
    }
    std::vector<std::string> extra, missing;
    std::set<std::string> seen;
    for (const std::string& cell : cells) {
      const std::string name(Trim(cell));
      if (name.empty())
        return Error{Code::kInvalid,
                     fmt::format("column {} of '{}' has no name in the header", columns.size() + 1, files_.names[0])};
      if (!seen.insert(Lower(name)).second) {
        return Error{Code::kInvalid,
                     fmt::format("the header of '{}' names the column '{}' twice", files_.names[0], name)};
      }
      const Column* known = Find(name);
      if (!known && expected_.exact) extra.push_back(name);
      columns.push_back(known ? *known : Column{name, {}});
    }
    for (const Column& column : expected_.columns) {
      if (expected_.exact && !seen.contains(Lower(column.name))) missing.push_back(column.name);
    }
    if (extra.empty() && missing.empty()) return columns;
    std::string what = missing.empty() ? "" : "lacks " + Join(missing, ", ");
    if (!extra.empty())
      what += (what.empty() ? "" : ", and ") + ("has " + Join(extra, ", ") + ", which the contract does not know");
    std::string hint;
    const size_t mark = cells.size() == 1 ? cells[0].find_first_of(";\t|,") : std::string::npos;
    if (mark != std::string::npos) {
      hint = fmt::format(" (delimiter: {} in the source?)",
                         cells[0][mark] == '\t' ? "tab" : fmt::format("'{}'", cells[0][mark]));
    }
    return Error{Code::kInvalid,
                 fmt::format("the header of '{}' {}; it has: {}{}", files_.names[0], what, Join(cells, ", "), hint)};
  }

  const Column* Find(const std::string& name) const {
    for (const Column& column : expected_.columns) {
      if (Lower(column.name) == Lower(name)) return &column;
    }
    return nullptr;
  }

  engine::Connection& connection_;
  const Files& files_;
  const Json& options_;
  const Expected& expected_;
  std::string delimiter_, quote_, escape_;
  bool header_ = true;
  bool plain_ = true;  // The bytes on disk are the text.
};

// Keys that an object lacks are nothing: where the first has none at all, it is another thing than rows.
Status CheckKeys(engine::Connection& connection, const Files& files, const std::vector<Column>& columns,
                 const std::string& arguments) {
  for (size_t i = 0; i < files.paths.size(); ++i) {
    auto rows = connection.Query(
        fmt::format("SELECT unnest(json_keys(json)) FROM (SELECT json FROM read_json_objects([{}], {}) LIMIT 1)",
                    SqlText(files.paths[i]), arguments));
    if (!rows || rows->size() == 0) continue;  // What is wrong with it, its reader tells.
    std::vector<std::string> keys;
    bool known = false;
    for (size_t r = 0; r < rows->size(); ++r) {
      keys.push_back(rows->text(r, 0));
      known = known || std::ranges::any_of(columns, [&](const Column& column) { return column.name == keys.back(); });
    }
    if (known) continue;
    if (keys.size() > 8) keys.resize(8), keys.push_back("…");
    return Error{Code::kInvalid, fmt::format("the first object of '{}' has none of the columns, and has {}: rows are "
                                             "objects one a line, or an array of them",
                                             files.names[i], Join(keys, ", "))};
  }
  return {};
}

Result<Reader> JsonReader(engine::Connection& connection, const Files& files, const Json& options,
                          const Expected& expected) {
  TRY(CheckOptions(options, kJsonOptions));
  if (expected.columns.empty())
    return Error{Code::kInvalid,
                 fmt::format("'{}' needs a contract of the input port that names its columns", files.names[0])};
  // The reader of lines takes no mark.
  const bool marked = files.compression == "none" && std::ranges::any_of(files.paths, BeginsWithMark);
  const bool lines = !marked && (Lower(files.names[0]).find(".json") == std::string::npos ||
                                 Lower(files.names[0]).find(".jsonl") != std::string::npos);
  const std::string layout = options["layout"].Text(lines ? "newline_delimited" : "auto");
  std::string arguments = fmt::format("format={}, compression={}", SqlText(layout),
                                      SqlText(files.compression == "none" ? "uncompressed" : files.compression));
  TRY(CheckKeys(connection, files, expected.columns, arguments));
  TRY(CheckDigits(connection, files, expected.columns, arguments, layout == "newline_delimited"));
  for (auto [name, argument] :
       {std::pair("timestamp_format", "timestampformat"), std::pair("date_format", "dateformat")}) {
    if (options[name].is_text()) arguments += fmt::format(", {}={}", argument, SqlText(options[name].Text()));
  }
  const Format format{true, false, options["date_format"].is_text(), options["timestamp_format"].is_text()};
  Conversions conversions = TRY(ConversionsOf(connection, expected.columns, format));
  auto read = [&](const std::vector<std::string>& paths) {
    return fmt::format("read_json({}, columns={{{}}}, {})", List(paths), Join(conversions.texts, ", "), arguments);
  };
  Reader reader;
  reader.select = fmt::format("SELECT {} FROM {}", Join(conversions.select, ", "), read(files.paths));
  for (const std::string& path : files.paths) reader.texts.push_back("SELECT * FROM " + read({path}));
  reader.lossy = std::move(conversions.lossy);
  reader.first_line = layout == "newline_delimited" ? 1 : 0;
  return reader;
}

// A cast that is undone again gives what there was, or the value does not fit.
Conversion SameValue(const std::string& column, const std::string& from, const std::string& to) {
  const std::string name = SqlName(column);
  const bool loses =
      from != to && (from == "FLOAT" || from == "DOUBLE" || from.starts_with("DECIMAL") || from.starts_with("TIME"));
  if (!loses || to == "VARCHAR" || to == "FLOAT" || to == "DOUBLE")
    return {column, from, fmt::format("CAST({} AS {})", name, to), ""};
  const std::string why = SqlText(fmt::format(" in the column '{}' is no value of {}", column, to));
  const std::string refusal = fmt::format("error({}::VARCHAR || {})", name, why);
  return {column, from,
          fmt::format("CAST(CASE WHEN {0} IS NULL OR CAST(CAST({0} AS {1}) AS {2}) = {0} THEN {0} ELSE {3} END AS {1})",
                      name, to, from, refusal),
          refusal};
}

// Which of the files is none that can be opened, and why.
Error Unopened(engine::Connection& connection, const Files& files, Error error) {
  for (size_t i = 0; i < files.paths.size(); ++i) {
    auto rows = connection.Query(fmt::format("DESCRIBE SELECT * FROM read_parquet([{}])", SqlText(files.paths[i])));
    if (rows || (rows.error().code != Code::kInvalid && rows.error().code != Code::kInternal)) continue;
    return {Code::kInvalid,
            fmt::format("'{}' is damaged, or no Parquet file: {}. Nothing was read: copy or write it anew",
                        files.names[i], engine::PlainWords(rows.error().message))};
  }
  return error;
}

// Parquet knows its own types; a contract of the input holds it to its promise, and no value changes for it.
Result<Reader> ParquetReader(engine::Connection& connection, const Files& files, const Json& options,
                             const Expected& expected) {
  constexpr std::string_view kNone[] = {""};
  TRY(CheckOptions(options, kNone));
  auto read_of = [](const std::vector<std::string>& paths) {
    return fmt::format("read_parquet({}, union_by_name=false)", List(paths));
  };
  const std::string read = read_of(files.paths);
  Reader reader;
  reader.select = "SELECT * FROM " + read;
  reader.typed = true;
  for (const std::string& path : files.paths) reader.texts.push_back("SELECT * FROM " + read_of({path}));
  auto rows = connection.Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", read));
  if (!rows) return Unopened(connection, files, rows.TakeError());
  if (!expected.exact) return reader;
  std::map<std::string, std::string> has;  // Types, by the name in lower case.
  for (size_t i = 0; i < rows->size(); ++i) has[Lower(rows->text(i, 0))] = rows->text(i, 1);
  std::vector<std::string> casts, missing;
  for (const Column& column : expected.columns) {
    const auto at = has.find(Lower(column.name));
    if (at == has.end()) {
      missing.push_back(column.name);
      continue;
    }
    const std::string name = SqlName(column.name);
    const std::string type = column.type ? column.type->DuckDb() : "VARCHAR";
    Conversion same = SameValue(column.name, at->second, type);
    casts.push_back(fmt::format("{} AS {}", same.value, name));
    if (at->second != type) reader.lossy.push_back(std::move(same));
  }
  if (!missing.empty()) return Error{Code::kInvalid, fmt::format("'{}' lacks {}", files.names[0], Join(missing, ", "))};
  reader.select = fmt::format("SELECT {} FROM {}", Join(casts, ", "), read);
  return reader;
}

}  // namespace

Expected ExpectedOf(const model::Bundle& bundle, const model::InputPort& port, const model::TableSchema& output) {
  Expected expected;
  const model::Contract* contract = port.contract_id.empty() ? nullptr : bundle.ContractById(port.contract_id);
  if (contract && contract->schema.size() == 1) {
    for (const model::Property& property : contract->schema[0].properties) {
      auto type = model::TypeOf(property);
      expected.columns.push_back({property.name, type ? std::optional(type.TakeValue()) : std::nullopt});
    }
    expected.exact = !expected.columns.empty();
    if (expected.exact) return expected;
  }
  for (const model::Field& field : output.fields) expected.columns.push_back({field.name, field.type});
  return expected;
}

Result<Reader> ReaderOf(engine::Connection& connection, const Files& files, const model::Source& source,
                        const Expected& expected) {
  if (files.landed) return TableReader(connection, files, expected);
  if (files.format == "csv" || files.format == "json") TRY(CheckLooks(files, source.options));
  if (files.format == "csv") return Csv(connection, files, source.options, expected).Make();
  if (files.format == "json") return JsonReader(connection, files, source.options, expected);
  if (files.compression != "none")
    return Error{Code::kInvalid,
                 "Parquet files are compressed inside: '" + files.names[0] + "' must be no " + files.compression};
  return ParquetReader(connection, files, source.options, expected);
}

}  // namespace weft::run
