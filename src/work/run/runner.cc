#include <fmt/format.h>

#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "model/quarantine.h"
#include "state/nodes/nodes.h"
#include "work/run/orphans.h"
#include "work/run/pool_runner.h"

namespace weft::run {

Result<model::Decision> PoolRunner::MayRun(store::Txn& txn, const model::Caller& caller, const catalog::Port& port) {
  return access::Decide(txn, context_.clock, caller, model::Action::kRun, port.resource);
}

// The denial is in the ledger before the caller knows of it. Whoever calls holds no writing transaction.
Error PoolRunner::Denied(const model::Caller& caller, const catalog::Port& port, const model::Decision& decision) {
  const std::string key = port.row.key.Text();
  Status recorded = context_.ledger.Deny(ledger::Denial(caller, model::Action::kRun, key, decision.reasons));
  if (!recorded) return recorded.TakeError();
  return {Code::kDenied, fmt::format("{} may not run {}: {}", caller.principal.name, key, decision.Why())};
}

Result<std::set<model::PortKey>> PoolRunner::Upstream(store::Txn& txn, const catalog::Port& port) {
  auto judged = judge_.Judge(*port.bundle, BuildOf(*port.bundle, *port.port).value_or(model::Build{}));
  if (!judged && judged.error().code == Code::kUnavailable) return judged.TakeError();
  return run::Upstream(txn, port, judged ? judged->inputs : std::set<std::string>{});
}

Result<std::vector<Wanted>> PoolRunner::Want(store::Txn& txn, const model::Caller& caller, const Request& request) {
  std::vector<catalog::PortRow> rows;
  if (request.ports.empty()) {
    for (catalog::PortRow& row : TRY(catalog::Ports(txn))) {
      if (row.status != "retired") rows.push_back(std::move(row));
    }
  }
  for (const model::PortKey& key : request.ports) rows.push_back(TRY(catalog::Resolve(txn, key.ToAddress())));
  std::vector<Wanted> wanted;
  std::set<model::PortKey> seen;
  for (const catalog::PortRow& row : rows) {
    if (!seen.insert(row.key).second) continue;
    Wanted one{TRY(catalog::Load(txn, row)), {}};
    const model::Decision may = TRY(MayRun(txn, caller, one.port));
    const bool builds = BuildOf(*one.port.bundle, *one.port.port).has_value();
    if (request.ports.empty() && (!may.permitted || !builds)) continue;
    if (!may.permitted) return Denied(caller, one.port, may);
    if (!builds)
      return Error{Code::kInvalid,
                   fmt::format("{} has no build to run: it names no SQL, and the product has not exactly one input",
                               row.key.Text())};
    one.upstream = TRY(Upstream(txn, one.port));
    wanted.push_back(std::move(one));
  }
  if (wanted.empty()) return Error{Code::kNotFound, "there is nothing that you may run"};
  return Ordered(std::move(wanted));
}

Result<std::vector<runs::Run>> PoolRunner::Submit(const model::Caller& caller, const Request& request) {
  std::vector<Wanted> wanted;
  {
    auto txn = TRY(context_.store.Read());  // Reading a large catalogue keeps no writer waiting.
    wanted = TRY(Want(*txn, caller, request));
  }
  auto txn = TRY(context_.store.Begin());
  auto batch = std::make_shared<Batch>();
  std::vector<runs::Run> submitted;
  std::vector<JobPtr> jobs;
  for (const Wanted& one : wanted) {
    auto job = NewJob(caller, one.port.row.key);
    job->run.cause = request.cause;
    job->run.retry_of = request.retry_of;
    job->priority = PriorityOf(one.port);
    job->run.logical_time = request.logical_time.value_or(job->run.requested_at);
    job->upstream = one.upstream;
    job->wish = {request.force, request.whole};
    job->batch = batch;
    TRY(Insert(txn, caller, job->run));
    submitted.push_back(job->run);
    jobs.push_back(std::move(job));
  }
  TRY(Enqueue(*txn, jobs));
  txn.reset();
  Dispatch();
  return submitted;
}

JobPtr PoolRunner::NewJob(const model::Caller& caller, const model::PortKey& port) const {
  auto job = std::make_shared<Job>();
  job->run.id = NewId("run");
  job->run.port = port;
  job->run.status = "pending";
  job->run.requested_by = caller.principal.name;
  job->run.requested_at = context_.clock.Now();
  job->run.logical_time = job->run.requested_at;
  job->purpose = caller.purpose;
  job->batch = std::make_shared<Batch>();
  return job;
}

// The refusal is in the ledger, and the transaction gone, where another run of the port is under way.
Status PoolRunner::Insert(std::unique_ptr<store::Txn>& txn, const model::Caller& caller, const runs::Run& run) {
  Status inserted = runs::Insert(*txn, run);
  if (!inserted && inserted.error().code == Code::kConflict) {
    TRY(EndLost(*txn, run.port));
    inserted = runs::Insert(*txn, run);
  }
  if (!inserted && inserted.error().code == Code::kConflict) {
    txn.reset();
    const std::string what = run.restores ? "rollback" : "run";
    TRY(context_.ledger.Deny(ledger::Refusal(caller, what, run.port.Text(), inserted.error().message)));
  }
  TRY(std::move(inserted));
  return nodes::Take(*txn, run.id, context_.options.node);
}

// Commits what `txn` has of the jobs, and keeps them for those that execute.
Status PoolRunner::Enqueue(store::Txn& txn, const std::vector<JobPtr>& jobs) {
  std::lock_guard lock(mutex_);
  if (stopping_) return Error{Code::kUnavailable, "the node is stopping; try again when it is back"};
  if (queue_.jobs().size() + jobs.size() > kQueueLimit)
    return Error{Code::kUnavailable, "too many runs are waiting; try again later"};
  TRY(txn.Commit());
  for (const JobPtr& job : jobs) queue_.Add(job);
  return {};
}

Result<runs::Run> PoolRunner::Rollback(const model::Caller& caller, const model::PortKey& key,
                                       const std::optional<lake::At>& to, const std::string& reason) {
  {
    auto txn = TRY(context_.store.Read());
    const catalog::Port port = TRY(catalog::Load(*txn, key));
    const model::Decision may = TRY(MayRun(*txn, caller, port));
    if (!may.permitted) return Denied(caller, port, may);
    if (model::IsQuarantine(key.port)) {
      return Error{Code::kInvalid, fmt::format("{} is a quarantine: its rows come and go with the port's runs and with "
                                               "weft fix, and are not rolled back",
                                               key.Text())};
    }
  }
  auto txn = TRY(context_.store.Begin());
  auto job = NewJob(caller, key);
  job->run.restores = TRY(FormerOf(*txn, key, to));
  job->run.reason = reason;
  const runs::Run submitted = job->run;
  TRY(Insert(txn, caller, submitted));
  TRY(Enqueue(*txn, {job}));
  txn.reset();
  Dispatch();
  return submitted;
}

Result<runs::Run> PoolRunner::Correct(const model::Caller& caller, const Correction& correction) {
  {
    auto txn = TRY(context_.store.Read());
    const catalog::Port port = TRY(catalog::Load(*txn, correction.port));
    const model::Decision may = TRY(MayRun(*txn, caller, port));
    if (!may.permitted) return Denied(caller, port, may);
  }
  auto txn = TRY(context_.store.Begin());
  auto job = NewJob(caller, correction.port);
  job->run.cause = "fix";
  job->run.reason = correction.why;
  job->correction = correction;
  const runs::Run submitted = job->run;
  TRY(Insert(txn, caller, submitted));
  TRY(Enqueue(*txn, {job}));
  txn.reset();
  Dispatch();
  return submitted;
}

// Hands to the pool the runs that may begin now.
void PoolRunner::Dispatch() {
  std::lock_guard lock(mutex_);
  while (!stopping_) {
    const JobPtr job = queue_.Next();
    if (!job) return;
    job->started = pool_.Submit([this, job] { Do(job); }).has_value();
    if (!job->started) return;
  }
}

void PoolRunner::Do(const JobPtr& job) {
  std::string why;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [port, run] : job->batch->ended_badly) {
      if (job->upstream.contains(port))
        why = fmt::format("it comes after {}, which did not succeed in {}", port.Text(), run);
    }
  }
  Execution execution(context_, judge_, engines_, job->run, job->wish, job->purpose, job->live);
  if (job->live.stop().stop_requested()) {
    Finish(job, execution, execution.EndEarly("cancelled", "the run was cancelled"));
  } else if (!why.empty()) {
    Finish(job, execution, execution.EndEarly("failed", why));
  } else {
    Finish(job, execution, job->correction ? execution.Run(*job->correction) : execution.Run());
  }
  Dispatch();
}

