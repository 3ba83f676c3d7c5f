#include "model/cron.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "model/zones.h"

namespace weft::model {
namespace {

constexpr int64_t kMinute = 60, kHour = 3'600, kDay = 86'400;
constexpr int64_t kMostDays = 366 * 9;  // Between two 29 February: eight years, where a century is no leap year.

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> names;  // Of the values from `least` on.
  std::string_view example;
};
constexpr Field kFields[] = {{"minute", 0, 59, {}, "0, 30 or */15"},
                             {"hour", 0, 23, {}, "5, 8-17 or */6"},
                             {"day of the month", 1, 31, {}, "1, 1,15 or *"},
                             {"month", 1, 12, kMonths, "1, JAN-MAR or *"},
                             {"day of the week", 0, 7, kWeekdays, "1-5, MON-FRI, or * (0 and 7 are Sunday)"}};

constexpr std::pair<std::string_view, std::string_view> kShort[] = {
    {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"}};

Error Wrong(const Field& field, std::string_view part, std::string_view why) {
  std::string allowed = fmt::format("{} to {}", field.least, field.most);
  if (!field.names.empty()) {
    allowed += fmt::format(" or {} to {}", field.names.front(), field.names.back());
  }
  return {Code::kInvalid,
          fmt::format("the {} '{}' {}: it is {}, such as {}", field.name, part, why, allowed, field.example)};
}

Result<int> Value(const Field& field, std::string_view text, std::string_view part) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (Lower(text) == field.names[i]) return field.least + static_cast<int>(i);
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Wrong(field, part, "is none");
  }
  if (value < field.least || value > field.most) return Wrong(field, part, "is out of range");
  return value;
}

// "*", "5", "1-5", each with "/2" but for the single value.
Result<uint64_t> Bits(const Field& field, std::string_view part) {
  std::string_view range = part;
  int step = 1;
  if (const size_t slash = part.find('/'); slash != part.npos) {
    range = part.substr(0, slash);
    const std::string_view text = part.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || step < 1 || step > field.most) {
      return Wrong(field, part, "has no step that fits");
    }
    if (range != "*" && range.find('-') == range.npos) {
      return Wrong(field, part, fmt::format("has a step without a range (write {}-{}/{})", range, field.most, step));
    }
  }
  int from = field.least, to = field.most;
  if (range != "*") {
    const size_t dash = range.find('-');
    from = TRY(Value(field, range.substr(0, dash), part));
    to = dash == range.npos ? from : TRY(Value(field, range.substr(dash + 1), part));
    if (dash != range.npos && field.most == 7 && to == 0) to = 7;  // FRI-SUN
  } else if (field.most == 7) {
    to = 6;
  }
  if (to < from) return Wrong(field, part, "goes backwards (write both parts, with a comma)");
  uint64_t bits = 0;
  for (int value = from; value <= to; value += step) bits |= uint64_t{1} << value;
  return bits;
}

Result<uint64_t> AllBits(const Field& field, std::string_view text) {
  uint64_t bits = 0;
  for (const std::string& part : Split(text, ',')) bits |= TRY(Bits(field, part));
  return bits;
}

bool Has(uint64_t bits, int64_t value) { return (bits >> value & 1) != 0; }

int64_t Floor(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

int64_t OffsetAt(int64_t seconds, const std::string& zone) { return OffsetOfZone(seconds, zone).value_or(0); }

}  // namespace

