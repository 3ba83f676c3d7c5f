#include "work/run/divert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/text.h"
#include "work/run/build.h"

namespace weft::run {
namespace {

using model::Check;

constexpr std::string_view kLineCheck = "line";

std::string TextList(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(SqlText(text));
  return "([" + Join(quoted, ", ") + "]::VARCHAR[])";
}

std::string NotNull(const std::vector<std::string>& columns) {
  std::vector<std::string> tests;
  for (const std::string& column : columns) tests.push_back(SqlName(column) + " IS NOT NULL");
  return Join(tests, " AND ");
}

// What is wrong with a line that has no columns to speak of: none of it is quoted.
std::string ReasonOfLine(const std::string& kind, const std::string& message) {
  int expected = 0, found = 0;
  if (sscanf(message.c_str(), "Expected Number of Columns: %d Found: %d", &expected, &found) == 2)
    return fmt::format("{} expected, {} found", Count(static_cast<size_t>(expected), "column"), found);
  if (kind.find("QUOTE") != kind.npos) return "a quote is not closed, or stands where none may";
  if (kind.find("UNICODE") != kind.npos || kind.find("ENCODING") != kind.npos) return "it is not UTF-8";
  if (kind.find("SIZE") != kind.npos) return "it is too long";
  return "it cannot be read as CSV";
}

// A column of the rows that were sent.
struct Sent {
  std::string name;
  std::string type;
};

class Diverter {
 public:
  Diverter(engine::Connection& connection, const Diverting& what) : connection_(connection), what_(what) {}

  Result<Diverted> Run() {
    TRY(Gather());
    if (!what_.open.empty()) TRY(Known());
    TRY(Cast());
    TRY(Judge());
    for (size_t i = 0; i < what_.checks.size(); ++i) {
      if (what_.checks[i].kind == Check::Kind::kUnique) TRY(Repeated(i));
    }
    TRY(Orphans());
    return Answer();
  }

 private:
  Status Gather() {
    TRY(connection_.Execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans"));
    const std::string rows = what_.input ? OfFiles(what_.input->reader) : Placed("NULL", "NULL", what_.sql);
    TRY(connection_.Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE weft_sent AS SELECT row_number() OVER () AS weft_n, * FROM ({})", rows)));
    const engine::Rows columns =
        TRY(connection_.Query("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM weft_sent)"));
    for (size_t i = 0; i < columns.size(); ++i)
      sent_[Lower(columns.text(i, 0))] = {columns.text(i, 0), columns.text(i, 1)};
    if (what_.input && !what_.input->reader.sent.empty()) TRY(BrokenLines());
    return {};
  }

  // What was taken out of a quarantine has columns of these names already.
  static std::string Placed(const std::string& source, const std::string& line, const std::string& rows) {
    return fmt::format(
        "SELECT {}::VARCHAR AS weft_source, {}::BIGINT AS weft_line, COLUMNS(lambda c: lower(c) NOT IN ('weft_source', "
        "'weft_line', 'weft_n')) FROM (\n{}\n)",
        source, line, rows);
  }

  // Every corrected row names one of the quarantine, and no two the same.
  Status Known() {
    const std::string& file = what_.files[0];
    if (!sent_.contains("weft_id")) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' has no column weft_id, which names the row that is corrected: write "
                               "the rows with weft fix ADDRESS --to FILE, and correct them there",
                               file)};
    }
    if (!broken_.empty()) {
      return Error{Code::kInvalid, fmt::format("'{}' has {} without the columns of its header: correct them first",
                                               file, Count(broken_.size(), "line"))};
    }
    const engine::Rows odd = TRY(connection_.Query(fmt::format(
        "SELECT s.weft_id::VARCHAR AS weft_odd, bool_or(o.weft_id IS NOT NULL) AS weft_there FROM weft_sent AS "
        "s LEFT JOIN ({}) AS o ON s.weft_id::VARCHAR = o.weft_id GROUP BY weft_odd HAVING count(*) > 1 OR "
        "NOT weft_there ORDER BY weft_odd LIMIT 1",
        what_.open)));
    if (odd.size() == 0) return {};
    const bool twice = odd.text(0, 1) == "true";
    return Error{Code::kInvalid, fmt::format("the weft_id {} of '{}' {}: nothing was changed",
                                             odd.cells[0][0] ? "'" + *odd.cells[0][0] + "'" : "NULL", file,
                                             twice ? "stands there twice" : "is of no row in the quarantine")};
  }

