// The runner's part that starts what schedules say is due.
#include <map>

#include "state/nodes/nodes.h"
#include "work/run/pool_runner.h"

namespace weft::run {
namespace {

constexpr size_t kMostAtOnce = 500;  // Runs that schedules start in one transaction.
const std::string kDuty = "schedules";

}  // namespace

std::string PriorityOf(const catalog::Port& port) {
  return BuildOf(*port.bundle, *port.port).value_or(model::Build{}).priority;
}

// Of several nodes over one store, whether this is the one that starts what is due.
Result<bool> PoolRunner::KeepDuty() {
  if (!context_.options.several) return true;
  const Instant now = context_.clock.Now();
  if (now < look_again_) return on_duty_;
  const Millis time = context_.options.node_timeout;
  look_again_ = Instant{now.micros + time.count() * 1'000 / 4};
  if (!on_duty_) {
    auto txn = TRY(context_.store.Read());
    const std::string who = TRY(nodes::OnDuty(*txn, context_.clock, kDuty));
    if (!who.empty() && who != context_.options.node) return false;
  }
  auto txn = TRY(context_.store.Begin());
  on_duty_ = TRY(nodes::TakeDuty(*txn, context_.clock, kDuty, context_.options.node, time));
  TRY(txn->Commit());
  return on_duty_;
}

Status PoolRunner::LeaveDuty() {
  std::lock_guard turn(duty_mutex_);
  if (!on_duty_) return {};
  on_duty_ = false;
  auto txn = TRY(context_.store.Begin());
  TRY(nodes::LeaveDuty(*txn, kDuty, context_.options.node));
  return txn->Commit();
}

std::function<Result<bool>(const std::string&)> PoolRunner::Busy(store::Txn& txn) {
  return [this, &txn](const std::string& run) -> Result<bool> {
    {
      std::lock_guard lock(mutex_);
      if (queue_.Find(run)) return true;
    }
    return IsElsewhere(txn, run);
  };
}

Status PoolRunner::StartDue() {
  if (!context_.options.schedules) return {};
  std::lock_guard turn(duty_mutex_);
  if (!TRY(KeepDuty())) return {};
  std::vector<Due> due;
  std::vector<JobPtr> jobs;
  std::vector<model::PortKey> lost;
  {
    auto txn = TRY(context_.store.Read());
    due = TRY(FindDue(*txn, &lost));
    if (due.empty()) return {};
    jobs = TRY(JobsOf(*txn, &due));
  }
  if (!lost.empty()) {  // Their ends plan what comes after them: the next turn finds it.
    auto txn = TRY(context_.store.Begin());
    for (const model::PortKey& port : lost) TRY(EndLost(*txn, port));
    return txn->Commit();
  }
  return Start(due, jobs);
}

// What is due, and nothing stands in its way. Most turns find nothing.
Result<std::vector<Due>> PoolRunner::FindDue(store::Txn& txn, std::vector<model::PortKey>* lost) {
  const Instant now = context_.clock.Now();
  std::vector<Due> due;
  if (TRY(schedules::Due(txn, now)).empty()) return due;
  Moment moment = TRY(Moment::Of(txn, now, Busy(txn)));
  for (const schedules::Schedule& schedule : moment.due()) {
    if (due.size() == kMostAtOnce) break;
    if (TRY(moment.InTheWay(schedule))) continue;
    if (moment.Lost(schedule.port)) lost->push_back(schedule.port);
    auto one = DueOf(txn, schedule, now);
    if (!one && one.error().code == Code::kUnavailable) return one.TakeError();
    if (one && *one) due.push_back(std::move(**one));
    if (one || !odd_.insert(schedule.port).second) continue;
    log::Warn("a schedule starts nothing", {{"port", schedule.port.Text()}, {"why", one.error().message}});
  }
  return due;
}

// One for each of `due`, both in the order in which they may run; without those whose port is gone.
Result<std::vector<JobPtr>> PoolRunner::JobsOf(store::Txn& txn, std::vector<Due>* due) {
  std::vector<Wanted> wanted;
  std::map<model::PortKey, Due> by_port;
  for (Due& one : *due) {
    auto port = catalog::Load(txn, one.schedule.port);
    if (!port && port.error().code == Code::kNotFound) continue;
    if (!port) return port.TakeError();
    by_port.emplace(one.schedule.port, std::move(one));
    auto upstream = TRY(Upstream(txn, *port));
    wanted.push_back({port.TakeValue(), std::move(upstream)});
  }
  due->clear();
  std::vector<JobPtr> jobs;
  for (const Wanted& one : Ordered(std::move(wanted))) {
    Due& asked = by_port.at(one.port.row.key);
    model::Caller caller;
    caller.principal = {model::Principal::Kind::kProduct, ProductPrincipal(one.port.row.key), {}};
    JobPtr job = NewJob(caller, one.port.row.key);
    job->run.cause = asked.cause;
    job->run.logical_time = asked.logical_time;
    job->run.retry_of = asked.retry_of;
    job->run.attempt = asked.attempt;
    job->priority = PriorityOf(one.port);
    job->upstream = one.upstream;
    jobs.push_back(std::move(job));
    due->push_back(std::move(asked));
  }
  return jobs;
}

// In one transaction, each run with what its schedule is due at next: none is started twice, and none is lost. Where
// something changed meanwhile, the next turn looks anew.
Status PoolRunner::Start(const std::vector<Due>& due, const std::vector<JobPtr>& jobs) {
  auto txn = TRY(context_.store.Begin());
  if (context_.options.several) {
    on_duty_ = TRY(nodes::TakeDuty(*txn, context_.clock, kDuty, context_.options.node, context_.options.node_timeout));
    if (!on_duty_) return {};
  }
  std::vector<JobPtr> started;
  for (size_t i = 0; i < jobs.size(); ++i) {
    Status inserted = runs::Insert(*txn, jobs[i]->run);
    if (!inserted && inserted.error().code == Code::kConflict) continue;
    TRY(std::move(inserted));
    if (!TRY(schedules::Claim(*txn, due[i].schedule, due[i].next))) return {};
    TRY(nodes::Take(*txn, jobs[i]->run.id, context_.options.node));
    started.push_back(jobs[i]);
  }
  TRY(Enqueue(*txn, started));
  txn.reset();
  Dispatch();
  return {};
}

Result<Why> PoolRunner::Explain(const model::PortKey& port) {
  auto txn = TRY(context_.store.Read());
  Asked asked{*txn, context_, Busy(*txn), {}};
  asked.waiting = [this](const std::string& run) {
    std::lock_guard lock(mutex_);
    return queue_.WhyWaits(run);
  };
  return WhyOf(asked, port);
}

}  // namespace weft::run
