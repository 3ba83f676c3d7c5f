// Runs for a range of logical times, one after the other.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/command.h"

namespace weft::app {

// As it was typed.
struct Range {
  std::string from;
  std::string to;
  std::string every;
};
// From the first to the last, both included where the step meets it. kInvalid says which option is wrong.
Result<std::vector<Instant>> LogicalTimes(const Range& range);

// Submits `body` for each time in turn and waits for its end. What has succeeded for a time is skipped by its key, so
// the same command goes on where another one of it was stopped. Ends with the first that does not come about.
Result<int> Backfill(Session& session, const Json& body, const std::vector<Instant>& times);

}  // namespace weft::app
