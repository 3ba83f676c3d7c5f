// Problems as a person reads them.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/session.h"

namespace weft::app {

size_t Errors(const std::vector<Problem>& problems);  // Those that are no warnings.
std::string Line(const Session& session, const Problem& problem);

}  // namespace weft::app
