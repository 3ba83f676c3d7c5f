#include "work/run/dialect.h"

#include <fmt/format.h>

#include <fstream>

#include "base/text.h"

namespace weft::run {
namespace {

// Whether the first line has the delimiter, or none that is usual.
bool Separates(const Files& files, const std::string& delimiter) {
  std::ifstream file(files.paths[0]);
  std::string line;
  if (files.compression != "none" || !std::getline(file, line)) return true;
  if (!delimiter.empty() && line.find(delimiter) != line.npos) return true;
  return line.find_first_of(",;\t|") == line.npos;
}

bool IsMark(const std::string& text, std::string_view usual) {
  return text.size() == 1 && text != usual && text[0] != '\0';
}

}  // namespace

void GuessDialect(engine::Connection& connection, const Files& files, const std::string& encoding, Json* options,
                  std::vector<std::string>* findings) {
  auto found = connection.Query(
      fmt::format("SELECT Delimiter, Quote, Escape, HasHeader, SkipRows FROM sniff_csv({}, encoding = {})",
                  SqlText(files.paths[0]), SqlText(encoding)));
  if (!found || found->size() != 1) return;
  const std::string &delimiter = found->text(0, 0), &quote = found->text(0, 1), &escape = found->text(0, 2);
  if (!Separates(files, delimiter)) return;  // A line that is broken lets the engine take all for one column.
  const bool tabs = Lower(files.names[0]).find(".tsv") != std::string::npos;
  if (!delimiter.empty() && delimiter[0] != '\0' && delimiter != (tabs ? "\t" : ",")) {
    options->Set("delimiter", delimiter == "\t" ? "tab" : delimiter);
  }
  if (IsMark(quote, "\"")) options->Set("quote", quote);
  if (IsMark(escape, "\"") && escape != quote) options->Set("escape", escape);
  if (found->text(0, 3) == "false") options->Set("header", false);
  if (found->integer(0, 4) > 0) {
    findings->push_back(fmt::format("{} of the file stand before its header: take them away",
                                    Count(static_cast<size_t>(found->integer(0, 4)), "line")));
  }
}

bool BeginsAsUtf16(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char mark[2] = {};
  file.read(mark, sizeof mark);
  return std::string_view(mark, 2) == "\xFF\xFE" || std::string_view(mark, 2) == "\xFE\xFF";
}

}  // namespace weft::run
