// What a run holds of the engine and the lake while it works.
#pragma once

#include <memory>
#include <vector>

#include "base/threads.h"
#include "work/run/execution.h"
#include "work/run/inputs.h"

namespace weft::run {

// Members go in reverse: the staging before the engine, the engine before its memory.
struct Execution::Session {
  engine::MemoryBroker::Grant grant;
  std::unique_ptr<engine::Instance> instance;
  std::unique_ptr<engine::Connection> connection;
  std::unique_ptr<engine::Watchdog> watchdog;
  std::vector<Input> inputs;
  Judged build;
  std::unique_ptr<lake::Staging> staging;
  std::unique_ptr<Ticker> renewal;
  std::unique_ptr<lake::Staging> aside;  // Of the port's quarantine, where the run changes it.
  std::unique_ptr<Ticker> aside_renewal;
  Live* live = nullptr;

  ~Session() {
    if (live) live->Leave();
  }
};

// Tells of each check in `answer` what it found, with rows as evidence where they refuse the run; `file` is the
// contract's.
Status NoteCauses(engine::Connection& connection, const Diverted& diverted, const std::string& file,
                  CheckAnswer& answer);

// A transaction that lost a race, or a disk that was full, is tried again as a whole.
template <class Do>
Status Persistently(Do work) {
  constexpr int kTries = 5;
  Status done = work();
  for (int tries = 1; !done && done.error().code == Code::kUnavailable && tries < kTries; ++tries) done = work();
  return done;
}

}  // namespace weft::run
