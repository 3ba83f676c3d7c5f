// Policies in a plan: what would be in force, who gains and loses what by it, and putting it in force.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/policy/policies.h"
#include "state/catalog/catalog.h"
#include "work/publish/overlay.h"

namespace weft::publish {

using PolicyPlan = Overlay<model::Policies, model::PolicyFile>;

Result<PolicyPlan> PlanPolicies(store::Txn& txn, const std::vector<model::PolicyFile>& files);

// What is planned, as far as it decides about who reads what.
struct Planned {
  const PolicyPlan& policies;
  const model::Mesh* mesh = nullptr;                     // The mesh.yaml; null: it stays.
  std::map<model::PortKey, model::Resource> ports = {};  // Of the products that are registered, as they will be.
};

// What the registered ports' readers gain and lose: whom the mesh knows, whom policies name and who comes with a claim
// that a group of mesh.yaml lists; without a purpose, and with those that grants or policies name. Asked is about ports
// of which changed policies speak, or whose descriptors or teams change, and for those whose groups or attributes do.
struct Effects {
  std::vector<Effect> told;  // At most 1,000.
  bool cut = false;          // There may be more: that many were found, or enough was worked out.
};
Result<Effects> EffectsOf(store::Txn& txn, Clock& clock, const Planned& planned);

// In force with the transaction, all or none. kConflict where another's policies came between.
Status PutPolicies(store::Txn& txn, Clock& clock, const model::Caller& caller,
                   const std::vector<model::PolicyFile>& files);

}  // namespace weft::publish
