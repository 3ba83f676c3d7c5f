#include "work/approve/approve.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "model/policy/restriction.h"
#include "state/access/granted.h"
#include "state/catalog/search.h"
#include "state/ledger/ledger.h"
#include "work/approve/chain.h"

namespace weft::approve {
namespace {

constexpr size_t kMaxText = 2'000;
constexpr int kMaxWaiting = 200;

Status CheckText(std::string_view what, const std::string& text) {
  if (Trim(text).empty()) return Error{Code::kInvalid, fmt::format("{} is missing: say it in a few words", what)};
  if (text.size() <= kMaxText && IsUtf8(text) && text.find('\0') == text.npos) return {};
  return Error{Code::kInvalid, fmt::format("{} has {} bytes: at most {} of UTF-8 text", what, text.size(), kMaxText)};
}

// One row of the ledger; what people wrote stands there as its hash.
Status Record(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& kind,
              const requests::Request& request, Json detail) {
  detail.Set("request", request.id).Set("for", request.principal);
  return ledger::Append(txn, clock,
                        {kind, caller.principal.name, request.purpose, request.port.Text(), std::move(detail)});
}

Result<View> Waiting(store::Txn& txn, Clock& clock, const std::string& id) {
  View view = TRY(ViewOf(txn, clock, TRY(requests::Find(txn, id))));
  if (view.request.status == "waiting") return view;
  return Error{Code::kConflict, fmt::format("the request {} is {} already", id, view.request.status)};
}

Error Denied(const model::Caller& caller, std::string_view verb, const View& view, const std::string& why) {
  return {Code::kDenied,
          fmt::format("{} may not {} the request {}: {}", caller.principal.name, verb, view.request.id, why)};
}

std::string PeopleText(const Step& step) {
  const std::string holders = Join(step.holders, ", ");
  return step.name == holders ? step.name : fmt::format("{} ({})", step.name, holders.empty() ? "nobody" : holders);
}

// The longer of what is asked for and what is held; never longer than the chain allows for what is new.
std::optional<Instant> EndOf(const View& view, Instant now, const std::optional<access::Grant>& held) {
  std::optional<Instant> until = view.request.until;
  if (view.chain.asked.until_s) {
    const Instant most{now.micros + *view.chain.asked.until_s * 1'000'000};
    until = until ? std::min(*until, most) : most;
  }
  if (!held || (held->until && *held->until <= now)) return until;
  if (!held->until || !until) return std::nullopt;
  return std::max(*held->until, *until);
}

// The grant and the end of the request, in the transaction of the last approval.
Status GiveGrant(store::Txn& txn, Clock& clock, const model::Caller& caller, View* view) {
  requests::Request& request = view->request;
  const Instant now = clock.Now();
  if (request.until && *request.until <= now) {
    return Error{Code::kConflict, fmt::format("it was asked for until {}, which has passed: refuse it, or ask for "
                                              "another request",
                                              request.until->Text())};
  }
  access::Grant grant;
  grant.principal = request.principal;
  grant.port = request.port;
  grant.purpose = request.purpose;
  grant.columns = request.columns;
  grant.granted_by = caller.principal.name;
  grant.request = request.id;
  if (view->chain.asked.remind_s) grant.remind_s = *view->chain.asked.remind_s;
  std::optional<access::Grant> held;
  for (const access::Grant& each : TRY(access::Grants(txn, &grant.port, std::vector{grant.principal}))) {
    if (each.purpose == grant.purpose && each.columns == grant.columns) held = each;
  }
  grant.until = EndOf(*view, now, held);
  const access::Grant given = TRY(access::PutGrant(txn, clock, grant, view->port.resource));
  TRY(catalog::NotePopularity(txn, given.port.domain, given.port.product,
                              TRY(access::HoldersOn(txn, clock, given.port.domain, given.port.product))));
  TRY(requests::End(txn, request.id, "approved", given.id));
  TRY(Record(txn, clock, caller, "granted", request,
             Json::Map({{"grant", given.id},
                        {"principal", given.principal},
                        {"purpose", given.purpose},
                        {"columns", given.columns},
                        {"until", given.until ? Json(given.until->Text()) : Json()}})));
  return {};
}

// Whether one may ask in the name of another: of a group that one is in, of a service or product of one's own domain.
Status MayAskFor(store::Txn& txn, const model::Caller& caller, const std::string& principal) {
  if (principal == caller.principal.name) return {};
  const bool group = principal.starts_with("group:"), product = principal.starts_with("product:");
  if (group && access::Covers(principal, caller.principal)) return {};
  const auto mesh = TRY(catalog::MeshOf(txn));
  for (const model::Mesh::Domain& domain : mesh ? mesh->domains : std::vector<model::Mesh::Domain>()) {
    const bool mine = std::ranges::any_of(
        domain.owners, [&](const std::string& owner) { return access::Covers(owner, caller.principal); });
    if (!mine) continue;
    if (product && principal.starts_with("product:" + domain.name + "/")) {
      const auto known = TRY(catalog::FindProduct(txn, domain.name, principal.substr(9 + domain.name.size())));
      if (known) return {};
      return Error{Code::kNotFound, fmt::format("there is no product '{}'", principal.substr(8))};
    }
    if (!principal.starts_with("service:")) continue;
    const model::Principal service = TRY(access::PrincipalOf(txn, principal));
    if (std::ranges::any_of(domain.owners, [&](const std::string& owner) { return access::Covers(owner, service); })) {
      return {};
    }
  }
  std::string_view who = "a person asks for themselves; --for names a group, service or product";
  if (group) who = "only its members ask for a group";
  if (product) who = "the owners of its domain ask for a product";
  if (principal.starts_with("service:")) who = "the owners of a domain ask for the services among its owners";
  return Error{Code::kDenied, fmt::format("{} may not ask for {}: {}", caller.principal.name, principal, who)};
}

// What is of no use is not asked for.
Status CheckNeed(store::Txn& txn, Clock& clock, const requests::Request& request, const catalog::Port& port) {
  const auto policies = TRY(access::PoliciesOf(txn));
  if (policies->purposes().any() && request.purpose.empty()) {
    return Error{Code::kInvalid, "say what for: --purpose PURPOSE; `weft purpose list` tells which there are"};
  }
  if (request.principal.starts_with("group:")) {
    for (const access::Grant& held : TRY(access::Grants(txn, &request.port, std::vector{request.principal}))) {
      if (held.until || !held.columns.empty() || held.purpose != request.purpose) continue;
      return Error{Code::kConflict,
                   fmt::format("{} may read {} already, without end", request.principal, request.port.Text())};
    }
    return {};
  }
  const model::Principal principal = TRY(access::PrincipalOf(txn, request.principal));
  const model::Decision now =
      TRY(access::Decide(txn, clock, principal, model::Action::kRead, port.resource, request.purpose));
  auto shown = [&](const std::string& column) { return !now.restriction || now.restriction->Shows(column); };
  const bool whole = !now.restriction || !now.restriction->only;
  const bool enough = request.columns.empty() ? whole : std::ranges::all_of(request.columns, shown);
  if (now.permitted && !now.until && enough) {
    return Error{Code::kConflict, fmt::format("{} may read {} already, without end", request.principal,
                                              request.columns.empty() ? request.port.Text() : "these columns")};
  }
  model::Decision granted;
  granted.permitted = true;
  policies->Decide(principal, model::Action::kRead, port.resource, request.purpose, clock.Now(), &granted);
  if (granted.permitted) return {};
  return Error{Code::kDenied, fmt::format("{} may not read {} whatever is granted: {}", request.principal,
                                          request.port.Text(), Join(granted.reasons, "; "))};
}

Status CheckAlone(store::Txn& txn, const requests::Request& request) {
  const auto waiting = TRY(requests::List(txn, {request.requester, kMaxWaiting, true}));
  if (waiting.size() >= static_cast<size_t>(kMaxWaiting)) {
    return Error{Code::kConflict, fmt::format("{} requests of {} are waiting already: withdraw some", waiting.size(),
                                              request.requester)};
  }
  for (const requests::Request& other : waiting) {
    if (other.port != request.port || other.principal != request.principal || other.purpose != request.purpose ||
        other.columns != request.columns) {
      continue;
    }
    return Error{Code::kConflict,
                 fmt::format("the same is asked for by {}, which waits: weft requests {}", other.id, other.id)};
  }
  return {};
}

// Whether the caller may refuse the request, and ask about it: who may approve any of its steps.
Result<Right> PartIn(store::Txn& txn, Clock& clock, const model::Caller& caller, const View& view) {
  if (!Barred(view, caller.principal).empty()) return Right{};
  for (const Step& step : view.steps) {
    Right right = TRY(RightTo(txn, clock, view, step.name, caller.principal));
    if (right.given) return right;
  }
  return Right{};
}

Result<View> Say(store::Txn& txn, Clock& clock, const model::Caller& caller, View view, requests::Event event) {
  event.who = caller.principal.name;
  event.at = clock.Now();
  TRY(requests::Add(txn, view.request.id, event));
  Json detail = Json::Map({{"text", event.text.empty() ? "" : Sha256(event.text)}});
  if (!event.step.empty()) detail.Set("step", event.step);
  if (!event.in_stead.empty()) detail.Set("in_stead_of", event.in_stead);
  TRY(Record(txn, clock, caller, "request." + event.kind, view.request, std::move(detail)));
  view.request.history.push_back(std::move(event));
  return view;
}

// As somebody who approves: refuses or asks.
Result<View> Judge(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                   const std::string& kind, std::string_view verb, const std::string& text) {
  TRY(CheckText(kind == "asked" ? "the question" : "the note", text));
  View view = TRY(Waiting(txn, clock, id));
  const Right right = TRY(PartIn(txn, clock, caller, view));
  if (!right.given) {
    const std::string barred = Barred(view, caller.principal);
    return Denied(caller, verb, view, barred.empty() ? "none of its steps is theirs" : barred);
  }
  return Say(txn, clock, caller, std::move(view), {kind, "", right.in_stead, "", text, {}});
}

}  // namespace

const Step* View::Next() const {
  const auto next = std::ranges::find_if(steps, [](const Step& step) { return step.approved_by.empty(); });
  return next == steps.end() ? nullptr : &*next;
}

std::string TermsOf(const model::Contract& contract) {
  std::string terms;
  const Json& description = contract.document["description"];
  for (const char* part : {"usage", "limitations"}) {
    if (!description[part].Text().empty()) terms += fmt::format("{}: {}\n", part, description[part].Text());
  }
  for (const model::SlaProperty& sla : contract.slas) {
    const std::string value = sla.value.is_text() ? sla.value.Text() : sla.value.Dump();
    terms += fmt::format("{}: {}{}\n", sla.property, value, sla.unit.empty() ? "" : " " + sla.unit);
  }
  return terms;
}

Result<View> Make(store::Txn& txn, Clock& clock, const model::Caller& caller, const catalog::Port& port,
                  const Wanted& wanted) {
  requests::Request request;
  request.requester = caller.principal.name;
  // Those that mesh.yaml cannot tell later: an identity provider vouched for them.
  const model::Principal known = TRY(access::PrincipalOf(txn, request.requester));
  for (const std::string& group : caller.principal.groups) {
    if (std::ranges::find(known.groups, group) == known.groups.end()) request.groups.push_back(group);
  }
  request.principal = wanted.principal.empty() ? caller.principal.name : wanted.principal;
  request.port = port.row.key;
  request.purpose = wanted.purpose;
  const std::set<std::string> columns(wanted.columns.begin(), wanted.columns.end());
  request.columns.assign(columns.begin(), columns.end());
  request.until = wanted.until;
  request.because = wanted.because;
  TRY(CheckText("the reason (--because)", request.because));
  TRY(MayAskFor(txn, caller, request.principal));
  access::Grant grant;
  grant.principal = request.principal;
  grant.port = request.port;
  grant.purpose = request.purpose;
  grant.columns = request.columns;
  TRY(access::CheckGrant(txn, clock, grant, port.resource));
  TRY(CheckNeed(txn, clock, request, port));
  TRY(CheckAlone(txn, request));
  request.id = NewId("req");
  request.made_at = clock.Now();
  request.contract_version = port.row.version;
  if (port.contract) request.terms = TermsOf(*port.contract);
  request.chain = TRY(ChainNow(txn, clock, request, port.resource));
  TRY(requests::Put(txn, request));
  TRY(Record(txn, clock, caller, "request.made", request,
             Json::Map({{"because", Sha256(request.because)},
                        {"contract", request.contract_version},
                        {"terms", Sha256(request.terms)},
                        {"steps", request.chain.asked.steps}})));
  if (request.chain.automatic()) {
    View view = TRY(ViewOf(txn, clock, TRY(requests::Find(txn, request.id))));
    TRY(GiveGrant(txn, clock, caller, &view));
  }
  return ViewOf(txn, clock, TRY(requests::Find(txn, request.id)));
}

Result<View> Approve(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                     const std::string& note) {
  if (!note.empty()) TRY(CheckText("the note", note));
  View view = TRY(Waiting(txn, clock, id));
  if (const std::string barred = Barred(view, caller.principal); !barred.empty()) {
    return Denied(caller, "approve", view, barred);
  }
  // A chain may have nothing left where a policy changed since its last step was approved.
  const Step* next = view.Next();
  if (!next) return Error{Code::kInternal, fmt::format("the request {} waits for nobody", id)};
  const Right right = TRY(RightTo(txn, clock, view, next->name, caller.principal));
  if (!right.given) {
    return Denied(caller, "approve", view, fmt::format("its next step is of {}", PeopleText(*next)));
  }
  if (view.gone) {
    return Error{Code::kConflict, fmt::format("the port {} is gone, and nobody can be given it: refuse the request {}",
                                              view.request.port.Text(), id)};
  }
  requests::Event event{"approved", "", right.in_stead, next->name, note, {}};
  view = TRY(Say(txn, clock, caller, std::move(view), std::move(event)));
  view.steps = TRY(StepsOf(txn, clock, view));
  if (!view.Next()) TRY(GiveGrant(txn, clock, caller, &view));
  return ViewOf(txn, clock, TRY(requests::Find(txn, id)));
}

Result<View> Refuse(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                    const std::string& note) {
  View view = TRY(Judge(txn, clock, caller, id, "refused", "refuse", note));
  TRY(requests::End(txn, id, "refused", ""));
  return ViewOf(txn, clock, TRY(requests::Find(txn, id)));
}

Result<View> Ask(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                 const std::string& text) {
  return Judge(txn, clock, caller, id, "asked", "ask about", text);
}

Result<View> Answer(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                    const std::string& text) {
  TRY(CheckText("the answer", text));
  View view = TRY(Waiting(txn, clock, id));
  if (view.request.requester != caller.principal.name) {
    return Denied(caller, "answer for", view, fmt::format("{} made it", view.request.requester));
  }
  return Say(txn, clock, caller, std::move(view), {"answered", "", "", "", text, {}});
}

Result<View> Withdraw(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id) {
  View view = TRY(Waiting(txn, clock, id));
  if (view.request.requester != caller.principal.name) {
    return Denied(caller, "withdraw", view, fmt::format("{} made it", view.request.requester));
  }
  TRY(Say(txn, clock, caller, std::move(view), {"withdrawn", "", "", "", "", {}}));
  TRY(requests::End(txn, id, "withdrawn", ""));
  return ViewOf(txn, clock, TRY(requests::Find(txn, id)));
}

}  // namespace weft::approve
