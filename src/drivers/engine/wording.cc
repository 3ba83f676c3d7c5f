#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "drivers/engine/internal.h"

namespace weft::engine {
namespace {

constexpr size_t kMostCandidates = 6;
constexpr std::string_view kOutOfMemory =
    "the memory of its engine is used up: give it more (the node's setting for runs or queries), or make it read less "
    "at "
    "once";

// What the engine says, a * standing for what varies, and what a person is told instead: {0} is the first of these.
// {2~} names a type of the engine's insides, {2-} goes without quotes, {2<} is a number that
// it counts from two; a + at the end tells the names that were near.
struct Wording {
  std::string_view engine;
  std::string_view weft;
  int missing = -1;  // Which of them is the name of a column that is not there.
};
constexpr Wording kWordings[] = {
    {R"(Referenced column "*" not found in FROM clause!*)", "there is no column '{0}' here+", 0},
    {R"(Table "*" does not have a column named "*"*)", "'{0}' has no column '{1}'+", 1},
    {R"(Values list "*" does not have a column named "*"*)", "'{0}' has no column '{1}'+", 1},
    {R"(Column "*" in EXCLUDE list not found in FROM clause*)", "there is no column '{0-}' to exclude", 0},
    {R"(Column "*" does not exist on * side of join!*)", "the table {1} of the join has no column '{0}'", 0},
    {R"(Could not find key "*" in struct*)", "the struct has no field '{0}'+"},
    {R"(Referenced table "*" not found!*)", "FROM has no table or alias '{0}'+"},
    {R"(Ambiguous reference to column name "*" (use: *))", "the column '{0}' is in more than one table: write {1-}"},
    {R"(Ambiguous reference to table "*" *)", "'{0}' stands twice in FROM: give each an alias of its own with AS"},
    {R"(column "*" must appear in the GROUP BY clause or must be part*)",
     "the column '{0}' is neither in GROUP BY nor in an aggregate: add it there, or take any_value({0})"},
    {R"(column * must appear in the GROUP BY clause or be used in an aggregate function*)",
     "the column '{0}' is neither in GROUP BY nor in an aggregate: add it there, or take any_value({0})"},
    {R"(No function matches the given name and argument types '*'. *)", "there is no {0~}: cast its arguments+"},
    {R"(Scalar Function with name * does not exist!*)",
     "the function '{0}' reads more than one row: it needs OVER (…)"},
    {R"(Type with name * does not exist!*)", "there is no type '{0}'"},
    {R"(Collation with name * does not exist!*)", "there is no collation '{0}'"},
    {R"(Cannot compare values of type * and type * - an explicit cast is required*)",
     "{0~} and {1~} cannot be compared: cast one of them"},
    {R"(Set operations can only apply to expressions with the same number of result columns)",
     "UNION, INTERSECT and EXCEPT need the same number of columns on both sides"},
    {R"(Subquery returns * columns - expected *)", "a subquery of {0} columns stands where {1} belongs"},
    {R"(Values were not provided for the following prepared statement parameters: *)",
     "the statement has parameters that were given no value: {0}"},
    {R"(More than one row returned by a subquery used as an expression*)",
     "a subquery that is used as a value returned more than one row: aggregate it, or give it LIMIT 1"},
    {R"(Could not convert string '*' to * when casting from source column *)",
     "'{0}' of the column '{2}' is no {1~}; TRY_CAST gives NULL for what cannot be converted"},
    {R"(Could not convert string '*' to *)", "'{0}' is no {1~}"},
    {R"(Could not convert string "*" to *)", "'{0}' is no {1~}"},
    {R"(invalid * field format: "*", expected format is (*)*)", "'{1}' is no {0}: write it as {2}"},
    {R"(* field value out of range: "*"*)", "'{1}' is no {0} that exists"},
    {R"(extract specifier "*" not recognized*)", "there is no part of a date or time that is called '{0}'"},
    {R"(Type * with value * can't be cast because the value is out of range for the destination type *)",
     "{1} does not fit into {2~}"},
    {R"(Overflow in * of * (*)!)", "{2} does not fit into {1~}"},
    {R"(* clause cannot contain *!)", "{0} cannot contain {1}"},
    {R"(JSON transform error in file "*", in *: *Try setting*)", "{2} in {1} of '{0}'"},
    {R"(Malformed JSON in file "*", at byte * in line *: *.*)",
     "malformed JSON in line {2<} of '{0}', at byte {1}: {3}"},
    {R"(Malformed JSON in file "*", at byte * in record/value *: *.*)",
     "malformed JSON in value {2<} of '{0}', at byte {1}: {3}"},
};

// The names that its errors use for types which SQL calls otherwise.
constexpr Wording kTypes[] = {
    {"INT8", "TINYINT"},           {"INT16", "SMALLINT"},   {"INT32", "INTEGER"},    {"INT64", "BIGINT"},
    {"INT128", "HUGEINT or UUID"}, {"UINT8", "UTINYINT"},   {"UINT16", "USMALLINT"}, {"UINT32", "UINTEGER"},
    {"UINT64", "UBIGINT"},         {"UINT128", "UHUGEINT"}, {"BOOL", "BOOLEAN"},     {"INTEGER_LITERAL", "INTEGER"},
    {"STRING_LITERAL", "VARCHAR"}};

bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string TypesNamed(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && IsWordChar(text[end])) ++end;
    if (end == at) {
      out += text[at++];
      continue;
    }
    std::string_view word = text.substr(at, end - at);
    const auto* known = std::ranges::find(kTypes, word, &Wording::engine);
    out += known == std::end(kTypes) ? word : known->weft;
    at = end;
  }
  return out;
}

