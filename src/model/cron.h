// Schedules as cron writes them: five fields (minute, hour, day of the month, month, day of the week) in a time zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weft::model {

// Where both days are restricted, either is enough. A local time that does not exist counts as the first that does,
// one that exists twice happens once; a schedule of every hour (`*`) goes by the hours that there are.
class Cron {
 public:
  // Lists, ranges, steps, names of months and days, or @hourly, @daily, @weekly, @monthly; UTC without a zone.
  // kInvalid says which field is wrong and what is allowed, or that it never happens.
  static Result<Cron> Parse(std::string_view line, const std::string& zone = "");

  Instant After(Instant time) const;  // The first time that is later.
  // The last time that is later than `after` and not later than `until`.
  std::optional<Instant> Last(Instant after, Instant until) const;
  std::vector<Instant> Next(Instant after, int count) const;

 private:
  bool OnDay(int64_t day) const;  // Days since 1970.
  int64_t AfterByDays(int64_t seconds) const;
  int64_t AfterByMinutes(int64_t seconds) const;

  std::string zone_;
  uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;  // A bit of each value; Sunday is 0.
  bool any_day_ = false, any_weekday_ = false, every_hour_ = false;
};

}  // namespace weft::model
