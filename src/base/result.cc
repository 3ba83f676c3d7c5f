#include "base/result.h"

#include <fmt/format.h>

namespace weft {
namespace {

struct CodeFacts {
  Code code;
  std::string_view name;
  int http;
  int exit;
};

constexpr CodeFacts kCodes[] = {
    {Code::kInvalid, "invalid", 422, 3},
    {Code::kUnsupported, "unsupported", 501, 3},
    {Code::kUnauthenticated, "unauthenticated", 401, 4},
    {Code::kDenied, "denied", 403, 4},
    {Code::kNotFound, "not_found", 404, 5},
    {Code::kConflict, "conflict", 409, 6},
    {Code::kUnavailable, "unavailable", 503, 7},
    {Code::kInternal, "internal", 500, 1},
};

const CodeFacts& FactsOf(Code code) { return kCodes[static_cast<int>(code)]; }

}  // namespace

std::string_view CodeName(Code code) { return FactsOf(code).name; }
int HttpStatus(Code code) { return FactsOf(code).http; }
int ExitCode(Code code) { return FactsOf(code).exit; }

Code CodeFromName(std::string_view name) {
  for (const CodeFacts& facts : kCodes) {
    if (facts.name == name) return facts.code;
  }
  return Code::kInternal;
}

std::string Problem::Text() const {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}:{}", line, column);
  if (!path.empty()) text += ": " + path;
  text += ": " + message;
  if (!rule.empty()) text += " [" + rule + "]";
  return text;
}

Error Error::With(std::string_view before) && {
  message = fmt::format("{}: {}", before, message);
  return std::move(*this);
}

}  // namespace weft