  std::string OfFiles(const Reader& reader) const {
    std::vector<std::string> texts = reader.sent.empty() ? reader.texts : reader.sent;
    const bool files = !texts.empty();
    if (!files) texts = {reader.select};
    std::vector<std::string> parts;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string source = i < what_.files.size() ? SqlText(what_.files[i]) : "NULL";
      const std::string line =
          files ? fmt::format("(row_number() OVER () + {})", std::max(0, reader.first_line - 1)) : "NULL";
      parts.push_back(Placed(source, line, texts[i]));
    }
    return Join(parts, " UNION ALL BY NAME ");
  }

  // Lines that the reader left out, by file; the rows after them stand so much further down.
  Status BrokenLines() {
    auto rows = connection_.Query(
        "SELECT s.file_path, e.line, any_value(e.error_type::VARCHAR), any_value(e.error_message) FROM reject_errors "
        "AS "
        "e JOIN reject_scans AS s USING (scan_id, file_id) GROUP BY ALL ORDER BY 1, 2");
    if (!rows) return {};  // There are none, and no table of them.
    std::map<std::string, std::vector<int64_t>> lines;
    for (size_t i = 0; i < rows->size(); ++i) {
      const auto& paths = what_.input->paths;
      const auto at = static_cast<size_t>(std::ranges::find(paths, rows->text(i, 0)) - paths.begin());
      const std::string source = at < what_.files.size() ? SqlText(what_.files[at]) : "NULL";
      const int64_t line = rows->integer(i, 1);
      lines[source].push_back(line);
      broken_.push_back(fmt::format("({}, {}, {}, {})", broken_.size() + 1, source, line,
                                    SqlText(ReasonOfLine(rows->text(i, 2), rows->text(i, 3)))));
    }
    for (const auto& [source, broken] : lines) {
      std::vector<std::string> before;
      for (size_t i = 0; i < broken.size(); ++i) before.push_back(std::to_string(broken[i] - static_cast<int64_t>(i)));
      TRY(
          connection_.Execute(fmt::format("UPDATE weft_sent SET weft_line = weft_line + len(list_filter([{}], lambda "
                                          "weft_b: weft_b <= weft_line)) WHERE "
                                          "weft_source IS NOT DISTINCT FROM {}",
                                          Join(before, ", "), source)));
    }
    return {};
  }

  // SQL of the value of a sent column, null where it has none of its type.
  std::string ValueOf(const Sent& column) const {
    std::string name = SqlName(column.name);
    if (!what_.input) return name;
    const Reader& reader = what_.input->reader;
    for (const Conversion& each : reader.sent.empty() ? reader.lossy : reader.values) {
      if (each.column != column.name) continue;
      const std::string value = each.refusal.empty() ? each.value : ReplaceAll(each.value, each.refusal, "NULL");
      return value == name ? name : fmt::format("TRY({})", value);
    }
    return name;
  }

