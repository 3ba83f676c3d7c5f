#include "state/lake/acts.h"

#include <fmt/format.h>

#include <map>

#include "state/lake/staging.h"

namespace weft::lake {
namespace {

constexpr std::string_view kColumns =
    "id, port, status, cause, requested_by, requested_at, started_at, ended_at, files, into_files, bytes, "
    "into_bytes, expired, snapshot_id, message";

store::Cell Micros(const std::optional<Instant>& time) { return time ? store::Int(time->micros) : std::nullopt; }

std::optional<Instant> InstantOf(const store::Row& row, size_t column) {
  if (row.null(column)) return std::nullopt;
  return Instant{row.integer(column)};
}

std::vector<store::Cell> CellsOf(const Act& act) {
  return {act.id,
          act.port.Text(),
          act.status,
          act.cause,
          act.requested_by,
          store::Int(act.requested_at.micros),
          Micros(act.started_at),
          Micros(act.ended_at),
          store::Int(act.files),
          store::Int(act.into),
          store::Int(act.bytes),
          store::Int(act.into_bytes),
          store::Int(act.expired),
          act.snapshot_id ? store::Int(*act.snapshot_id) : std::nullopt,
          act.message};
}

Result<Act> ActOf(const store::Row& row) {
  Act act;
  act.id = row.text(0);
  act.port = TRY(model::PortKey::Parse(row.text(1)));
  act.status = row.text(2);
  act.cause = row.text(3);
  act.requested_by = row.text(4);
  act.requested_at = {row.integer(5)};
  act.started_at = InstantOf(row, 6);
  act.ended_at = InstantOf(row, 7);
  act.files = row.integer(8);
  act.into = row.integer(9);
  act.bytes = row.integer(10);
  act.into_bytes = row.integer(11);
  act.expired = row.integer(12);
  if (!row.null(13)) act.snapshot_id = row.integer(13);
  act.message = row.text(14);
  return act;
}

Result<std::vector<Act>> ActsOf(const std::vector<store::Row>& rows) {
  std::vector<Act> acts;
  for (const store::Row& row : rows) acts.push_back(TRY(ActOf(row)));
  return acts;
}

}  // namespace

Status Insert(store::Txn& txn, const Act& act, const std::string& node) {
  const auto others = TRY(
      txn.Run("SELECT id, status FROM upkeep WHERE port = $1 AND status IN ('pending', 'running')", {act.port.Text()}));
  if (!others.empty()) {
    return Error{Code::kConflict,
                 fmt::format("{} is being tended already: {} is {}; wait for it, or: weft cancel {}", act.port.Text(),
                             others[0].text(0), others[0].text(1), others[0].text(0))};
  }
  std::vector<store::Cell> cells = CellsOf(act);
  cells.emplace_back(node);
  cells.emplace_back(store::Int(act.requested_at.micros + kLeaseTime.count() * 1'000));
  TRY(txn.Run(
      fmt::format("INSERT INTO upkeep ({}, node, alive_until, label) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
                  "$10, $11, $12, $13, $14, $15, $16, $17, '')",
                  kColumns),
      cells));
  return {};
}

Status Update(store::Txn& txn, const Act& act) {
  // One that was ended for its node's silence has ended.
  const auto rows = TRY(txn.Run(
      "UPDATE upkeep SET port = $2, status = $3, cause = $4, requested_by = $5, requested_at = $6, started_at = "
      "$7, ended_at = $8, files = $9, into_files = $10, bytes = $11, into_bytes = $12, expired = $13, "
      "snapshot_id = $14, message = $15 WHERE id = $1 AND status IN ('pending', 'running') RETURNING id",
      CellsOf(act)));
  if (rows.empty()) {
    return Error{Code::kNotFound, fmt::format("upkeep {} of {} is no longer under way: it was given up after a minute "
                                              "without a sign of life",
                                              act.id, act.port.Text())};
  }
  return {};
}

Result<Act> FindAct(store::Txn& txn, const std::string& id) {
  const auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM upkeep WHERE id = $1", kColumns), {id}));
  if (rows.empty()) return Error{Code::kNotFound, fmt::format("there is no upkeep '{}'; see weft runs", id)};
  return ActOf(rows[0]);
}

Result<std::vector<Act>> Acts(store::Txn& txn, const ActQuery& query) {
  // A prefix ends at a whole name: "operations" is not the beginning of "operations-eu".
  const std::string sql = fmt::format(
      "SELECT {} FROM upkeep WHERE ($1 = '' OR port = $1 OR substr(port, 1, length($1) + 1) IN ($1 || '/', $1 || '@')) "
      "AND ($2 = '' OR status = $2) ORDER BY requested_at DESC, id DESC LIMIT $3",
      kColumns);
  return ActsOf(TRY(txn.Run(sql, {query.port_prefix, query.status, store::Int(query.limit)})));
}

Result<std::vector<std::string>> Renew(store::Txn& txn, const std::string& node, Instant now) {
  std::vector<std::string> stop;
  for (const store::Row& row :
       TRY(txn.Run("UPDATE upkeep SET alive_until = $2 WHERE node = $1 AND status IN ('pending', 'running') RETURNING "
                   "id, stop",
                   {node, store::Int(now.micros + kLeaseTime.count() * 1'000)}))) {
    if (row.flag(1)) stop.push_back(row.text(0));
  }
  return stop;
}

Status AskToStop(store::Txn& txn, const std::string& id) {
  TRY(txn.Run("UPDATE upkeep SET stop = 1 WHERE id = $1", {id}));
  return {};
}

Result<std::vector<Act>> EndLost(store::Txn& txn, Instant now, const std::string& starting_node) {
  std::vector<Act> lost = TRY(ActsOf(TRY(txn.Run(
      fmt::format("SELECT {} FROM upkeep WHERE status IN ('pending', 'running') AND (alive_until <= $1 OR node = $2)",
                  kColumns),
      {store::Int(now.micros), starting_node}))));
  for (Act& act : lost) {
    act.status = "interrupted";
    act.message = "its node stopped while it was under way; what it had committed stays";
    act.ended_at = now;
    TRY(Update(txn, act));
    TRY(EndLease(txn, act.port, act.id));
  }
  return lost;
}

Result<std::vector<Shape>> Shapes(store::Txn& txn, const std::vector<int64_t>& sizes) {
  std::string sql = "SELECT f.port, count(*), CAST(sum(f.byte_count) AS BIGINT)";
  std::vector<store::Cell> args;
  for (const int64_t size : sizes) {
    args.push_back(store::Int(size));
    sql += fmt::format(", CAST(sum(CASE WHEN f.byte_count < ${} THEN 1 ELSE 0 END) AS BIGINT)", args.size());
  }
  sql +=
      " FROM tables AS t JOIN snapshots AS s ON s.port = t.port AND s.id = t.snapshot_id JOIN snapshot_files AS f ON "
      "f.port = t.port AND f.sequence >= s.base AND f.removed_by IS NULL GROUP BY f.port";
  std::map<std::string, Shape> shapes;
  for (const store::Row& row :
       TRY(txn.Run("SELECT port, count(*) FROM snapshots WHERE expired = 0 GROUP BY port ORDER BY port"))) {
    Shape& shape = shapes[row.text(0)];
    shape.port = TRY(model::PortKey::Parse(row.text(0)));
    shape.snapshots = row.integer(1);
    shape.smaller.resize(sizes.size());
  }
  for (const store::Row& row : TRY(txn.Run(sql, args))) {
    Shape& shape = shapes[row.text(0)];
    shape.files = row.integer(1);
    shape.bytes = row.integer(2);
    for (size_t i = 0; i < sizes.size(); ++i) shape.smaller[i] = row.integer(3 + i);
  }
  std::vector<Shape> all;
  for (auto& [port, shape] : shapes) all.push_back(std::move(shape));
  return all;
}

std::vector<std::optional<Instant>> Superseded(const std::vector<Snapshot>& history) {
  std::vector<std::optional<Instant>> times;
  for (size_t i = 0; i < history.size(); ++i) {
    times.push_back(history[i].until);
    if (!times.back() && i > 0) times.back() = history[i - 1].at;
  }
  return times;
}

}  // namespace weft::lake
