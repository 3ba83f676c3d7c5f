#include "work/run/modes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/span.h"
#include "base/text.h"
#include "work/run/build.h"
#include "work/run/upsert.h"

namespace weft::run {
namespace {

using Kind = model::Type::Kind;

std::string OrderOf(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back(SqlName(column));
  return Join(names, ", ");
}

lake::View ParentOf(const lake::Staging& staging) {
  lake::View parent = staging.parent();
  parent.schema = staging.schema();
  return parent;
}

int64_t RowsOf(const lake::Staging& staging) {
  int64_t rows = 0;
  for (const lake::DataFile& file : staging.files()) rows += file.rows;
  return rows;
}

const lake::ColumnStats* StatsOf(const lake::DataFile& file, const model::Field& field) {
  const auto at = std::ranges::find(file.columns, field.id, &lake::ColumnStats::field_id);
  return at == file.columns.end() ? nullptr : &*at;
}

bool IsBounded(const lake::ColumnStats* stats) {
  if (!stats || !stats->min || !stats->max) return false;
  // SQL has no literal for a text with a zero byte.
  return stats->min->find('\0') == std::string::npos && stats->max->find('\0') == std::string::npos;
}

// Bounds of these types are exact, or err to the safe side.
bool HasBounds(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kLong || (kind >= Kind::kDecimal && kind <= Kind::kString);
}

// The whole state of one logical time takes the place of what the table has of it; other states stay.
Result<Met> PutState(engine::Connection& connection, lake::Staging& staging, const Meeting& meeting) {
  const Filled& state = *meeting.filled;
  lake::View there = ParentOf(staging);
  there.files = TRY(
      FilesThatMayHave(connection, there, state.column, fmt::format("SELECT {0} AS least, {0} AS most", state.value)));
  const std::string column = SqlName(state.column);
  const engine::Rows rows = TRY(connection.Query(fmt::format(
      "SELECT weft_file, count(*) FILTER (WHERE {0} IS DISTINCT FROM {1}) FROM ({2}) GROUP BY 1 HAVING count(*) FILTER "
      "(WHERE {0} = {1}) > 0",
      column, state.value, lake::ScanFilesSql(there, "weft_file"))));
  std::set<std::string> replaced;
  int64_t others = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    replaced.insert(rows.text(i, 0));
    others += rows.integer(i, 1);
  }
  std::erase_if(there.files, [&](const lake::DataFile& file) { return !replaced.contains(file.path); });
  TRY(staging.Write(connection, meeting.select, OrderOf(meeting.cluster_by)));
  Met met;
  met.rows = RowsOf(staging);
  // Each run writes files of its own state; those of another mode may have held several.
  if (others > 0) {
    TRY(staging.Write(
        connection,
        fmt::format("SELECT * FROM ({}) WHERE {} IS DISTINCT FROM {}", lake::ScanSql(there), column, state.value),
        OrderOf(meeting.cluster_by)));
  }
  met.told = fmt::format("{} of {}", there.files.empty() ? "a new state" : "in place of the former state", state.text);
  staging.Remove(std::move(there.files));
  return met;
}

}  // namespace

std::optional<Filled> FilledOf(const model::Build& build, const model::TableSchema& schema, Instant logical_time) {
  const std::string& column = build.mode == "snapshot" ? build.snapshot_column : build.arrival_time;
  const model::Field* field = column.empty() ? nullptr : schema.Find(column);
  if (!field) return std::nullopt;
  Filled filled{field->name, logical_time.Text(), ""};
  if (field->type.kind == Kind::kDate) filled.text = filled.text.substr(0, 10);
  filled.value = fmt::format("CAST({} AS {})", SqlText(filled.text), field->type.DuckDb());
  return filled;
}

Result<Met> Meet(engine::Connection& connection, lake::Staging& staging, const Meeting& meeting) {
  if (meeting.mode == "upsert") return Upsert(connection, staging, meeting.select, meeting.key, meeting.cluster_by);
  if (meeting.mode == "snapshot") return PutState(connection, staging, meeting);
  std::string select = meeting.select;
  if (meeting.mode == "append" && !meeting.key.empty()) {
    const lake::View parent = ParentOf(staging);
    select = FirstOfKey(select, meeting.key, parent.files.empty() ? "" : lake::ScanSql(parent));
  }
  TRY(staging.Write(connection, select, OrderOf(meeting.cluster_by)));
  Met met{RowsOf(staging), true, ""};
  const lake::View& parent = staging.parent();
  if (meeting.mode == "append" && met.rows == 0 && parent.snapshot && parent.schema.fields == staging.schema().fields) {
    met.changed = false;
    met.told = "nothing to add: the table has these rows already";
  }
  return met;
}

