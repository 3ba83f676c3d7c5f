// The control store: small serializable transactions over SQLite (one node).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weft::store {

using Cell = std::optional<std::string>;  // nullopt is SQL NULL; every value travels as text.

// One row of an answer. Readers are total: NULL reads as empty or zero.
class Row {
 public:
  explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}
  const Cell& operator[](size_t column) const { return cells_.at(column); }
  bool null(size_t column) const { return !cells_.at(column); }
  std::string text(size_t column) const { return cells_.at(column).value_or(""); }
  int64_t integer(size_t column) const;
  bool flag(size_t column) const { return integer(column) != 0; }
  Result<Instant> time(size_t column) const;  // Of text that Time wrote; NULL is none.
  Result<std::optional<Instant>> maybe_time(size_t column) const;

 private:
  std::vector<Cell> cells_;
};

Cell Int(int64_t value);
Cell Flag(bool value);                  // "1" or "0": columns are INTEGER.
Cell OrNull(const std::string& value);  // Empty as NULL.
Cell Time(const std::optional<Instant>& time);

// Used by one thread. Rolls back on destruction unless committed. Anything read may be relied on at Commit.
class Txn {
 public:
  virtual ~Txn() = default;

  // One statement in the dialect that SQLite and PostgreSQL both speak: $1 parameters, ON CONFLICT, RETURNING.
  // A broken unique key is kConflict; a lost race or a busy store is kUnavailable, and the caller may run its
  // transaction again; a full disk is kUnavailable too, and says so. After a failed statement the transaction can
  // only be rolled back.
  virtual Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args = {}) = 0;
  Result<std::vector<Row>> Run(std::string_view sql, std::initializer_list<Cell> args) {
    return Run(sql, std::span<const Cell>(args.begin(), args.size()));
  }
  // Ends the transaction and hands the writer's turn on.
  virtual Status Commit() = 0;
};

// Safe to share between threads.
class Store {
 public:
  virtual ~Store() = default;
  // A transaction that may write. One at a time: waits its turn, in the order of asking, at most 30 s (then
  // kUnavailable). A thread that holds one cannot begin another.
  virtual Result<std::unique_ptr<Txn>> Begin() = 0;
  // A snapshot that cannot write; never waits for a writer.
  virtual Result<std::unique_ptr<Txn>> Read() = 0;
  // What was deleted or overwritten before is in none of the store's files when this returns. kUnavailable where a
  // reader that began before holds on to it for 5 s; then it is to be called again.
  virtual Status Purge() = 0;
};

// Numbered from 1 within its module and forward only; a released one is never edited.
struct Migration {
  std::string_view module;
  int number = 0;
  std::string_view sql;  // Statements, each ended by a semicolon at the end of a line.
};

// Brings the store to the newest version in one transaction, each module's in the order given. kConflict when the
// store is newer than the program; modules that are not named are left alone.
Status Migrate(Store& store, std::span<const Migration> migrations);

// "sqlite:PATH" (WAL, synchronous=FULL). The adapter has no header: this is its only door.
Result<std::unique_ptr<Store>> Open(const std::string& url);

}  // namespace weft::store
