// A request's head as it stands on the wire: its target ("/v1/search?q=a%20b") as values, both ways, and what is
// refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "drivers/http/message.h"

namespace weft::http {

// Sets path and query. kInvalid: no leading slash, a broken escape, a control character, text that is no UTF-8.
Status ReadTarget(std::string_view target, Request* request);
std::string WriteTarget(const Request& request);

// kInvalid where two readers of one head could disagree about where its body ends or whom it is for: that is how
// requests are smuggled. `version` is 10 or 11; names of fields are in lower case.
Status CheckFraming(int version, std::span<const std::pair<std::string, std::string>> fields);

}  // namespace weft::http
