#include "drivers/engine/scans.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weft::engine {
namespace {

constexpr int64_t kMemory = int64_t{128} << 20;
constexpr std::chrono::milliseconds kPatience{2'000};
// The one optimiser that is left drops columns that nobody uses. Others would answer from what they know of tables that
// are empty here, and of values.
constexpr const char* kOthers = "SELECT string_agg(name, ',') FROM duckdb_optimizers() WHERE name <> 'unused_columns'";

void Collect(const Json& node, Planner::Columns* columns) {
  const Json& info = node["extra_info"];
  if (info["Table"].is_text()) {
    std::string table = Lower(info["Table"].Text());
    constexpr std::string_view kOwn = "memory.main.";
    if (table.starts_with(kOwn)) table.erase(0, kOwn.size());
    std::set<std::string>& of_table = (*columns)[table];
    const Json& projections = info["Projections"];
    if (projections.is_text() && !projections.Text().empty()) of_table.insert(projections.Text());
    for (const std::string& column : projections.Texts()) of_table.insert(column);
  }
  for (const Json& child : node["children"].Items()) Collect(child, columns);
}

}  // namespace

Result<std::unique_ptr<Planner>> Planner::Open() {
  auto planner = std::make_unique<Planner>();
  planner->instance_ =
      TRY(Instance::Open({.threads = 1, .memory_bytes = kMemory, .temp_folder = "", .extensions = {}}));
  planner->connection_ = TRY(planner->instance_->Connect());
  const Rows others = TRY(planner->connection_->Query(kOthers));
  TRY(planner->connection_->Execute(fmt::format("SET GLOBAL disabled_optimizers = {}", SqlText(others.text(0, 0)))));
  TRY(planner->instance_->Lock({}));
  return planner;
}

Status Planner::Stand(const std::string& catalog, const std::string& schema, const std::string& table,
                      const std::string& columns) {
  const std::string home = Lower(SqlName(catalog)), room = home + "." + Lower(SqlName(schema));
  const std::string name = (catalog.empty() ? "" : room + ".") + Lower(SqlName(table));
  std::string& standing = standing_[name];
  if (standing == columns) return {};
  std::string sql;
  if (!catalog.empty()) {
    sql = fmt::format("ATTACH IF NOT EXISTS ':memory:' AS {}; CREATE SCHEMA IF NOT EXISTS {};", home, room);
  }
  TRY(connection_->Execute(fmt::format("{} CREATE OR REPLACE TABLE {} ({})", sql, name, columns)));
  standing = columns;
  return {};
}

Result<Planner::Columns> Planner::Scans(std::string_view sql, std::span<const Value> params) {
  const Watchdog watchdog(*connection_, Deadline::After(kPatience));
  const Rows rows = TRY(connection_->Query(fmt::format("EXPLAIN (FORMAT json) {}", sql), params));
  if (rows.size() == 0 || rows.names.size() < 2) return Error{Code::kInternal, "the engine told no plan"};
  const Json plan = TRY(Json::Parse(rows.text(0, 1)));
  Columns columns;
  for (const Json& root : plan.Items()) Collect(root, &columns);
  return columns;
}

}  // namespace weft::engine
