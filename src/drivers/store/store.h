// The control store: small serializable transactions over SQLite (one node) or PostgreSQL (several).
#pragma once

#include <functional>
#include <map>
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

// For the little that the two do not share, which is full text.
enum class Dialect { kSqlite, kPostgres };

// Used by one thread. Rolls back on destruction unless committed. Anything read may be relied on at Commit.
class Txn {
 public:
  virtual ~Txn() = default;

  // One statement in the dialect that SQLite and PostgreSQL both speak: $1 parameters, ON CONFLICT, RETURNING.
  // A broken unique key is kConflict; a lost race or a busy store is kUnavailable, and the caller may run its
  // transaction again; a full disk is kUnavailable too, and says so. After a failed statement the transaction can
  // only be rolled back. PostgreSQL keeps text alone: a value with a zero byte or without UTF-8 is kInvalid there.
  virtual Result<std::vector<Row>> Run(std::string_view sql, std::span<const Cell> args = {}) = 0;
  Result<std::vector<Row>> Run(std::string_view sql, std::initializer_list<Cell> args) {
    return Run(sql, std::span<const Cell>(args.begin(), args.size()));
  }
  // The same, row by row, for answers too large to hold; ends with the first failure of `visit`, which runs nothing.
  virtual Status Each(std::string_view sql, const std::function<Status(const Row&)>& visit) = 0;
  // Ends the transaction and hands the writer's turn on. kUnavailable says so where the connection broke so that nobody
  // can tell whether it was committed.
  virtual Status Commit() = 0;
  virtual Dialect dialect() const = 0;
};

// Safe to share between threads.
class Store {
 public:
  virtual ~Store() = default;
  // A transaction that may write. One at a time, of all nodes over the store: waits its turn, in the order of asking,
  // at most 30 s (then kUnavailable), and loses no race. A thread that holds one cannot begin another.
  virtual Result<std::unique_ptr<Txn>> Begin() = 0;
  // A snapshot that cannot write; never waits for a writer.
  virtual Result<std::unique_ptr<Txn>> Read() = 0;
  // What was deleted from the table or overwritten there before is in none of the store's files when this returns; of
  // PostgreSQL, in none of the table's (its log, replicas and backups are not the node's to clean). kUnavailable where
  // a reader that began before holds on to it for 5 s; then it is to be called again.
  virtual Status Purge(std::string_view table) = 0;
  // The time that all nodes over the store agree on: the machine's own, or the server's as last heard from it.
  virtual Clock& clock() = 0;
};

// Numbered from 1 within its module and forward only; a released one is never edited.
struct Migration {
  std::string_view module;
  int number = 0;
  // Statements, each ended by a semicolon at the end of a line, with SQLite's types; PostgreSQL gets its own for them.
  // A line "-- sqlite" or "-- postgres" before a statement: it is for that store alone.
  std::string_view sql;
};

// Brings the store to the newest version in one transaction, each module's in the order given. kConflict when the
// store is newer than the program; modules that are not named are left alone.
Status Migrate(Store& store, std::span<const Migration> migrations);
// The same as part of a transaction.
Status Migrate(Txn& txn, std::span<const Migration> migrations);
// Module → the newest number that the store has; none of an empty store.
Result<std::map<std::string, int64_t>> Migrated(Txn& txn);

// What migrations say in SQLite's types, in PostgreSQL's.
std::string ForPostgres(std::string_view statement);

// "sqlite:PATH" (WAL, synchronous=FULL), or a URL of libpq, "postgres://user@host/database?sslmode=verify-full", whose
// password lies in a file (passfile=, PGPASSFILE) and never in the URL. An adapter has no header: this is its only
// door.
Result<std::unique_ptr<Store>> Open(const std::string& url);

}  // namespace weft::store
