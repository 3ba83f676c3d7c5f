// How runs are watched and stopped while they live, and how each of them ends.
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "state/schedules/schedules.h"
#include "work/run/session.h"

namespace weft::run {

void Live::Enter(const std::string& step, engine::Connection* connection) {
  std::lock_guard lock(mutex_);
  step_ = step;
  connection_ = connection;
}

void Live::Leave() {
  std::lock_guard lock(mutex_);
  connection_ = nullptr;
}

void Live::Overlay(runs::Run& run) const {
  std::lock_guard lock(mutex_);
  if (!step_.empty()) run.step = step_;
  if (connection_) run.progress = std::max(0.0, connection_->Progress());
}

void Live::StopWithNode() {
  {
    std::lock_guard lock(mutex_);
    with_node_ = !stop_.stop_requested();
  }
  stop_.request_stop();
}

bool Live::StoppedWithNode() const {
  std::lock_guard lock(mutex_);
  return with_node_;
}

void Live::StopForTime() {
  {
    std::lock_guard lock(mutex_);
    for_time_ = for_time_ || !stop_.stop_requested();
  }
  stop_.request_stop();
}

bool Live::OutOfTime() const {
  std::lock_guard lock(mutex_);
  return for_time_;
}

Status Close(store::Txn& txn, Clock& clock, const runs::Run& run) {
  TRY(runs::Update(txn, run));
  TRY(lake::EndLease(txn, run.port, run.id));  // With it: should the node die now, nobody waits for what has ended.
  if (run.restores || run.cause == "fix") return {};
  schedules::Ended ended{.port = run.port, .run = run.id, .attempt = run.attempt};
  ended.by_itself = run.cause != "by hand" && run.cause != "back-fill";
  ended.good = run.status == "succeeded" || run.status == "skipped";
  ended.passes = run.failure == CodeName(Code::kUnavailable) || run.failure == "interrupted";
  ended.stopped = run.failure == "stopped";
  if (run.started_at && run.ended_at) ended.took = Millis((run.ended_at->micros - run.started_at->micros) / 1'000);
  return schedules::NoteEnd(txn, clock.Now(), ended);
}

std::string Execution::TimeoutText() const {
  const int64_t seconds = build_.timeout.count() / 1'000;
  if (seconds % 3'600 == 0) return Count(static_cast<size_t>(seconds / 3'600), "hour");
  return seconds % 60 == 0 ? Count(static_cast<size_t>(seconds / 60), "minute")
                           : Count(static_cast<size_t>(seconds), "second");
}

runs::Run Execution::EndEarly(const std::string& status, const std::string& message) {
  run_.status = status;
  run_.message = message;
  run_.ended_at = context_.clock.Now();
  if (live_.StoppedWithNode()) run_.failure = "stopped";
  auto write = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    TRY(Close(*txn, context_.clock, run_));
    TRY(Record(*txn, status == "cancelled" ? "cancelled" : "failed", Json::Map({{"step", run_.step}})));
    return txn->Commit();
  };
  Status written = write();
  recorded_ = written.has_value();
  if (!written) log::Error("run cannot be recorded", {{"run", run_.id}, {"error", written.error().message}});
  return run_;
}

// A failure's message may quote what was read: the run row has it, the ledger only its kind.
runs::Run Execution::End(const Error& error) {
  const bool late = live_.OutOfTime();
  const bool cancelled = live_.stop().stop_requested() && !late;
  run_.status = cancelled ? "cancelled" : error.code == Code::kDenied ? "denied" : "failed";
  run_.message = cancelled ? "the run was cancelled"
                 : late    ? fmt::format("it took longer than the {} that its build allows (timeout)", TimeoutText())
                           : Told(error.message);
  run_.failure = live_.StoppedWithNode() ? "stopped" : late ? "timeout" : cancelled ? "" : CodeName(error.code);
  run_.ended_at = context_.clock.Now();
  run_.snapshot_id.reset();
  auto write = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    TRY(Close(*txn, context_.clock, run_));
    TRY(EndReads(*txn, cancelled ? "cancelled" : "failed", std::string(CodeName(error.code))));
    const std::string kind = run_.status == "denied" ? "refused" : run_.status;  // The denial has its own row.
    TRY(Record(*txn, kind, Json::Map({{"step", run_.step}, {"code", CodeName(error.code)}})));
    return txn->Commit();
  };
  Status written = Persistently(write);
  recorded_ = written.has_value();
  if (!written) log::Error("run cannot be recorded", {{"run", run_.id}, {"error", written.error().message}});
  log::Warn("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}});
  return run_;
}

Status Execution::Record(store::Txn& txn, const std::string& kind, Json detail) {
  detail.Set("run", run_.id);
  if (run_.cause != "by hand") detail.Set("cause", run_.cause);
  if (!run_.retry_of.empty()) detail.Set("retry_of", run_.retry_of);
  return ledger::Append(txn, context_.clock, {kind, run_.requested_by, purpose_, run_.port.Text(), std::move(detail)});
}

}  // namespace weft::run