// What stands for each * of the pattern; none where the text is not of it.
std::optional<std::vector<std::string>> Match(std::string_view pattern, std::string_view text) {
  const std::vector<std::string> pieces = Split(pattern, '*');
  if (!text.starts_with(pieces[0])) return std::nullopt;
  text.remove_prefix(pieces[0].size());
  std::vector<std::string> found;
  for (size_t i = 1; i < pieces.size(); ++i) {
    size_t end = pieces[i].empty() ? text.size() : text.find(pieces[i]);
    // The last piece ends the text: a value in between may contain it.
    if (i + 1 == pieces.size() && !pieces[i].empty()) {
      end = text.ends_with(pieces[i]) ? text.size() - pieces[i].size() : text.npos;
    }
    if (end == text.npos) return std::nullopt;
    found.emplace_back(text.substr(0, end));
    text.remove_prefix(end + pieces[i].size());
  }
  return text.empty() ? std::optional(found) : std::nullopt;
}

// "Candidate bindings: "a", "b"" and "Candidate functions:" with one a line.
std::string Candidates(std::string_view text) {
  const size_t from = text.find("Candidate ");
  if (from == text.npos) return "";
  text.remove_prefix(from);
  const bool functions = text.starts_with("Candidate functions");
  text.remove_prefix(std::min(text.size(), text.find(':') + 1));
  std::vector<std::string> names;
  for (const std::string& line : Split(ReplaceAll(text, functions ? "\n" : ", ", "\n"), '\n')) {
    std::string name(Trim(line));
    if (functions) name = name.substr(0, name.find(" -> "));
    if (!functions) name = ReplaceAll(ReplaceAll(name, "\"", ""), ": ", "");
    if (!name.empty()) names.push_back(std::move(name));
  }
  if (names.empty()) return "";
  const size_t more = names.size() > kMostCandidates ? names.size() - kMostCandidates : 0;
  names.resize(names.size() - more);
  std::string list = Join(names, ", ");
  if (more > 0) list += fmt::format(" and {} more", more);
  return (functions ? "; there is " : "; near it are ") + list;
}

