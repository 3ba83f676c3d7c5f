// Which files of a table are to be written anew, and when upkeep may work by itself: pure rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weft::upkeep {

struct Rule {
  int64_t file_bytes = int64_t{128} << 20;  // As large as files are to be.
  int64_t small_files = 16;                 // So many files that are smaller than half of that are none too many.

  bool IsSmall(int64_t bytes) const { return bytes * 2 < file_bytes; }
};

// Small files that are to become one, group by group, each in the order of `bytes`, the sizes of a table's files. It
// pays where more than `small_files` are small, none of which is larger than those that are smaller than it together:
// else rows would be written again and again. `anyway`: whatever there is.
std::vector<std::vector<size_t>> GroupsOf(const std::vector<int64_t>& bytes, const Rule& rule, bool anyway);

// A time of the day, in UTC: "22:00-06:00"; empty: always.
class Window {
 public:
  static Result<Window> Parse(std::string_view text);
  bool Has(Instant time) const;

 private:
  int from_ = 0, to_ = 0;  // Minutes; equal: always.
};

}  // namespace weft::upkeep
