// Policies in a plan: what would be in force, who gains and loses what by it, and putting it in force.
#pragma once

#include <vector>

#include "model/policy/policies.h"
#include "state/catalog/catalog.h"
#include "work/publish/overlay.h"

namespace weft::publish {

using PolicyPlan = Overlay<model::Policies, model::PolicyFile>;

Result<PolicyPlan> PlanPolicies(store::Txn& txn, const std::vector<model::PolicyFile>& files);

// What the registered ports' readers gain and lose: everybody whom the mesh knows and a changed policy may be about,
// without a purpose and with those that grants name. `next`: the mesh.yaml that is planned with them; null: none.
struct Effects {
  std::vector<Effect> told;  // At most 1,000.
  bool cut = false;          // There may be more: that many were found, or enough was worked out.
};
Result<Effects> EffectsOf(store::Txn& txn, Clock& clock, const PolicyPlan& plan, const model::Mesh* next);

// In force with the transaction, all or none. kConflict where another's policies came between.
Status PutPolicies(store::Txn& txn, Clock& clock, const model::Caller& caller,
                   const std::vector<model::PolicyFile>& files);

}  // namespace weft::publish