Result<std::optional<model::Check>> LateCheck(engine::Connection& connection, const model::Build& build,
                                              const lake::View& parent) {
  const model::Field* field = parent.schema.Find(build.event_time);
  if (build.mode != "append" || build.late.empty() || !field || parent.files.empty()) {
    return std::optional<model::Check>();
  }
  const Span window = TRY(Span::Parse(build.late));
  const std::string type = field->type.DuckDb(), column = SqlName(field->name);
  std::vector<std::string> bounds;
  lake::View unknown = parent;
  std::erase_if(unknown.files, [&](const lake::DataFile& file) {
    const lake::ColumnStats* stats = StatsOf(file, *field);
    const bool known = stats && stats->max && *stats->max != "infinity";
    if (known) bounds.push_back(fmt::format("({})", SqlText(*stats->max)));
    return known;
  });
  if (bounds.empty()) bounds.push_back("(NULL)");
  const engine::Rows rows = TRY(connection.Query(fmt::format(
      "SELECT (max(v) - {})::{}::VARCHAR FROM (SELECT CAST(t AS {}) AS v FROM (VALUES {}) AS m(t) UNION ALL SELECT {} "
      "FROM ({})) WHERE isfinite(v)",
      window.Interval(), type, type, Join(bounds, ", "), column, lake::ScanSql(unknown))));
  if (!rows.cells[0][0]) return std::optional<model::Check>();
  model::Check check;
  check.id = field->name + ".late";
  check.description =
      fmt::format("{} is at most {} before the newest event that is committed", field->name, build.late);
  check.failing = fmt::format("{} < CAST({} AS {})", column, SqlText(rows.text(0, 0)), type);
  check.dimension = "timeliness";
  return std::optional(std::move(check));
}

Result<std::vector<lake::DataFile>> FilesThatMayCollide(engine::Connection& connection, lake::View kept,
                                                        const std::vector<lake::DataFile>& staged,
                                                        const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    const model::Field* field = kept.schema.Find(column);
    if (!field || !HasBounds(field->type.kind)) continue;
    std::vector<std::string> bounds;
    bool all = true;
    for (const lake::DataFile& file : staged) {
      const lake::ColumnStats* stats = StatsOf(file, *field);
      all = all && IsBounded(stats);
      if (all) bounds.push_back(fmt::format("({}, {})", SqlText(*stats->min), SqlText(*stats->max)));
    }
    if (!all) continue;
    if (bounds.empty()) return std::vector<lake::DataFile>();
    const std::string type = field->type.DuckDb();
    kept.files = TRY(FilesThatMayHave(
        connection, kept, column,
        fmt::format("SELECT CAST(a AS {0}) AS least, CAST(z AS {0}) AS most FROM (VALUES {1}) AS m(a, z)", type,
                    Join(bounds, ", "))));
  }
  return kept.files;
}

Result<std::vector<lake::DataFile>> FilesThatMayHave(engine::Connection& connection, const lake::View& view,
                                                     const std::string& column, const std::string& spans) {
  const model::Field* field = view.schema.Find(column);
  if (!field || !HasBounds(field->type.kind)) return view.files;
  std::vector<lake::DataFile> may;
  std::vector<std::string> bounds;
  for (size_t i = 0; i < view.files.size(); ++i) {
    const lake::ColumnStats* stats = StatsOf(view.files[i], *field);
    if (IsBounded(stats)) {
      bounds.push_back(fmt::format("({}, {}, {})", i, SqlText(*stats->min), SqlText(*stats->max)));
    } else if (!stats || stats->nulls < stats->values) {
      may.push_back(view.files[i]);
    }
  }
  if (bounds.empty()) return may;
  const std::string type = field->type.DuckDb();
  const engine::Rows rows = TRY(connection.Query(fmt::format(
      "SELECT DISTINCT i FROM (SELECT i, CAST(a AS {0}) AS a, CAST(z AS {0}) AS z FROM (VALUES {1}) AS m(i, "
      "a, z)) AS f JOIN ({2}) AS s ON s.least <= f.z AND s.most >= f.a ORDER BY i",
      type, Join(bounds, ", "), spans)));
  for (size_t i = 0; i < rows.size(); ++i) may.push_back(view.files[static_cast<size_t>(rows.integer(i, 0))]);
  return may;
}

}  // namespace weft::run
