#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/log.h"
#include "base/text.h"
#include "work/run/build.h"
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

// The files of another port's rows are nobody's business.
std::string PathOf(const Input& input, size_t file) {
  return input.lineage.port.empty() ? input.paths[file] : input.lineage.port;
}

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

// Why the conversion refuses this text, without what the sentence says of its column.
std::string ReasonOf(engine::Connection& connection, const Conversion& conversion, const std::string& text) {
  auto answer = connection.Query(fmt::format("SELECT {} FROM (SELECT CAST($1 AS {}) AS {})", conversion.value,
                                             conversion.text_type, SqlName(conversion.column)),
                                 {text});
  if (answer) return fmt::format("\"{}\" cannot be read", text);
  std::string reason = engine::PlainWords(answer.error().message);
  for (const char* more : {"; TRY_CAST gives NULL", " when casting from source column"}) {
    reason.resize(std::min(reason.size(), reason.find(more)));
  }
  for (const char* preposition : {"of", "in"}) {
    reason = ReplaceAll(reason, fmt::format(" {} the column '{}'", preposition, conversion.column), "");
  }
  return reason;
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
    if (reason.starts_with(kBefore)) reason = engine::PlainWords("Conversion Error: " + ReplaceAll(reason, "'", ""));
    rejects.first.push_back({rows->text(i, 0), rows->integer(i, 1), rows->text(i, 2), std::move(reason)});
  }
  return rejects;
}

// A message's words, each between spaces: what it quotes is among them.
std::string Spaced(const std::string& message) {
  std::string spaced = " " + message + " ";
  std::ranges::replace_if(
      spaced, [](char c) { return c == '\'' || c == '"' || c == '\n'; }, ' ');
  return spaced;
}

// The values of one file that a conversion refuses. `about`: where it is not empty, only if one of them is the value
// that this message is about.
void OfConversions(engine::Connection& connection, const Input& input, size_t file, const std::string& about,
                   Rejects& rejects) {
  const Reader& reader = input.reader;
  std::vector<std::string> tests;
  for (size_t i = 0; i < reader.lossy.size(); ++i) {
    const Conversion& each = reader.lossy[i];
    tests.push_back(fmt::format(
        "CASE WHEN {0} IS NOT NULL AND TRY({1}) IS NULL THEN {{'at': {2}, 'text': {0}::VARCHAR}} END",
        SqlName(each.column), each.refusal.empty() ? each.value : ReplaceAll(each.value, each.refusal, "NULL"),
        i));  // Of error() there is no TRY.
  }
  const std::string meant =
      about.empty() ? "true"
                    : fmt::format(R"(contains({}, ' ' || translate(weft_bad.text, '''"' || chr(10), '   ') || ' '))",
                                  SqlText(Spaced(about)));
  auto rows = connection.Query(fmt::format(
      "SELECT weft_row, weft_bad.at, weft_bad.text, count(*) OVER (), bool_or({}) OVER () FROM (SELECT weft_row, "
      "unnest([{}]) AS weft_bad FROM (SELECT row_number() OVER () AS weft_row, * FROM ({}))) WHERE weft_bad IS NOT "
      "NULL "
      "ORDER BY weft_row, weft_bad.at LIMIT {}",
      meant, Join(tests, ", "), reader.texts[file], kShown));
  if (!rows || rows->size() == 0 || rows->text(0, 4) != "true") return;
  rejects.count += rows->integer(0, 3);
  for (size_t i = 0; i < rows->size() && rejects.first.size() < kShown; ++i) {
    const Conversion& conversion = reader.lossy[static_cast<size_t>(rows->integer(i, 1))];
    const int64_t line = rows->integer(i, 0) + std::max(0, reader.first_line - 1);
    rejects.first.push_back(
        {PathOf(input, file), line, conversion.column, ReasonOf(connection, conversion, rows->text(i, 2))});
  }
}

std::string Told(const Input& input, const Reject& reject) {
  std::string text = input.reader.texts.size() > 1 ? reject.path + " " : "";
  text += fmt::format("{} {}", input.reader.first_line > 0 ? "line" : "row", reject.line);
  if (!reject.column.empty()) text += ", column " + reject.column;
  return text + ": " + reject.reason;
}

bool Names(const std::string& message, const std::vector<std::string>& paths) {
  return std::ranges::any_of(paths, [&](const std::string& path) { return message.find(path) != message.npos; });
}

