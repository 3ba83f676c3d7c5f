#include "work/run/guess.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::run {
namespace {

using Kind = model::Type::Kind;

constexpr std::string_view kNullWords[] = {"NA",   "N/A", "n/a", "#N/A", "NULL", "Null", "null", "None",
                                           "none", "NaN", "nan", "\\N",  "-",    "--",   "?",    "."};
constexpr std::string_view kDateFormats[] = {"%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d"};
constexpr std::string_view kTimes[] = {" %H:%M:%S", " %H:%M"};
constexpr std::string_view kNumberText = R"([+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)";
constexpr size_t kAtOnce = 25;      // Columns: the engine plans many aggregates in the square of their number.
constexpr int kDecimalDigits = 18;  // As many as a 64-bit integer holds.
constexpr int kLargestScale = 4;    // More digits than money has are a measurement: a double.

// What each column is counted by; the counts stand in this order.
enum Measure {
  kValues,
  kWords,  // Of kNullWords; the measures after it are of the other values.
  kWhole,
  kPadded,  // "007": a name, not a number.
  kNumber,
  kPlain,  // With a point, no exponent and few digits.
  kTruth,
  kDate,
  kTimestamp,
  kZoned,
  kTime,
  kComma,    // "1.250,00"
  kSlashed,  // "03.01.2024", "1/3/2024 14:05": dates that no standard writes so.
  kFewestDigits,
  kMostDigits,
  kMeasures,
};

std::string WordList() {
  std::vector<std::string> words;
  for (const std::string_view word : kNullWords) words.push_back(SqlText(word));
  return Join(words, ", ");
}

std::vector<std::string> Formats() {
  std::vector<std::string> all(std::begin(kDateFormats), std::end(kDateFormats));
  for (const std::string_view date : kDateFormats) {
    for (const std::string_view time : kTimes) all.push_back(std::string(date) + std::string(time));
  }
  return all;
}

std::string MeasuresOf(const std::string& column) {
  const std::string name = SqlName(column);
  const std::string counted = fmt::format("{0} IS NOT NULL AND {0} NOT IN ({1})", name, WordList());
  std::vector<std::string> sql{fmt::format("count({})", name),
                               fmt::format("count(*) FILTER (WHERE {} IN ({}))", name, WordList())};
  auto matching = [&](std::string_view pattern) {
    sql.push_back(
        fmt::format("count(*) FILTER (WHERE {} AND regexp_full_match(trim({}), {}))", counted, name, SqlText(pattern)));
  };
  matching("[+-]?[0-9]{1,18}");
  matching("[+-]?0[0-9]+");
  matching(kNumberText);
  matching(R"([+-]?[0-9]{1,14}\.[0-9]{1,4})");
  matching("(?i)true|false");
  matching("[0-9]{4}-[0-9]{2}-[0-9]{2}");
  matching("[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?");
  matching(
      "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)? ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)");
  matching("[0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?");
  matching(R"([+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+),[0-9]+)");
  matching("[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}( [0-9:]{4,8})?");
  for (const std::string_view extreme : {"min", "max"}) {
    sql.push_back(
        fmt::format("coalesce({}(length(split_part(trim({}), '.', 2))) FILTER (WHERE {} AND contains({}, '.')), 0)",
                    extreme, name, counted, name));
  }
  return Join(sql, ", ");
}

// Digits after the point that are always as many are meant: money. Others are measurements.
model::Type WithDigits(int64_t fewest, int64_t most) {
  if (most == 0 || most > kLargestScale || most != fewest) return {Kind::kDouble, 0, 0, {}};
  return {Kind::kDecimal, kDecimalDigits, static_cast<int>(most), {}};
}

// The counts of one column, and what follows from them.
class Measured {
 public:
  Measured(const engine::Rows& rows, size_t column) : rows_(rows), first_(column * kMeasures) {}

  int64_t operator[](size_t measure) const { return rows_.integer(0, first_ + measure); }
  int64_t counted() const { return (*this)[kValues] - (*this)[kWords]; }

  Guess Decide() const {
    Guess guess;
    const int64_t all = counted();
    if (all == 0) return guess;
    if ((*this)[kTruth] == all) {
      guess.type.kind = Kind::kBoolean;
    } else if ((*this)[kPadded] == 0 && (*this)[kWhole] == all) {
      guess.type.kind = Kind::kLong;
    } else if ((*this)[kPadded] == 0 && (*this)[kNumber] == all) {
      guess.type = Number();
    } else if ((*this)[kDate] == all) {
      guess.type.kind = Kind::kDate;
    } else if ((*this)[kTimestamp] == all) {
      guess.type.kind = Kind::kTimestamp;
    } else if ((*this)[kZoned] == all) {
      guess.type.kind = Kind::kTimestampTz;
    } else if ((*this)[kTime] == all) {
      guess.type.kind = Kind::kTime;
    }
    return guess;
  }

  bool HasComma() const {
    return (*this)[kComma] > 0 && (*this)[kPadded] == 0 && (*this)[kComma] + (*this)[kWhole] == counted();
  }

  // What most values are, where some are not; empty where there is no such majority.
  std::string_view Mostly() const {
    const int64_t most = counted() - counted() / 20;
    if (counted() < 20) return "";
    if ((*this)[kPadded] == 0 && (*this)[kNumber] >= most) return "numbers";
    if ((*this)[kDate] >= most) return "dates";
    if ((*this)[kTimestamp] + (*this)[kZoned] >= most) return "times";
    return "";
  }

