// How a run's rows meet those that are there: by the mode of the build.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/checks.h"
#include "model/product.h"
#include "state/lake/lake.h"

namespace weft::run {

// A column that no build gives: the run fills it with its logical time.
struct Filled {
  std::string column;
  std::string text;   // As the column has it: "2026-01-01" of a date.
  std::string value;  // SQL
};
// The state that a run of mode snapshot makes, or when the rows of an append arrived; none where the mode has no such.
std::optional<Filled> FilledOf(const model::Build& build, const model::TableSchema& schema, Instant logical_time);

// What is to be put into a table.
struct Meeting {
  std::string mode;
  std::string select;            // Exactly the schema's columns.
  std::vector<std::string> key;  // The contract's primary key; empty: none.
  std::vector<std::string> cluster_by;
  std::optional<Filled> filled;
};
// What became of it. `rows` are those that are new or other than they were.
struct Met {
  int64_t rows = 0;
  bool changed = true;  // Else the table is as it was, and there is nothing to commit.
  std::string told;     // For those from whom no policy hides rows.
};

// Stages the rows of `select` and removes from the parent what they replace. An error may be one of reading the inputs.
Result<Met> Meet(engine::Connection& connection, lake::Staging& staging, const Meeting& meeting);

// Rows that come later than the build lets them: a check of those that are staged. None where the build sets no limit
// or nothing is committed yet.
Result<std::optional<model::Check>> LateCheck(engine::Connection& connection, const model::Build& build,
                                              const lake::View& parent);

// Of the files in `kept` those that may have a row with the same values in `columns` as one of the files `staged`.
Result<std::vector<lake::DataFile>> FilesThatMayCollide(engine::Connection& connection, lake::View kept,
                                                        const std::vector<lake::DataFile>& staged,
                                                        const std::vector<std::string>& columns);

// The files of `view` whose statistics let a value of `column` lie in one of the intervals that `spans` (SQL, of least
// and most) gives. What has no statistics is among them.
Result<std::vector<lake::DataFile>> FilesThatMayHave(engine::Connection& connection, const lake::View& view,
                                                     const std::string& column, const std::string& spans);

}  // namespace weft::run
