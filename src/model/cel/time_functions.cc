#include "model/cel/functions.h"
#include "model/cel/time.h"

namespace weft::cel {
namespace {

using Arguments = const Value* const*;

template <int64_t Civil::*part, int64_t add = 0>
bool InUtc(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value((*CivilIn(a[0]->AsTimestamp(), "UTC")).*part + add);
  return true;
}

template <int64_t Civil::*part, int64_t add = 0>
bool InZone(Budget& budget, Arguments a, Value& result) {
  auto civil = CivilIn(a[0]->AsTimestamp(), a[1]->AsText());
  if (!civil) return budget.Fail("{} is no time zone: write \"UTC\", \"+02:00\" or \"Europe/Paris\"", *a[1]);
  result = Value((*civil).*part + add);
  return true;
}

bool Milliseconds(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value(static_cast<int64_t>(a[0]->AsTimestamp().nanos / 1'000'000));
  return true;
}

bool MillisecondsInZone(Budget& budget, Arguments a, Value& result) {
  return InZone<&Civil::seconds>(budget, a, result) && Milliseconds(budget, a, result);
}

template <int64_t unit, int64_t modulus = INT64_MAX>
bool Whole(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value(a[0]->AsDuration().nanos / unit % modulus);
  return true;
}

constexpr int64_t kSecond = 1'000'000'000;

constexpr Signature kTable[] = {
    {"getFullYear", "timestamp.() -> int", InUtc<&Civil::year>},
    {"getFullYear", "timestamp.(string) -> int", InZone<&Civil::year>},
    {"getMonth", "timestamp.() -> int", InUtc<&Civil::month>},
    {"getMonth", "timestamp.(string) -> int", InZone<&Civil::month>},
    {"getDate", "timestamp.() -> int", InUtc<&Civil::day, 1>},
    {"getDate", "timestamp.(string) -> int", InZone<&Civil::day, 1>},
    {"getDayOfMonth", "timestamp.() -> int", InUtc<&Civil::day>},
    {"getDayOfMonth", "timestamp.(string) -> int", InZone<&Civil::day>},
    {"getDayOfWeek", "timestamp.() -> int", InUtc<&Civil::day_of_week>},
    {"getDayOfWeek", "timestamp.(string) -> int", InZone<&Civil::day_of_week>},
    {"getDayOfYear", "timestamp.() -> int", InUtc<&Civil::day_of_year>},
    {"getDayOfYear", "timestamp.(string) -> int", InZone<&Civil::day_of_year>},
    {"getHours", "timestamp.() -> int", InUtc<&Civil::hours>},
    {"getHours", "timestamp.(string) -> int", InZone<&Civil::hours>},
    {"getHours", "duration.() -> int", Whole<3600 * kSecond>},
    {"getMinutes", "timestamp.() -> int", InUtc<&Civil::minutes>},
    {"getMinutes", "timestamp.(string) -> int", InZone<&Civil::minutes>},
    {"getMinutes", "duration.() -> int", Whole<60 * kSecond>},
    {"getSeconds", "timestamp.() -> int", InUtc<&Civil::seconds>},
    {"getSeconds", "timestamp.(string) -> int", InZone<&Civil::seconds>},
    {"getSeconds", "duration.() -> int", Whole<kSecond>},
    {"getMilliseconds", "timestamp.() -> int", Milliseconds},
    {"getMilliseconds", "timestamp.(string) -> int", MillisecondsInZone},
    {"getMilliseconds", "duration.() -> int", Whole<1'000'000, 1000>},
};

}  // namespace

std::span<const Signature> TimeFunctions() { return kTable; }

}  // namespace weft::cel
