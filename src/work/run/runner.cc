#include <fmt/format.h>

#include <list>
#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/nodes/nodes.h"
#include "work/run/execution.h"
#include "work/run/orphans.h"

namespace weft::run {
namespace {

constexpr size_t kQueueLimit = 10'000;

// The runs of one request: what failed there is not built upon.
struct Batch {
  std::map<model::PortKey, std::string> ended_badly;  // Port → run.
};

struct Job {
  runs::Run run;
  std::set<model::PortKey> upstream;
  bool force = false;
  std::string purpose;
  std::shared_ptr<Batch> batch;  // Shared by the jobs of a request, guarded by the runner's mutex.
  bool started = false;
  Live live;
};

// A port that was asked for, and the ports that its run reads.
struct Wanted {
  catalog::Port port;
  std::set<model::PortKey> upstream;
};

class PoolRunner final : public Runner {
 public:
  explicit PoolRunner(Context context)
      : context_(std::move(context)),
        pool_("runs", static_cast<size_t>(std::max(1, context_.options.parallel_runs)), kQueueLimit) {}

  ~PoolRunner() override {
    std::vector<std::shared_ptr<Job>> waiting;
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const auto& job : jobs_) {
        job->live.stop().request_stop();
        if (!job->started) waiting.push_back(job);
      }
      std::erase_if(jobs_, [](const auto& job) { return !job->started; });
    }
    for (const auto& job : waiting) {
      Execution(context_, judge_, job->run, job->force, job->purpose, job->live)
          .EndEarly("cancelled", "the node stopped before the run began");
    }
  }  // The pool waits for what runs; of several nodes, this one is alive until then, and a while longer.

  Result<std::vector<runs::Run>> Submit(const model::Caller& caller, const Request& request) override;
  Result<runs::Run> Rollback(const model::Caller& caller, const model::PortKey& key, const std::optional<lake::At>& to,
                             const std::string& reason) override;
  Status Cancel(const model::Caller& caller, const std::string& run_id) override;
  Status Tend() override;
  Result<runs::Run> Get(const std::string& run_id) override;

 private:
  Result<std::vector<Wanted>> Want(store::Txn& txn, const model::Caller& caller, const Request& request);
  Result<std::set<model::PortKey>> Upstream(store::Txn& txn, const catalog::Port& port);
  Result<model::Decision> MayRun(store::Txn& txn, const model::Caller& caller, const catalog::Port& port);
  Error Denied(const model::Caller& caller, const catalog::Port& port, const model::Decision& decision);
  Status EndLost(store::Txn& txn, const model::PortKey& port);
  Result<bool> IsElsewhere(store::Txn& txn, const std::string& run_id);
  bool StopHere(const std::string& run_id);
  std::shared_ptr<Job> NewJob(const model::Caller& caller, const model::PortKey& port) const;
  Status Insert(std::unique_ptr<store::Txn>& txn, const model::Caller& caller, const runs::Run& run);
  Status Queue(store::Txn& txn, const std::vector<std::shared_ptr<Job>>& jobs);
  void Dispatch();
  void Do(const std::shared_ptr<Job>& job);
  void Finish(const std::shared_ptr<Job>& job, const runs::Run& ended);

  Context context_;
  BuildJudge judge_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Job>> jobs_;  // Pending and running, in the order in which they may begin.
  bool stopping_ = false;
  Pool pool_;  // Last: it goes first, and its threads use all of the above.
};

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

// Upstream first, else as it came. What stands in a circle, which publishing refuses, keeps its order.
std::vector<Wanted> Ordered(std::vector<Wanted> wanted) {
  std::map<model::PortKey, std::vector<size_t>> readers;
  std::vector<size_t> waits_for(wanted.size(), 0);
  std::set<model::PortKey> asked;
  for (const Wanted& one : wanted) asked.insert(one.port.row.key);
  std::set<size_t> ready, waiting;
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (const model::PortKey& above : wanted[i].upstream) {
      if (!asked.contains(above)) continue;
      readers[above].push_back(i);
      ++waits_for[i];
    }
    (waits_for[i] == 0 ? ready : waiting).insert(i);
  }
  std::vector<Wanted> ordered;
  while (!ready.empty() || !waiting.empty()) {
    std::set<size_t>& from = ready.empty() ? waiting : ready;
    const size_t next = *from.begin();
    from.erase(from.begin());
    for (size_t reader : readers[wanted[next].port.row.key]) {
      if (--waits_for[reader] == 0 && waiting.erase(reader) > 0) ready.insert(reader);
    }
    ordered.push_back(std::move(wanted[next]));
  }
  return ordered;
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

