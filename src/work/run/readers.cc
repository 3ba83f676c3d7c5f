#include <fmt/format.h>

#include "base/text.h"
#include "work/run/inputs.h"
#include "work/run/readers.h"

namespace weft::run {
namespace {

constexpr std::string_view kCsvOptions[] = {"delimiter",        "quote",       "escape", "header", "null", "encoding",
                                            "timestamp_format", "date_format", "decimal"};
constexpr std::string_view kJsonOptions[] = {"layout", "timestamp_format", "date_format"};

// How a source is gone through, which is nothing to the reader of one file.
constexpr std::string_view kHow[] = {"read",     "changed", "url",        "headers",
                                     "endpoint", "region",  "access_key", "secret_key"};

template <size_t N>
Status CheckOptions(const Json& options, const std::string_view (&known)[N]) {
  for (const auto& [name, value] : options.Members()) {
    if (std::find(std::begin(kHow), std::end(kHow), name) != std::end(kHow)) continue;
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
    const std::vector<std::string> names = TRY(FirstLine(0));
    const std::vector<Column> columns = TRY(Named(names, 0));
    for (size_t i = 1; header_ && i < files_.paths.size(); ++i) {
      const std::vector<std::string> others = TRY(FirstLine(i));
      if (others == names) continue;
      TRY(Named(others, i));
      return Error{Code::kInvalid, Drift(i, others, names)};
    }
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

  // How the header of a file differs from the first one's.
  std::string Drift(size_t file, const std::vector<std::string>& has, const std::vector<std::string>& first) const {
    const std::string what = Differences(has, first, files_.names[0]);
    if (!what.empty()) return fmt::format("the header of '{}' {}", files_.names[file], what);
    return fmt::format("the header of '{}' has the columns of '{}' in another order: {}", files_.names[file],
                       files_.names[0], Join(has, ", "));
  }

  // The columns of a file in its own order, each with the type that is expected of its name.
  Result<std::vector<Column>> Named(const std::vector<std::string>& cells, size_t file) {
    std::vector<Column> columns;
    const std::string& of = files_.names[file];
    if (!header_) {
      if (expected_.exact && cells.size() != expected_.columns.size()) {
        return Error{Code::kInvalid, fmt::format("'{}' has {}, and its contract {}", of, Count(cells.size(), "column"),
                                                 expected_.columns.size())};
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
                     fmt::format("column {} of '{}' has no name in the header", columns.size() + 1, of)};
      if (!seen.insert(Lower(name)).second) {
        return Error{Code::kInvalid, fmt::format("the header of '{}' names the column '{}' twice", of, name)};
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
    return Error{Code::kInvalid, fmt::format("the header of '{}' {}; it has: {}{}", of, what, Join(cells, ", "), hint)};
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

Result<Reader> RowsOf(engine::Connection& connection, const Files& files, const model::Source& source,
                      const Expected& expected) {
  if (files.landed) return TableReader(connection, files, expected);
  if (files.format == "csv" || files.format == "json") TRY(CheckLooks(files, source.options));
  if (files.format == "csv") return Csv(connection, files, source.options, expected).Make();
  if (files.format == "json") return JsonReader(connection, files, source.options, expected);
  if (files.compression != "none")
    return Error{Code::kInvalid,
                 "Parquet files are compressed inside: '" + files.names[0] + "' must be no " + files.compression};
  return ParquetReader(connection, files, expected);
}

// Of a source of which nothing is new.
Result<Reader> OnlyColumns(const Files& files, const Expected& expected, Result<Reader> rows) {
  Reader reader;
  if (expected.exact) {
    std::vector<std::string> columns;
    for (const Column& column : expected.columns) {
      columns.push_back(
          fmt::format("NULL::{} AS {}", column.type ? column.type->DuckDb() : "VARCHAR", SqlName(column.name)));
    }
    reader.select = fmt::format("SELECT {} WHERE false", Join(columns, ", "));
    return reader;
  }
  if (files.paths.empty()) {
    return Error{Code::kInvalid,
                 "there is nothing new, and no file from which its columns could be told: give the input a contract"};
  }
  reader.select = fmt::format("SELECT * FROM ({}) WHERE false", TRY(std::move(rows)).select);
  return reader;
}

}  // namespace

std::string Differences(const std::vector<std::string>& has, const std::vector<std::string>& first,
                        const std::string& of) {
  auto less = [](const std::vector<std::string>& these, const std::vector<std::string>& those) {
    std::vector<std::string> names;
    for (const std::string& each : these) {
      const bool there = std::ranges::any_of(those, [&](const std::string& one) { return Lower(one) == Lower(each); });
      if (!there) names.push_back(each);
    }
    return Join(names, ", ");
  };
  const std::string missing = less(first, has), extra = less(has, first);
  std::string what;
  if (!missing.empty()) what = fmt::format("lacks {}, which '{}' has", missing, of);
  if (!extra.empty()) what += fmt::format("{}has {}, which '{}' has not", what.empty() ? "" : ", and ", extra, of);
  return what;
}

std::string List(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(SqlText(text));
  return "[" + Join(quoted, ", ") + "]";
}

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
  if (files.columns_only) {
    const bool told = expected.exact || files.paths.empty();
    return OnlyColumns(files, expected, told ? Reader() : RowsOf(connection, files, source, expected));
  }
  return RowsOf(connection, files, source, expected);
}

}  // namespace weft::run
