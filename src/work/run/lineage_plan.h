// Column lineage out of the engine's own plan: which columns of which inputs each column of a result is made from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "state/lineage/lineage.h"

namespace weft::run {

// `plan` is what json_serialize_plan(sql, optimize := false) answered over tables that stand for the inputs; `inputs`
// maps their names (in lower case) to input ports. An edge is "direct" where the value is passed on, at most cast,
// "computed" where an expression, aggregate or window makes it, and "filter" (of the column "*") where a condition or
// a join's key decides which rows there are. kUnsupported names the node that is not known: nothing is guessed.
Result<std::vector<lineage::ColumnEdge>> LineageOf(const Json& plan, const std::vector<std::string>& columns,
                                                   const std::map<std::string, std::string>& inputs);

// What remains to be said where LineageOf cannot: every output column is computed from every column of every input.
std::vector<lineage::ColumnEdge> CoarseLineage(const std::vector<std::string>& columns,
                                               const std::map<std::string, std::vector<std::string>>& input_columns);

}  // namespace weft::run
