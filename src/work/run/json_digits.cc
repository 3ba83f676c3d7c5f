#include <fmt/format.h>

#include <cctype>
#include <fstream>

#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

using model::Type;
using Kind = Type::Kind;

// Where a decimal stands in the text of an object: behind which key, and in what.
struct Probe {
  std::string path;  // For a person: "totals.net".
  std::string key;
  std::string_view around;  // What its numbers stand in, as a regular expression; empty: the value is the number.
  std::string type;
};

constexpr std::string_view kNumber = "(-?[0-9][0-9.eE+-]*)";

void Collect(const std::string& path, const std::string& key, const Type& type, std::vector<Probe>& probes) {
  const Type* inner = &type;
  std::vector<Kind> around;
  while (inner->kind == Kind::kList || inner->kind == Kind::kMap) {
    around.push_back(inner->kind);
    inner = &inner->fields.back().type;  // A map's value.
  }
  if (inner->kind == Kind::kStruct) {
    for (const model::Field& field : inner->fields) Collect(path + "." + field.name, field.name, field.type, probes);
  }
  if (inner->kind != Kind::kDecimal) return;
  std::string_view text;
  if (around.size() == 1) text = around[0] == Kind::kList ? R"((\[[^\]]*))" : R"((\{[^}]*))";
  if (around.size() > 1) text = R"(([\[{].*))";
  probes.push_back({path, key, text, inner->DuckDb()});
}

std::string Escaped(const std::string& key) {
  std::string text;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && !std::isalnum(byte)) text += '\\';
    text += c;
  }
  return text;
}

// SQL of the numbers that stand there in `json`, as they are written.
std::string NumbersOf(const Probe& probe) {
  const std::string before = fmt::format(R"re((?is)"{}"\s*:\s*)re", Escaped(probe.key));
  if (probe.around.empty())
    return fmt::format("regexp_extract_all(json, {}, 1)", SqlText(before + std::string(kNumber)));
  return fmt::format("flatten(list_transform(regexp_extract_all(json, {}, 1), lambda c: regexp_extract_all(c, {}, 1)))",
                     SqlText(before + std::string(probe.around)), SqlText(R"([\[:,]\s*)" + std::string(kNumber)));
}

// Whether a number of more than 15 digits may stand in the file, packed ones unseen. Shorter ones lose nothing, and are
// nearly all.
bool MayHaveLong(const Files& files, size_t file) {
  std::ifstream bytes(files.paths[file], std::ios::binary);
  if (files.compression != "none" || !bytes) return true;
  std::vector<char> block(size_t{1} << 20);
  int run = 0;
  while (bytes.read(block.data(), static_cast<std::streamsize>(block.size())) || bytes.gcount() > 0) {
    for (const char c : std::string_view(block.data(), static_cast<size_t>(bytes.gcount()))) {
      run = (c >= '0' && c <= '9') || c == '.' ? run + 1 : 0;
      if (run == 16) return true;
    }
  }
  return false;
}

}  // namespace

Status CheckDigits(engine::Connection& connection, const Files& files, const std::vector<Column>& columns,
                   const std::string& arguments, bool lines) {
  std::vector<Probe> probes;
  for (const Column& column : columns) {
    if (column.type) Collect(column.name, column.name, *column.type, probes);
  }
  if (probes.empty()) return {};
  std::vector<std::string> numbers, loses;
  for (size_t i = 0; i < probes.size(); ++i) {
    const std::string exact = SqlName(TRY(connection.ExactFunction(probes[i].type)));
    numbers.push_back(fmt::format("list_transform({}, lambda n: {{'at': {}, 'text': n}})", NumbersOf(probes[i]), i));
    loses.push_back(fmt::format(
        "WHEN {0} THEN TRY({1}(weft_n.text)) IS DISTINCT FROM TRY({1}(TRY_CAST(weft_n.text AS DOUBLE)::VARCHAR))", i,
        exact));
  }
  for (size_t i = 0; i < files.paths.size(); ++i) {
    if (!MayHaveLong(files, i)) continue;
    const std::string rows =
        fmt::format("SELECT row_number() OVER () AS weft_row, json::VARCHAR AS json FROM read_json_objects([{}], {})",
                    SqlText(files.paths[i]), arguments);
    auto found = connection.Query(fmt::format(
        "SELECT weft_row, weft_n.at, weft_n.text FROM (SELECT weft_row, unnest(flatten([{}])) AS weft_n FROM ({}) "
        "WHERE regexp_matches(json, '[0-9.]{{16}}')) WHERE (contains(weft_n.text, '.') OR contains(lower(weft_n.text), "
        "'e')) AND CASE weft_n.at {} END ORDER BY weft_row LIMIT 1",
        Join(numbers, ", "), rows, Join(loses, " ")));
    if (!found) return found.TakeError();
    if (found->size() == 0) continue;
    const Probe& probe = probes[static_cast<size_t>(found->integer(0, 1))];
    const std::string& number = found->text(0, 2);
    return Error{Code::kInvalid,
                 fmt::format("'{}' {} {}, column {}: {} has more digits than a number of JSON keeps when it is read "
                             "(15), and a {} holds them: write it as a text, \"{}\"",
                             files.names[i], lines ? "line" : "row", found->integer(0, 0), probe.path, number,
                             probe.type, number)};
  }
  return {};
}

}  // namespace weft::run
