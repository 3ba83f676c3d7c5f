// When a port's rows are made anew by themselves: by the clock, when its inputs have new rows, or before its own are
// too old.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/contract.h"
#include "model/product.h"

namespace weft::model {

// As one text, which is how an environment's file says it: a cron line, `inputs`, `freshness` or `never`. kInvalid says
// what is wrong.
Status CheckSchedule(const std::string& text, const std::string& zone);
void SetSchedule(Build& build, const std::string& text);
// "0 5 * * 1-5 Europe/Berlin", "inputs", "freshness", or nothing; UTC where the zone is empty.
std::string ScheduleText(const std::string& cron, const std::string& zone, const std::string& trigger);
std::string ScheduleText(const Build& build);

// "Mon 2026-11-23 05:00 Europe/Berlin", with seconds where there are any; UTC where the zone is empty.
std::string LocalText(Instant time, const std::string& zone);

// How old a port's rows may be: the least that its contract promises as `latency` or `freshness`; nothing where it
// promises neither in a unit of time.
std::optional<Millis> PromisedAge(const Contract& contract);

// For how long its contract keeps former states of the table: `retention` without an element, which is one of rows.
// Nothing where it says none in a unit of time.
std::optional<Millis> Retention(const Contract& contract);

// Why the build's trigger cannot start anything, and what to write; empty: it can.
std::string ProblemOfTrigger(const Build& build, const Product& product, const Contract* contract);

}  // namespace weft::model
