// The type that a column of a file is given: by its texts, of a sample that stands in a table of texts; by its own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/database/database.h"
#include "drivers/engine/engine.h"
#include "model/schema.h"

namespace weft::run {

struct Guess {
  model::Type type;                // Text where nothing narrower holds every value.
  std::vector<std::string> nulls;  // Words that stand for no value: without them the type would be text.
  std::string date_format;         // Where the dates or times are not written as ISO 8601 says.
  std::string timestamp_format;
  bool comma = false;   // Its numbers have a decimal comma.
  std::string finding;  // Why it is text though most of it is not; or empty.
};
Result<std::vector<Guess>> GuessTypes(engine::Connection& connection, const std::string& table,
                                      const std::vector<std::string>& columns);

// The same of a table that was copied: what is declared, as far as the values keep to it. `texts`: SQL that gives all
// of its rows as texts.
Result<std::vector<Guess>> DeclaredTypes(engine::Connection& connection, const std::string& sample,
                                         const database::Table& table, const std::string& texts);

// What a contract calls "DECIMAL(18,2)", "STRUCT(a INTEGER)[]"; kUnsupported for types that no contract has.
Result<model::Type> TypeOfDuckDb(std::string_view name);

}  // namespace weft::run
