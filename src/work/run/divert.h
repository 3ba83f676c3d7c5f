// Which rows of a run break the contract, and how: those are set aside, and the run goes on with what is left.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/checks.h"
#include "model/quarantine.h"
#include "model/schema.h"
#include "work/run/inputs.h"
#include "work/run/modes.h"

namespace weft::run {

// What is to be told apart.
struct Diverting {
  const Input* input = nullptr;         // Of a build without SQL, whose rows are taken as they were sent,
  std::vector<std::string> files = {};  // from files that people know by these names;
  std::string sql = {};                 // else the build's SELECT.
  const model::TableSchema& schema;
  const model::TableSchema& quarantine;  // Its table's.
  std::optional<Filled> filled = {};
  std::vector<model::Check> checks = {};  // Those that hold for each row, and whose breach is an error.
  std::function<Result<std::string>(const std::string& target)> table_sql = {};  // Foreign keys' tables.
  std::string stays = {};  // SELECT of the table's rows that stay; empty: none.
  bool new_keys = false;   // Whether no row may have a unique key of a row that stays.
  std::string open = {};   // Of rows that were corrected: SELECT of the quarantine, whose rows they name by weft_id.
  std::string run = {};
  Instant at = {};
};

// The checks of a contract by which single rows can be set aside: of rows, keys and foreign keys, which no row may
// break.
std::vector<model::Check> ChecksOfRows(std::vector<model::Check> checks);

struct Diverted {
  struct Cause {
    std::string check;
    std::string reason;
    int64_t rows = 0;  // Whose first breach it is.
    model::Place place;
  };
  int64_t sent = 0;
  int64_t rows = 0;  // That are set aside.
  std::vector<Cause> causes;
  std::string good;  // SELECT of what is left: exactly the schema's columns.
  std::string bad;   // SELECT of what is not: exactly the quarantine's columns.

  std::string Text() const;  // "2 amount.minimum, 1 id.type"
};

// Tells them apart by the engine's own tables, which it makes. An error is one of reading, or of a check that cannot
// run.
Result<Diverted> Divert(engine::Connection& connection, const Diverting& what);

}  // namespace weft::run