  // The rows as the contract has them; weft_s… tells whether there was something to make a value of.
  Status Cast() {
    std::vector<std::string> values, casts;
    for (const model::Field& field : what_.schema.fields) {
      const auto sent = sent_.find(Lower(field.name));
      if (what_.filled && what_.filled->column == field.name) {
        casts.push_back(fmt::format("{} AS {}", what_.filled->value, SqlName(field.name)));
      } else if (sent != sent_.end()) {
        values.push_back(fmt::format("{} AS weft_v{}", ValueOf(sent->second), field.id));
      } else {
        return Error{Code::kInvalid, fmt::format("the build does not give {}", field.name)};
      }
    }
    const std::string read = fmt::format("SELECT *, {} FROM weft_sent", Join(values, ", "));
    const engine::Rows described =
        TRY(connection_.Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE {})", read)));
    std::map<std::string, std::string> types;
    for (size_t i = 0; i < described.size(); ++i) types[described.text(i, 0)] = described.text(i, 1);
    for (const model::Field& field : what_.schema.fields) {
      const std::string value = fmt::format("weft_v{}", field.id);
      if (!types.contains(value)) continue;
      const run::Cast cast = CastTo(field, value, types[value]);
      const std::string sql = cast.refusal.empty() ? cast.sql : ReplaceAll(cast.sql, cast.refusal, "NULL");
      casts.push_back(fmt::format("TRY({}) AS {}", sql, SqlName(field.name)));
      casts.push_back(fmt::format("{} IS NOT NULL AS weft_s{}", SqlName(sent_.at(Lower(field.name)).name), field.id));
      marks_.push_back(
          {fmt::format("weft_s{} AND {} IS NULL", field.id, SqlName(field.name)),
           {field.name + ".type", fmt::format("{} is no value of {}", field.name, Lower(field.type.DuckDb())), 0, {}}});
    }
    return connection_.Execute(
        fmt::format("CREATE OR REPLACE TEMP TABLE weft_cast AS SELECT weft_n, {} FROM ({})", Join(casts, ", "), read));
  }

  // What is found wrong, by its number: the types first, and then the checks.
  size_t NumberOf(size_t check) const { return marks_.size() + check; }