 private:
  model::Type Number() const {
    if ((*this)[kPlain] + (*this)[kWhole] != counted()) return {Kind::kDouble, 0, 0, {}};
    return WithDigits((*this)[kFewestDigits], (*this)[kMostDigits]);
  }

  const engine::Rows& rows_;
  const size_t first_;
};

// Different texts of a column that answer to `condition`, the most frequent first.
Result<std::vector<std::string>> Some(engine::Connection& connection, const std::string& table,
                                      const std::string& column, const std::string& condition, int limit) {
  const engine::Rows rows = TRY(
      connection.Query(fmt::format("SELECT {0} FROM {1} WHERE {2} GROUP BY {0} ORDER BY count(*) DESC, {0} LIMIT {3}",
                                   SqlName(column), table, condition, limit)));
  std::vector<std::string> texts;
  for (size_t i = 0; i < rows.size(); ++i) texts.push_back(rows.text(i, 0));
  return texts;
}

// The one format that all of a column's dates or times have.
Status Format(engine::Connection& connection, const std::string& table, const std::string& column, Guess& guess) {
  const std::vector<std::string> formats = Formats();
  std::vector<std::string> sql, fitting;
  const std::string name = SqlName(column);
  for (const std::string& format : formats) {
    sql.push_back(fmt::format("count(*) FILTER (WHERE try_strptime({}, {}) IS NULL)", name, SqlText(format)));
  }
  const engine::Rows rows = TRY(connection.Query(fmt::format(
      "SELECT {} FROM {} WHERE {} IS NOT NULL AND {} NOT IN ({})", Join(sql, ", "), table, name, name, WordList())));
  for (size_t i = 0; i < formats.size(); ++i) {
    if (rows.integer(0, i) == 0) fitting.push_back(formats[i]);
  }
  if (fitting.size() > 1) {
    guess.finding = fmt::format(
        "holds dates that read as {} and as {} alike: it is left as text; say which they are with date_format in the "
        "source",
        fitting[0], fitting[1]);
  } else if (fitting.size() == 1) {
    const bool time = fitting[0].find(' ') != std::string::npos;
    guess.type.kind = time ? Kind::kTimestamp : Kind::kDate;
    (time ? guess.timestamp_format : guess.date_format) = fitting[0];
  }
  return {};
}

// The type of numbers that have a decimal comma.
Result<model::Type> WithComma(engine::Connection& connection, const std::string& table, const std::string& column) {
  const std::string name = SqlName(column);
  const engine::Rows rows = TRY(connection.Query(fmt::format(
      "SELECT min(length(split_part(trim({0}), ',', 2))), max(length(split_part(trim({0}), ',', 2))) FROM {1} "
      "WHERE contains({0}, ',') AND {0} NOT IN ({2})",
      name, table, WordList())));
  return WithDigits(rows.integer(0, 0), rows.integer(0, 1));
}

// Why a column is text though most of it is something else.
Result<std::string> WhyText(engine::Connection& connection, const std::string& table, const std::string& column,
                            std::string_view mostly) {
  const std::string_view pattern = mostly == "numbers" ? kNumberText : R"([0-9]{4}-[0-9]{2}-[0-9]{2}.*)";
  const std::string name = SqlName(column);
  std::vector<std::string> others =
      TRY(Some(connection, table, column,
               fmt::format("{} IS NOT NULL AND NOT regexp_full_match(trim({}), {})", name, name, SqlText(pattern)), 3));
  for (std::string& other : others) other = "'" + other.substr(0, 40) + "'";
  return fmt::format(
      "holds {} but for {}: it is left as text; mend the file, or list such words under \"null\" in the source", mostly,
      Join(others, ", "));
}

}  // namespace

Result<std::vector<Guess>> GuessTypes(engine::Connection& connection, const std::string& table,
                                      const std::vector<std::string>& columns) {
  std::vector<Guess> guesses;
  engine::Rows rows;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i % kAtOnce == 0) {
      std::vector<std::string> sql;
      for (size_t c = i; c < std::min(i + kAtOnce, columns.size()); ++c) sql.push_back(MeasuresOf(columns[c]));
      rows = TRY(connection.Query(fmt::format("SELECT {} FROM {}", Join(sql, ", "), table)));
    }
    const Measured measured(rows, i % kAtOnce);
    Guess guess = measured.Decide();
    if (measured.counted() > 0 && measured[kSlashed] == measured.counted() && guess.type.kind == Kind::kString) {
      TRY(Format(connection, table, columns[i], guess));
    }
    if (guess.type.kind == Kind::kString && measured.HasComma()) {
      guess.type = TRY(WithComma(connection, table, columns[i]));
      guess.comma = true;
    }
    if (guess.type.kind != Kind::kString && measured[kWords] > 0) {
      guess.nulls =
          TRY(Some(connection, table, columns[i], fmt::format("{} IN ({})", SqlName(columns[i]), WordList()), 20));
    }
    if (const std::string_view mostly = measured.Mostly();
        guess.type.kind == Kind::kString && guess.finding.empty() && !mostly.empty()) {
      guess.finding = TRY(WhyText(connection, table, columns[i], mostly));
    }
    guesses.push_back(std::move(guess));
  }
  return guesses;
}

}  // namespace weft::run
