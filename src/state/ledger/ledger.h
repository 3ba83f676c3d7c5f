// Everything that happened, one row each, in one order that cannot be edited unseen. Owns ledger, ledger_head.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "base/threads.h"
#include "drivers/store/store.h"
#include "model/access.h"

namespace weft::ledger {

std::span<const store::Migration> Migrations();

// Every kind of row that there is. One that is not here cannot be written: kInternal.
struct Kind {
  std::string_view name;
  std::string_view meaning;
};
std::span<const Kind> Kinds();

struct Entry {
  std::string kind;  // Of Kinds().
  std::string principal;
  std::string purpose;
  std::string address;  // Short form; empty where it is about no one thing.
  Json detail;          // Never a secret, never a row of data: hashes and counts.
};

// The row of a denial, the same from every door: what was asked of `address`, why not, and where it was asked from.
Entry Denial(const model::Caller& caller, model::Action action, std::string address,
             const std::vector<std::string>& reasons);

// The row of what was asked for and cannot be, whoever asks: `what` is "sql", "apply" or "run".
Entry Refusal(const model::Caller& caller, std::string_view what, std::string address, std::string why);

struct Sealed {
  int64_t seq = 0;
  Instant at;
  Entry entry;
  std::string hash;
};

// Part of the transaction that did what it tells. The row is unsealed until the sealer's next turn, at most some 50 ms
// later: an unsealed row can be edited unseen, so whoever can write the store has that window.
Status Append(store::Txn& txn, Clock& clock, const Entry& entry);

struct Query {
  int64_t after = 0;  // seq
  std::string kind = {}, principal = {}, address_prefix = {};
  int limit = 100;
  bool newest_first = false;
  std::vector<std::string> kinds = {};  // Besides `kind`: any of these; none: all.
};
Result<std::vector<Sealed>> List(store::Txn& txn, const Query& query);  // Sealed rows only.

// What Verify found. `problem` is empty when the chain holds.
struct Verdict {
  int64_t rows = 0;
  int64_t unsealed = 0;
  std::string head;
  std::string problem;  // "row 17 was changed: …"
};

// Who saw what, and who did what: audit.h.
struct Question;
struct Answer;
struct Excerpt;

struct Options {
  Millis denial_window{60'000};  // How long a denial stands for its like: see Deny. 0: each is a row of its own.
  std::string key_folder = {};   // Where the signing key is; empty: in the ledger's folder.
};

// Seals, groups the commits of reads, verifies. One per node; the nodes over one store share the key, and whichever
// comes first in the writers' queue seals. Thread-safe.
class Ledger {
 public:
  // `folder` keeps the signing key (0600) and the newest signed head outside the store, so that a cut end is seen; also
  // of what other nodes seal, within a second.
  // kConflict when the store has a signed head but the folder lacks the key that signed it.
  static Result<std::unique_ptr<Ledger>> Open(store::Store& store, Clock& clock, std::string folder,
                                              Options options = {});
  ~Ledger();  // Writes what is queued, and the denials that were counted, and seals it.

  // Gives unsealed rows dense numbers and hashes them into the chain; every 50 ms by itself.
  Status SealNow();
  // Returns once the row is durable, many callers sharing one commit. kUnavailable: it is not, and nothing may be read.
  Status AppendDurably(const Entry& entry);
  // Queues the rows, all for one commit, and answers how to wait for it: what the waiter answers is AppendDurably's
  // answer. Nobody has to wait: a thread that holds a writing transaction must not, for it would wait for itself.
  // kUnavailable when the queue is full.
  using Waiter = std::function<Status()>;
  Result<Waiter> AppendSoon(std::span<const Entry> entries);
  Result<Waiter> AppendSoon(const Entry& entry) { return AppendSoon(std::span(&entry, 1)); }
  // A denial or refusal. The first of its kind (principal, purpose, address, action, reasons, door, token) is durable
  // when this returns; those of the same kind within the window are counted, and are one row with their number at its
  // end, so that a flood costs no commit each. What was counted and not yet written is lost if the process is killed.
  Status Deny(const Entry& denial);
  Status DenySoon(const Entry& denial);  // Waits for no commit: for threads that hold a writing transaction.
  // Walks the whole chain: an edit, a reorder, a removed row, a cut end and a forged head are each told with their row.
  Result<Verdict> Verify();
  Result<Answer> Ask(const Question& question);
  // The rows of a time, as an outsider can verify them: audit.h. kNotFound where there are none.
  Result<Excerpt> Cut(std::optional<Instant> since, std::optional<Instant> until);

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::ledger
