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
  Live* live = nullptr;

  ~Session() {
    if (live) live->Leave();
  }
};

// A transaction that lost a race, or a disk that was full, is tried again as a whole.
template <class Do>
Status Persistently(Do work) {
  constexpr int kTries = 5;
  Status done = work();
  for (int tries = 1; !done && done.error().code == Code::kUnavailable && tries < kTries; ++tries) done = work();
  return done;
}

}  // namespace weft::run
