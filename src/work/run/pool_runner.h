// The runner: a queue, a pool of threads that execute, and the schedules that fill the queue.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/threads.h"
#include "state/access/access.h"
#include "work/run/due.h"
#include "work/run/execution.h"
#include "work/run/queue.h"
#include "work/run/wanted.h"
#include "work/run/why.h"

namespace weft::run {

inline constexpr size_t kQueueLimit = 10'000;

std::string PriorityOf(const catalog::Port& port);  // Of its build.

class PoolRunner final : public Runner {
 public:
  explicit PoolRunner(Context context)
      : context_(std::move(context)),
        queue_(std::max(1, context_.options.parallel_runs), context_.options.domain_parallel_runs),
        pool_("runs", static_cast<size_t>(std::max(1, context_.options.parallel_runs)), kQueueLimit) {}

  ~PoolRunner() override {
    std::vector<JobPtr> waiting;
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const JobPtr& job : queue_.jobs()) {
        job->live.StopWithNode();
        if (!job->started) waiting.push_back(job);
      }
      for (const JobPtr& job : waiting) queue_.Remove(job);
    }
    for (const JobPtr& job : waiting) {
      Execution(context_, judge_, engines_, job->run, job->force, job->purpose, job->live)
          .EndEarly("cancelled", "the node stopped before the run began");
    }
    if (Status left = LeaveDuty(); !left) log::Warn("schedules not handed on", {{"why", left.error().message}});
  }  // The pool waits for what runs; of several nodes, this one is alive until then, and a while longer.

  Result<std::vector<runs::Run>> Submit(const model::Caller& caller, const Request& request) override;
  Result<runs::Run> Rollback(const model::Caller& caller, const model::PortKey& key, const std::optional<lake::At>& to,
                             const std::string& reason) override;
  Status Cancel(const model::Caller& caller, const std::string& run_id) override;
  Status Tend() override;
  Status StartDue() override;
  Result<Why> Explain(const model::PortKey& port) override;
  Result<runs::Run> Get(const std::string& run_id) override;

 private:
  Result<std::vector<Wanted>> Want(store::Txn& txn, const model::Caller& caller, const Request& request);
  Result<std::set<model::PortKey>> Upstream(store::Txn& txn, const catalog::Port& port);
  Result<model::Decision> MayRun(store::Txn& txn, const model::Caller& caller, const catalog::Port& port);
  Error Denied(const model::Caller& caller, const catalog::Port& port, const model::Decision& decision);
  Status EndLost(store::Txn& txn, const model::PortKey& port);
  Result<bool> IsElsewhere(store::Txn& txn, const std::string& run_id);
  bool StopHere(const std::string& run_id);
  JobPtr NewJob(const model::Caller& caller, const model::PortKey& port) const;
  Result<bool> KeepDuty();
  Status LeaveDuty();
  std::function<Result<bool>(const std::string&)> Busy(store::Txn& txn);
  Result<std::vector<Due>> FindDue(store::Txn& txn, std::vector<model::PortKey>* lost);
  Result<std::vector<JobPtr>> JobsOf(store::Txn& txn, std::vector<Due>* due);
  Status Start(const std::vector<Due>& due, const std::vector<JobPtr>& jobs);
  Status Insert(std::unique_ptr<store::Txn>& txn, const model::Caller& caller, const runs::Run& run);
  Status Enqueue(store::Txn& txn, const std::vector<JobPtr>& jobs);
  void Dispatch();
  void Do(const JobPtr& job);
  void Finish(const JobPtr& job, const runs::Run& ended);

  Context context_;
  BuildJudge judge_;
  engine::Ready engines_{[this] { return OpenFor(context_); }, 1};
  std::mutex mutex_;
  Queue queue_;
  bool stopping_ = false;
  std::mutex duty_mutex_;  // Of StartDue: one turn at a time.
  bool on_duty_ = false;
  Instant look_again_;            // At who has the duty.
  std::set<model::PortKey> odd_;  // Whose schedules cannot be kept: told once.
  Pool pool_;                     // Last: it goes first, and its threads use all of the above.
};

}  // namespace weft::run
