// Terms in a plan: what would be in force, whether what speaks of them still can, and putting it in force.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "model/term.h"
#include "work/publish/overlay.h"

namespace weft::publish {

using TermPlan = Overlay<model::Terms, model::TermFile>;

// `mesh` as it will be.
Result<TermPlan> PlanTerms(store::Txn& txn, const std::vector<model::TermFile>& files,
                           const std::optional<model::Mesh>& mesh);

// Terms that `next` lacks and registered products speak of; those in `replaced`, "domain/name", are judged by what
// replaces them.
Result<std::vector<Problem>> StillUsed(store::Txn& txn, const model::Sight& sight, const model::Terms& before,
                                       const model::Terms& next, const std::set<std::string>& replaced);

// In force with the transaction, all or none. kConflict where another's terms or products came between.
Status PutTerms(Context& context, store::Txn& txn, const model::Caller& caller,
                const std::vector<model::TermFile>& files, const std::set<std::string>& replaced);

}  // namespace weft::publish
