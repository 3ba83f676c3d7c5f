#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "work/approve/chain.h"

namespace weft::approve {

Status CheckDirect(store::Txn& txn, Clock& clock, const model::Caller& caller, const access::Grant& wanted,
                   const model::Resource& resource) {
  const model::Principal& giver = caller.principal;
  if (giver.administrator) return {};
  const bool owns =
      std::ranges::any_of(resource.owners, [&](const std::string& owner) { return access::Covers(owner, giver); });
  // A person asks for themselves; whoever grants asks for groups, services and products.
  const bool person = wanted.principal.find(':') == std::string::npos;
  const std::string ask = fmt::format("{}weft request {}{}{} --because WHY", person ? wanted.principal + " asks: " : "",
                                      resource.Text(), person ? "" : " --for " + wanted.principal,
                                      wanted.purpose.empty() ? "" : " --purpose " + wanted.purpose);
  if (!owns && access::Covers(wanted.principal, giver)) {
    return Error{Code::kDenied,
                 fmt::format("{} grants {} to others, and to themselves only as its owner. What helps: {}", giver.name,
                             resource.Text(), ask)};
  }
  requests::Request request;
  request.port = wanted.port;
  request.principal = wanted.principal;
  request.requester = wanted.principal.starts_with("group:") ? "" : wanted.principal;
  request.purpose = wanted.purpose;
  const model::Chain chain = TRY(ChainNow(txn, clock, request, resource));
  if (chain.policies.empty()) return {};  // No policy says who decides: those who may grant.
  for (const std::string& step : chain.asked.steps) {
    const std::vector<std::string> holders = HoldersOf(step, resource);
    if (std::ranges::any_of(holders, [&](const std::string& holder) { return access::Covers(holder, giver); }))
      continue;
    std::string policies;
    for (const model::AppliedPolicy& policy : chain.policies) {
      policies += fmt::format("{}'{}' ({})", policies.empty() ? "" : ", ", policy.policy->name, policy.policy->where);
    }
    return Error{Code::kDenied,
                 fmt::format("{} is asked for, and not given by {} alone: by the policy {} it needs {}, one after the "
                             "other. What helps: {}",
                             resource.Text(), giver.name, policies, Join(chain.asked.steps, ", "), ask)};
  }
  return {};
}

}  // namespace weft::approve
