#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
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
  const std::string_view text = error.message;
  if (!engine::IsEngines(text)) return error;
  if (text.starts_with("Out of Memory")) {
    return {error.code,
            "the query needs more memory than this node gives it; read fewer rows or columns at once, or "
            "aggregate before joining and sorting"};
  }
  const size_t mark = text.rfind("\nLINE ");
  return {error.code, engine::PlainWords(text) + (mark == text.npos ? "" : Place(text.substr(mark + 1), sql))};
}

}  // namespace weft::query
