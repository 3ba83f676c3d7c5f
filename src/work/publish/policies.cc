#include "work/publish/policies.h"

#include <fmt/format.h>

#include "base/id.h"

namespace weft::publish {

Result<PolicyPlan> PlanPolicies(store::Txn& txn, const std::vector<model::PolicyFile>& files) {
  PolicyPlan plan;
  plan.before = TRY(access::PoliciesOf(txn));
  std::map<std::string, model::PolicyFile> all;
  for (const model::PolicyFile& file : plan.before->files()) all[file.file] = file;
  for (const model::PolicyFile& file : files) {
    const auto known = all.find(file.file);
    Change change{Change::Kind::kCreate, file.file, "", "", {}};
    if (known != all.end())
      change.kind = known->second.bytes == file.bytes ? Change::Kind::kUnchanged : Change::Kind::kUpdate;
    for (const model::Purpose& purpose : file.purposes) change.notes.push_back("purpose: " + purpose.name);
    for (const model::Policy& policy : file.policies) {
      change.notes.push_back(fmt::format("{}: {}", EffectName(policy.effect), policy.name));
    }
    if (change.kind == Change::Kind::kUnchanged) {
      change.notes.clear();
    } else {
      plan.put.push_back(file);
    }
    plan.changes.push_back(std::move(change));
    all[file.file] = file;
  }
  if (plan.put.empty()) {
    plan.next = plan.before;
    return plan;
  }
  std::vector<model::PolicyFile> next;
  for (auto& [path, file] : all) next.push_back(std::move(file));
  auto compiled = model::Policies::Compile(std::move(next));
  if (compiled) {
    plan.next = compiled.TakeValue();
  } else {
    plan.problems = compiled.TakeError().problems;
  }
  return plan;
}

Status PutPolicies(store::Txn& txn, Clock& clock, const model::Caller& caller,
                   const std::vector<model::PolicyFile>& files) {
  TRY(access::PutPolicies(txn, clock, files, caller.principal.name));
  // Another may have applied a policy of the same name meanwhile.
  if (auto together = access::PoliciesOf(txn); !together) {
    return Error{Code::kConflict,
                 "policies were applied by another meanwhile, and do not fit these: " + together.error().message};
  }
  for (const model::PolicyFile& file : files) {
    ledger::Entry entry{"published", caller.principal.name, caller.purpose, file.file, {}};
    Json names{Json::Array()};
    for (const model::Policy& policy : file.policies) names.Push(policy.name);
    entry.detail = Json::Map({{"sha256", Sha256(file.bytes)}, {"policies", std::move(names)}});
    TRY(ledger::Append(txn, clock, entry));
  }
  return {};
}

}  // namespace weft::publish
