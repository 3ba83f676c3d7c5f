#include "work/run/due.h"

#include "model/cron.h"
#include "state/runs/runs.h"

namespace weft::run {

Result<std::optional<Due>> DueOf(store::Txn& txn, const schedules::Schedule& schedule, Instant now) {
  Due due{schedule, schedule.trigger, now, std::nullopt};
  const bool regular = schedule.due && *schedule.due <= now;
  if (!schedule.cron.empty()) {
    const model::Cron cron = TRY(model::Cron::Parse(schedule.cron, schedule.zone));
    due.cause = "schedule";
    due.next = regular || !schedule.due ? std::optional(cron.After(now)) : schedule.due;
    if (regular) due.logical_time = cron.Last(*schedule.due, now).value_or(*schedule.due);
  } else if (schedule.trigger == "freshness") {
    // The run's end says when it is to be made again; this is for one that leaves no end.
    due.next = Instant{now.micros + schedule.promised.count() * 1'000};
  }
  if (regular) return std::optional<Due>(std::move(due));
  if (!schedule.retry_at || *schedule.retry_at > now) return std::optional<Due>();
  const runs::Run before = TRY(runs::Get(txn, schedule.retry_of));
  if (schedule.trigger == "inputs") due.next = schedule.due;
  due.cause = "retry";
  due.logical_time = before.logical_time;
  due.retry_of = before.id;
  due.attempt = before.attempt + 1;
  return std::optional<Due>(std::move(due));
}

Result<Moment> Moment::Of(store::Txn& txn, Instant now, std::function<Result<bool>(const std::string& run)> busy) {
  Moment moment(txn);
  moment.busy_ = std::move(busy);
  moment.due_ = TRY(schedules::Due(txn, now));
  moment.alive_ = TRY(runs::Alive(txn));
  moment.pauses_ = TRY(schedules::Pauses(txn));
  for (const schedules::Schedule& schedule : moment.due_) {
    if (!schedules::PauseOf(moment.pauses_, schedule.port)) moment.due_ports_.insert(schedule.port);
  }
  return moment;
}

// One whose end could not be recorded stands there as alive, and nobody executes it: it is in nobody's way.
Result<std::string> Moment::RunOf(const model::PortKey& port) {
  const auto found = alive_.find(port);
  if (found == alive_.end()) return std::string();
  if (TRY(busy_(found->second))) return found->second;
  lost_.insert(port);
  alive_.erase(found);
  return std::string();
}

Result<std::optional<Obstacle>> Moment::InTheWay(const schedules::Schedule& schedule) {
  if (const schedules::Pause* pause = schedules::PauseOf(pauses_, schedule.port)) {
    return std::optional(Obstacle{.kind = Obstacle::Kind::kPaused, .pause = *pause});
  }
  if (std::string run = TRY(RunOf(schedule.port)); !run.empty()) {
    return std::optional(Obstacle{.kind = Obstacle::Kind::kRunning, .run = std::move(run)});
  }
  if (schedule.trigger != "inputs") return std::optional<Obstacle>();
  const auto found = TRY(schedules::Find(*txn_, schedule.port));
  if (!found) return std::optional<Obstacle>();
  std::set<model::PortKey> seen = {schedule.port};
  for (const model::PortKey& input : found->inputs) {
    if (auto obstacle = TRY(Above(input, &seen))) return obstacle;
  }
  return std::optional<Obstacle>();
}

// Whether the port, or what makes it run by itself, is about to have other rows.
Result<std::optional<Obstacle>> Moment::Above(const model::PortKey& port, std::set<model::PortKey>* seen) {
  if (const auto known = answers_.find(port); known != answers_.end()) return known->second;
  if (!seen->insert(port).second) return std::optional<Obstacle>();  // Met before, and nothing was in the way.
  std::optional<Obstacle> answer;
  const std::string run = TRY(RunOf(port));
  if (!run.empty() || due_ports_.contains(port)) {
    answer = Obstacle{.kind = Obstacle::Kind::kUpstream, .port = port, .run = run};
  } else if (const auto schedule = TRY(schedules::Find(*txn_, port)); schedule && schedule->trigger == "inputs") {
    for (const model::PortKey& input : schedule->inputs) {
      answer = TRY(Above(input, seen));
      if (answer) break;
    }
  }
  answers_[port] = answer;
  return answer;
}

}  // namespace weft::run
