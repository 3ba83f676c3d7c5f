// Time as the program sees it; tests hand in a stopped one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

using Millis = std::chrono::milliseconds;

// A moment, in microseconds since 1970 UTC.
struct Instant {
  int64_t micros = 0;

  std::string Text() const;  // "2013-01-01T10:00:00.000000Z": RFC 3339, sorts as text.
  // RFC 3339 date-times, with or without fraction and offset (UTC where absent), and bare dates.
  static Result<Instant> Parse(std::string_view text);
  int64_t millis() const { return micros / 1000; }
  auto operator<=>(const Instant&) const = default;
};

// Safe to share between threads.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

Clock& SystemClock();

}  // namespace weft
