#include "work/publish/policies.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "model/policy/restriction.h"

namespace weft::publish {
namespace {

constexpr size_t kMostEffects = 1'000;

// "every row", or what is asked of one.
std::string RowsOf(const model::Decision& decision) {
  std::string text;
  for (const auto& filter :
       decision.restriction ? decision.restriction->filters : std::vector<model::Restriction::Filter>()) {
    if (!text.empty()) text += " && ";
    text += filter.text;
  }
  return text.empty() ? "all" : text == "false" ? "none" : text;
}

std::string MaskOf(const model::Decision& decision, const std::string& column) {
  if (!decision.restriction) return "shown";
  if (!decision.restriction->Shows(column)) return "not granted";
  const auto mask = decision.restriction->masks.find(column);
  return mask == decision.restriction->masks.end() ? "shown" : std::string(MaskActionName(mask->second.action));
}

std::set<std::string> AllColumns(const model::Resource& resource) {
  std::set<std::string> names;
  if (!resource.contract || resource.contract->schema.empty()) return names;
  for (const model::Property& property : resource.contract->schema.front().properties) names.insert(property.name);
  return names;
}

// What one principal gains or loses of one port; nothing where it stays as it was.
std::vector<std::string> Differences(const model::Decision& before, const model::Decision& after,
                                     const model::Resource& resource) {
  if (!before.permitted && !after.permitted) return {};
  std::vector<std::string> told;
  if (before.permitted && !after.permitted) return {"may no longer read: " + Join(after.reasons, "; ")};
  if (!before.permitted) told.push_back("may read");
  const std::string rows_before = before.permitted ? RowsOf(before) : "none", rows_after = RowsOf(after);
  if (rows_before != rows_after && !(rows_after == "all" && !before.permitted)) {
    told.push_back(fmt::format("rows: {} → {}", rows_before, rows_after));
  }
  std::set<std::string> columns;
  for (const model::Decision* decision : {&before, &after}) {
    if (!decision->restriction) continue;
    // Every column's sight may change where only some were granted.
    const bool some = decision->restriction->only.has_value();
    for (const std::string& column : some ? AllColumns(resource) : std::set<std::string>()) columns.insert(column);
    for (const auto& [column, mask] : decision->restriction->masks) columns.insert(column);
  }
  for (const std::string& column : columns) {
    const std::string was = MaskOf(before, column), is = MaskOf(after, column);
    if (was != is) told.push_back(fmt::format("{}: {} → {}", column, was, is));
  }
  return told;
}

// Those of a team are principals and groups by name; the groups' members are known already.
Result<std::set<std::string>> Everybody(store::Txn& txn, const std::optional<model::Mesh>& mesh) {
  std::set<std::string> names;
  for (const std::string& name : TRY(access::KnownPrincipals(txn))) names.insert(name);
  std::vector<std::string> members = TRY(catalog::TeamMembers(txn));
  for (const model::Mesh::Domain& domain : mesh ? mesh->domains : std::vector<model::Mesh::Domain>()) {
    for (const auto* team : {&domain.owners, &domain.stewards, &domain.engineers}) {
      members.insert(members.end(), team->begin(), team->end());
    }
  }
  for (const std::string& member : members) {
    if (access::IsPrincipal(member)) names.insert(member);
  }
  return names;
}

}  // namespace

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

Result<std::vector<Effect>> EffectsOf(store::Txn& txn, Clock& clock, const PolicyPlan& plan,
                                      const std::optional<model::Mesh>& mesh) {
  std::vector<Effect> effects;
  std::vector<model::Principal> everybody;
  for (const std::string& name : TRY(Everybody(txn, mesh))) everybody.push_back(TRY(access::PrincipalOf(txn, name)));
  for (const catalog::PortRow& row : TRY(catalog::Ports(txn))) {
    const catalog::Port port = TRY(catalog::Load(txn, row));
    std::set<std::string> purposes = {""};
    for (const access::Grant& grant : TRY(access::Grants(txn, &row.key, ""))) purposes.insert(grant.purpose);
    for (const model::Principal& principal : everybody) {
      for (const std::string& purpose : purposes) {
        const model::Decision before =
            TRY(access::DecideRead(txn, clock, principal, port.resource, purpose, *plan.before));
        const model::Decision after =
            TRY(access::DecideRead(txn, clock, principal, port.resource, purpose, *plan.next));
        std::vector<std::string> told = Differences(before, after, port.resource);
        if (told.empty()) continue;
        effects.push_back({principal.name, row.key.Text(), purpose, std::move(told)});
        if (effects.size() >= kMostEffects) return effects;
      }
    }
  }
  return effects;
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
