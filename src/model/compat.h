// The plain rule of compatibility between two versions of one contract within a major.
#pragma once

#include <vector>

#include "base/result.h"
#include "model/contract.h"

namespace weft::model {

// What in `next` breaks a reader or writer of `previous`: a column removed, retyped or newly required. Each problem
// stands at its place in `next`, rule "weft.breaking", and names the line in `previous`. Empty: compatible.
std::vector<Problem> BreakingChanges(const Contract& previous, const Contract& next);

}  // namespace weft::model
