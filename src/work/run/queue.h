// The runs of this node that have not ended, and which of them begins next.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/address.h"
#include "state/runs/runs.h"
#include "work/run/execution.h"

namespace weft::run {

// The runs of one request: what failed there is not built upon.
struct Batch {
  std::map<model::PortKey, std::string> ended_badly;  // Port → run.
};

struct Job {
  runs::Run run;
  std::set<model::PortKey> upstream;
  Execution::Wish wish;
  std::optional<Correction> correction;  // Of what a run of cause "fix" is.
  std::string purpose;
  std::string priority;          // low, normal, high
  std::shared_ptr<Batch> batch;  // Shared by the jobs of a request, guarded by the runner's mutex.
  bool started = false;
  int passed = 0;  // How many that came later began before it.
  Live live;
};
using JobPtr = std::shared_ptr<Job>;  // Shared by the queue, the thread that executes, and who cancels.

// Why a run has not begun.
struct Waiting {
  int position = 0;                        // 1: it is the next of those that may.
  std::optional<model::PortKey> for_port;  // What it reads, whose run comes first,
  std::string for_run;                     // and that run.
  bool domain_full = false;                // As many runs of its domain as may execute at once.
  bool node_full = false;                  // As many of the node.
};

// Not thread-safe: whoever has it guards it.
class Queue {
 public:
  // How many runs may execute at once, and how many of one domain; 0: as many as there are.
  Queue(int parallel, int domain_parallel) : parallel_(parallel), domain_parallel_(domain_parallel) {}

  void Add(const JobPtr& job) { jobs_.push_back(job); }
  void Remove(const JobPtr& job) { jobs_.remove(job); }
  // Of those that may begin the most urgent, else the first that came; it counts as started. Null: none may. No
  // upstream port of it has a run in flight that came before it, and neither the node nor its domain has its hands
  // full.
  JobPtr Next();
  JobPtr Find(const std::string& run_id) const;
  std::optional<Waiting> WhyWaits(const std::string& run_id) const;  // Nothing where it has begun or is not here.
  const std::list<JobPtr>& jobs() const { return jobs_; }

 private:
  int Rank(const Job& job) const;
  std::map<std::string, int> Running(int* all) const;

  const int parallel_, domain_parallel_;
  std::list<JobPtr> jobs_;  // Pending and running, in the order in which they came, upstream first.
};

}  // namespace weft::run
