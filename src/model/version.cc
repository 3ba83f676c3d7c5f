#include "model/version.h"

#include <fmt/format.h>

namespace weft::model {
namespace {

// Takes a number without leading zeros off the front; at most nine digits, so that it fits.
bool TakeNumber(std::string_view& text, int& value) {
  size_t digits = 0;
  value = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits == 9) return false;
    value = value * 10 + (text[digits] - '0');
  }
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool TakeDot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<Version> Version::Parse(std::string_view text) {
  std::string_view rest = text;
  Version v;
  if (TakeNumber(rest, v.major) && TakeDot(rest) && TakeNumber(rest, v.minor) && TakeDot(rest) &&
      TakeNumber(rest, v.patch) && rest.empty()) {
    return v;
  }
  return Error{Code::kInvalid,
               fmt::format("'{}' is not a version: write MAJOR.MINOR.PATCH with plain numbers, such as 1.0.0", text)};
}

std::string Version::Text() const { return fmt::format("{}.{}.{}", major, minor, patch); }

}  // namespace weft::model
