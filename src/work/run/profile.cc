#include "work/run/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/text.h"
#include "work/run/dialect.h"
#include "work/run/guess.h"
#include "work/run/tables.h"

namespace weft::run {
namespace {

using model::Type;
using Kind = Type::Kind;

constexpr int64_t kMemory = int64_t{1} << 30;
constexpr int kSampleRows = 50'000;
constexpr int kFewValues = 20;         // A text of so many different values may be a list of all.
constexpr size_t kKeyCandidates = 12;  // Columns that may be part of a key of several.
constexpr size_t kLargestKey = 5;      // Columns: more is an accident.

constexpr std::pair<std::string_view, std::string_view> kPatterns[] = {
    {"email", R"([^@\s]+@[^@\s]+\.[A-Za-z]{2,})"},
    {"uuid", "(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"},
    {"uri", R"((?i)https?://\S+)"},
    {"ipv4", R"([0-9]{1,3}(\.[0-9]{1,3}){3})"},
    {"phone", R"(\+?[0-9(][0-9 ()./-]{5,18}[0-9])"},
    {"iban", "[A-Z]{2}[0-9]{2} ?[A-Z0-9][A-Z0-9 ]{10,32}"},
    {"empty", R"(\s*)"},
};

std::string StemOf(const std::string& path) {
  const std::string file = std::filesystem::path(path).filename().string();
  return SnakeCase(file.substr(0, file.find('.', 1)));
}

bool IsText(const ColumnProfile& column) { return column.type.kind == Kind::kString; }

bool IsTime(const ColumnProfile& column) {
  const Kind kind = column.type.kind;
  return kind == Kind::kDate || kind == Kind::kTimestamp || kind == Kind::kTimestampTz;
}

// A type whose values compare for ever alike, and are no measurement.
bool MayBeKey(const ColumnProfile& column) {
  const Kind kind = column.type.kind;
  return kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kString || IsTime(column) ||
         (kind == Kind::kDecimal && column.type.scale == 0);
}

// How much a name sounds like the key of the rows: 0 is best.
int KeyRank(const std::string& column, const std::string& table) {
  const std::string name = SnakeCase(column);
  for (const std::string_view best : {"id", "key", "uuid", "code", "number"}) {
    if (name == best || name == table + "_" + std::string(best) ||
        (table.ends_with('s') && name == table.substr(0, table.size() - 1) + "_" + std::string(best)))
      return 0;
  }
  for (const std::string_view good :
       {"_id", "_key", "_uuid", "_code", "_no", "_number", "_nr", "_line", "_item", "_position", "_seq"}) {
    if (name.ends_with(good) || name == good.substr(1)) return 1;
  }
  return 2;
}

// Fills in one table's profile.
class Table {
 public:
  Table(engine::Connection& connection, Files files, TableProfile& out)
      : connection_(connection), files_(std::move(files)), out_(out) {}

  Status Read() {
    out_.paths = files_.paths;
    out_.format = files_.format;
    out_.name =
        files_.landed ? SnakeCase(files_.names[0].substr(files_.names[0].rfind('.') + 1)) : StemOf(files_.paths[0]);
    if (files_.landed) {
      TRY(Declared());
    } else if (files_.format == "csv") {
      TRY(Texts());
    } else {
      TRY(Typed());
    }
    Name();
    TRY(Facts());
    TRY(Looks());
    TRY(Values());
    return Key();
  }

 private:
  Result<engine::Rows> Query(const std::string& sql) { return connection_.Query(sql); }

  Error Unreadable(const Reader& reader, Error error) {
    Input input;
    input.name = files_.names[0];
    input.reader = reader;
    input.paths = files_.paths;
    input.lineage.source = files_.landed ? "the database" : files_.format;
    return ExplainRejects(connection_, {input}, model::TableSchema{}, std::move(error));
  }

  Result<Reader> ReaderFor(std::vector<Column> columns) {
    model::Source source;
    source.kind = "file";
    source.format = files_.format;
    source.options = out_.options;
    return ReaderOf(connection_, files_, source, {std::move(columns), files_.landed.has_value()});
  }

  Status Sample(const std::string& select) {
    return connection_.Execute(
        fmt::format("CREATE OR REPLACE TEMP TABLE weft_sample AS SELECT * FROM ({}) "
                    "USING SAMPLE reservoir({} ROWS) REPEATABLE (1)",
                    select, kSampleRows));
  }