std::string Filled(std::string_view weft, const std::vector<std::string>& found, std::string_view text) {
  const bool near = weft.ends_with('+');
  if (near) weft.remove_suffix(1);
  std::string out;
  for (size_t at = 0; at < weft.size(); ++at) {
    if (weft[at] != '{') {
      out += weft[at];
      continue;
    }
    const std::string& value = found[static_cast<size_t>(weft[at + 1] - '0')];
    const char how = weft[at + 2];
    out += how == '~'   ? TypesNamed(value)
           : how == '-' ? ReplaceAll(value, "\"", "")
           : how == '<' ? std::to_string(std::atoll(value.c_str()) - 1)
                        : value;
    at += how == '}' ? 2 : 3;
  }
  return near ? out + Candidates(text) : out;
}

// Lines joined into one; no advice about settings, which nobody can change here, and no exclamation.
std::string Plainly(std::string_view text) {
  std::string out;
  for (const std::string& line : Split(text, '\n')) {
    std::string piece(Trim(line));
    if (piece == "^") continue;
    if (piece.starts_with("Use \"SET") || piece.starts_with("Candidate functions")) break;
    while (piece.ends_with('!') || piece.ends_with('.')) piece.pop_back();
    if (!piece.empty()) out += (out.empty() ? "" : "; ") + piece;
  }
  const bool word = out.size() > 1 && std::isupper(static_cast<unsigned char>(out[0])) != 0 &&
                    std::islower(static_cast<unsigned char>(out[1])) != 0;
  if (word) out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

// What the engine said, without the name of its kind and its excerpt of the statement.
std::string_view Said(std::string_view message) {
  message = WithoutKind(message);
  return Trim(message.substr(0, message.rfind("\nLINE ")));
}

std::string_view WithoutAdvice(std::string_view text) {
  for (std::string_view advice : {"\nPossible solutions:", "\nPossible fixes:", "\nSee also http", "\nHint:"}) {
    text = text.substr(0, text.find(advice));
  }
  return Trim(text);
}

// What stands for a long message, wherever it stands in it.
constexpr std::pair<std::string_view, std::string_view> kPhrases[] = {
    {"parallel csv reader currently does not support",
     "a value is longer than a CSV reader can hold (about 32 MB): is a closing quote missing, or is the file no CSV?"},
    {"csv parser state machine reached an invalid state",
     "its lines do not end alike (some in CR LF, some in LF), or a quote stands in the middle of a value: write every "
     "line end the same, and double the quotes inside of quoted values"},
    {"maximum line size of", "a line is longer than a CSV reader can hold: is a closing quote missing?"},
    {"tprotocolexception", "a part of it is damaged: its bytes make no sense"},
    {"don't know what type", "a part of it is damaged: its bytes make no sense"},
    {"out of memory error", kOutOfMemory},
    {"could not allocate block", kOutOfMemory},
};

}  // namespace

std::string PlainWords(std::string_view message) {
  const std::string_view said = Said(message);
  const bool engines = IsEngines(message);
  for (const Wording& wording : kWordings) {
    auto found = engines ? Match(wording.engine, said) : std::nullopt;
    if (found) return Filled(wording.weft, *found, said);
  }
  const std::string lower = Lower(message);
  for (const auto& [has, words] : kPhrases) {
    if (lower.find(has) != lower.npos) return std::string(words);
  }
  const std::string_view rest = WithoutAdvice(said);
  return engines ? Plainly(rest) : ReplaceAll(rest, "\n", " ");
}

std::optional<std::string> MissingColumn(std::string_view message) {
  for (const Wording& wording : kWordings) {
    auto found = wording.missing >= 0 ? Match(wording.engine, Said(message)) : std::nullopt;
    if (found) return ReplaceAll((*found)[static_cast<size_t>(wording.missing)], "\"", "");
  }
  return std::nullopt;
}

}  // namespace weft::engine
