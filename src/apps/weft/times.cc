#include "apps/weft/times.h"

#include <fmt/format.h>

#include <charconv>

#include "apps/weft/settings.h"
#include "apps/weft/terminal.h"
#include "base/clock.h"

namespace weft::app {

Result<std::string> Until(std::string_view text) {
  int64_t count = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  int64_t seconds = unit == "d" ? 86'400 : unit == "h" ? 3'600 : unit == "m" ? 60 : 0;
  if (failure == std::errc() && seconds > 0 && count > 0 && count <= 1'000'000) {
    return Instant{SystemClock().Now().micros + count * seconds * 1'000'000}.Text();
  }
  auto time = Instant::Parse(text);
  if (time) return time->Text();
  return Error{Code::kInvalid,
               fmt::format("'{}' is no time: write 2026-12-31, 2026-12-31T18:00:00Z, 30d or 12h", Safe(text))};
}

Result<std::string> Since(std::string_view name, std::string_view text) {
  if (auto time = Instant::Parse(text)) return time->Text();
  if (auto ago = ParseDuration(text)) return Instant{SystemClock().Now().micros - int64_t{ago->count()} * 1'000}.Text();
  return Error{
      Code::kInvalid,
      fmt::format("--{}: '{}' is neither so long ago (12h, 30d) nor a time (2026-01-31T12:00:00Z)", name, Safe(text))};
}

bool IsPast(const Json& time) {
  auto instant = Instant::Parse(time.Text());
  return instant && *instant <= SystemClock().Now();
}

std::string UntilText(const Json& time) {
  if (time.Text().empty()) return "never";
  return (IsPast(time) ? "ended " : "") + AgoText(time.Text());
}

}  // namespace weft::app
