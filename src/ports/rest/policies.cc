#include <fmt/format.h>

#include "base/text.h"
#include "model/policy/restriction.h"
#include "ports/rest/handlers.h"
#include "state/access/access.h"
#include "work/approve/approve.h"

namespace weft::rest {

Json DecisionJson(const model::Decision& decision) {
  Json masks = Json::Object(), rows, columns;
  if (decision.restriction) {
    for (const auto& [column, mask] : decision.restriction->masks) {
      if (decision.restriction->Shows(column)) masks.Set(column, MaskActionName(mask.action));
    }
    if (decision.restriction->only) {
      columns = std::vector<std::string>(decision.restriction->only->begin(), decision.restriction->only->end());
    }
    rows = OptionalText(decision.restriction->RowsText());
  }
  Json::Array policies;
  for (const model::AppliedPolicy& policy : decision.policies) {
    const model::AppliedPolicy::Words& words = *policy.policy;
    policies.push_back(Json::Map({{"name", words.name},
                                  {"where", words.where},
                                  {"effect", words.effect},
                                  {"detail", policy.Detail()},
                                  {"message", words.message}}));
  }
  return Json::Map({{"permitted", decision.permitted},
                    {"reasons", decision.reasons},
                    {"remedy", decision.remedy},
                    {"right", decision.right},
                    {"until", OptionalTime(decision.until)},
                    {"masked", std::move(masks)},
                    {"rows", std::move(rows)},
                    {"columns", std::move(columns)},  // Those that are granted; null: all.
                    {"policies", std::move(policies)}});
}

namespace {

// Rows are of output ports, and so are requests for them; all else is about a domain, a product or the mesh, too.
Result<model::Resource> WhatIsAsked(const Api& api, store::Txn& txn, const Caller& caller, model::Action action,
                                    const std::string& address) {
  using enum model::Action;
  if (action == kRead || action == kRequest || action == kApprove) {
    const catalog::Port port = TRY(PortOf(api, txn, caller, address));
    return port.resource;
  }
  return ResourceAt(api, txn, caller, address);
}

// As the action's own door decides it.
Result<model::Decision> DecisionOf(store::Txn& txn, Clock& clock, const model::Principal& principal,
                                   model::Action action, const model::Resource& resource, const std::string& purpose) {
  if (action == model::Action::kApprove) return approve::MayApprove(txn, clock, principal, resource);
  return access::Decide(txn, clock, principal, action, resource, purpose);
}

}  // namespace

// Whoever asks about another governs, audits or could grant what is asked about.
Answer Explain(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal", "action", "address", "purpose"}));
  const std::string name = request.Query("principal");
  if (name.empty()) return Error{Code::kInvalid, "parameter principal is missing: whose right is asked?"};
  const std::string wanted = request.Query("action").empty() ? "read" : request.Query("action");
  auto action = model::ActionFrom(wanted);
  if (!action) return action.TakeError().With("parameter action");
  auto txn = TRY(api.store.Read());
  const model::Resource resource = TRY(WhatIsAsked(api, *txn, caller, *action, request.Query("address")));
  // Of oneself as one came: with a token's limits, and the groups that an identity provider vouched for.
  model::Principal principal = caller.principal;
  if (name != principal.name) {
    bool may = false;
    for (model::Action right : {model::Action::kAudit, model::Action::kGrant}) {
      const model::Decision own = TRY(api.gate.Ask(*txn, caller, right, resource));
      may = may || own.permitted;
    }
    if (!may) TRY(api.gate.Decide(*txn, caller, model::Action::kGovern, resource));
    principal = TRY(access::PrincipalOf(*txn, name));
  }
  const model::Decision decision =
      TRY(DecisionOf(*txn, api.clock, principal, *action, resource, request.Query("purpose")));
  Json answer = DecisionJson(decision);
  answer.Set("principal", name);
  answer.Set("groups", principal.groups);
  answer.Set("attributes", principal.attributes);
  answer.Set("action", wanted);
  answer.Set("address", resource.Text());
  answer.Set("purpose", request.Query("purpose"));
  return http::Response::Of(answer);
}

Answer ListPurposes(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array purposes;
  const std::shared_ptr<const model::Policies> in_force = TRY(access::PoliciesOf(*txn));
  for (const model::Purpose& purpose : in_force->purposes().all()) {
    Json excludes = Json::Array();
    for (const model::Purpose& other : in_force->purposes().all()) {
      if (in_force->purposes().Incompatible(purpose.name, other.name)) excludes.Push(other.name);
    }
    purposes.push_back(Json::Map({{"name", purpose.name},
                                  {"description", purpose.description},
                                  {"parent", OptionalText(purpose.parent.name)},
                                  {"incompatible", std::move(excludes)},
                                  {"where", purpose.Where()}}));
  }
  return http::Response::Of(Json::Map({{"purposes", std::move(purposes)}}));
}

Answer ListPolicies(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array policies;
  const std::shared_ptr<const model::Policies> in_force = TRY(access::PoliciesOf(*txn));
  for (const model::PolicyFile& file : in_force->files()) {
    for (const model::Policy& policy : file.policies) {
      policies.push_back(Json::Map({{"name", policy.name},
                                    {"effect", EffectName(policy.effect)},
                                    {"where", policy.Where()},
                                    {"description", policy.description},
                                    {"message", policy.message},
                                    {"when", policy.when.text},
                                    {"expression", policy.expression.text}}));
    }
  }
  return http::Response::Of(Json::Map({{"policies", std::move(policies)}}));
}

}  // namespace weft::rest