  Status SampleTexts() {
    const Reader texts = TRY(ReaderFor({}));
    Status sampled = Sample(texts.select);
    return sampled ? sampled : Unreadable(texts, sampled.TakeError());
  }

  // Reads a sample, in the encoding in which that succeeds.
  Status Decoded() {
    Json options = out_.options;
    std::vector<std::string> findings = out_.findings;
    GuessDialect(connection_, files_, "utf-8", &out_.options, &out_.findings);
    Status sampled = SampleTexts();
    if (sampled) return {};
    const char* other = BeginsAsUtf16(files_.paths[0]) ? "utf-16" : "latin-1";
    std::swap(options, out_.options), std::swap(findings, out_.findings);
    out_.options.Set("encoding", other);
    GuessDialect(connection_, files_, other, &out_.options, &out_.findings);
    if (!SampleTexts()) {
      if (sampled.error().message.find("UTF-8") == std::string::npos) return sampled;
      return Error{Code::kInvalid, fmt::format("'{}' is neither UTF-8 nor {}: convert it, for example by iconv -f "
                                               "windows-1252 -t utf-8",
                                               files_.names[0], other)};
    }
    out_.findings.push_back(fmt::format("its bytes are not UTF-8: they are read as {}", other));
    return {};
  }

  Status Texts() {
    TRY(Decoded());
    const engine::Rows described = TRY(Query("SELECT column_name FROM (DESCRIBE weft_sample)"));
    std::vector<std::string> names;
    for (size_t i = 0; i < described.size(); ++i) names.push_back(described.text(i, 0));
    std::vector<Guess> guesses = TRY(GuessTypes(connection_, "weft_sample", names));
    Options(names, guesses);
    return Convert(names, std::move(guesses));
  }

  // A table of a database: what it is declared to be, and its values.
  Status Declared() {
    const database::Table& table = files_.landed->table;
    std::vector<Column> columns;
    std::vector<std::string> names;
    for (const database::Column& column : table.columns) {
      columns.push_back({column.name, {}});
      names.push_back(column.name);
    }
    const Reader texts = TRY(ReaderFor(std::move(columns)));
    if (Status sampled = Sample(texts.select); !sampled) return Unreadable(texts, sampled.TakeError());
    std::vector<Guess> guesses = TRY(DeclaredTypes(connection_, "weft_sample", table, texts.select));
    for (size_t i = 0; i < names.size(); ++i) {
      if (!guesses[i].finding.empty()) Find(names[i], guesses[i].finding);
    }
    out_.declared = table;
    return Convert(names, std::move(guesses));
  }

  // What the guesses ask of the source: words that are no value, and the formats of dates and times.
  void Options(const std::vector<std::string>& names, std::vector<Guess>& guesses) {
    std::set<std::string> words;
    for (size_t i = 0; i < names.size(); ++i) {
      words.insert(guesses[i].nulls.begin(), guesses[i].nulls.end());
      for (auto [option, format] :
           {std::pair("date_format", &Guess::date_format), std::pair("timestamp_format", &Guess::timestamp_format)}) {
        const std::string& wanted = guesses[i].*format;
        if (wanted.empty()) continue;
        if (out_.options.Has(option) && out_.options[option].Text() != wanted) {
          guesses[i] = {};
          guesses[i].finding =
              fmt::format("holds dates of another format than the columns before it ({}): it is left as text", wanted);
        } else {
          out_.options.Set(option, wanted);
        }
      }
      if (!guesses[i].finding.empty()) Find(names[i], guesses[i].finding);
    }
    Decimals(names, guesses);
    if (words.empty()) return;
    Json::Array nulls{""};
    std::vector<std::string> quoted;
    for (const std::string& word : words) {
      nulls.emplace_back(word);
      quoted.push_back("'" + word + "'");
    }
    out_.options.Set("null", nulls);
    out_.findings.push_back(
        fmt::format("{} {} read as no value, in every column", Join(quoted, ", "), words.size() == 1 ? "is" : "are"));
  }

