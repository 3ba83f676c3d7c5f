#include <cctz/time_zone.h>

#include <algorithm>
#include <chrono>

#include "model/cel/time.h"

namespace weft::cel {

std::optional<int64_t> OffsetOfNamedZone(int64_t seconds, const std::string& zone) {
  // The library opens the file of that name: only what looks like a zone reaches it.
  const bool looks =
      !zone.empty() && zone.size() <= 64 && std::isalpha(static_cast<unsigned char>(zone[0])) &&
      std::all_of(zone.begin(), zone.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
      });
  cctz::time_zone found;
  if (!looks || !cctz::load_time_zone(zone, &found)) return std::nullopt;
  return found.lookup(std::chrono::system_clock::from_time_t(seconds)).offset;
}

}  // namespace weft::cel
