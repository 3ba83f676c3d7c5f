#include "base/clock.h"

#include <fmt/format.h>

#include <ctime>

namespace weft {
namespace {

class System final : public Clock {
 public:
  Instant Now() const override {
    auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
  }
};

// Reads exactly `count` digits from the front of `text`.
bool TakeDigits(std::string_view& text, int count, int& value) {
  value = 0;
  if (text.size() < static_cast<size_t>(count)) return false;
  for (int i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeFraction(std::string_view& text, int64_t& micros) {
  if (!TakeChar(text, '.')) return true;
  int64_t unit = 100'000;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    micros += (text[digits] - '0') * unit;
    unit /= 10;
  }
  text.remove_prefix(digits);
  return digits > 0 && digits <= 9;
}

bool TakeOffset(std::string_view& text, int64_t& seconds) {
  if (text.empty() || TakeChar(text, 'Z') || TakeChar(text, 'z')) return true;
  int sign = TakeChar(text, '-') ? -1 : TakeChar(text, '+') ? 1 : 0;
  int hours = 0, minutes = 0;
  if (sign == 0 || !TakeDigits(text, 2, hours)) return false;
  TakeChar(text, ':');
  if (!text.empty() && !TakeDigits(text, 2, minutes)) return false;
  seconds = sign * (hours * 3600 + minutes * 60);
  return hours < 24 && minutes < 60;
}

}  // namespace

std::string Instant::Text() const {
  int64_t seconds = micros / 1'000'000, rest = micros % 1'000'000;
  if (rest < 0) --seconds, rest += 1'000'000;
  std::time_t t = seconds;
  std::tm tm{};
  gmtime_r(&t, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
}

Result<Instant> Instant::Parse(std::string_view text) {
  const std::string_view whole = text;
  auto bad = [&] {
    return Error{Code::kInvalid, fmt::format("'{}' is not a time: write 2026-01-31T09:00:00Z or 2026-01-31", whole)};
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t fraction = 0, offset = 0;
  if (!TakeDigits(text, 4, year) || !TakeChar(text, '-') || !TakeDigits(text, 2, month) || !TakeChar(text, '-') ||
      !TakeDigits(text, 2, day)) {
    return bad();
  }
  if (!text.empty()) {
    if (!TakeChar(text, 'T') && !TakeChar(text, 't') && !TakeChar(text, ' ')) return bad();
    if (!TakeDigits(text, 2, hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, minute)) return bad();
    if (TakeChar(text, ':') && !TakeDigits(text, 2, second)) return bad();
    if (!TakeFraction(text, fraction) || !TakeOffset(text, offset) || !text.empty()) return bad();
  }
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Instant{((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1'000'000 + fraction};
}

Clock& SystemClock() {
  static System system;
  return system;
}

}  // namespace weft
