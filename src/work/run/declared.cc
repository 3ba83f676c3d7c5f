// The types of a database's columns, by what is declared and by the values.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/run/guess.h"

namespace weft::run {
namespace {

using model::Type;
using Kind = Type::Kind;

constexpr int kMostDigits = 38;  // Of a decimal.

bool IsNumber(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kFloat || kind == Kind::kDouble ||
         kind == Kind::kDecimal;
}

// A number without limits gets those of its values.
Result<Guess> Unlimited(engine::Connection& connection, const std::string& texts, const database::Column& column) {
  const std::string name = SqlName(column.name);
  const engine::Rows rows = TRY(connection.Query(
      fmt::format("SELECT count({0}), count(*) FILTER (WHERE NOT regexp_full_match({0}, '-?[0-9]+([.][0-9]+)?')), "
                  "coalesce(max(length(split_part({0}, '.', 2))), 0), coalesce(max(length(ltrim(split_part({0}, '.', "
                  "1), '-'))), 0) "
                  "FROM ({1})",
                  name, texts)));
  Guess guess;
  const int64_t scale = rows.integer(0, 2), before = rows.integer(0, 3);
  if (rows.integer(0, 1) > 0) {
    guess.finding =
        fmt::format("is {} and has values that are no decimal, such as NaN: it is left as text", column.declared);
  } else if (scale + before > kMostDigits) {
    guess.finding =
        fmt::format("is {} and has numbers of more than {} digits: it is left as text", column.declared, kMostDigits);
  } else {
    guess.type.kind = Kind::kDecimal;
    guess.type.precision = kMostDigits;
    guess.type.scale = static_cast<int>(scale);
    guess.finding = fmt::format(
        "is {} without limits: it is a decimal({},{}) as its values are now, and one with more digits will be refused",
        column.declared, kMostDigits, scale);
  }
  return guess;
}

// What SQLite calls a type is a wish: the values have the last word. `of_values` is what they are as texts; `whole`:
// all of them are whole numbers, of any size.
Guess Loose(const database::Column& column, const Guess& of_values, bool any, bool whole) {
  Guess guess;
  const bool plain = of_values.nulls.empty() && of_values.date_format.empty() && of_values.timestamp_format.empty();
  const Kind kind = plain ? of_values.type.kind : Kind::kString;
  auto hint = column.type.empty() ? Result<Type>(Type{}) : TypeOfDuckDb(column.type);
  const Type wished = hint ? hint.TakeValue() : Type{};
  if (!any || wished.kind == Kind::kBinary || (wished.kind == Kind::kBoolean && IsNumber(kind))) {
    guess.type = wished;
  } else if (wished.kind == Kind::kString && !column.type.empty()) {
    // Digits in a text are a name; dates have no other place.
    if (!IsNumber(kind) && kind != Kind::kBoolean && plain) guess.type = of_values.type;
  } else if (IsNumber(kind) && (wished.kind == Kind::kDecimal || wished.kind == Kind::kDouble)) {
    guess.type = wished;
  } else if (plain) {
    guess.type = of_values.type;
    if (whole) guess.type.kind = Kind::kLong;
  }
  if (any && guess.type.kind == Kind::kString && wished.kind != Kind::kString) {
    guess.finding = fmt::format("is declared {} and holds something else: it is left as text", column.declared);
  }
  return guess;
}

}  // namespace

Result<std::vector<Guess>> DeclaredTypes(engine::Connection& connection, const std::string& sample,
                                         const database::Table& table, const std::string& texts) {
  std::vector<std::string> names, counts;
  for (const database::Column& column : table.columns) {
    names.push_back(column.name);
    counts.push_back(fmt::format("count({0}), count(*) FILTER (WHERE regexp_full_match({0}, '-?(0|[1-9][0-9]*)'))",
                                 SqlName(column.name)));
  }
  std::vector<Guess> of_values;
  engine::Rows some;
  if (table.loose) {
    of_values = TRY(GuessTypes(connection, sample, names));
    some = TRY(connection.Query(fmt::format("SELECT {} FROM {}", Join(counts, ", "), sample)));
  }
  std::vector<Guess> guesses;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const database::Column& column = table.columns[i];
    if (table.loose) {
      guesses.push_back(Loose(column, of_values[i], some.integer(0, 2 * i) > 0,
                              some.integer(0, 2 * i) == some.integer(0, 2 * i + 1)));
    } else if (column.type.empty()) {
      guesses.push_back(TRY(Unlimited(connection, texts, column)));
    } else {
      Guess guess;
      guess.type = TRY(TypeOfDuckDb(column.type));
      guesses.push_back(std::move(guess));
    }
  }
  return guesses;
}

}  // namespace weft::run
