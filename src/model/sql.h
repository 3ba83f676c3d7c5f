// The walker: the boundary of consumers' and builds' SQL. Judges DuckDB's own parse tree against an allow-list.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/contract.h"

namespace weft::model {

// A table that a statement names, as written; unquoted parts are compared without case.
struct TableName {
  std::string catalog;
  std::string schema;
  std::string table;

  std::string Text() const;
  auto operator<=>(const TableName&) const = default;
};

struct Statement {
  std::vector<TableName> tables;  // Distinct; names of CTEs in scope are not among them.
  bool leakproof = false;         // Uses only operations that cannot tell of rows behind a filter.
  bool uses_now = false;          // now(), current_date and every other spelling.
  bool uses_random = false;
};

// `tree` is what json_serialize_sql answered for the text. Exactly one SELECT; every node type, function and table
// function is on the list of reference (model/sql_functions.inc) or it is kUnsupported with the name and the place.
// A parse error is kInvalid with line and column. One-part names outside CTE scope are reported in `tables`.
Result<Statement> Walk(const Json& tree, std::string_view text);

// The place of a byte in a text; columns count characters.
Place PlaceOfByte(std::string_view text, size_t byte);

}  // namespace weft::model
