#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/approve/chain.h"

namespace weft::approve {
namespace {

// A step, and the policies that ask for it; none: it is everybody's where no policy speaks.
struct Asked {
  std::string step;
  std::vector<model::AppliedPolicy> policies;
};

std::vector<Asked> StepsFor(const model::Policies& policies, const model::Resource& resource) {
  std::vector<Asked> all = {{"owners", {}}};
  for (const model::PolicyFile& file : policies.files()) {
    for (const model::Policy& policy : file.policies) {
      if (policy.effect != model::Policy::Effect::kApprove || !policy.scope.Covers(resource)) continue;
      const auto words = std::make_shared<const model::AppliedPolicy::Words>(model::AppliedPolicy::Words{
          policy.name, policy.Where(), std::string(EffectName(policy.effect)), policy.Why()});
      for (const std::string& step : policy.approval.steps) {
        auto at = std::ranges::find(all, step, &Asked::step);
        if (at == all.end()) at = all.insert(all.end(), {step, {}});
        at->policies.push_back({words, std::make_shared<const std::string>("step " + step)});
      }
    }
  }
  return all;
}

// "owners (ana, group:sales)", "group:privacy-office"
std::string Told(const std::string& step, const model::Resource& resource) {
  const std::string holders = Join(HoldersOf(step, resource), ", ");
  return holders == step || holders.empty() ? step : fmt::format("{} ({})", step, holders);
}

}  // namespace

Result<model::Decision> MayApprove(store::Txn& txn, Clock& clock, const model::Principal& principal,
                                   const model::Resource& resource) {
  model::Decision decision = TRY(access::Decide(txn, clock, principal, model::Action::kApprove, resource, ""));
  if (!decision.permitted) return decision;  // By what the token is limited to.
  const auto policies = TRY(access::PoliciesOf(txn));
  View nobodys;  // Its requester bars nobody.
  nobodys.port.resource = resource;
  std::vector<std::string> held, all;
  for (Asked& asked : StepsFor(*policies, resource)) {
    all.push_back(Told(asked.step, resource));
    const Right right = TRY(RightTo(txn, clock, nobodys, asked.step, principal));
    if (!right.given) continue;
    held.push_back(asked.step + (right.in_stead.empty() ? "" : " in the stead of " + right.in_stead));
    std::ranges::move(asked.policies, std::back_inserter(decision.policies));
  }
  if (!held.empty()) {
    decision.right = "step " + Join(held, ", ");
    return decision;
  }
  decision.Refuse(
      {fmt::format("{} holds no step that requests for {} may go through: {}", principal.name, resource.Text(),
                   Join(all, ", "))},
      fmt::format("whoever holds one may lend it: weft delegate {} --on {}", principal.name, resource.Text()));
  return decision;
}

}  // namespace weft::approve
