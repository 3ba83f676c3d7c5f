#include <fmt/format.h>

#include <tuple>

#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

constexpr size_t kShown = 5;

// One value, or one line, that cannot be read.
struct Reject {
  std::string path;
  int64_t line = 0;
  std::string column;
  std::string reason;
};

struct Rejects {
  std::vector<Reject> first;  // As many as are shown.
  int64_t count = 0;
  bool broken = false;  // Some line has no columns to speak of: rows cannot be counted.
};

// What is wrong, without the sentence that names its column.
std::string Reason(const std::string& message) {
  std::string line = Split(message, '\n')[0];
  const size_t at = line.find(". Could not convert");
  if (at != line.npos) return line.substr(at + 2);
  int expected = 0, found = 0;
  if (sscanf(line.c_str(), "Expected Number of Columns: %d Found: %d", &expected, &found) == 2)
    return fmt::format("{} expected, {} found", Count(static_cast<size_t>(expected), "column"), found);
  return line;
}

const Conversion* ConversionOf(const Reader& reader, const std::string& column) {
  for (const Conversion& each : reader.lossy) {
    if (each.column == column) return &each;
  }
  return nullptr;
}

// Why the conversion refuses this text.
std::string ReasonOf(engine::Connection& connection, const Conversion& conversion, const std::string& text) {
  auto answer = connection.Query(fmt::format("SELECT {} FROM (SELECT CAST($1 AS {}) AS {})", conversion.value,
                                             conversion.text_type, SqlName(conversion.column)),
                                 {text});
  if (answer) return fmt::format("\"{}\" cannot be read", text);
  return engine::PlainWords(answer.error().message);
}

// What DuckDB's own reader refuses.
Rejects OfReader(engine::Connection& connection, const Reader& reader) {
  Rejects rejects;
  Status cleaned = connection.Execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans");
  if (!cleaned || !connection.Query(reader.rejects)) return rejects;
  auto rows = connection.Query(
      "SELECT s.file_path, e.line, e.column_name, e.error_message, e.error_type = 'CAST' FROM reject_errors AS e JOIN "
      "reject_scans AS s USING (scan_id, file_id) ORDER BY e.file_id, e.line, e.column_idx");
  for (size_t i = 0; rows && i < rows->size(); ++i) rejects.broken |= rows->text(i, 4) != "true";
  for (size_t i = 0; rows && i < rows->size(); ++i) {
    // A value is judged by the conversion that is to read it, where the rows can be counted.
    const Conversion* conversion = ConversionOf(reader, rows->text(i, 2));
    if (!rejects.broken && conversion) continue;
    ++rejects.count;
    if (rejects.first.size() >= kShown) continue;
    std::string reason = Reason(rows->text(i, 3));
    constexpr std::string_view kBefore = "Could not convert string \"";
    if (size_t end = reason.rfind("\" to '"); conversion && reason.starts_with(kBefore) && end != reason.npos)
      reason = ReasonOf(connection, *conversion, reason.substr(kBefore.size(), end - kBefore.size()));
    rejects.first.push_back({rows->text(i, 0), rows->integer(i, 1), rows->text(i, 2), std::move(reason)});
  }
  return rejects;
}

// The values of one file that a conversion refuses.
void OfConversions(engine::Connection& connection, const Input& input, size_t file, Rejects& rejects) {
  const Reader& reader = input.reader;
  std::vector<std::string> tests;
  for (size_t i = 0; i < reader.lossy.size(); ++i) {
    const Conversion& each = reader.lossy[i];
    tests.push_back(fmt::format(
        "CASE WHEN {0} IS NOT NULL AND TRY({1}) IS NULL THEN {{'at': {2}, 'text': {0}::VARCHAR}} END",
        SqlName(each.column), ReplaceAll(each.value, kNulError, "NULL"), i));  // Of error() there is no TRY.
  }
  auto rows = connection.Query(fmt::format(
      "SELECT weft_row, weft_bad.at, weft_bad.text, count(*) OVER () FROM (SELECT weft_row, unnest([{}]) AS weft_bad "
      "FROM (SELECT row_number() OVER () AS weft_row, * FROM ({}))) WHERE weft_bad IS NOT NULL ORDER BY weft_row, "
      "weft_bad.at LIMIT {}",
      Join(tests, ", "), reader.texts[file], kShown));
  if (!rows || rows->size() == 0) return;
  rejects.count += rows->integer(0, 3);
  for (size_t i = 0; i < rows->size() && rejects.first.size() < kShown; ++i) {
    const Conversion& conversion = reader.lossy[static_cast<size_t>(rows->integer(i, 1))];
    const int64_t line = rows->integer(i, 0) + std::max(0, reader.first_line - 1);
    rejects.first.push_back(
        {input.paths[file], line, conversion.column, ReasonOf(connection, conversion, rows->text(i, 2))});
  }
}

std::string Told(const Input& input, const Reject& reject) {
  std::string text = input.paths.size() > 1 ? reject.path + " " : "";
  text += fmt::format("{} {}", input.reader.first_line > 0 ? "line" : "row", reject.line);
  if (!reject.column.empty()) text += ", column " + reject.column;
  return text + ": " + reject.reason;
}

// Why a file cannot be read at all, where no value of it is to blame; empty where it can.
std::string WhyUnreadable(engine::Connection& connection, const Input& input) {
  for (size_t file = 0; file < input.reader.texts.size(); ++file) {
    auto rows = connection.Query(fmt::format("SELECT count(COLUMNS(*)) FROM ({})", input.reader.texts[file]));
    if (rows || rows.error().code != Code::kInvalid) continue;
    const bool named = input.paths.size() == 1 && input.lineage.source.find('*') == std::string::npos;
    return (named ? "" : input.paths[file] + ": ") + engine::PlainWords(rows.error().message);
  }
  return "";
}

}  // namespace

Error ExplainRejects(engine::Connection& connection, const std::vector<Input>& inputs, Error error) {
  if (error.code != Code::kInvalid) return error;
  for (const Input& input : inputs) {
    Rejects rejects;
    if (!input.reader.rejects.empty()) rejects = OfReader(connection, input.reader);
    for (size_t file = 0; !rejects.broken && !input.reader.lossy.empty() && file < input.reader.texts.size(); ++file) {
      OfConversions(connection, input, file, rejects);
    }
    if (rejects.first.empty()) {
      const std::string why = WhyUnreadable(connection, input);
      if (why.empty()) continue;
      return {Code::kInvalid,
              fmt::format("the input '{}' ({}) cannot be read: {}", input.name, input.lineage.source, why)};
    }
    std::stable_sort(rejects.first.begin(), rejects.first.end(), [](const Reject& a, const Reject& b) {
      return std::tie(a.path, a.line) < std::tie(b.path, b.line);
    });
    std::vector<std::string> lines;
    for (const Reject& reject : rejects.first) lines.push_back(Told(input, reject));
    return {Code::kInvalid,
            fmt::format("the input '{}' ({}) has {} that cannot be read: {}{}", input.name, input.lineage.source,
                        rejects.count == 1 ? "1 value" : HumanCount(rejects.count) + " values", Join(lines, "; "),
                        rejects.count > static_cast<int64_t>(lines.size()) ? "; …" : "")};
  }
  return error;
}

}  // namespace weft::run
