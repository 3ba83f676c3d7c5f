// Entities in a plan: what would be in force, whether the columns that speak of them can, and putting it in force.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "model/entity.h"
#include "state/catalog/catalog.h"
#include "work/publish/overlay.h"

namespace weft::publish {

using EntityPlan = Overlay<model::Entities, model::EntityFile>;

// `mesh` as it will be.
Result<EntityPlan> PlanEntities(store::Txn& txn, const std::vector<model::EntityFile>& files,
                                const std::optional<model::Mesh>& mesh);

// Entities that `next` lacks or has of another type, and registered columns speak of; ports in `replaced` are judged by
// what replaces them.
Result<std::vector<Problem>> StillUsed(store::Txn& txn, const catalog::Seen& seen, const model::Entities& before,
                                       const model::Entities& next, const std::set<model::PortKey>& replaced);

// In force with the transaction, all or none. kConflict where another's entities or products came between.
Status PutEntities(Context& context, store::Txn& txn, const model::Caller& caller,
                   const std::vector<model::EntityFile>& files, const std::set<model::PortKey>& replaced);

}  // namespace weft::publish
