// What the schedules ask for at one moment, and what keeps each of them from being started.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "state/schedules/schedules.h"

namespace weft::run {

// A run that a schedule asks for.
struct Due {
  schedules::Schedule schedule;
  std::string cause;  // schedule, inputs, freshness, retry
  Instant logical_time;
  std::optional<Instant> next;  // When it is due after that.
  std::string retry_of = {};
  int attempt = 1;
};
// Whether `schedule` asks for one at `now`, and which. What is overdue is made good once, with the last time that it
// was due.
Result<std::optional<Due>> DueOf(store::Txn& txn, const schedules::Schedule& schedule, Instant now);

// What stands in the way of one that is due.
struct Obstacle {
  enum class Kind { kPaused, kRunning, kUpstream };
  Kind kind = Kind::kPaused;
  schedules::Pause pause = {};  // kPaused
  model::PortKey port = {};     // kUpstream: what it reads, or what that reads, and so on,
  std::string run = {};         // and its run; empty: it is due itself. kRunning: the port's own run.
};

// The runs and schedules of a transaction's moment. Used by one thread.
class Moment {
 public:
  // `busy`: whether somebody who is alive executes the run.
  static Result<Moment> Of(store::Txn& txn, Instant now, std::function<Result<bool>(const std::string& run)> busy);

  const std::vector<schedules::Schedule>& due() const { return due_; }
  const std::map<std::string, schedules::Pause>& pauses() const { return pauses_; }
  Result<std::optional<Obstacle>> InTheWay(const schedules::Schedule& schedule);
  // After InTheWay: whether the port has a run that stands there as alive, and that nobody executes.
  bool Lost(const model::PortKey& port) const { return lost_.contains(port); }

 private:
  explicit Moment(store::Txn& txn) : txn_(&txn) {}
  Result<std::string> RunOf(const model::PortKey& port);  // That is pending or running; empty: none.
  Result<std::optional<Obstacle>> Above(const model::PortKey& port, std::set<model::PortKey>* seen);

  store::Txn* txn_;
  std::function<Result<bool>(const std::string&)> busy_;
  std::map<model::PortKey, std::string> alive_;
  std::set<model::PortKey> lost_;
  std::map<std::string, schedules::Pause> pauses_;
  std::vector<schedules::Schedule> due_;
  std::set<model::PortKey> due_ports_;                         // Those of them that nothing pauses.
  std::map<model::PortKey, std::optional<Obstacle>> answers_;  // Of Above.
};

}  // namespace weft::run
