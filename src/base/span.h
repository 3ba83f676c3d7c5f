// A span of calendar time, as people write it: so many months, and so much besides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace weft {

struct Span {
  int64_t months = 0;
  int64_t micros = 0;  // A day has 24 hours: all times are UTC.

  // "2d", "12h", "90 minutes", "month", "1 week", or ISO 8601: "P1M", "PT36H". Never nothing, never negative.
  static Result<Span> Parse(std::string_view text);
  // `times` of it after `begin`. Months keep the day, or end with the month where it has no such day.
  Instant After(Instant begin, int64_t times) const;
  std::string Interval() const;  // As SQL.
  bool operator==(const Span&) const = default;
};

}  // namespace weft
