// When a port runs by itself, in a sentence's words.
#pragma once

#include <string>

#include "base/json.h"

namespace weft::app {

// Of what has "schedule", "next" and "zone": "by 0 5 * * 1-5 Europe/Berlin; next Mon 2026-11-23 05:00 Europe/Berlin".
std::string ScheduleText(const Json& what);
// Of a run's cause: "by hand", "by its schedule".
std::string StartedText(const std::string& cause);
// Of a pause: "paused 3 minutes ago by ana with sales: WHY"; nothing where there is none.
std::string PausedText(const Json& paused);

}  // namespace weft::app
