#include "state/requests/requests.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "work/approve/approve.h"

namespace weft::rest {
namespace {

Json StepJson(const approve::Step& step) {
  return Json::Map({{"step", step.name},
                    {"holders", step.holders},
                    {"approved_by", OptionalText(step.approved_by)},
                    {"in_stead_of", OptionalText(step.in_stead)},
                    {"people", step.people},
                    {"stuck", OptionalText(step.stuck)}});
}

Json RequestJson(const approve::View& view) {
  const requests::Request& request = view.request;
  Json::Array steps, policies, history;
  for (const approve::Step& step : view.steps) steps.push_back(StepJson(step));
  for (const model::AppliedPolicy& policy : view.chain.policies) {
    const model::AppliedPolicy::Words& words = *policy.policy;
    policies.push_back(Json::Map({{"name", words.name}, {"where", words.where}, {"message", words.message}}));
  }
  for (const requests::Event& event : request.history) {
    history.push_back(Json::Map({{"kind", event.kind},
                                 {"who", event.who},
                                 {"in_stead_of", OptionalText(event.in_stead)},
                                 {"step", OptionalText(event.step)},
                                 {"text", event.text},
                                 {"at", event.at.Text()}}));
  }
  const approve::Step* next = request.status == "waiting" ? view.Next() : nullptr;
  const std::optional<int64_t>& most = view.chain.asked.until_s;
  return Json::Map({{"id", request.id},
                    {"status", request.status},
                    {"requester", request.requester},
                    {"principal", request.principal},
                    {"address", request.port.Text()},
                    {"gone", view.gone},
                    {"purpose", request.purpose},
                    {"columns", request.columns.empty() ? Json() : Json(request.columns)},
                    {"until", OptionalTime(request.until)},
                    {"because", request.because},
                    {"made_at", request.made_at.Text()},
                    {"next", next ? Json(next->name) : Json()},
                    {"steps", std::move(steps)},
                    {"holds_for", most ? Json(model::DurationText(*most)) : Json()},
                    {"policies", std::move(policies)},
                    {"contract", request.contract_version},
                    {"contract_now", view.gone ? Json() : Json(view.contract_version)},
                    {"terms", request.terms},
                    {"grant", OptionalText(request.grant)},
                    {"history", std::move(history)}});
}

// With the grant that followed, where there is one and it has not ended.
Result<Json> AnswerOf(store::Txn& txn, Clock& clock, const approve::View& view) {
  const requests::Request& request = view.request;
  std::vector<access::Grant> grants;
  if (!request.grant.empty()) grants = TRY(access::Grants(txn, &request.port, std::vector{request.principal}));
  Json json = RequestJson(view), until, remind_at;
  bool held = false;
  for (const access::Grant& grant : grants) {
    if (grant.id != request.grant || (grant.until && *grant.until <= clock.Now())) continue;
    held = true;
    until = OptionalTime(grant.until);
    remind_at = OptionalTime(grant.remind_at());
  }
  json.Set("granted", held);
  json.Set("granted_until", std::move(until));
  json.Set("remind_at", std::move(remind_at));
  return json;
}

// Runs what changes a request in one transaction; a denial of it is told in the ledger.
Answer Change(Api& api, const Caller& caller, const http::Request& request, model::Action action,
              const std::function<Result<approve::View>(store::Txn&)>& change) {
  auto txn = TRY(api.store.Begin());
  auto view = change(*txn);
  if (!view) {
    Error error = view.TakeError();
    txn.reset();
    if (error.code == Code::kDenied) {
      const model::Resource resource = TRY(WhichRequest(api, caller, request));
      TRY(api.ledger.AppendDurably(ledger::Denial(caller, action, resource.Text(), {error.message})));
    }
    return error;
  }
  const Json answer = TRY(AnswerOf(*txn, api.clock, *view));
  TRY(txn->Commit());
  return http::Response::Of(answer);
}

}  // namespace

// Whoever has no part in a request learns nothing of it, its port included.
Result<model::Resource> WhichRequest(Api& api, const Caller& caller, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  return TRY(approve::Find(*txn, api.clock, caller, request.captures.at("id"))).port.resource;
}

Answer ListRequests(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"whose"}));
  const std::string whose = request.Query("whose").empty() ? "mine" : request.Query("whose");
  TRY(OneOf("whose", whose, {"mine", "to-approve", "all"}));
  auto txn = TRY(api.store.Read());
  const approve::Whose wanted = whose == "all"          ? approve::Whose::kAll
                                : whose == "to-approve" ? approve::Whose::kToApprove
                                                        : approve::Whose::kMine;
  const approve::Listed listed = TRY(approve::List(*txn, api.clock, caller, wanted));
  Json::Array list;
  for (const approve::View& view : listed.views) list.push_back(TRY(AnswerOf(*txn, api.clock, view)));
  return http::Response::Of(Json::Map({{"requests", std::move(list)}, {"more", listed.more}}));
}