void PoolRunner::Finish(const JobPtr& job, const Execution& execution, const runs::Run& ended) {
  std::lock_guard lock(mutex_);
  if (!execution.recorded()) lost_[ended.id] = ended;
  if (ended.status != "succeeded" && ended.status != "skipped") job->batch->ended_badly[ended.port] = ended.id;
  queue_.Remove(job);
}

Status PoolRunner::Cancel(const model::Caller& caller, const std::string& run_id) {
  runs::Run run;
  {
    auto txn = TRY(context_.store.Read());
    run = TRY(runs::Get(*txn, run_id));
    const catalog::Port port = TRY(catalog::Load(*txn, run.port));
    const model::Decision may = TRY(MayRun(*txn, caller, port));
    if (!may.permitted) return Denied(caller, port, may);
  }
  if (StopHere(run_id)) return {};
  auto txn = TRY(context_.store.Begin());
  if (!TRY(IsElsewhere(*txn, run_id))) {
    return Error{Code::kConflict, fmt::format("the run {} has ended: {}", run_id, run.status)};
  }
  TRY(nodes::AskToStop(*txn, run_id));
  return txn->Commit();
}

// Whether it is a run of this node that has not ended.
bool PoolRunner::StopHere(const std::string& run_id) {
  JobPtr waiting;
  {
    std::lock_guard lock(mutex_);
    const JobPtr job = queue_.Find(run_id);
    if (!job) return false;
    job->live.stop().request_stop();
    if (!job->started) {
      waiting = job;
      waiting->started = true;  // Nobody else begins it now.
    }
  }
  if (!waiting) return true;
  Execution execution(context_, judge_, engines_, waiting->run, waiting->wish, waiting->purpose, waiting->live);
  Finish(waiting, execution, execution.EndEarly("cancelled", "the run was cancelled"));
  Dispatch();
  return true;
}

