// Numbers as CEL writes them in texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::cel {

// The shortest text that reads as the same double: "1", "0.0045", "1e+21", "NaN", "-Infinity".
std::string TextOf(double value);
// Nothing where the text is no number, or too large for one; too small is 0. "inf" and "nan" in any case are numbers.
std::optional<double> ParseDouble(std::string_view text);

}  // namespace weft::cel