Answer MakeRequest(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"address", "for", "purpose", "because", "columns", "until"}));
  const std::string address = TRY(NeedText(body, "address"));
  approve::Wanted wanted;
  if (!body["for"].is_null()) wanted.principal = TRY(PrincipalName(body, "for"));
  wanted.purpose = body["purpose"].is_null() ? caller.purpose : body["purpose"].Text();
  wanted.because = body["because"].Text();
  wanted.columns = TRY(ColumnsOf(body));
  wanted.until = TRY(TimeOf(body, "until"));
  TRY(NotPast(api.clock, "until", wanted.until));
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, address));
  TRY(api.gate.Decide(*txn, caller, model::Action::kRequest, port.resource));
  const approve::View view = TRY(approve::Make(*txn, api.clock, caller, port, wanted));
  const Json answer = TRY(AnswerOf(*txn, api.clock, view));
  TRY(txn->Commit());
  return http::Response::Of(answer);
}

Answer GetRequest(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  return http::Response::Of(
      TRY(AnswerOf(*txn, api.clock, TRY(approve::Find(*txn, api.clock, caller, request.captures.at("id"))))));
}

Answer ApproveRequest(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"note"}));
  return Change(api, caller, request, model::Action::kApprove, [&](store::Txn& txn) {
    return approve::Approve(txn, api.clock, caller, request.captures.at("id"), body["note"].Text());
  });
}

Answer RefuseRequest(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"note"}));
  return Change(api, caller, request, model::Action::kApprove, [&](store::Txn& txn) {
    return approve::Refuse(txn, api.clock, caller, request.captures.at("id"), body["note"].Text());
  });
}

Answer AskRequest(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"text"}));
  return Change(api, caller, request, model::Action::kApprove, [&](store::Txn& txn) {
    return approve::Ask(txn, api.clock, caller, request.captures.at("id"), body["text"].Text());
  });
}

Answer AnswerRequest(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"text"}));
  return Change(api, caller, request, model::Action::kRequest, [&](store::Txn& txn) {
    return approve::Answer(txn, api.clock, caller, request.captures.at("id"), body["text"].Text());
  });
}

Answer WithdrawRequest(Api& api, const Caller& caller, const http::Request& request) {
  TRY(BodyOf(request, {}));
  return Change(api, caller, request, model::Action::kRequest,
                [&](store::Txn& txn) { return approve::Withdraw(txn, api.clock, caller, request.captures.at("id")); });
}

namespace {

Json DelegationJson(const requests::Delegation& delegation) {
  return Json::Map({{"from", delegation.from},
                    {"to", delegation.to},
                    {"on", delegation.on.Short()},
                    {"until", OptionalTime(delegation.until)},
                    {"made_at", delegation.made_at.Text()}});
}

// Where a right is lent, as it is kept.
Result<model::Address> PlaceOf(store::Txn& txn, const std::string& text) {
  model::Address place = TRY(AddressOf(txn, text));
  place.mesh.clear();
  return place;
}

model::Resource At(const model::Address& place) {
  model::Resource resource;
  resource.domain = place.domain;
  resource.product = place.product;
  resource.port = place.port;
  resource.major = place.major.value_or(0);
  return resource;
}

}  // namespace

Answer ListDelegations(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array list;
  for (const requests::Delegation& each : TRY(requests::Delegations(*txn, api.clock, "", ""))) {
    const std::string& me = caller.principal.name;
    if (each.from == me || each.to == me) list.push_back(DelegationJson(each));
  }
  return http::Response::Of(Json::Map({{"delegations", std::move(list)}}));
}

Answer MakeDelegation(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"to", "until", "on"}));
  requests::Delegation wanted;
  wanted.to = TRY(PrincipalName(body, "to"));
  wanted.until = TRY(TimeOf(body, "until"));
  TRY(NotPast(api.clock, "until", wanted.until));
  auto txn = TRY(api.store.Begin());
  if (!body["on"].Text().empty()) wanted.on = TRY(PlaceOf(*txn, body["on"].Text()));
  TRY(api.gate.Decide(*txn, caller, model::Action::kApprove, At(wanted.on)));
  const requests::Delegation made = TRY(approve::Delegate(*txn, api.clock, caller, wanted));
  TRY(txn->Commit());
  return http::Response::Of(DelegationJson(made));
}

Answer EndDelegation(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"to", "on"}));
  auto txn = TRY(api.store.Begin());
  model::Address on;
  if (!request.Query("on").empty()) on = TRY(PlaceOf(*txn, request.Query("on")));
  TRY(api.gate.Decide(*txn, caller, model::Action::kApprove, At(on)));
  TRY(approve::EndDelegation(*txn, api.clock, caller, request.Query("to"), on));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"ended", 1}}));
}

}  // namespace weft::rest
