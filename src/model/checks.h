// What a contract promises, compiled into checks that an engine can run: pure text in, SQL out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/contract.h"
#include "model/schema.h"

namespace weft::model {

class Entities;

struct Check {
  enum class Kind {
    kRow,      // `failing` is a predicate over one row: counts rows of the staged files where it is true.
    kSet,      // `measure` is an aggregate query over {table}: parent plus staged.
    kUnique,   // `columns` are unique over parent plus staged.
    kForeign,  // `columns` exist in `target_columns` of `target`.
    kListed,   // Text rules: shown, never run.
  };
  std::string id;           // Stable: "event_ts.required", or the rule's own id.
  std::string description;  // For a person: "watch_ms is between 0 and 86400000".
  Kind kind = Kind::kRow;
  std::string failing;
  std::string measure;
  std::vector<std::string> columns;
  std::string target;  // As written in the contract, resolved by the caller.
  std::vector<std::string> target_columns;
  std::string op = "mustBe";  // On the count (or percent of rows) for kRow, kUnique, kForeign; on the value for kSet.
  Json bound = 0;
  bool percent = false;
  bool tells = false;  // What it measures is data, not a count of rows: a rule's own query.
  bool warning = false;
  std::string dimension;
  Place place;

  std::string Expected() const;  // Of what is counted or measured: "0 rows", "at most 11 %", "between 60 and 85".
};

// Every check of the contract's one schema object: required, unique, primary key, enum, logicalTypeOptions, quality,
// relationships, and the patterns of the entities that its columns identify. A rule that is misspelt or cannot run is
// kInvalid with its place, never left out.
Result<std::vector<Check>> CompileChecks(const Contract& contract, const TableSchema& schema, const Entities& entities);

// Whether `value` meets the operator. NaN and a missing value never do.
bool Meets(std::string_view op, const Json& bound, double value);

}  // namespace weft::model
