#include "base/log.h"
#include "base/text.h"
#include "work/query/internal.h"

namespace weft::query {
namespace {

constexpr size_t kMostTables = 4'000;

bool Shows(const Table& table, const std::string& column) {
  return !table.restriction || table.restriction->Shows(column);
}

std::string ColumnsOf(const Table& table) {
  std::string columns;
  for (const model::Field& field : table.view.schema.fields) {
    if (!Shows(table, field.name)) continue;
    columns += (columns.empty() ? "" : ", ") + SqlName(field.name) + " " + field.type.DuckDb();
  }
  return columns;
}

// A part of a column, as "place.city", is read by reading the column.
bool Reads(const std::set<std::string>& scanned, const std::string& column) {
  return std::ranges::any_of(scanned, [&](const std::string& each) {
    return Lower(each) == Lower(column) || Lower(each).starts_with(Lower(column) + ".");
  });
}

std::string MaskOf(const Table& table, const std::string& column) {
  if (!table.policy.masks.contains(column)) return "clear";
  const auto mask = table.restriction->masks.find(column);
  const auto action =
      mask == table.restriction->masks.end() ? model::MaskAction::kReplaceWithNull : mask->second.action;
  return std::string(model::MaskActionName(action));
}

}  // namespace

Result<engine::Planner::Columns> ColumnReader::Plan(const std::vector<Table>& tables, const std::string& sql,
                                                    std::span<const engine::Value> params) {
  std::lock_guard lock(mutex_);
  stood_ += tables.size();
  if (!planner_ || stood_ > kMostTables) {
    planner_ = TRY(engine::Planner::Open());
    stood_ = tables.size();
  }
  for (const Table& table : tables) {
    TRY(planner_->Stand(table.written.catalog, table.written.schema, table.written.table, ColumnsOf(table)));
  }
  return planner_->Scans(sql, params);
}

std::vector<Json> ColumnReader::Read(const std::vector<Table>& tables, const std::string& sql,
                                     std::span<const engine::Value> params) {
  std::vector<Json> read;
  if (tables.empty()) return read;
  const auto plan = Plan(tables, sql, params);
  if (!plan) log::Warn("a read is recorded as one of all columns", {{"why", plan.error().message}});
  for (const Table& table : tables) {
    std::set<std::string> scanned;
    if (plan) {
      const auto found = plan->find(Lower(table.written.Text()));
      if (found != plan->end()) scanned = found->second;
    }
    const bool all = !plan || std::ranges::any_of(scanned, [&](const std::string& each) {
      return std::ranges::none_of(table.view.schema.fields,
                                  [&](const model::Field& field) { return Reads({each}, field.name); });
    });
    Json columns = Json::Object();
    for (const model::Field& field : table.view.schema.fields) {
      if (Shows(table, field.name) && (all || Reads(scanned, field.name)))
        columns.Set(field.name, MaskOf(table, field.name));
    }
    read.push_back(std::move(columns));
  }
  return read;
}

}  // namespace weft::query
