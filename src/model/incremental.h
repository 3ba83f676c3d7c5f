// Inputs of which a run reads only what is new: files that no run has read, rows after the last one by a column.
#pragma once

#include <string>

#include "model/contract.h"
#include "model/product.h"

namespace weft::model {

bool ReadsOnlyNew(const Source& source);

// Why a build cannot read the input so, and what helps; empty where it can. `contract`: of the port that it builds,
// where it is known.
std::string WhyNotOnlyNew(const InputPort& input, const Build& build, const Contract* contract);

}  // namespace weft::model
