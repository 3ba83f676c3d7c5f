#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

constexpr size_t kMostCandidates = 6;

// What the engine says, a * standing for what varies, and what a person is told instead: {0} is the first of these.
// {2~} names a type of the engine's insides, {2-} goes without quotes; a + at the end tells the names that were near.
struct Wording {
  std::string_view engine;
  std::string_view weft;
};
constexpr Wording kWordings[] = {
    {R"(Referenced column "*" not found in FROM clause!*)", "there is no column '{0}' here+"},
    {R"(Table "*" does not have a column named "*"*)", "'{0}' has no column '{1}'+"},
    {R"(values list "*" does not have a column named "*"*)", "'{0}' has no column '{1}'+"},
    {R"(Column "*" in EXCLUDE list not found in FROM clause*)", "there is no column '{0}' to exclude"},
    {R"(Column "*" does not exist on * side of join!*)", "the table {1} of the join has no column '{0}'"},
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
};

// The names that its errors use for types which SQL calls otherwise.
constexpr Wording kTypes[] = {
    {"INT8", "TINYINT"},           {"INT16", "SMALLINT"},   {"INT32", "INTEGER"},    {"INT64", "BIGINT"},
    {"INT128", "HUGEINT or UUID"}, {"UINT8", "UTINYINT"},   {"UINT16", "USMALLINT"}, {"UINT32", "UINTEGER"},
    {"UINT64", "UBIGINT"},         {"UINT128", "UHUGEINT"}, {"BOOL", "BOOLEAN"},     {"INTEGER_LITERAL", "INTEGER"},
    {"STRING_LITERAL", "VARCHAR"}};

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

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
    out += how == '~' ? TypesNamed(value) : how == '-' ? ReplaceAll(value, "\"", "") : value;
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

// Where the engine's caret points: "LINE 2: …excerpt…" with the caret below it. The excerpt is looked up in the
// statement: it may be cut, and one that is not there is of another text, which nobody may see.
std::string Place(std::string_view mark, std::string_view sql) {
  const std::vector<std::string> lines = Split(mark, '\n');
  const size_t colon = lines[0].find(": ");
  if (lines.size() < 2 || colon == std::string::npos) return "";
  const size_t caret = lines[1].find('^');
  const size_t number = static_cast<size_t>(std::atoi(lines[0].c_str() + std::string_view("LINE ").size()));
  const std::vector<std::string> written = Split(sql, '\n');
  if (caret == std::string::npos || number == 0 || number > written.size()) return "";
  std::string excerpt = lines[0].substr(colon + 2);
  size_t before = Characters(lines[1].substr(0, caret));
  size_t skipped = Characters(lines[0].substr(0, colon + 2));
  if (excerpt.starts_with("...")) {
    excerpt.erase(0, 3);
    skipped += 3;
  }
  if (excerpt.ends_with("...")) excerpt.resize(excerpt.size() - 3);
  const std::string& line = written[number - 1];
  const size_t at = line.find(excerpt);
  if (at == std::string::npos || line.find(excerpt, at + 1) != std::string::npos || before < skipped) return "";
  return fmt::format(" (line {}, column {})", number, Characters(line.substr(0, at)) + before - skipped + 1);
}

}  // namespace

Error Worded(Error error, std::string_view sql) {
  std::string_view text = error.message;
  const size_t kind = text.find(" Error: ");
  if (kind == text.npos || text.substr(0, kind).find_first_of("\n'\":,") != text.npos) return error;
  if (text.starts_with("Out of Memory")) {
    return {error.code,
            "the query needs more memory than this node gives it; read fewer rows or columns at once, or "
            "aggregate before joining and sorting"};
  }
  text.remove_prefix(kind + std::string_view(" Error: ").size());
  std::string place;
  if (size_t mark = text.rfind("\nLINE "); mark != text.npos) {
    place = Place(text.substr(mark + 1), sql);
    text = text.substr(0, mark);
  }
  const std::string trimmed(Trim(text));
  for (const Wording& wording : kWordings) {
    auto found = Match(wording.engine, trimmed);
    if (found) return {error.code, Filled(wording.weft, *found, trimmed) + place};
  }
  return {error.code, Plainly(trimmed) + place};
}

}  // namespace weft::query
