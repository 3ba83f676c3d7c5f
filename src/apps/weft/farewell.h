// What is said of a product or port that is deprecated.
#pragma once

#include <string>

#include "base/json.h"

namespace weft::app {

// "MESSAGE; its sunset is 2026-12-31 (in 3 months); read sales/purchases instead": of what the node answers as
// {"sunset", "message", "successor", "overdue"}. It is Safe.
std::string FarewellText(const Json& deprecated);

}  // namespace weft::app