// Whether another node that is alive executes it.
Result<bool> PoolRunner::IsElsewhere(store::Txn& txn, const std::string& run_id) {
  const std::string holder = TRY(nodes::HolderOf(txn, run_id));
  if (holder == context_.options.node) return false;
  return nodes::IsAlive(txn, context_.clock, holder);
}

Status PoolRunner::Tend() {
  std::vector<std::string> to_stop;
  {
    auto txn = TRY(context_.store.Begin());
    const Instant reading_since = lake::HeldSince(context_.clock.Now());
    TRY(nodes::KeepAlive(*txn, context_.clock, context_.options.node, context_.options.node_timeout, reading_since));
    for (const nodes::Held& held : TRY(nodes::HeldBy(*txn, context_.options.node))) {
      std::lock_guard lock(mutex_);
      const bool here = queue_.Find(held.run_id) != nullptr;
      if (!here) TRY(nodes::Drop(*txn, held.run_id));
      if (here && held.stop) to_stop.push_back(held.run_id);
    }
    TRY(EndOrphans(*txn, context_, false));
    TRY(txn->Commit());
  }
  for (const std::string& run_id : to_stop) StopHere(run_id);
  return {};
}

Result<runs::Run> PoolRunner::Get(const std::string& run_id) {
  auto txn = TRY(context_.store.Read());
  runs::Run run = TRY(runs::Get(*txn, run_id));
  if (run.status != "running" && run.status != "pending") return run;
  std::lock_guard lock(mutex_);
  if (const auto lost = lost_.find(run_id); lost != lost_.end()) return lost->second;
  const JobPtr job = run.status == "running" ? queue_.Find(run_id) : nullptr;
  if (job) job->live.Overlay(run);
  return run;
}

Result<std::unique_ptr<Runner>> Runner::Start(Context context) {
  if (!context.check) return Error{Code::kInternal, "a runner needs a step that checks contracts"};
  if (!context.options.temp_folder.empty()) TRY(MakeFolders(context.options.temp_folder));
  {
    auto txn = TRY(context.store.Begin());
    TRY(EndOrphans(*txn, context, true));
    if (!context.options.node.empty()) {
      TRY(nodes::KeepAlive(*txn, context.clock, context.options.node, context.options.node_timeout,
                           lake::HeldSince(context.clock.Now())));
    }
    TRY(txn->Commit());
  }
  Status salted = [&]() -> Status {
    auto txn = TRY(context.store.Begin());
    TRY(secrets::EnsureRunSecret(*txn, context.clock, context.vault));
    return txn->Commit();
  }();
  // Runs that need it say so when they come.
  if (!salted) log::Warn("the runs' secret cannot be sealed", {{"why", salted.error().message}});
  return std::make_unique<PoolRunner>(std::move(context));
}

}  // namespace weft::run
