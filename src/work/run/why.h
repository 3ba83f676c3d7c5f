// Why a port has no newer rows than it has: one answer, and what it rests on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "state/runs/runs.h"
#include "state/schedules/schedules.h"
#include "work/run/queue.h"
#include "work/run/run.h"

namespace weft::run {

struct Why {
  // running, queued, paused, retry, waits, due, no-scheduler, refused, denied, failed, cancelled, not-due, up-to-date,
  // never-triggered, by-hand, no-build, retired: stable, for programs.
  std::string reason;
  std::string text;    // A sentence.
  std::string advice;  // What helps; empty: nothing is wrong.
  std::optional<schedules::Schedule> schedule = {};
  std::vector<Instant> next = {};  // The next times by the clock.
  std::optional<schedules::Pause> pause = {};
  std::optional<runs::Run> now = {};   // Pending or running.
  std::optional<runs::Run> last = {};  // The newest that ended.
  std::optional<Waiting> waiting = {};
  std::optional<Instant> fresh = {};  // When its rows were committed.
  std::optional<Millis> promised = {};
};

struct Asked {
  store::Txn& txn;
  Context& context;
  std::function<Result<bool>(const std::string& run)> busy;
  std::function<std::optional<Waiting>(const std::string& run)> waiting;
};
// kNotFound where there is no such port.
Result<Why> WhyOf(Asked& asked, const model::PortKey& port);

}  // namespace weft::run
