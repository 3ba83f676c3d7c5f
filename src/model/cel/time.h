// Timestamps and durations: read, written, added, and seen in a time zone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/cel/value.h"

namespace weft::cel {

std::string TextOf(Timestamp time);     // RFC 3339 in UTC: "2009-02-13T23:31:30.5Z"
std::string TextOf(Duration duration);  // "60.001s"

// Nothing where the text is none or out of range. A duration's units are h, m, s, ms, us and ns.
std::optional<Timestamp> ParseTimestamp(std::string_view text);
std::optional<Duration> ParseDuration(std::string_view text);

// Nothing where the result is out of range.
std::optional<Timestamp> TimestampOf(int64_t seconds, int64_t nanos);
std::optional<Timestamp> Plus(Timestamp time, Duration duration);
std::optional<Duration> Minus(Timestamp one, Timestamp other);

struct Civil {
  int64_t year = 0;
  int64_t month = 0;        // From 0.
  int64_t day = 0;          // Of the month, from 0.
  int64_t day_of_week = 0;  // Sunday is 0.
  int64_t day_of_year = 0;  // From 0.
  int64_t hours = 0, minutes = 0, seconds = 0;
};
// "UTC", an offset such as "+02:00" or "-09:30", or a name such as "Europe/Paris", which this machine's zone database
// resolves. Nothing where the zone is unknown.
std::optional<Civil> CivilIn(Timestamp time, std::string_view zone);

}  // namespace weft::cel