  // A decimal comma is the whole file's, or nobody's: another column's point would be one of thousands.
  void Decimals(const std::vector<std::string>& names, std::vector<Guess>& guesses) {
    const bool comma = std::ranges::any_of(guesses, &Guess::comma);
    if (!comma) return;
    const bool point = std::ranges::any_of(guesses, [](const Guess& guess) {
      return !guess.comma && (guess.type.kind == Kind::kDouble || guess.type.kind == Kind::kDecimal);
    });
    if (!point) out_.options.Set("decimal", ",");
    for (size_t i = 0; i < guesses.size(); ++i) {
      if (!guesses[i].comma) continue;
      if (point) guesses[i] = {};
      Find(names[i], point ? "holds numbers with a decimal comma beside columns that have a point: it is left as text; "
                             "make numbers of it in the build"
                           : "holds numbers with a decimal comma, and is read so");
    }
  }

  void Find(const std::string& column, const std::string& what) {
    out_.findings.push_back(fmt::format("'{}' {}", column, what));
  }

  // The whole file by those types. A column of which the sample told too much becomes text.
  Status Convert(const std::vector<std::string>& names, std::vector<Guess> guesses) {
    auto columns = [&] {
      std::vector<Column> typed;
      for (size_t i = 0; i < names.size(); ++i) typed.push_back({names[i], guesses[i].type});
      return typed;
    };
    Reader reader = TRY(ReaderFor(columns()));
    Status read = Sample(reader.select);
    if (!read) {
      std::vector<std::string> fails;
      for (const Conversion& conversion : reader.lossy) {
        fails.push_back(fmt::format("count(*) FILTER (WHERE {} IS NOT NULL AND TRY({}) IS NULL)",
                                    SqlName(conversion.column), conversion.value));
      }
      for (const std::string& text : reader.texts) {
        if (fails.empty()) break;
        auto failed = Query(fmt::format("SELECT {} FROM ({})", Join(fails, ", "), text));
        if (!failed) return Unreadable(reader, failed.TakeError());
        for (size_t i = 0; i < reader.lossy.size(); ++i) {
          const auto at = std::find(names.begin(), names.end(), reader.lossy[i].column);
          if (failed->integer(0, i) == 0 || at == names.end()) continue;
          const Type guessed = std::exchange(guesses[at - names.begin()].type, {});
          if (guessed.kind == Kind::kString) continue;
          Find(*at, fmt::format("is no {} in {}: it is left as text", Lower(guessed.DuckDb()),
                                Count(static_cast<size_t>(failed->integer(0, i)), "row")));
        }
      }
      reader = TRY(ReaderFor(columns()));
      if (read = Sample(reader.select); !read) return Unreadable(reader, read.TakeError());
    }
    out_.select = reader.select;
    for (size_t i = 0; i < names.size(); ++i) {
      ColumnProfile column;
      column.name = names[i];
      column.type = guesses[i].type;
      out_.columns.push_back(std::move(column));
    }
    return {};
  }

  // JSON and Parquet know their types.
  Status Typed() {
    std::vector<std::string> paths;
    for (const std::string& path : files_.paths) paths.push_back(SqlText(path));
    const std::string list = Join(paths, ", ");
    const std::string read =
        files_.format == "json" ? fmt::format("SELECT * FROM read_json([{}], sample_size=-1, union_by_name=true)", list)
                                : fmt::format("SELECT * FROM read_parquet([{}])", list);
    auto described = Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE {})", read));
    if (!described) return described.TakeError().With(fmt::format("'{}' cannot be read", files_.names[0]));
    std::vector<Column> columns;
    for (size_t i = 0; i < described->size(); ++i) {
      auto type = TypeOfDuckDb(described->text(i, 1));
      if (!type) {
        Find(described->text(i, 0), fmt::format("is left out: {}", type.error().message));
        continue;
      }
      ColumnProfile column;
      column.name = described->text(i, 0);
      column.type = type.TakeValue();
      columns.push_back({column.name, column.type});
      out_.columns.push_back(std::move(column));
    }
    if (columns.empty()) return Error{Code::kInvalid, fmt::format("'{}' has no column", files_.names[0])};
    std::vector<std::string> wanted;
    for (const Column& column : columns) {
      wanted.push_back(fmt::format("CAST({0} AS {1}) AS {0}", SqlName(column.name), column.type->DuckDb()));
    }
    const Reader reader = TRY(ReaderFor(columns));
    out_.select = fmt::format("SELECT {} FROM ({})", Join(wanted, ", "), reader.select);
    if (Status sampled = Sample(out_.select); !sampled) return Unreadable(reader, sampled.TakeError());
    return {};
  }

