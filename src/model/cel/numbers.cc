#include "model/cel/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/text.h"

namespace weft::cel {

std::string TextOf(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char digits[400];
  const double size = std::abs(value);
  const bool plain = value == 0 || (size >= 1e-4 && size < 1e21);
  auto end = std::to_chars(digits, digits + sizeof digits, value,
                           plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {digits, end.ptr};
}

std::optional<double> ParseDouble(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const std::string word = Lower(rest);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (word == "inf" || word == "infinity") return negative ? -kInfinity : kInfinity;
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  const bool digit = !rest.empty() && (rest[0] == '.' || (rest[0] >= '0' && rest[0] <= '9'));
  if (!digit || read.ptr != rest.data() + rest.size()) return std::nullopt;
  // from_chars tells neither too large from too small, nor gives the nearest.
  if (read.ec == std::errc::result_out_of_range) value = std::strtod(std::string(rest).c_str(), nullptr);
  if (std::isinf(value)) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace weft::cel
