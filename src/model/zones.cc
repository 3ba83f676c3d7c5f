#include "model/zones.h"

#include <cctz/time_zone.h>

#include <algorithm>
#include <chrono>

namespace weft::model {
namespace {

std::optional<cctz::time_zone> Find(const std::string& zone) {
  // The library opens the file of that name: only what looks like a zone reaches it.
  const bool looks =
      !zone.empty() && zone.size() <= 64 && std::isalpha(static_cast<unsigned char>(zone[0])) &&
      std::all_of(zone.begin(), zone.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
      });
  if (zone == "UTC") return cctz::utc_time_zone();
  cctz::time_zone found;
  if (!looks || !cctz::load_time_zone(zone, &found)) return std::nullopt;
  return found;
}

std::chrono::system_clock::time_point At(int64_t seconds) { return std::chrono::system_clock::from_time_t(seconds); }

}  // namespace

std::optional<int64_t> OffsetOfZone(int64_t seconds, const std::string& zone) {
  const auto found = Find(zone);
  if (!found) return std::nullopt;
  return found->lookup(At(seconds)).offset;
}

int64_t MomentOfLocal(int64_t local_seconds, const std::string& zone) {
  const auto found = Find(zone);
  if (!found) return local_seconds;
  const cctz::civil_second local = cctz::convert(At(local_seconds), cctz::utc_time_zone());
  const cctz::time_zone::civil_lookup moment = found->lookup(local);
  const bool skipped = moment.kind == cctz::time_zone::civil_lookup::SKIPPED;
  return std::chrono::duration_cast<std::chrono::seconds>((skipped ? moment.trans : moment.pre).time_since_epoch())
      .count();
}

}  // namespace weft::model
