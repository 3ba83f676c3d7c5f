// What publishing a product means to when its ports run by themselves.
#pragma once

#include <string>
#include <vector>

#include "work/publish/plan.h"

namespace weft::publish {

// What of it the plan tells: "orders@1 runs by 0 5 * * 1-5 Europe/Berlin: next Mon …".
Result<std::vector<std::string>> ScheduleNotes(store::Txn& txn, Clock& clock, const model::Bundle& bundle,
                                               const Registered& registered);
// After the bundle was put: its ports' schedules are those that are in force, from now on. What is retired, and what
// the newest version has no more, has none.
Status PutSchedules(store::Txn& txn, Clock& clock, const model::Caller& caller, const model::Bundle& bundle);

}  // namespace weft::publish
