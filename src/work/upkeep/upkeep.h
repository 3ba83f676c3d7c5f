// Upkeep of tables: small files become fewer, old snapshots are forgotten, and what nothing names is removed; beside
// runs and readers, which see the same rows.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "state/catalog/catalog.h"
#include "state/lake/acts.h"
#include "work/upkeep/plan.h"

namespace weft::upkeep {

struct Options {
  std::string node;       // This one's name.
  bool several = false;   // Whether other nodes over the store might tend tables by themselves.
  Millis every{600'000};  // How often Turn is called.
  int parallel = 1;       // Tables at once.
  int threads = 2;
  int64_t memory_bytes = int64_t{512} << 20;  // Of each.
  std::string temp_folder;
  Rule rule;
  Millis keep{0};  // For how long former snapshots stay, where the contract says nothing; 0: for ever.
  Window window;
};

struct Context {
  store::Store& store;
  Clock& clock;
  lake::Lake& lake;
  engine::MemoryBroker& memory;
  Options options;
};

// What there is to do for a table.
struct Need {
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t small = 0;
  int64_t merged = 0;   // So many files
  int64_t into = 0;     // would become so many,
  int64_t expires = 0;  // and so many snapshots go.

  bool any() const { return merged > 0 || expires > 0; }
};

// Owns the threads that work. Thread-safe.
class Upkeep {
 public:
  static Result<std::unique_ptr<Upkeep>> Start(Context context);
  virtual ~Upkeep() = default;  // Stops what is under way, and waits for it.

  // By hand it is done `anyway`, however little there is to do.
  virtual Result<Need> Look(store::Txn& txn, const catalog::Port& port, bool anyway) const = 0;
  // Queues it, for a caller who may. kConflict where upkeep of the port is under way.
  virtual Result<lake::Act> Submit(const model::Caller& caller, const model::PortKey& port) = 0;
  virtual Status Cancel(const lake::Act& act) = 0;
  // What it does at the moment, of one of this node; empty: that is not known here.
  virtual std::string StepOf(const std::string& act) = 0;
  // To be called every so often: tends what needs it, where no run waits; of several nodes over one store one does.
  virtual Status Turn() = 0;
  // Removes files that nothing names and nobody reads, and that are older than `age`.
  virtual Result<lake::Lake::Swept> Sweep(Millis age) = 0;

  // For how long former snapshots of the port stay; nothing: for ever.
  virtual std::optional<Millis> Keeps(const catalog::Port& port) const = 0;
  virtual Rule RuleOf(const catalog::Port& port) const = 0;
};

// "1,000 files became 4 (2.3 MB to 1.9 MB); 12 snapshots expired"
std::string Told(const lake::Act& act);

}  // namespace weft::upkeep
