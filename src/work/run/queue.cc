#include "work/run/queue.h"

#include <algorithm>

namespace weft::run {
namespace {

constexpr int kMostPassed = 10;  // So many more urgent runs go before one that waits, then it is its turn.

// The job among `earlier` (ports of jobs that came before) that this one reads.
const model::PortKey* Above(const Job& job, const std::map<model::PortKey, std::string>& earlier) {
  for (const model::PortKey& key : job.upstream) {
    if (earlier.contains(key)) return &key;
  }
  return nullptr;
}

}  // namespace

int Queue::Rank(const Job& job) const {
  if (job.passed >= kMostPassed) return -1;
  return job.priority == "high" ? 0 : job.priority == "low" ? 2 : 1;
}

std::map<std::string, int> Queue::Running(int* all) const {
  std::map<std::string, int> running;
  for (const JobPtr& job : jobs_) {
    if (!job->started) continue;
    ++running[job->run.port.domain];
    ++*all;
  }
  return running;
}

JobPtr Queue::Next() {
  int all = 0;
  const std::map<std::string, int> running = Running(&all);
  if (all >= parallel_) return nullptr;
  std::map<model::PortKey, std::string> earlier;
  std::vector<JobPtr> may;
  for (const JobPtr& job : jobs_) {
    const bool waits = Above(*job, earlier) != nullptr;
    earlier.emplace(job->run.port, job->run.id);
    if (job->started || waits) continue;
    const auto domain = running.find(job->run.port.domain);
    if (domain_parallel_ > 0 && domain != running.end() && domain->second >= domain_parallel_) continue;
    may.push_back(job);
  }
  const auto best =
      std::ranges::min_element(may, {}, [this](const JobPtr& job) { return Rank(*job); });  // Of equals the first.
  if (best == may.end()) return nullptr;
  for (auto job = may.begin(); job != best; ++job) ++(*job)->passed;
  (*best)->started = true;
  return *best;
}

JobPtr Queue::Find(const std::string& run_id) const {
  const auto found = std::ranges::find_if(jobs_, [&](const JobPtr& job) { return job->run.id == run_id; });
  return found == jobs_.end() ? nullptr : *found;
}

std::optional<Waiting> Queue::WhyWaits(const std::string& run_id) const {
  const JobPtr job = Find(run_id);
  if (!job || job->started) return std::nullopt;
  Waiting waiting;
  waiting.position = 1;
  int all = 0;
  const std::map<std::string, int> running = Running(&all);
  std::map<model::PortKey, std::string> earlier;
  bool before = true;
  for (const JobPtr& other : jobs_) {
    if (other == job) {
      before = false;
      if (const model::PortKey* above = Above(*job, earlier)) {
        waiting.for_port = *above;
        waiting.for_run = earlier[*above];
      }
    }
    earlier.emplace(other->run.port, other->run.id);
    if (other->started || other == job) continue;
    const int mine = Rank(*job), theirs = Rank(*other);
    if (theirs < mine || (theirs == mine && before)) ++waiting.position;
  }
  const auto domain = running.find(job->run.port.domain);
  waiting.domain_full = domain_parallel_ > 0 && domain != running.end() && domain->second >= domain_parallel_;
  waiting.node_full = all >= parallel_;
  return waiting;
}

}  // namespace weft::run
