// A request's target as it stands on the wire ("/v1/search?q=a%20b") and as values, both ways.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "drivers/http/message.h"

namespace weft::http {

// Sets path and query. kInvalid: no leading slash, a broken escape, a control character, text that is no UTF-8.
Status ReadTarget(std::string_view target, Request* request);
std::string WriteTarget(const Request& request);

}  // namespace weft::http
