// Times as people type and read them.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace weft::app {

// "2026-12-31", a full time, or from now on: "30d", "12h"; as RFC 3339.
Result<std::string> Until(std::string_view text);
// Of the option `name`: a time, or so long ago: "30d", "12h"; as RFC 3339.
Result<std::string> Since(std::string_view name, std::string_view text);
bool IsPast(const Json& time);
std::string UntilText(const Json& time);  // "in 3 days", "ended 2 days ago", "never" where there is none.

}  // namespace weft::app