// A run whose end could not be written, the disk being full, stands in the store as alive, and nobody executes it: its
// end is written now, so that the port can run again. `txn` holds the writer's turn, so no other request is between its
// rows and its jobs.
Status PoolRunner::EndLost(store::Txn& txn, const model::PortKey& port) {
  for (const char* status : {"pending", "running"}) {
    for (runs::Run& run : TRY(runs::List(txn, {port.Text(), status, 10}))) {
      {
        std::lock_guard lock(mutex_);
        if (std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->run.id == run.id; })) continue;
      }
      if (TRY(IsElsewhere(txn, run.id))) continue;
      run.status = "interrupted";
      run.message = "its end could not be recorded when it came; run the port again";
      run.ended_at = context_.clock.Now();
      TRY(runs::Update(txn, run));
      TRY(lake::EndLease(txn, run.port, run.id));
      TRY(ledger::Append(txn, context_.clock,
                         {"interrupted", run.requested_by, "", run.port.Text(), Json::Map({{"run", run.id}})}));
    }
  }
  return {};
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
  std::vector<std::shared_ptr<Job>> jobs;
  for (const Wanted& one : wanted) {
    auto job = NewJob(caller, one.port.row.key);
    job->run.logical_time = request.logical_time.value_or(job->run.requested_at);
    job->upstream = one.upstream;
    job->force = request.force;
    job->batch = batch;
    TRY(Insert(txn, caller, job->run));
    submitted.push_back(job->run);
    jobs.push_back(std::move(job));
  }
  TRY(Queue(*txn, jobs));
  txn.reset();
  Dispatch();
  return submitted;
}

