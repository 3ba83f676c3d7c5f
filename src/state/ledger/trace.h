// What a row says to those who ask who saw what: inside this room only.
#pragma once

#include <map>
#include <mutex>
#include <unordered_map>

#include "state/ledger/audit.h"

namespace weft::ledger {

// One row, in the terms of an answer. `what` is the text of Finding::what; of a row that names what another said, its
// digest, and then `named` holds.
struct Trace {
  int64_t seq = 0;
  int64_t at = 0;  // Microseconds.
  std::string principal, purpose, address;
  std::string what;
  bool named = false;
  int64_t times = 1;
  int64_t rows = 0;
  int64_t bytes = 0;
};
// `row` is seq, at, kind, principal, purpose, address, detail.
Result<Trace> TraceOf(const store::Row& row);
std::string DigestOf(std::string_view what);  // 16 hexadecimal digits.

// Adds rows to what an answer is made of.
class Findings {
 public:
  // `what` is the text, resolved where it was named.
  void Add(const Trace& trace, const std::string& what);
  Result<std::vector<Finding>> Take();  // The newest first.
  int64_t rows() const { return rows_; }

 private:
  std::map<std::array<std::string, 4>, Finding> found_;
  int64_t rows_ = 0;
};

// The index of the ledger: a narrow row for each sealed one, so that a question reads no more than what it is about.
// It can be made anew from the ledger, and proves nothing: what is to be proved is read from the ledger. Thread-safe.
class Index {
 public:
  explicit Index(store::Store& store) : store_(store) {}
  // Takes in the next rows, at most 2,000; how many.
  Result<int> Next();

 private:
  store::Store& store_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> terms_;  // Numbers of texts that are committed.
};
// The text that a digest stands for; "{}" where nobody knows.
Result<std::string> TextOf(store::Txn& txn, const std::string& digest);

// Rows lie in the order of their times but for what waited for the writer, some minutes at most. Where to begin a walk
// that is to show every row since then: whoever moves a row to before it has changed a row of the walk.
Result<int64_t> WalkSince(store::Txn& txn, const std::optional<Instant>& since);
// The first row at or after, and the last row before a time; 0 where there is none.
Result<int64_t> FirstSince(store::Txn& txn, const std::optional<Instant>& since);
Result<int64_t> LastBefore(store::Txn& txn, const std::optional<Instant>& until);

}  // namespace weft::ledger
