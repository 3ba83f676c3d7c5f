#include "state/schedules/schedules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/id.h"
#include "model/schedule.h"

namespace weft::schedules {
namespace {

constexpr store::Migration kMigrations[] = {{"schedules", 1, R"(
CREATE TABLE schedules (
  port TEXT PRIMARY KEY,
  product TEXT NOT NULL,
  cron TEXT NOT NULL,
  zone TEXT NOT NULL,
  starts TEXT NOT NULL,
  promised BIGINT NOT NULL,
  retries INTEGER NOT NULL,
  published_by TEXT NOT NULL,
  due BIGINT,
  retry_at BIGINT,
  retry_of TEXT NOT NULL,
  took BIGINT NOT NULL
);
CREATE INDEX schedules_product ON schedules (product);
CREATE INDEX schedules_due ON schedules (due);
CREATE INDEX schedules_retry ON schedules (retry_at);
CREATE TABLE schedule_inputs (
  reader TEXT NOT NULL,
  input TEXT NOT NULL,
  PRIMARY KEY (reader, input)
);
CREATE INDEX schedule_inputs_input ON schedule_inputs (input);
CREATE TABLE pauses (
  address TEXT PRIMARY KEY,
  paused_by TEXT NOT NULL,
  because TEXT NOT NULL,
  at TEXT NOT NULL
);
)"}};

constexpr std::string_view kColumns =
    "port, cron, zone, starts, promised, retries, published_by, due, retry_at, retry_of, took";

store::Cell Micros(const std::optional<Instant>& time) { return time ? store::Int(time->micros) : std::nullopt; }

std::optional<Instant> InstantOf(const store::Row& row, size_t column) {
  if (row.null(column)) return std::nullopt;
  return Instant{row.integer(column)};
}

Result<Schedule> ScheduleOf(const store::Row& row) {
  Schedule schedule;
  schedule.port = TRY(model::PortKey::Parse(row.text(0)));
  schedule.cron = row.text(1);
  schedule.zone = row.text(2);
  schedule.trigger = row.text(3);
  schedule.promised = Millis(row.integer(4));
  schedule.retries = static_cast<int>(row.integer(5));
  schedule.published_by = row.text(6);
  schedule.due = InstantOf(row, 7);
  schedule.retry_at = InstantOf(row, 8);
  schedule.retry_of = row.text(9);
  schedule.took = Millis(row.integer(10));
  return schedule;
}

Result<std::vector<Schedule>> SchedulesOf(const std::vector<store::Row>& rows) {
  std::vector<Schedule> schedules;
  for (const store::Row& row : rows) schedules.push_back(TRY(ScheduleOf(row)));
  return schedules;
}

Instant Later(Instant time, Millis by) { return Instant{time.micros + by.count() * 1'000}; }

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

std::string Schedule::Text() const { return model::ScheduleText(cron, zone, trigger); }

bool Schedule::SameAs(const Schedule& other) const {
  return cron == other.cron && zone == other.zone && trigger == other.trigger && promised == other.promised;
}

Status Put(store::Txn& txn, const Schedule& schedule) {
  const std::string port = schedule.port.Text();
  TRY(txn.Run("DELETE FROM schedules WHERE port = $1", {port}));
  TRY(txn.Run(
      fmt::format("INSERT INTO schedules ({}, product) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                  kColumns),
      {port, schedule.cron, schedule.zone, schedule.trigger, store::Int(schedule.promised.count()),
       store::Int(schedule.retries), schedule.published_by, Micros(schedule.due), Micros(schedule.retry_at),
       schedule.retry_of, store::Int(schedule.took.count()), schedule.port.domain + "/" + schedule.port.product}));
  TRY(txn.Run("DELETE FROM schedule_inputs WHERE reader = $1", {port}));
  for (const model::PortKey& input : schedule.inputs) {
    TRY(txn.Run("INSERT INTO schedule_inputs (reader, input) VALUES ($1, $2)", {port, input.Text()}));
  }
  return {};
}

Status Remove(store::Txn& txn, const model::PortKey& port) {
  TRY(txn.Run("DELETE FROM schedules WHERE port = $1", {port.Text()}));
  TRY(txn.Run("DELETE FROM schedule_inputs WHERE reader = $1", {port.Text()}));
  return {};
}

Result<std::optional<Schedule>> Find(store::Txn& txn, const model::PortKey& port) {
  const auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM schedules WHERE port = $1", kColumns), {port.Text()}));
  if (rows.empty()) return std::optional<Schedule>();
  Schedule schedule = TRY(ScheduleOf(rows[0]));
  for (const store::Row& row : TRY(txn.Run("SELECT input FROM schedule_inputs WHERE reader = $1", {port.Text()}))) {
    schedule.inputs.insert(TRY(model::PortKey::Parse(row.text(0))));
  }
  return std::optional<Schedule>(std::move(schedule));
}

Result<std::vector<Schedule>> OfProduct(store::Txn& txn, const std::string& domain, const std::string& product) {
  return SchedulesOf(TRY(txn.Run(fmt::format("SELECT {} FROM schedules WHERE product = $1 ORDER BY port", kColumns),
                                 {domain + "/" + product})));
}

Result<std::vector<Schedule>> Due(store::Txn& txn, Instant now) {
  // Two stretches of two indexes, which are empty nearly always.
  std::vector<Schedule> due = TRY(SchedulesOf(
      TRY(txn.Run(fmt::format("SELECT {} FROM schedules WHERE due <= $1", kColumns), {store::Int(now.micros)}))));
  const auto again = TRY(SchedulesOf(
      TRY(txn.Run(fmt::format("SELECT {} FROM schedules WHERE retry_at <= $1", kColumns), {store::Int(now.micros)}))));
  for (const Schedule& schedule : again) {
    if (!schedule.due || *schedule.due > now) due.push_back(schedule);
  }
  const auto since = [&](const Schedule& one) { return one.due && *one.due <= now ? *one.due : *one.retry_at; };
  std::ranges::stable_sort(due, {}, since);
  return due;
}

Result<bool> Claim(store::Txn& txn, const Schedule& was, const std::optional<Instant>& next) {
  std::string sql =
      "UPDATE schedules SET due = $2, retry_at = NULL, retry_of = '' WHERE port = $1 AND cron = $3 AND zone = $4 AND "
      "starts = $5";
  std::vector<store::Cell> args = {was.port.Text(), Micros(next), was.cron, was.zone, was.trigger};
  for (const auto& [column, time] : {std::pair("due", &was.due), std::pair("retry_at", &was.retry_at)}) {
    if (*time) args.push_back(Micros(*time));
    sql += *time ? fmt::format(" AND {} = ${}", column, args.size()) : fmt::format(" AND {} IS NULL", column);
  }
  return !TRY(txn.Run(sql + " RETURNING port", args)).empty();
}

Status NoteCommit(store::Txn& txn, const model::PortKey& port, Instant now) {
  TRY(
      txn.Run("UPDATE schedules SET due = $2 WHERE starts = 'inputs' AND port IN (SELECT reader FROM schedule_inputs "
              "WHERE input = $1)",
              {port.Text(), store::Int(now.micros)}));
  return {};
}

Status NoteStart(store::Txn& txn, const model::PortKey& port) {
  TRY(txn.Run("UPDATE schedules SET due = NULL WHERE port = $1 AND starts = 'inputs'", {port.Text()}));
  return {};
}

Status NoteEnd(store::Txn& txn, Instant now, const Ended& ended) {
  const auto found = TRY(Find(txn, ended.port));
  if (!found) return {};
  const Schedule& was = *found;
  const bool again = ended.by_itself && (ended.passes || ended.stopped) && ended.attempt <= was.retries;
  store::Cell due = Micros(was.due), retry_at = Micros(was.retry_at);
  std::string retry_of = was.retry_of;
  if (again) {
    const Instant then = ended.stopped ? now : Later(now, RetryAfter(ended.attempt, ended.run));
    retry_at = store::Int(then.micros);
    retry_of = ended.run;
  } else if (ended.good) {
    retry_at.reset();
    retry_of.clear();
  }
  const Millis took = ended.good ? std::max(ended.took, (was.took + ended.took) / 2) : was.took;
  // Half of what is promised, from start to start: a run that fails leaves time for another.
  if (was.trigger == "freshness") {
    due = store::Int(Later(now, std::max(was.promised / 2 - took, Millis(1'000))).micros);
  }
  TRY(txn.Run("UPDATE schedules SET due = $2, retry_at = $3, retry_of = $4, took = $5 WHERE port = $1",
              {ended.port.Text(), due, retry_at, retry_of, store::Int(took.count())}));
  return {};
}

Millis RetryAfter(int attempt, const std::string& run) {
  const int64_t doubled = int64_t{30'000} << std::min(std::max(attempt - 1, 0), 7);
  const int64_t base = std::min<int64_t>(doubled, 3'600'000);
  const auto jitter = static_cast<int64_t>(std::strtoul(Sha256(run).substr(0, 4).c_str(), nullptr, 16) % 1'000);
  return Millis(base + base / 4 * jitter / 1'000);
}

Status Put(store::Txn& txn, const Pause& pause) {
  TRY(
      txn.Run("INSERT INTO pauses (address, paused_by, because, at) VALUES ($1, $2, $3, $4) ON CONFLICT (address) DO "
              "UPDATE SET paused_by = excluded.paused_by, because = excluded.because, at = excluded.at",
              {pause.address, pause.by, pause.because, pause.at.Text()}));
  return {};
}

Result<bool> RemovePause(store::Txn& txn, const std::string& address) {
  return !TRY(txn.Run("DELETE FROM pauses WHERE address = $1 RETURNING address", {address})).empty();
}

Result<std::map<std::string, Pause>> Pauses(store::Txn& txn) {
  std::map<std::string, Pause> pauses;
  for (const store::Row& row : TRY(txn.Run("SELECT address, paused_by, because, at FROM pauses"))) {
    pauses[row.text(0)] = {row.text(0), row.text(1), row.text(2), TRY(row.time(3))};
  }
  return pauses;
}

const Pause* PauseOf(const std::map<std::string, Pause>& pauses, const model::PortKey& port) {
  for (const std::string& address : {port.Text(), port.domain + "/" + port.product, port.domain}) {
    if (const auto found = pauses.find(address); found != pauses.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace weft::schedules
