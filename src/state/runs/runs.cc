#include "state/runs/runs.h"

#include <fmt/format.h>

#include <cstdlib>

namespace weft::runs {
namespace {

constexpr store::Migration kMigrations[] = {{"runs", 1, R"(
CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  port TEXT NOT NULL,
  status TEXT NOT NULL,
  run_key TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TEXT NOT NULL,
  started_at TEXT,
  ended_at TEXT,
  logical_time TEXT NOT NULL,
  step TEXT NOT NULL,
  progress TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  snapshot_id INTEGER,
  message TEXT NOT NULL,
  inputs TEXT NOT NULL
);
CREATE INDEX runs_port ON runs (port, requested_at);
CREATE INDEX runs_requested ON runs (requested_at);
CREATE UNIQUE INDEX runs_alive ON runs (port) WHERE status IN ('pending', 'running');
CREATE TABLE run_checks (
  run_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  description TEXT NOT NULL,
  outcome TEXT NOT NULL,
  value TEXT,
  expected TEXT NOT NULL,
  failing_rows INTEGER NOT NULL,
  sample TEXT NOT NULL,
  place TEXT NOT NULL,
  PRIMARY KEY (run_id, position)
);
)"},
                                            {"runs", 2, R"(
ALTER TABLE run_checks ADD COLUMN tells INTEGER NOT NULL DEFAULT 0;
)"},
                                            {"runs", 3, R"(
ALTER TABLE runs ADD COLUMN basis TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN restores BIGINT;
ALTER TABLE runs ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN withdrawn_by TEXT NOT NULL DEFAULT '';
)"},
                                            {"runs", 4, R"(
ALTER TABLE runs ADD COLUMN cause TEXT NOT NULL DEFAULT 'by hand';
ALTER TABLE runs ADD COLUMN retry_of TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN failure TEXT NOT NULL DEFAULT '';
)"},
                                            {"positions", 1, R"(
CREATE TABLE run_pieces (
  run_id TEXT NOT NULL,
  input TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  port TEXT NOT NULL,
  name TEXT NOT NULL,
  stamp TEXT NOT NULL
);
CREATE INDEX run_pieces_run ON run_pieces (run_id, input);
CREATE INDEX run_pieces_port ON run_pieces (port, input);
CREATE TABLE run_cursors (
  run_id TEXT NOT NULL,
  input TEXT NOT NULL,
  port TEXT NOT NULL,
  about TEXT NOT NULL,
  value TEXT NOT NULL,
  version TEXT NOT NULL,
  rows_hash TEXT NOT NULL,
  PRIMARY KEY (run_id, input)
);
CREATE INDEX run_cursors_port ON run_cursors (port, input);
)"}};

constexpr std::string_view kColumns =
    "id, port, status, run_key, requested_by, requested_at, started_at, ended_at, logical_time, step, progress, "
    "row_count, snapshot_id, message, inputs, basis, restores, reason, withdrawn_by, cause, retry_of, attempt, failure";

std::vector<store::Cell> CellsOf(const Run& run) {
  return {run.id,
          run.port.Text(),
          run.status,
          run.key,
          run.requested_by,
          run.requested_at.Text(),
          store::Time(run.started_at),
          store::Time(run.ended_at),
          run.logical_time.Text(),
          run.step,
          fmt::format("{}", run.progress),
          store::Int(run.rows),
          run.snapshot_id ? store::Int(*run.snapshot_id) : std::nullopt,
          run.message,
          run.inputs.Dump(),
          run.basis,
          run.restores ? store::Int(*run.restores) : std::nullopt,
          run.reason,
          run.withdrawn_by,
          run.cause,
          run.retry_of,
          store::Int(run.attempt),
          run.failure};
}

Result<Run> RunOf(const store::Row& row) {
  Run run;
  run.id = row.text(0);
  run.port = TRY(model::PortKey::Parse(row.text(1)));
  run.status = row.text(2);
  run.key = row.text(3);
  run.requested_by = row.text(4);
  run.requested_at = TRY(row.time(5));
  run.started_at = TRY(row.maybe_time(6));
  run.ended_at = TRY(row.maybe_time(7));
  run.logical_time = TRY(row.time(8));
  run.step = row.text(9);
  run.progress = std::strtod(row.text(10).c_str(), nullptr);
  run.rows = row.integer(11);
  if (!row.null(12)) run.snapshot_id = row.integer(12);
  run.message = row.text(13);
  run.inputs = TRY(Json::Parse(row.text(14)));
  run.basis = row.text(15);
  if (!row.null(16)) run.restores = row.integer(16);
  run.reason = row.text(17);
  run.withdrawn_by = row.text(18);
  run.cause = row.text(19);
  run.retry_of = row.text(20);
  run.attempt = static_cast<int>(row.integer(21));
  run.failure = row.text(22);
  return run;
}

Result<std::vector<CheckResult>> ChecksOf(store::Txn& txn, const std::string& run_id) {
  std::vector<CheckResult> checks;
  for (const store::Row& row : TRY(txn.Run(
           "SELECT id, description, outcome, value, expected, failing_rows, sample, place, tells FROM run_checks "
           "WHERE run_id = $1 ORDER BY position",
           {run_id}))) {
    CheckResult check;
    check.id = row.text(0);
    check.description = row.text(1);
    check.outcome = row.text(2);
    if (!row.null(3)) check.value = std::strtod(row.text(3).c_str(), nullptr);
    check.expected = row.text(4);
    check.failing_rows = row.integer(5);
    check.sample = TRY(Json::Parse(row.text(6)));
    check.place = row.text(7);
    check.tells = row.flag(8);
    checks.push_back(std::move(check));
  }
  return checks;
}

Result<std::optional<Run>> NewestDone(store::Txn& txn, const model::PortKey& port, std::string_view condition,
                                      const std::string& argument) {
  auto rows = TRY(
      txn.Run(fmt::format("SELECT {} FROM runs WHERE port = $1 AND {} AND status = 'succeeded' AND cause <> 'fix' AND "
                          "restores IS NULL AND withdrawn_by = '' ORDER BY ended_at DESC, requested_at DESC, id DESC "
                          "LIMIT 1",
                          kColumns, condition),
              {port.Text(), argument}));
  if (rows.empty()) return std::optional<Run>();
  return std::optional<Run>(TRY(RunOf(rows[0])));
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status Insert(store::Txn& txn, const Run& run) {
  const bool alive = run.status == "pending" || run.status == "running";
  auto others = TRY(
      txn.Run("SELECT id, status FROM runs WHERE port = $1 AND status IN ('pending', 'running')", {run.port.Text()}));
  if (alive && !others.empty()) {
    return Error{Code::kConflict,
                 fmt::format("{} has a run already: {} is {}; wait for it, or: weft cancel {}", run.port.Text(),
                             others[0].text(0), others[0].text(1), others[0].text(0))};
  }
  const std::string sql = fmt::format(
      "INSERT INTO runs ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
      "$19, $20, $21, $22, $23)",
      kColumns);
  TRY(txn.Run(sql, CellsOf(run)));
  return {};
}

Status Update(store::Txn& txn, const Run& run) {
  auto rows = TRY(txn.Run(
      "UPDATE runs SET port = $2, status = $3, run_key = $4, requested_by = $5, requested_at = $6, started_at = $7, "
      "ended_at = $8, logical_time = $9, step = $10, progress = $11, row_count = $12, snapshot_id = $13, "
      "message = $14, inputs = $15, basis = $16, restores = $17, reason = $18, withdrawn_by = $19, cause = $20, "
      "retry_of = $21, attempt = $22, failure = $23 WHERE id = $1 "
      "RETURNING id",
      CellsOf(run)));
  if (rows.empty()) return Error{Code::kNotFound, fmt::format("there is no run '{}'; see weft runs", run.id)};
  return {};
}

Status PutChecks(store::Txn& txn, const std::string& run_id, const std::vector<CheckResult>& checks) {
  TRY(txn.Run("DELETE FROM run_checks WHERE run_id = $1", {run_id}));
  for (size_t i = 0; i < checks.size(); ++i) {
    const CheckResult& check = checks[i];
    TRY(
        txn.Run("INSERT INTO run_checks (run_id, position, id, description, outcome, value, expected, failing_rows, "
                "sample, place, tells) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                {run_id, store::Int(static_cast<int64_t>(i)), check.id, check.description, check.outcome,
                 check.value ? store::Cell(fmt::format("{}", *check.value)) : std::nullopt, check.expected,
                 store::Int(check.failing_rows), check.sample.Dump(), check.place, store::Flag(check.tells)}));
  }
  return {};
}

Result<Run> Get(store::Txn& txn, const std::string& id) {
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM runs WHERE id = $1", kColumns), {id}));
  if (rows.empty()) return Error{Code::kNotFound, fmt::format("there is no run '{}'; see weft runs", id)};
  Run run = TRY(RunOf(rows[0]));
  run.checks = TRY(ChecksOf(txn, id));
  return run;
}

Result<std::map<model::PortKey, std::string>> Alive(store::Txn& txn) {
  std::map<model::PortKey, std::string> alive;
  for (const store::Row& row : TRY(txn.Run("SELECT port, id FROM runs WHERE status IN ('pending', 'running')"))) {
    alive.emplace(TRY(model::PortKey::Parse(row.text(0))), row.text(1));
  }
  return alive;
}

Result<std::optional<Run>> LastEnded(store::Txn& txn, const model::PortKey& port) {
  const std::string sql = fmt::format(
      "SELECT {} FROM runs WHERE port = $1 AND status NOT IN ('pending', 'running') ORDER BY requested_at DESC, id "
      "DESC "
      "LIMIT 1",
      kColumns);
  auto rows = TRY(txn.Run(sql, {port.Text()}));
  if (rows.empty()) return std::optional<Run>();
  Run run = TRY(RunOf(rows[0]));
  run.checks = TRY(ChecksOf(txn, run.id));
  return std::optional<Run>(std::move(run));
}

Result<std::vector<Run>> List(store::Txn& txn, const Query& query) {
  // A prefix ends at a whole name: "operations" is not the beginning of "operations-eu".
  const std::string sql = fmt::format(
      "SELECT {} FROM runs WHERE ($1 = '' OR port = $1 OR substr(port, 1, length($1) + 1) IN ($1 || '/', $1 || '@')) "
      "AND ($2 = '' OR status = $2) ORDER BY requested_at DESC, id DESC LIMIT $3",
      kColumns);
  std::vector<Run> found;
  for (const store::Row& row : TRY(txn.Run(sql, {query.port_prefix, query.status, store::Int(query.limit)}))) {
    found.push_back(TRY(RunOf(row)));
  }
  return found;
}

Result<std::optional<Run>> Succeeded(store::Txn& txn, const model::PortKey& port, const std::string& key) {
  // The newest that succeeded made the current snapshot; one before it with the same key is no longer what is there.
  const std::string sql = fmt::format(
      "SELECT {} FROM runs WHERE port = $1 AND status = 'succeeded' ORDER BY ended_at DESC, requested_at DESC, id DESC "
      "LIMIT 1",
      kColumns);
  auto rows = TRY(txn.Run(sql, {port.Text()}));
  if (rows.empty() || rows[0].text(3) != key) return std::optional<Run>();
  return std::optional<Run>(TRY(RunOf(rows[0])));
}

Result<std::optional<Run>> Done(store::Txn& txn, const model::PortKey& port, const std::string& key) {
  return NewestDone(txn, port, "run_key = $2", key);
}

Result<std::optional<Run>> DoneAt(store::Txn& txn, const model::PortKey& port, const std::string& time) {
  return NewestDone(txn, port, "substr(logical_time, 1, length($2)) = $2", time);
}

Result<std::optional<Run>> Withdrawn(store::Txn& txn, const model::PortKey& port, const std::string& basis) {
  const std::string sql = fmt::format(
      "SELECT {} FROM runs WHERE port = $1 AND basis = $2 AND status = 'succeeded' AND restores IS NULL ORDER BY "
      "ended_at DESC, requested_at DESC, id DESC LIMIT 1",
      kColumns);
  auto rows = TRY(txn.Run(sql, {port.Text(), basis}));
  if (rows.empty() || rows[0].text(18).empty()) return std::optional<Run>();
  return std::optional<Run>(TRY(RunOf(rows[0])));
}

Result<std::vector<Run>> Withdraw(store::Txn& txn, const model::PortKey& port, const std::string& rollback,
                                  const std::vector<int64_t>& gone, const std::vector<int64_t>& back) {
  const std::string sql = fmt::format(
      "UPDATE runs SET withdrawn_by = $3 WHERE port = $1 AND snapshot_id = $2 AND status = 'succeeded' AND restores IS "
      "NULL AND withdrawn_by <> $3 RETURNING {}",
      kColumns);
  std::vector<Run> withdrawn;
  for (const int64_t snapshot : gone) {
    for (const store::Row& row : TRY(txn.Run(sql, {port.Text(), store::Int(snapshot), rollback})))
      withdrawn.push_back(TRY(RunOf(row)));
  }
  for (const int64_t snapshot : back) TRY(txn.Run(sql, {port.Text(), store::Int(snapshot), ""}));
  return withdrawn;
}

}  // namespace weft::runs
