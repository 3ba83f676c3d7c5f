// The governed query: a consumer's own SQL over policy views of the tables that they may read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/lifecycle.h"
#include "model/sql.h"
#include "state/lake/lake.h"
#include "state/ledger/ledger.h"
#include "state/secrets/pseudonyms.h"

namespace weft::query {

struct Options {
  int concurrent = 4;  // Queries at once; one more waits up to `queue_wait`, then kUnavailable.
  std::chrono::milliseconds queue_wait{5'000};
  std::chrono::milliseconds timeout{60'000};        // Of the engine's work; a client's own time does not count.
  std::chrono::milliseconds idle_timeout{300'000};  // A read whose client takes nothing for so long is ended.
  int64_t memory_bytes = int64_t{512} << 20;        // Each.
  int64_t row_limit = 0;  // 0: none. Beyond it the stream ends with kUnavailable, never silently.
  int threads = 2;
  std::string temp_folder;
};

struct Context {
  store::Store& store;
  Clock& clock;
  ledger::Ledger& ledger;
  engine::MemoryBroker& memory;
  secrets::Vault& vault;
  Options options;
};

// A statement that was parsed, walked, decided and bound: its tables are pinned to snapshots.
class Prepared {
 public:
  virtual ~Prepared() = default;
  virtual Status Schema(ArrowSchema* out) const = 0;               // The caller's to release.
  virtual const std::vector<std::string>& parameters() const = 0;  // Names, or "1", "2"…
  // Grants that the statement needs and that end soon: their readers are told in time.
  struct Ending {
    std::string address;
    Instant until;
  };
  virtual const std::vector<Ending>& endings() const = 0;
  // Ports of the statement that are deprecated or retired, and what their owners say of it.
  struct Deprecated {
    std::string address;
    std::string status;
    model::Deprecation says;
  };
  virtual const std::vector<Deprecated>& deprecated() const = 0;
  // Writes the durable "read started" row, then runs. The stream's end, error or abandonment writes the end row with
  // rows and bytes. kUnavailable when the ledger cannot be written: then no row has left.
  virtual Status Execute(std::span<const engine::Value> params, ArrowArrayStream* out) = 0;
  enum class Canceller { kClient, kNode };
  virtual void Cancel(Canceller by) = 0;  // From any thread.
  // Asked by a door before rows that were made ahead leave, as the stream itself asks before it makes them: kDenied
  // once a grant, token or policy that the statement needs has ended, at most 100 ms after it did. From any thread.
  virtual Status MayGoOn() = 0;
};

// How a read's stream tells the code of its error: by the number that get_schema and get_next answer.
Code CodeOfErrno(int number);

// Thread-safe; outlives every Prepared and every stream.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Start(Context context);
  virtual ~Engine() = default;
  // kDenied names the table and who could grant it; tables that do not exist and may not be seen answer alike only in
  // what they tell of data: the catalogue is visible to every principal.
  virtual Result<std::unique_ptr<Prepared>> Prepare(const model::Caller& caller, const std::string& sql,
                                                    const lake::At& at) = 0;
};

}  // namespace weft::query
