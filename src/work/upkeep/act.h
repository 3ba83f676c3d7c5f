// One act of upkeep from its first look to its last commit: inside this room only.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "state/ledger/ledger.h"
#include "work/upkeep/upkeep.h"

namespace weft::upkeep {

// What is under way, as others see it and stop it. The act is its thread's alone.
class Job {
 public:
  lake::Act act;
  std::string purpose;
  std::stop_source stop;

  void Enter(std::string step);
  std::string Step() const;

 private:
  mutable std::mutex mutex_;
  std::string step_;
};

bool IsUpserted(const catalog::Port& port);
int64_t Memory(const Context& context);  // That an act takes.
Result<bool> RunWaits(store::Txn& txn);  // Whether a run waits for its turn: it goes first.
Status RecordEnd(store::Txn& txn, Clock& clock, const lake::Act& act, const std::string& purpose);

class Tending {
 public:
  Tending(const Context& context, const Upkeep& upkeep, Job& job) : context_(context), upkeep_(upkeep), job_(job) {}

  // To the end, which it records. `why` it cannot begin.
  void Run(const std::optional<Error>& why);

 private:
  struct Session;

  Status Work();
  Status Begin();
  Status Stopped() const;
  Result<bool> GivesWay() const;
  Result<bool> Compact(Session& session);
  Result<std::vector<lake::DataFile>> InOrder(engine::Connection& connection, const lake::View& view) const;
  Result<bool> Take(lake::Staging& staging) const;
  Status Commit(lake::Staging& staging);
  Status Expire();
  Result<std::set<int64_t>> Wanted() const;
  Status End(const Status& outcome);

  const Context& context_;
  const Upkeep& upkeep_;
  Job& job_;
  catalog::Port port_;
  Rule rule_;
};

}  // namespace weft::upkeep
