// Which ports are to be run by themselves, when next, and what is paused. Owns schedules, schedule_inputs, pauses.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"

namespace weft::schedules {

std::span<const store::Migration> Migrations();

// One port's: by the clock (`cron`), or by a trigger.
struct Schedule {
  model::PortKey port;
  std::string cron;
  std::string zone;
  std::string trigger;  // inputs, freshness
  Millis promised{0};   // Of freshness: how old the rows may be.
  int retries = 0;
  std::string published_by = {};
  std::set<model::PortKey> inputs = {};  // Of trigger inputs: what it reads. Find alone fills it.
  std::optional<Instant> due = {};       // From then on it is to be started.
  std::optional<Instant> retry_at = {};  // From then on `retry_of` is to be tried again.
  std::string retry_of = {};
  Millis took{0};  // How long its last runs took, about.

  std::string Text() const;  // "0 5 * * 1-5 Europe/Berlin", "inputs", "freshness"
  // The same promise by the same words: nothing of it is to be planned anew.
  bool SameAs(const Schedule& other) const;
};

Status Put(store::Txn& txn, const Schedule& schedule);
Status Remove(store::Txn& txn, const model::PortKey& port);
Result<std::optional<Schedule>> Find(store::Txn& txn, const model::PortKey& port);
Result<std::vector<Schedule>> OfProduct(store::Txn& txn, const std::string& domain, const std::string& product);
// Those that are to be started, or tried again, by `now`; the longest due first.
Result<std::vector<Schedule>> Due(store::Txn& txn, Instant now);
// Where it is as `was` found it: it is due next at `next`, and nothing is tried again. Whether it was.
Result<bool> Claim(store::Txn& txn, const Schedule& was, const std::optional<Instant>& next);

// Readers see other rows of the port: what runs by its inputs is due.
Status NoteCommit(store::Txn& txn, const model::PortKey& port, Instant now);
// A run of the port begins, and sees all that its inputs have.
Status NoteStart(store::Txn& txn, const model::PortKey& port);
struct Ended {
  model::PortKey port;
  std::string run;
  bool by_itself = false;  // Nobody started it by hand.
  bool good = false;       // Its rows are there, or nothing had changed.
  bool passes = false;     // It failed for what passes by itself.
  bool stopped = false;    // It ended because its node did.
  int attempt = 1;
  Millis took{0};
};
// Plans what comes after it: another try, or the next time before the rows are too old.
Status NoteEnd(store::Txn& txn, Instant now, const Ended& ended);
// After the how manieth try so long: 30 s, a minute, 2, 4 …, at most an hour, and up to a quarter more by the run.
Millis RetryAfter(int attempt, const std::string& run);

struct Pause {
  std::string address;  // Short form of a domain, product or port (with its major).
  std::string by;
  std::string because;
  Instant at;
};
Status Put(store::Txn& txn, const Pause& pause);
Result<bool> RemovePause(store::Txn& txn, const std::string& address);  // Whether there was one.
Result<std::map<std::string, Pause>> Pauses(store::Txn& txn);
// The pause that holds for the port: its own, its product's or its domain's.
const Pause* PauseOf(const std::map<std::string, Pause>& pauses, const model::PortKey& port);

}  // namespace weft::schedules
