#include "apps/weft/failure.h"

#include <fmt/format.h>

#include <cstdio>

#include "apps/weft/terminal.h"
#include "base/json.h"
#include "drivers/http/message.h"

namespace weft::app {
namespace {

constexpr int kUsage = 2;

void PrintObject(std::string_view code, std::string_view message, const std::vector<Problem>& problems) {
  const Json object = Json::Map({{"code", code}, {"message", message}, {"problems", http::ProblemsToJson(problems)}});
  std::fprintf(stderr, "%s\n", object.Dump().c_str());
}

}  // namespace

int Fail(bool json, const Error& error) {
  if (json) {
    PrintObject(CodeName(error.code), error.message, error.problems);
    return ExitCode(error.code);
  }
  std::fprintf(stderr, "weft: %s\n", Safe(error.message, true).c_str());
  for (const Problem& problem : error.problems) {
    std::string text = Safe(problem.Text(), true);
    if (text.starts_with(": ")) text.erase(0, 2);
    std::fprintf(stderr, "  %s\n", text.c_str());
  }
  return ExitCode(error.code);
}

int Misused(bool json, std::string_view what, std::string_view see) {
  const std::string message = fmt::format(fmt::runtime(what.ends_with('?') ? "{} See {}" : "{}; see {}"), what, see);
  if (json) {
    PrintObject("usage", message, {});
  } else {
    std::fprintf(stderr, "weft: %s\n", message.c_str());
  }
  return kUsage;
}

}  // namespace weft::app