// Why a file cannot be read at all, where no value of it is to blame; nothing where it can.
std::optional<Error> WhyUnreadable(engine::Connection& connection, const Input& input) {
  for (size_t file = 0; file < input.reader.texts.size(); ++file) {
    auto rows = connection.Query(fmt::format("SELECT max(hash(COLUMNS(*))) FROM ({})", input.reader.texts[file]));
    if (rows) continue;
    Error error = rows.TakeError();
    const bool its = error.code == Code::kInvalid || error.code == Code::kInternal;
    if (!its && !Names(error.message, input.paths)) continue;
    const bool named = (input.paths.size() == 1 && input.lineage.source.find('*') == std::string::npos) ||
                       Names(error.message, input.paths);
    error.message = (named ? "" : PathOf(input, file) + ": ") + engine::PlainWords(error.message);
    return Unreadable(input, error);
  }
  return std::nullopt;
}

// How the output takes columns of its own names, where a build only passes them on.
std::vector<Conversion> CastsInto(engine::Connection& connection, const model::TableSchema& output,
                                  const std::string& select) {
  std::vector<Conversion> casts;
  auto rows = connection.Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE {})", select));
  for (size_t i = 0; rows && i < rows->size(); ++i) {
    const std::string &name = rows->text(i, 0), &type = rows->text(i, 1);
    for (const model::Field& field : output.fields) {
      if (Lower(field.name) != Lower(name) || field.type.DuckDb() == type) continue;
      Cast cast = CastTo(field, SqlName(name), type);
      casts.push_back({name, type, std::move(cast.sql), std::move(cast.refusal)});
    }
  }
  return casts;
}

// What the input has that cannot be read, or that its contract or the output's does not take.
Rejects RejectsOf(engine::Connection& connection, Input& input, const model::TableSchema& output,
                  const std::string& message) {
  Reader& reader = input.reader;
  if (!input.lineage.port.empty()) {
    reader.texts = {reader.select};
    reader.typed = true;
  }
  std::string about;
  if (reader.typed && reader.lossy.empty()) {
    reader.lossy = CastsInto(connection, output, reader.select);
    about = engine::PlainWords(message);
  }
  Rejects rejects;
  if (!reader.rejects.empty()) rejects = OfReader(connection, reader);
  for (size_t file = 0; !rejects.broken && !reader.lossy.empty() && file < reader.texts.size(); ++file) {
    OfConversions(connection, input, file, about, rejects);
  }
  std::stable_sort(rejects.first.begin(), rejects.first.end(), [](const Reject& a, const Reject& b) {
    return std::tie(a.path, a.line) < std::tie(b.path, b.line);
  });
  return rejects;
}

}  // namespace

Error Unreadable(const Input& input, const Error& error) {
  const std::string& port = input.lineage.port;
  if (port.empty()) {
    // What an engine cannot make sense of in a file is the file's fault.
    return {error.code == Code::kInternal ? Code::kInvalid : error.code,
            fmt::format("the input '{}' ({}) cannot be read: {}", input.name, input.lineage.source,
                        engine::PlainWords(error.message))};
  }
  log::Error("a data file cannot be read", {{"port", port}, {"why", error.message}});
  return {error.code, fmt::format("the input '{}' ({}) cannot be read: a data file of its snapshot {} is damaged or "
                                  "gone; the node's log names it",
                                  input.name, port, input.lineage.snapshot)};
}

Error ExplainRejects(engine::Connection& connection, const std::vector<Input>& inputs, const model::TableSchema& output,
                     Error error) {
  for (Input input : inputs) {
    // Whatever an engine makes of a file that it cannot read, it names the file.
    const bool file = Names(error.message, input.paths);
    if (error.code != Code::kInvalid && error.code != Code::kInternal && !file) continue;
    const Rejects rejects = RejectsOf(connection, input, output, error.message);
    const std::string& source = input.lineage.source.empty() ? input.lineage.port : input.lineage.source;
    if (rejects.first.empty()) {
      if (std::optional<Error> why = WhyUnreadable(connection, input)) return *std::move(why);
      if (file) return Unreadable(input, error);
      continue;
    }
    std::vector<std::string> lines;
    for (const Reject& reject : rejects.first) lines.push_back(Told(input, reject));
    const bool one = rejects.count == 1;
    const std::string_view verb = !input.reader.typed ? "cannot be read"
                                  : one               ? "does not fit the contract"
                                                      : "do not fit the contract";
    return {Code::kInvalid,
            fmt::format("the input '{}' ({}) has {} that {}: {}{}", input.name, source,
                        one ? "1 value" : HumanCount(rejects.count) + " values", verb, Join(lines, "; "),
                        rejects.count > static_cast<int64_t>(lines.size()) ? "; …" : "")};
  }
  return error;
}

}  // namespace weft::run
