// Which paths a pattern names.
#pragma once

#include <string_view>

namespace weft::model {

// Paths have '/'. '*', '?' and [a-z] ([!a-z]: none of them) stay within one folder, a "**" folder is
// any folders or none. Time is bounded by the product of both lengths.
bool GlobMatches(std::string_view pattern, std::string_view path);
bool IsGlob(std::string_view path);

}  // namespace weft::model
