#include "model/cel/time.h"

#include <fmt/format.h>

#include <chrono>

#include "model/zones.h"

namespace weft::cel {
namespace {

constexpr int64_t kFirst = -62'135'596'800, kLast = 253'402'300'799;  // The years 1 to 9999.
constexpr int64_t kBillion = 1'000'000'000;

// Reads exactly `count` digits from the front.
std::optional<int64_t> TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// "+hh:mm", in seconds.
std::optional<int64_t> TakeOffset(std::string_view& text) {
  const bool negative = TakeChar(text, '-');
  if (!negative && !TakeChar(text, '+')) return std::nullopt;
  auto hours = TakeDigits(text, 2);
  if (!hours || *hours > 23 || !TakeChar(text, ':')) return std::nullopt;
  auto minutes = TakeDigits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return (negative ? -60 : 60) * (*hours * 60 + *minutes);
}

std::string Fraction(int64_t nanos) {
  if (nanos == 0) return "";
  std::string digits = fmt::format(".{:09}", nanos);
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

std::string TextOf(Timestamp time) {
  auto civil = *CivilIn(time, "UTC");
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", civil.year, civil.month + 1, civil.day + 1, civil.hours,
                     civil.minutes, civil.seconds, Fraction(time.nanos));
}

std::string TextOf(Duration duration) {
  const int64_t seconds = duration.nanos / kBillion, nanos = duration.nanos % kBillion;
  const std::string_view sign = duration.nanos < 0 ? "-" : "";
  return fmt::format("{}{}{}s", sign, std::abs(seconds), Fraction(std::abs(nanos)));
}

std::optional<Timestamp> TimestampOf(int64_t seconds, int64_t nanos) {
  if (seconds < kFirst || seconds > kLast) return std::nullopt;
  return Timestamp{seconds, static_cast<int32_t>(nanos)};
}

std::optional<Timestamp> ParseTimestamp(std::string_view text) {
  using namespace std::chrono;
  auto field = [&](size_t digits, char after) -> std::optional<int64_t> {
    auto value = TakeDigits(text, digits);
    return value && (after == '\0' || TakeChar(text, after)) ? value : std::nullopt;
  };
  auto year = field(4, '-');
  auto month = year ? field(2, '-') : year;
  auto day = month ? field(2, 'T') : month;
  auto hours = day ? field(2, ':') : day;
  auto minutes = hours ? field(2, ':') : hours;
  auto seconds = minutes ? field(2, '\0') : minutes;
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  const year_month_day date{std::chrono::year(static_cast<int>(*year)),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  int64_t nanos = 0;
  if (TakeChar(text, '.')) {
    int64_t unit = kBillion;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      unit /= 10;
      nanos += *TakeDigits(text, 1) * unit;
    }
    if (unit == kBillion) return std::nullopt;
  }
  std::optional<int64_t> offset = TakeChar(text, 'Z') ? 0 : TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const int64_t days = sys_days(date).time_since_epoch().count();
  return TimestampOf(days * 86'400 + *hours * 3600 + *minutes * 60 + *seconds - *offset, nanos);
}

std::optional<Duration> ParseDuration(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t nanos;
  };
  constexpr Unit kUnits[] = {{"ns", 1},         {"us", 1'000},          {"\u00b5s", 1'000},   {"\u03bcs", 1'000},
                             {"ms", 1'000'000}, {"h", 3600 * kBillion}, {"m", 60 * kBillion}, {"s", kBillion}};
  const bool negative = TakeChar(text, '-');
  if (!negative) TakeChar(text, '+');
  if (text == "0") return Duration{};
  if (text.empty()) return std::nullopt;
  __extension__ using Wide = __int128;
  Wide total = 0;
  while (!text.empty()) {
    Wide whole = 0, part = 0, scale = 1;
    size_t digits = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
      whole = whole * 10 + *TakeDigits(text, 1);
      if (whole > INT64_MAX) return std::nullopt;
    }
    if (TakeChar(text, '.')) {
      for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
        const int64_t digit = *TakeDigits(text, 1);
        if (scale < Wide{kBillion} * kBillion) part = part * 10 + digit, scale *= 10;
      }
    }
    auto unit =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return text.starts_with(u.name); });
    if (digits == 0 || unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += whole * unit->nanos + part * unit->nanos / scale;
    if (total > Wide{INT64_MAX} + (negative ? 1 : 0)) return std::nullopt;
  }
  return Duration{static_cast<int64_t>(negative ? -total : total)};
}

std::optional<Timestamp> Plus(Timestamp time, Duration duration) {
  int64_t seconds = time.seconds + FloorDivide(duration.nanos, kBillion);
  int64_t nanos = time.nanos + (duration.nanos - FloorDivide(duration.nanos, kBillion) * kBillion);
  if (nanos >= kBillion) ++seconds, nanos -= kBillion;
  return TimestampOf(seconds, nanos);
}

std::optional<Duration> Minus(Timestamp one, Timestamp other) {
  int64_t nanos = 0;
  if (__builtin_mul_overflow(one.seconds - other.seconds, kBillion, &nanos) ||
      __builtin_add_overflow(nanos, int64_t{one.nanos} - other.nanos, &nanos)) {
    return std::nullopt;
  }
  return Duration{nanos};
}

std::optional<Civil> CivilIn(Timestamp time, std::string_view zone) {
  using namespace std::chrono;
  std::optional<int64_t> offset;
  if (zone == "UTC" || zone == "Z" || zone.empty()) {
    offset = 0;
  } else {
    std::string signed_zone(zone[0] >= '0' && zone[0] <= '9' ? "+" : "");
    signed_zone += zone;
    std::string_view rest = signed_zone;
    offset = TakeOffset(rest);
    if (!offset || !rest.empty()) offset = model::OffsetOfZone(time.seconds, std::string(zone));
  }
  if (!offset) return std::nullopt;
  const int64_t local = time.seconds + *offset;
  const int64_t day = FloorDivide(local, 86'400), second = local - day * 86'400;
  const sys_days date{days(day)};
  const year_month_day parts(date);
  Civil civil;
  civil.year = static_cast<int>(parts.year());
  civil.month = static_cast<unsigned>(parts.month()) - 1;
  civil.day = static_cast<unsigned>(parts.day()) - 1;
  civil.day_of_week = weekday(date).c_encoding();
  civil.day_of_year = (date - sys_days(parts.year() / January / 1)).count();
  civil.hours = second / 3600;
  civil.minutes = second / 60 % 60;
  civil.seconds = second % 60;
  return civil;
}

}  // namespace weft::cel