  void Name() {
    std::set<std::string> taken;
    for (ColumnProfile& column : out_.columns) {
      const std::string plain = SnakeCase(column.name);
      column.plain = plain;
      for (int i = 2; !taken.insert(column.plain).second; ++i) column.plain = fmt::format("{}_{}", plain, i);
    }
  }

  Status Facts() {
    std::vector<std::string> sql{"count(*)"};
    for (const ColumnProfile& column : out_.columns) {
      const std::string name = SqlName(column.name);
      const bool plain = column.type.IsPrimitive() && column.type.kind != Kind::kBinary;
      sql.push_back(fmt::format("count({})", name));
      sql.push_back(plain ? fmt::format("approx_count_distinct({})", name) : "0");
      for (const std::string_view extreme : {"min", "max"}) {
        sql.push_back(plain ? fmt::format("CAST({}({}) AS VARCHAR)", extreme, name) : "NULL");
      }
    }
    const engine::Rows rows = TRY(Query(fmt::format("SELECT {} FROM ({})", Join(sql, ", "), out_.select)));
    out_.rows = rows.integer(0, 0);
    std::vector<ColumnProfile*> maybe;
    size_t at = 1;
    for (ColumnProfile& column : out_.columns) {
      column.values = rows.integer(0, at);
      column.distinct = std::min(rows.integer(0, at + 1), std::max<int64_t>(column.values - 1, 0));
      column.least = rows.text(0, at + 2);
      column.greatest = rows.text(0, at + 3);
      // The estimate may be a quarter off.
      if (column.values > 0 && rows.integer(0, at + 1) * 2 >= column.values) maybe.push_back(&column);
      at += 4;
    }
    if (maybe.empty()) return {};
    sql.clear();
    for (const ColumnProfile* column : maybe) sql.push_back(fmt::format("count(DISTINCT {})", SqlName(column->name)));
    const engine::Rows exact = TRY(Query(fmt::format("SELECT {} FROM ({})", Join(sql, ", "), out_.select)));
    for (size_t i = 0; i < maybe.size(); ++i) maybe[i]->distinct = exact.integer(0, i);
    return {};
  }

  // What texts look like, by the sample.
  Status Looks() {
    std::vector<std::string> sql;
    for (const ColumnProfile& column : out_.columns) {
      if (!IsText(column)) continue;
      const std::string name = SqlName(column.name);
      const std::string shape = fmt::format(
          "regexp_replace(regexp_replace(regexp_replace({}, '[A-Z]', 'A', 'g'), '[a-z]', 'a', 'g'), '[0-9]', '9', 'g')",
          name);
      sql.push_back(fmt::format("count({})", name));
      sql.push_back(fmt::format("CASE WHEN min({0}) = max({0}) THEN min({0}) END", shape));
      for (const auto& [what, pattern] : kPatterns) {
        sql.push_back(fmt::format("count(*) FILTER (WHERE regexp_full_match({}, {}))", name, SqlText(pattern)));
      }
    }
    if (sql.empty()) return {};
    const engine::Rows rows = TRY(Query(fmt::format("SELECT {} FROM weft_sample", Join(sql, ", "))));
    size_t at = 0;
    for (ColumnProfile& column : out_.columns) {
      if (!IsText(column)) continue;
      column.looked = rows.integer(0, at++);
      column.shape = rows.text(0, at++);
      for (const auto& [what, pattern] : kPatterns) column.like[std::string(what)] = rows.integer(0, at++);
    }
    return {};
  }

  Status Values() {
    for (ColumnProfile& column : out_.columns) {
      if (!IsText(column) || column.distinct > kFewValues * 2) continue;
      const std::string name = SqlName(column.name);
      const engine::Rows rows =
          TRY(Query(fmt::format("SELECT DISTINCT {0} FROM ({1}) WHERE {0} IS NOT NULL ORDER BY 1 LIMIT {2}", name,
                                out_.select, kFewValues + 1)));
      if (rows.size() > kFewValues) continue;
      for (size_t i = 0; i < rows.size(); ++i) column.all.push_back(rows.text(i, 0));
    }
    return {};
  }

