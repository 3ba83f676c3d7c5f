// Runs: read the inputs, build the rows, check them, and make them visible in one transaction, or not at all.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/checks.h"
#include "state/lake/lake.h"
#include "state/ledger/ledger.h"
#include "state/runs/runs.h"
#include "state/secrets/pseudonyms.h"

namespace weft::run {

// What the checks say of a run's staged files; apps/ registers work/quality here.
struct CheckRequest {
  engine::Connection& connection;
  const model::Contract& contract;
  const model::TableSchema& schema;
  const model::Entities& entities;
  std::string staged;
  std::string whole;
  std::vector<model::Check> also;                                           // Beside the contract's: the run's own.
  std::function<Result<std::string>(const std::string& target)> table_sql;  // Foreign keys' tables.
  // The part of `whole` among which duplicates of a unique check can be, where it is less; may be empty.
  std::function<Result<std::string>(const model::Check& check)> among;
};
struct CheckAnswer {
  std::vector<runs::CheckResult> results;
  bool refused = false;
  std::string summary;
};
using CheckStep = std::function<Result<CheckAnswer>(const CheckRequest&)>;

struct Options {
  std::string node;                       // Of several over one store, this one's name; empty: it is the only one.
  Millis node_timeout{20'000};            // How long a node that says nothing counts as alive.
  std::string upload_folder;              // Data files that travelled with apply, by hash.
  std::vector<std::string> source_roots;  // Absolute file sources must lie under one of these.
  std::vector<std::string> source_hosts;  // Where sources may go, as database::AllowedAddresses takes them.
  std::string source_ca_file;             // Of authorities that vouch for databases.
  Millis source_timeout{300'000};         // How long a database or a server may be silent.
  int64_t source_file_limit = INT64_MAX;  // The largest file that is fetched, in bytes.
  std::string temp_folder;
  int threads = 2;
  int64_t memory_bytes = int64_t{2} << 30;
  int parallel_runs = 1;
  int domain_parallel_runs = 0;  // Of one domain; 0: as many as of all.
  bool schedules = true;         // Whether it starts what schedules say is due,
  bool several = false;          // and whether other nodes over the store might.
};

struct Context {
  store::Store& store;
  Clock& clock;
  ledger::Ledger& ledger;
  lake::Lake& lake;
  engine::MemoryBroker& memory;
  secrets::Vault& vault;
  CheckStep check;
  Options options;
};

struct Request {
  std::vector<model::PortKey> ports;  // Empty: all.
  bool force = false;                 // Run even where the key has succeeded.
  std::optional<Instant> logical_time;
  std::string cause = "by hand";  // Or "back-fill".
  std::string retry_of = {};      // The run of which it is another try.
  bool whole = false;             // Also what was read of the inputs before is read, and nothing is skipped.
};

// What is to become of rows in a port's quarantine: corrected ones are judged again, or rows are given up.
struct Correction {
  model::PortKey port;                // Whose quarantine it is.
  std::string sha256 = {};            // The corrected rows: an upload that the caller has sent,
  std::string name = {};              // and the name of its file, which tells its format.
  std::vector<std::string> ids = {};  // The rows that are given up,
  bool all = false;                   // or all that there are.
  std::string why = {};
};

// Why a port has no newer rows, and what happens next: see why.h.
struct Why;

// Owns the threads that execute. Thread-safe.
class Runner {
 public:
  static Result<std::unique_ptr<Runner>> Start(Context context);
  virtual ~Runner() = default;  // Cancels what runs and waits for it.
  // Queues runs in dependency order: one whose upstream fails in the same request is failed with that reason.
  // kConflict when a port already has a pending or running one; kDenied where the caller may not run it.
  virtual Result<std::vector<runs::Run>> Submit(const model::Caller& caller, const Request& request) = 0;
  // Queues a run that makes the rows of a former snapshot what readers see: those before the newest, where `to` is
  // none. kConflict where readers see them already, or a run of the port is under way.
  virtual Result<runs::Run> Rollback(const model::Caller& caller, const model::PortKey& port,
                                     const std::optional<lake::At>& to, const std::string& reason) = 0;
  // Queues a run of cause "fix". kDenied where the caller may not run the port.
  virtual Result<runs::Run> Correct(const model::Caller& caller, const Correction& correction) = 0;
  virtual Status Cancel(const model::Caller& caller, const std::string& run_id) = 0;
  // To be called several times within the timeout, of several nodes over one store: says that this one is alive, stops
  // what others were asked to cancel, and ends the runs of those that have said nothing for too long.
  virtual Status Tend() = 0;
  // To be called a few times a second: starts the runs that schedules say are due. Of several nodes over one store the
  // one does it that has the duty; others take it over when that one has said nothing for too long.
  virtual Status StartDue() = 0;
  virtual Result<Why> Explain(const model::PortKey& port) = 0;
  // The run as it is now, with live step and progress.
  virtual Result<runs::Run> Get(const std::string& run_id) = 0;
};

}  // namespace weft::run