  Status Judge() {
    std::vector<std::string> types, checks;
    for (size_t i = 0; i < marks_.size(); ++i)
      types.push_back(fmt::format("CASE WHEN {} THEN {} END", marks_[i].first, i));
    for (size_t i = 0; i < what_.checks.size(); ++i) {
      const Check& check = what_.checks[i];
      if (check.kind != Check::Kind::kRow) continue;
      checks.push_back(fmt::format("CASE WHEN {} THEN {} END", check.failing, NumberOf(i)));
    }
    auto those = [](const std::vector<std::string>& tests) {
      return fmt::format("list_filter([{}]::INTEGER[], lambda weft_w: weft_w IS NOT NULL)", Join(tests, ", "));
    };
    // Of a row whose values are none of their types nothing else can be said.
    return connection_.Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE weft_bad AS SELECT weft_n, weft_which FROM (SELECT weft_n, CASE WHEN "
        "len(weft_types) > 0 THEN weft_types ELSE {} END AS weft_which FROM (SELECT *, {} AS weft_types FROM "
        "weft_cast)) WHERE len(weft_which) > 0",
        those(checks), those(types)));
  }

  static std::string Left() {
    return "(SELECT c.* FROM weft_cast AS c ANTI JOIN weft_bad AS b ON c.weft_n = b.weft_n)";
  }

  // All but the first of a key, and those whose key is in the table where that must not be.
  Status Repeated(size_t i) {
    const Check& check = what_.checks[i];
    std::vector<std::string> names, equal;
    for (const std::string& column : check.columns) {
      names.push_back(SqlName(column));
      equal.push_back(fmt::format("r.{0} = t.{0}", SqlName(column)));
    }
    TRY(connection_.Execute(fmt::format(
        "INSERT INTO weft_bad SELECT weft_n, [{}] FROM (SELECT weft_n, row_number() OVER (PARTITION BY {} ORDER BY "
        "weft_n) AS weft_nth FROM {} WHERE {}) WHERE weft_nth > 1",
        NumberOf(i), Join(names, ", "), Left(), NotNull(check.columns))));
    if (!what_.new_keys || what_.stays.empty()) return {};
    return connection_.Execute(
        fmt::format("INSERT INTO weft_bad SELECT weft_n, [{}] FROM {} AS r SEMI JOIN ({}) AS t ON {}", NumberOf(i),
                    Left(), what_.stays, Join(equal, " AND ")));
  }

  // Foreign keys without a target. Where that is the table itself, a row that goes may take others with it.
  Status Orphans() {
    for (bool again = true; again;) {
      again = false;
      for (size_t i = 0; i < what_.checks.size(); ++i) {
        const Check& check = what_.checks[i];
        if (check.kind != Check::Kind::kForeign) continue;
        const bool itself = check.target == "{table}";
        const std::string target = itself ? Itself() : TRY(what_.table_sql(check.target));
        std::vector<std::string> equal;
        for (size_t n = 0; n < check.columns.size(); ++n) {
          equal.push_back(fmt::format("r.{} = t.{}", SqlName(check.columns[n]), SqlName(check.target_columns[n])));
        }
        const int64_t before = TRY(Found());
        TRY(connection_.Execute(
            fmt::format("INSERT INTO weft_bad SELECT weft_n, [{}] FROM (SELECT * FROM {} WHERE {}) AS r ANTI JOIN ({}) "
                        "AS t ON {}",
                        NumberOf(i), Left(), NotNull(check.columns), target, Join(equal, " AND "))));
        again = again || (itself && TRY(Found()) > before);
      }
    }
    return {};
  }

  Result<int64_t> Found() {
    const engine::Rows rows = TRY(connection_.Query("SELECT count(*) FROM weft_bad"));
    return rows.integer(0, 0);
  }

  std::string Itself() const {
    std::vector<std::string> names;
    for (const model::Field& field : what_.schema.fields) names.push_back(SqlName(field.name));
    std::string rows = fmt::format("SELECT {} FROM {}", Join(names, ", "), Left());
    if (!what_.stays.empty()) rows += " UNION ALL BY NAME " + what_.stays;
    return rows;
  }

  // What was sent, as text: exactly as it was where it was one.
  std::string TextOf(const std::string& name) const {
    const auto sent = sent_.find(Lower(name));
    if (sent == sent_.end()) {
      const bool filled = what_.filled && what_.filled->column == name;
      return filled ? SqlText(what_.filled->text) : "NULL";
    }
    const std::string& type = sent->second.type;
    const std::string column = "s." + SqlName(sent->second.name);
    const bool nested = type.ends_with("]") || type.starts_with("STRUCT") || type.starts_with("MAP");
    return nested ? fmt::format("to_json({})", column) : column;
  }

  std::string Bad(const std::vector<std::string>& ids, const std::vector<std::string>& reasons) const {
    std::string prefix = what_.run.starts_with("run_") ? what_.run.substr(4) : what_.run;
    std::vector<std::string> rows, lines;
    for (const model::Field& field : what_.quarantine.fields) {
      const std::string& name = field.name;
      std::string row = TextOf(name), line = "NULL";
      // What was corrected and still is wrong is the row that it was.
      const bool known = !what_.open.empty();
      if (known && (name == "weft_id" || name == "weft_source" || name == "weft_line")) {
        row = "o." + name;
      } else if (name == "weft_id") {
        row = fmt::format("{} || s.weft_n", SqlText(prefix + "-"));
        line = fmt::format("{} || weft_l", SqlText(prefix + "-line-"));
      } else if (name == "weft_at") {
        row = line = SqlText(what_.at.Text());
      } else if (name == "weft_run") {
        row = line = SqlText(what_.run);
      } else if (name == "weft_check") {
        row = fmt::format("{}[b.weft_which[1] + 1]", TextList(ids));
        line = SqlText(kLineCheck);
      } else if (name == "weft_reason") {
        row = fmt::format("array_to_string(list_transform(b.weft_which, lambda weft_w: {}[weft_w + 1]), '; ')",
                          TextList(reasons));
        line = "weft_why";
      } else if (name == "weft_source" || name == "weft_line") {
        row = "s." + name;
        line = name;
      }
      rows.push_back(fmt::format("CAST({} AS {}) AS {}", row, field.type.DuckDb(), SqlName(name)));
      lines.push_back(fmt::format("CAST({} AS {}) AS {}", line, field.type.DuckDb(), SqlName(name)));
    }
    std::string sql =
        fmt::format("SELECT {} FROM weft_sent AS s JOIN weft_bad AS b ON s.weft_n = b.weft_n", Join(rows, ", "));
    if (!what_.open.empty()) sql += fmt::format(" JOIN ({}) AS o ON o.weft_id = s.weft_id::VARCHAR", what_.open);
    if (!broken_.empty()) {
      sql += fmt::format(" UNION ALL SELECT {} FROM (VALUES {}) AS l(weft_l, weft_source, weft_line, weft_why)",
                         Join(lines, ", "), Join(broken_, ", "));
    }
    return sql;
  }

  Result<Diverted> Answer() {
    Diverted answer;
    std::vector<Diverted::Cause> causes;
    for (const auto& [test, cause] : marks_) causes.push_back(cause);
    for (const Check& check : what_.checks) causes.push_back({check.id, check.description, 0, check.place});
    const engine::Rows counts =
        TRY(connection_.Query("SELECT weft_which[1], count(*) FROM weft_bad GROUP BY 1 ORDER BY 1"));
    for (size_t i = 0; i < counts.size(); ++i) {
      Diverted::Cause& cause = causes[static_cast<size_t>(counts.integer(i, 0))];
      cause.rows = counts.integer(i, 1);
      answer.rows += cause.rows;
    }
    const auto broken = static_cast<int64_t>(broken_.size());
    answer.rows += broken;
    answer.sent = TRY(connection_.Query("SELECT count(*) FROM weft_sent")).integer(0, 0) + broken;
    std::vector<std::string> ids, reasons, names;
    for (const Diverted::Cause& cause : causes) {
      ids.push_back(cause.check);
      reasons.push_back(cause.reason);
      if (cause.rows > 0) answer.causes.push_back(cause);
    }
    if (broken > 0) answer.causes.push_back({std::string(kLineCheck), "the line can be read", broken, {}});
    std::ranges::stable_sort(answer.causes, std::greater(), &Diverted::Cause::rows);
    for (const model::Field& field : what_.schema.fields) names.push_back(SqlName(field.name));
    answer.good = fmt::format("SELECT {} FROM {} ORDER BY weft_n", Join(names, ", "), Left());
    answer.bad = Bad(ids, reasons);
    return answer;
  }

  engine::Connection& connection_;
  const Diverting& what_;
  std::map<std::string, Sent> sent_;                            // By the name in lower case.
  std::vector<std::pair<std::string, Diverted::Cause>> marks_;  // A test of weft_cast, and what it finds.
  std::vector<std::string> broken_;                             // Rows of VALUES: number, source, line, reason.
};

}  // namespace

std::vector<Check> ChecksOfRows(std::vector<Check> checks) {
  std::erase_if(checks, [](const Check& check) {
    const bool rows =
        check.kind == Check::Kind::kRow || check.kind == Check::Kind::kUnique || check.kind == Check::Kind::kForeign;
    return !rows || check.warning || check.op != "mustBe" || !check.bound.is_number() || check.bound.Double() != 0;
  });
  return checks;
}

std::string Diverted::Text() const {
  std::vector<std::string> parts;
  for (const Cause& cause : causes) parts.push_back(fmt::format("{} {}", HumanCount(cause.rows), cause.check));
  return Join(parts, ", ");
}

Result<Diverted> Divert(engine::Connection& connection, const Diverting& what) {
  return Diverter(connection, what).Run();
}

}  // namespace weft::run