  // The column that best sounds like a key among those that are one; else as few as are one together.
  Status Key() {
    if (out_.declared && !out_.declared->key.empty()) {
      out_.key = out_.declared->key;
      return {};
    }
    if (out_.rows < 2) return {};
    const ColumnProfile* best = nullptr;
    std::vector<const ColumnProfile*> parts;
    for (const ColumnProfile& column : out_.columns) {
      if (!MayBeKey(column) || column.values != out_.rows) continue;
      const bool better = !best || KeyRank(column.name, out_.name) < KeyRank(best->name, out_.name);
      if (column.unique() && !IsTime(column) && better) best = &column;
      if (column.distinct > 1 && parts.size() < kKeyCandidates) parts.push_back(&column);
    }
    if (best) {
      out_.key = {best->name};
      return {};
    }
    if (parts.size() < 2 || !TRY(Differ(parts))) return {};
    // Away with what is not needed, first what least sounds like a key, from the right.
    std::vector<const ColumnProfile*> order(parts.rbegin(), parts.rend());
    std::ranges::stable_sort(order, std::greater(),
                             [&](const ColumnProfile* column) { return KeyRank(column->name, out_.name); });
    for (const ColumnProfile* away : order) {
      std::vector<const ColumnProfile*> rest = parts;
      std::erase(rest, away);
      if (!rest.empty() && TRY(Differ(rest))) parts = std::move(rest);
    }
    if (parts.size() > kLargestKey) return {};
    for (const ColumnProfile* part : parts) out_.key.push_back(part->name);
    return {};
  }

  // Whether no two rows have the same values of these columns.
  Result<bool> Differ(const std::vector<const ColumnProfile*>& columns) {
    double combinations = 1;
    std::vector<std::string> names;
    for (const ColumnProfile* column : columns) {
      names.push_back(SqlName(column->name));
      combinations *= static_cast<double>(column->distinct);
    }
    if (combinations < 0.5 * static_cast<double>(out_.rows)) return false;
    const std::string list = Join(names, ", ");
    auto repeats = [&](const std::string& from) {
      return Query(
          fmt::format("SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {0} FROM {1})) FROM {1}", list, from));
    };
    if (TRY(repeats("weft_sample")).integer(0, 0) > 0) return false;
    return TRY(repeats("(" + out_.select + ")")).integer(0, 0) == 0;
  }

  engine::Connection& connection_;
  const Files files_;
  TableProfile& out_;
};

}  // namespace

std::string SnakeCase(std::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (std::isalnum(c) && c < 0x80) {
      const bool word = std::isupper(c) && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1]));
      if (word && !snake.ends_with('_')) snake += '_';
      snake += static_cast<char>(std::tolower(c));
    } else if (!snake.empty() && !snake.ends_with('_')) {
      snake += '_';
    }
  }
  while (snake.ends_with('_')) snake.pop_back();
  if (snake.empty()) return "column";
  return std::isdigit(static_cast<unsigned char>(snake[0])) ? "c_" + snake : snake;
}

Result<std::unique_ptr<Profiler>> Profiler::Open() {
  auto profiler = std::make_unique<Profiler>();
  profiler->instance_ = TRY(engine::Instance::Open({.threads = 2, .memory_bytes = kMemory}));
  profiler->connection_ = TRY(profiler->instance_->Connect());
  return profiler;
}

Result<TableProfile> Profiler::Profile(const std::vector<std::string>& paths) {
  TableProfile profile;
  TRY(Table(*connection_, TRY(FilesHere(paths)), profile).Read());
  return profile;
}

Result<TableProfile> Profiler::Profile(database::Database& database, const std::string& table,
                                       const std::string& file) {
  TableProfile profile;
  auto files = Land(database, TRY(database.OfTable(table)), {}, file);
  if (!files) return files.TakeError().With(fmt::format("'{}'", table));
  TRY(Table(*connection_, files.TakeValue(), profile).Read());
  return profile;
}

const database::Column* TableProfile::Declared(const ColumnProfile& column) const {
  if (!declared) return nullptr;
  const auto at = std::ranges::find(declared->columns, column.name, &database::Column::name);
  return at == declared->columns.end() ? nullptr : &*at;
}

}  // namespace weft::run