Result<Cron> Cron::Parse(std::string_view line, const std::string& zone) {
  Cron cron;
  cron.zone_ = zone.empty() ? "UTC" : zone;
  if (!OffsetOfZone(0, cron.zone_)) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no time zone that this machine knows: write one such as Europe/Berlin", zone)};
  }
  std::string_view text = Trim(line);
  if (text.starts_with('@')) {
    std::vector<std::string_view> known;
    for (const auto& [name, meaning] : kShort) {
      known.push_back(name);
      if (Lower(text) == name) text = meaning;
    }
    if (text.starts_with('@')) {
      return Error{Code::kInvalid, fmt::format("'{}' is no schedule: it is @hourly, @daily, @weekly, @monthly, or five "
                                               "fields{}",
                                               text, DidYouMean(Lower(text), known))};
    }
  }
  std::vector<std::string> fields = Split(ReplaceAll(text, "\t", " "), ' ');
  std::erase(fields, "");
  if (fields.size() != 5) {
    return Error{
        Code::kInvalid,
        fmt::format("'{}' has {}; a schedule has five: minute, hour, day of the month, month, day of the week, "
                    "such as '0 5 * * 1-5'",
                    line, Count(fields.size(), "field"))};
  }
  uint64_t* const bits[] = {&cron.minutes_, &cron.hours_, &cron.days_, &cron.months_, &cron.weekdays_};
  for (size_t i = 0; i < 5; ++i) *bits[i] = TRY(AllBits(kFields[i], fields[i]));
  if (Has(cron.weekdays_, 7)) cron.weekdays_ |= 1;
  cron.every_hour_ = fields[1] == "*";
  cron.any_day_ = fields[2] == "*";
  cron.any_weekday_ = fields[4] == "*";
  // 30 February: no month of them is long enough for any day of them.
  constexpr int kLengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool happens = !cron.any_weekday_ || cron.any_day_;
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= kLengths[month - 1]; ++day) {
      happens = happens || (Has(cron.months_, month) && Has(cron.days_, day));
    }
  }
  if (happens) return cron;
  return Error{Code::kInvalid,
               fmt::format("'{}' never happens: no month '{}' has a day '{}'", line, fields[3], fields[2])};
}

bool Cron::OnDay(int64_t day) const {
  using namespace std::chrono;
  const sys_days date{days(day)};
  const year_month_day parts(date);
  if (!Has(months_, static_cast<unsigned>(parts.month()))) return false;
  const bool of_month = Has(days_, static_cast<unsigned>(parts.day()));
  const bool of_week = Has(weekdays_, weekday(date).c_encoding());
  if (any_day_) return of_week;
  return any_weekday_ ? of_month : of_month || of_week;
}

// Local times in their order; their moments have the same order.
int64_t Cron::AfterByDays(int64_t seconds) const {
  const int64_t local = seconds + OffsetAt(seconds, zone_);
  const int64_t first = Floor(local, kDay) - 1;  // A change of the zone may have brought yesterday back.
  for (int64_t day = first; day < first + kMostDays; ++day) {
    if (!OnDay(day)) continue;
    for (int64_t hour = 0; hour < 24; ++hour) {
      if (!Has(hours_, hour)) continue;
      for (int64_t minute = 0; minute < 60; ++minute) {
        if (!Has(minutes_, minute)) continue;
        const int64_t moment = MomentOfLocal(day * kDay + hour * kHour + minute * kMinute, zone_);
        if (moment > seconds) return moment;
      }
    }
  }
  return INT64_MAX / 1'000'000;  // Not reached: Parse refuses what never happens.
}

int64_t Cron::AfterByMinutes(int64_t seconds) const {
  int64_t moment = (Floor(seconds, kMinute) + 1) * kMinute;
  const int64_t end = moment + kMostDays * kDay;
  while (moment < end) {
    const int64_t local = moment + OffsetAt(moment, zone_);
    const int64_t day = Floor(local, kDay);
    if (!OnDay(day)) {
      moment = std::max(moment + kMinute, MomentOfLocal((day + 1) * kDay, zone_));
    } else if (Has(minutes_, local / kMinute % 60)) {
      return moment;
    } else {
      moment += kMinute;
    }
  }
  return INT64_MAX / 1'000'000;
}

Instant Cron::After(Instant time) const {
  const int64_t seconds = Floor(time.micros, 1'000'000);
  return Instant{(every_hour_ ? AfterByMinutes(seconds) : AfterByDays(seconds)) * 1'000'000};
}

std::optional<Instant> Cron::Last(Instant after, Instant until) const {
  // From ever further back: a schedule of every minute that was not looked at for a year is not walked through.
  for (int64_t back = kHour * 1'000'000;; back *= 8) {
    const bool all = until.micros - after.micros <= back;
    const Instant from{all ? after.micros : until.micros - back};
    std::optional<Instant> last;
    for (Instant time = After(from); time <= until; time = After(time)) last = time;
    if (last || all) return last;
  }
}

std::vector<Instant> Cron::Next(Instant after, int count) const {
  std::vector<Instant> times;
  for (int i = 0; i < count; ++i) times.push_back(After(times.empty() ? after : times.back()));
  return times;
}

}  // namespace weft::model
