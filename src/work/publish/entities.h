// Entities in a plan: what would be in force, whether the columns that speak of them can, and putting it in force.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/entity.h"
#include "state/catalog/catalog.h"
#include "work/publish/publish.h"

namespace weft::publish {

struct EntityPlan {
  std::shared_ptr<const model::Entities> before;
  std::shared_ptr<const model::Entities> next;  // Null where there are problems.
  std::vector<model::EntityFile> put;           // Those that are new or changed.
  std::vector<Change> changes;
  std::vector<Problem> problems;
};

// Lays the submitted files over those in force; files that are not submitted stay. `mesh` as it will be.
Result<EntityPlan> PlanEntities(store::Txn& txn, const std::vector<model::EntityFile>& files,
                                const std::optional<model::Mesh>& mesh);

// Entities that `next` lacks or has of another type, and registered columns speak of; ports in `replaced` are judged by
// what replaces them.
Result<std::vector<Problem>> StillUsed(store::Txn& txn, const model::Entities& before, const model::Entities& next,
                                       const std::set<model::PortKey>& replaced);

// In force with the transaction, all or none. kConflict where another's entities or products came between.
Status PutEntities(Context& context, store::Txn& txn, const model::Caller& caller,
                   const std::vector<model::EntityFile>& files, const std::set<model::PortKey>& replaced);

}  // namespace weft::publish
