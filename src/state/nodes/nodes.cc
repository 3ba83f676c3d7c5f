#include "state/nodes/nodes.h"

namespace weft::nodes {
namespace {

constexpr store::Migration kMigrations[] = {{"nodes", 1, R"(
CREATE TABLE nodes (
  name TEXT PRIMARY KEY,
  alive_until BIGINT NOT NULL
);
CREATE TABLE node_runs (
  run_id TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  stop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX node_runs_node ON node_runs (node);
)"},
                                            {"nodes", 2, R"(
CREATE TABLE node_duties (
  duty TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  until BIGINT NOT NULL
);
)"},
                                            {"nodes", 3, R"(
ALTER TABLE nodes ADD COLUMN reading_since BIGINT NOT NULL DEFAULT 0;
)"}};

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status KeepAlive(store::Txn& txn, Clock& clock, const std::string& node, Millis time, Instant reading_since) {
  TRY(
      txn.Run("INSERT INTO nodes (name, alive_until, reading_since) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
              "SET alive_until = excluded.alive_until, reading_since = excluded.reading_since",
              {node, store::Int(clock.Now().micros + time.count() * 1'000), store::Int(reading_since.micros)}));
  return {};
}

Result<Instant> ReadingSince(store::Txn& txn, Instant now, const std::string& node) {
  Instant since = now;
  for (const store::Row& row : TRY(txn.Run("SELECT reading_since FROM nodes WHERE name <> $1 AND alive_until > $2",
                                           {node, store::Int(now.micros)}))) {
    since = std::min(since, Instant{row.integer(0)});
  }
  return since;
}

Status ForgetAll(store::Txn& txn) {
  TRY(txn.Run("DELETE FROM nodes"));
  TRY(txn.Run("DELETE FROM node_duties"));
  return {};
}

Result<bool> IsAlive(store::Txn& txn, Clock& clock, const std::string& node) {
  const auto rows = TRY(txn.Run("SELECT alive_until FROM nodes WHERE name = $1", {node}));
  return !rows.empty() && rows[0].integer(0) > clock.Now().micros;
}

Status Take(store::Txn& txn, const std::string& run_id, const std::string& node) {
  TRY(txn.Run("INSERT INTO node_runs (run_id, node) VALUES ($1, $2)", {run_id, node}));
  return {};
}

Status Drop(store::Txn& txn, const std::string& run_id) {
  TRY(txn.Run("DELETE FROM node_runs WHERE run_id = $1", {run_id}));
  return {};
}

Result<std::string> HolderOf(store::Txn& txn, const std::string& run_id) {
  const auto rows = TRY(txn.Run("SELECT node FROM node_runs WHERE run_id = $1", {run_id}));
  return rows.empty() ? std::string() : rows[0].text(0);
}

Status AskToStop(store::Txn& txn, const std::string& run_id) {
  TRY(txn.Run("UPDATE node_runs SET stop = 1 WHERE run_id = $1", {run_id}));
  return {};
}

Result<std::vector<Held>> HeldBy(store::Txn& txn, const std::string& node) {
  std::vector<Held> held;
  for (const store::Row& row :
       TRY(txn.Run("SELECT run_id, stop FROM node_runs WHERE node = $1 ORDER BY run_id", {node}))) {
    held.push_back({row.text(0), row.flag(1)});
  }
  return held;
}

Result<bool> TakeDuty(store::Txn& txn, Clock& clock, const std::string& duty, const std::string& node, Millis time) {
  const int64_t now = clock.Now().micros;
  const auto rows = TRY(txn.Run("SELECT node, until FROM node_duties WHERE duty = $1", {duty}));
  if (!rows.empty() && rows[0].text(0) != node && rows[0].integer(1) > now) return false;
  TRY(
      txn.Run("INSERT INTO node_duties (duty, node, until) VALUES ($1, $2, $3) ON CONFLICT (duty) DO UPDATE SET node = "
              "excluded.node, until = excluded.until",
              {duty, node, store::Int(now + time.count() * 1'000)}));
  return true;
}

Status LeaveDuty(store::Txn& txn, const std::string& duty, const std::string& node) {
  TRY(txn.Run("DELETE FROM node_duties WHERE duty = $1 AND node = $2", {duty, node}));
  return {};
}

Result<std::string> OnDuty(store::Txn& txn, Clock& clock, const std::string& duty) {
  const auto rows = TRY(txn.Run("SELECT node, until FROM node_duties WHERE duty = $1", {duty}));
  return rows.empty() || rows[0].integer(1) <= clock.Now().micros ? std::string() : rows[0].text(0);
}

}  // namespace weft::nodes
