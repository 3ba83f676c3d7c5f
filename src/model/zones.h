// Time zones by their names, as this machine's zone database has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace weft::model {

// The offset from UTC in seconds at a moment (seconds since 1970 UTC); nothing where the zone is unknown. "UTC" is
// always known.
std::optional<int64_t> OffsetOfZone(int64_t seconds, const std::string& zone);
// The moment at which a local time (its seconds since 1970, as if it were UTC) begins in the zone: of one that exists
// twice the first, of one that does not exist the first moment after it. Of an unknown zone, as UTC.
int64_t MomentOfLocal(int64_t local_seconds, const std::string& zone);

}  // namespace weft::model
