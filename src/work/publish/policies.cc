#include "work/publish/policies.h"

#include <fmt/format.h>

namespace weft::publish {

Result<PolicyPlan> PlanPolicies(store::Txn& txn, const std::vector<model::PolicyFile>& files) {
  auto notes = [](const model::PolicyFile& file) {
    std::vector<std::string> told;
    for (const model::Purpose& purpose : file.purposes) told.push_back("purpose: " + purpose.name);
    for (const model::Policy& policy : file.policies) {
      told.push_back(fmt::format("{}: {}", EffectName(policy.effect), policy.name));
    }
    return told;
  };
  return LayOver(TRY(access::PoliciesOf(txn)), files, notes, model::Policies::Compile);
}

Status PutPolicies(store::Txn& txn, Clock& clock, const model::Caller& caller,
                   const std::vector<model::PolicyFile>& files) {
  TRY(access::PutPolicies(txn, clock, files, caller.principal.name));
  // Another may have applied a policy of the same name meanwhile.
  if (auto together = access::PoliciesOf(txn); !together) {
    return Error{Code::kConflict,
                 "policies were applied by another meanwhile, and do not fit these: " + together.error().message};
  }
  return RecordFiles(txn, clock, caller, files, "policies", &model::PolicyFile::policies);
}

}  // namespace weft::publish
