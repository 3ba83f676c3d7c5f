#include "state/lineage/lineage.h"

#include <deque>
#include <set>

namespace weft::lineage {
namespace {

constexpr store::Migration kMigrations[] = {{"lineage", 1, R"(
CREATE TABLE lineage_edges (
  output TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  input TEXT NOT NULL,
  origin TEXT NOT NULL,
  origin_snapshot TEXT NOT NULL,
  run_id TEXT NOT NULL,
  newest INTEGER NOT NULL,
  PRIMARY KEY (output, snapshot, input, origin)
);
CREATE INDEX lineage_edges_origin ON lineage_edges (origin) WHERE newest = 1;
CREATE INDEX lineage_edges_output ON lineage_edges (output) WHERE newest = 1;
CREATE TABLE lineage_columns (
  output TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  input TEXT NOT NULL,
  output_column TEXT NOT NULL,
  input_column TEXT NOT NULL,
  how TEXT NOT NULL,
  PRIMARY KEY (output, snapshot, input, output_column, input_column, how)
);
)"}};

Result<std::vector<ColumnEdge>> ColumnsOf(store::Txn& txn, const store::Row& edge) {
  std::vector<ColumnEdge> columns;
  for (const store::Row& row :
       TRY(txn.Run("SELECT output_column, input, input_column, how FROM lineage_columns WHERE output = $1 AND "
                   "snapshot = $2 AND input = $3 ORDER BY output_column, input_column, how",
                   {edge[0], edge[1], edge[2]}))) {
    columns.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
  }
  return columns;
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status Record(store::Txn& txn, const model::PortKey& output, int64_t snapshot_id, const std::string& run_id,
              const std::vector<Input>& inputs, const std::vector<ColumnEdge>& columns) {
  const std::string to = output.Text(), snapshot = std::to_string(snapshot_id);
  TRY(txn.Run("UPDATE lineage_edges SET newest = 0 WHERE output = $1 AND newest = 1", {to}));
  for (const Input& input : inputs) {
    const bool inside = !input.port.empty();
    TRY(
        txn.Run("INSERT INTO lineage_edges (output, snapshot, input, origin, origin_snapshot, run_id, newest) "
                "VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (output, snapshot, input, origin) DO UPDATE SET "
                "origin_snapshot = excluded.origin_snapshot, run_id = excluded.run_id, newest = 1",
                {to, snapshot, input.name, inside ? input.port : input.source, inside ? input.snapshot : input.version,
                 run_id}));
  }
  for (const ColumnEdge& column : columns) {
    TRY(
        txn.Run("INSERT INTO lineage_columns (output, snapshot, input, output_column, input_column, how) "
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                {to, snapshot, column.input, column.column, column.input_column, column.how}));
  }
  return {};
}

Status Carry(store::Txn& txn, const model::PortKey& output, int64_t former, int64_t snapshot_id) {
  const std::string to = output.Text(), from = std::to_string(former), snapshot = std::to_string(snapshot_id);
  TRY(txn.Run("UPDATE lineage_edges SET newest = 0 WHERE output = $1 AND newest = 1", {to}));
  TRY(
      txn.Run("INSERT INTO lineage_edges (output, snapshot, input, origin, origin_snapshot, run_id, newest) "
              "SELECT output, $3, input, origin, origin_snapshot, run_id, 1 FROM lineage_edges "
              "WHERE output = $1 AND snapshot = $2",
              {to, from, snapshot}));
  TRY(
      txn.Run("INSERT INTO lineage_columns (output, snapshot, input, output_column, input_column, how) "
              "SELECT output, $3, input, output_column, input_column, how FROM lineage_columns "
              "WHERE output = $1 AND snapshot = $2",
              {to, from, snapshot}));
  return {};
}

Result<std::vector<Edge>> Walk(store::Txn& txn, const std::string& port, Direction direction) {
  const bool up = direction == Direction::kUp;
  const std::string_view sql =
      up ? "SELECT output, snapshot, input, origin, origin_snapshot, run_id FROM lineage_edges "
           "WHERE output = $1 AND newest = 1 ORDER BY input, origin"
         : "SELECT output, snapshot, input, origin, origin_snapshot, run_id FROM lineage_edges "
           "WHERE origin = $1 AND newest = 1 ORDER BY output, input";
  std::vector<Edge> edges;
  std::set<std::string> seen = {port};
  std::deque<std::string> next = {port};
  for (; !next.empty(); next.pop_front()) {
    for (const store::Row& row : TRY(txn.Run(sql, {next.front()}))) {
      edges.push_back({row.text(3), row.text(4), row.text(0), row.text(1), row.text(5), TRY(ColumnsOf(txn, row))});
      const std::string further = up ? row.text(3) : row.text(0);
      if (seen.insert(further).second) next.push_back(further);
    }
  }
  return edges;
}

}  // namespace weft::lineage