std::shared_ptr<Job> PoolRunner::NewJob(const model::Caller& caller, const model::PortKey& port) const {
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
Status PoolRunner::Queue(store::Txn& txn, const std::vector<std::shared_ptr<Job>>& jobs) {
  std::lock_guard lock(mutex_);
  if (stopping_) return Error{Code::kUnavailable, "the node is stopping; try again when it is back"};
  if (jobs_.size() + jobs.size() > kQueueLimit)
    return Error{Code::kUnavailable, "too many runs are waiting; try again later"};
  TRY(txn.Commit());
  jobs_.insert(jobs_.end(), jobs.begin(), jobs.end());
  return {};
}

// The snapshot that `to` names, or the one before what readers see.
Result<int64_t> FormerOf(store::Txn& txn, const model::PortKey& key, const std::optional<lake::At>& to) {
  const std::vector<lake::Snapshot> history = TRY(lake::History(txn, key));
  const lake::View now = TRY(lake::Open(txn, key));
  if (!now.snapshot) return Error{Code::kNotFound, key.Text() + " has no snapshot yet: there is nothing to roll back"};
  const std::vector<int64_t> line = lake::LineOf(history, now.snapshot->id);
  if (!to) {
    if (line.size() > 1) return line[1];
    return Error{Code::kNotFound,
                 fmt::format("{} has no snapshot before the one that readers see: weft snapshots {} lists all; name "
                             "one with --to",
                             key.Text(), key.Text())};
  }
  const lake::View former = TRY(lake::Open(txn, key, *to));
  if (lake::LineOf(history, former.snapshot->id) == line) {
    return Error{Code::kConflict, fmt::format("the rows of snapshot {} are what readers of {} see already",
                                              former.snapshot->id, key.Text())};
  }
  return former.snapshot->id;
}

Result<runs::Run> PoolRunner::Rollback(const model::Caller& caller, const model::PortKey& key,
                                       const std::optional<lake::At>& to, const std::string& reason) {
  {
    auto txn = TRY(context_.store.Read());
    const catalog::Port port = TRY(catalog::Load(*txn, key));
    const model::Decision may = TRY(MayRun(*txn, caller, port));
    if (!may.permitted) return Denied(caller, port, may);
  }
  auto txn = TRY(context_.store.Begin());
  auto job = NewJob(caller, key);
  job->run.restores = TRY(FormerOf(*txn, key, to));
  job->run.reason = reason;
  const runs::Run submitted = job->run;
  TRY(Insert(txn, caller, submitted));
  TRY(Queue(*txn, {job}));
  txn.reset();
  Dispatch();
  return submitted;
}

// Hands to the pool every run that waits for no other: its upstream ports have nothing in flight that came before it.
void PoolRunner::Dispatch() {
  std::lock_guard lock(mutex_);
  std::set<model::PortKey> earlier;
  for (const auto& job : jobs_) {
    const bool waits = std::any_of(job->upstream.begin(), job->upstream.end(),
                                   [&](const model::PortKey& key) { return earlier.contains(key); });
    earlier.insert(job->run.port);
    if (job->started || waits || stopping_) continue;
    job->started = pool_.Submit([this, job] { Do(job); }).has_value();
  }
}

void PoolRunner::Do(const std::shared_ptr<Job>& job) {
  std::string why;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [port, run] : job->batch->ended_badly) {
      if (job->upstream.contains(port))
        why = fmt::format("it comes after {}, which did not succeed in {}", port.Text(), run);
    }
  }
  Execution execution(context_, judge_, job->run, job->force, job->purpose, job->live);
  if (job->live.stop().stop_requested()) {
    Finish(job, execution.EndEarly("cancelled", "the run was cancelled"));
  } else if (!why.empty()) {
    Finish(job, execution.EndEarly("failed", why));
  } else {
    Finish(job, execution.Run());
  }
  Dispatch();
}

void PoolRunner::Finish(const std::shared_ptr<Job>& job, const runs::Run& ended) {
  std::lock_guard lock(mutex_);
  if (ended.status != "succeeded" && ended.status != "skipped") job->batch->ended_badly[ended.port] = ended.id;
  jobs_.remove(job);
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
  std::shared_ptr<Job> waiting;
  {
    std::lock_guard lock(mutex_);
    auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& each) { return each->run.id == run_id; });
    if (job == jobs_.end()) return false;
    (*job)->live.stop().request_stop();
    if (!(*job)->started) {
      waiting = *job;
      waiting->started = true;  // Nobody else begins it now.
    }
  }
  if (!waiting) return true;
  Execution execution(context_, judge_, waiting->run, waiting->force, waiting->purpose, waiting->live);
  Finish(waiting, execution.EndEarly("cancelled", "the run was cancelled"));
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
    TRY(nodes::KeepAlive(*txn, context_.clock, context_.options.node, context_.options.node_timeout));
    for (const nodes::Held& held : TRY(nodes::HeldBy(*txn, context_.options.node))) {
      std::lock_guard lock(mutex_);
      const bool here = std::ranges::any_of(jobs_, [&](const auto& job) { return job->run.id == held.run_id; });
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
  if (run.status != "running") return run;
  std::lock_guard lock(mutex_);
  for (const auto& job : jobs_) {
    if (job->run.id == run_id) job->live.Overlay(run);
  }
  return run;
}

}  // namespace

Result<std::unique_ptr<Runner>> Runner::Start(Context context) {
  if (!context.check) return Error{Code::kInternal, "a runner needs a step that checks contracts"};
  if (!context.options.temp_folder.empty()) TRY(MakeFolders(context.options.temp_folder));
  {
    auto txn = TRY(context.store.Begin());
    TRY(EndOrphans(*txn, context, true));
    if (!context.options.node.empty()) {
      TRY(nodes::KeepAlive(*txn, context.clock, context.options.node, context.options.node_timeout));
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
