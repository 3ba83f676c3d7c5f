// How a command ends badly: what it says on standard error, as text or as JSON, and its exit code.
#pragma once

#include <string_view>

#include "base/result.h"

namespace weft::app {

// "weft: MESSAGE" with the problems under it, or {"code", "message", "problems"}; the exit code of the error.
int Fail(bool json, const Error& error);
// "weft: WHAT; see SEE", or the same object with the code "usage"; 2.
int Misused(bool json, std::string_view what, std::string_view see);

}  // namespace weft::app
