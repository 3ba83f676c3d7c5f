#include "state/access/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

#include "ports/rest/handlers.h"
#include "state/access/granted.h"
#include "state/accounts/accounts.h"
#include "state/catalog/search.h"
#include "work/approve/approve.h"

namespace weft::rest {
namespace {

Json GrantJson(const access::Grant& grant) {
  return Json::Map({{"id", grant.id},
                    {"principal", grant.principal},
                    {"address", grant.port.Text()},
                    {"purpose", grant.purpose},
                    {"columns", grant.columns.empty() ? Json() : Json(grant.columns)},
                    {"until", OptionalTime(grant.until)},
                    {"remind_at", OptionalTime(grant.remind_at())},
                    {"request", OptionalText(grant.request)},
                    {"granted_by", grant.granted_by},
                    {"granted_at", grant.granted_at.Text()}});
}

Json TokenJson(const access::Token& token) {
  return Json::Map({{"id", token.id},
                    {"principal", token.principal},
                    {"name", token.name},
                    {"administrator", token.administrator},
                    {"created_at", token.created_at.Text()},
                    {"expires_at", OptionalTime(token.expires_at)},
                    {"revoked_at", OptionalTime(token.revoked_at)},
                    {"last_used_at", OptionalTime(token.last_used_at)},
                    {"scope", token.limits.ActionsText().empty() ? std::vector<std::string>()
                                                                 : Split(token.limits.ActionsText(), ',')},
                    {"on", token.limits.on.Short()}});
}

// What more people hold grants on is found before its like.
Status NoteHolders(store::Txn& txn, Clock& clock, const model::PortKey& port) {
  return catalog::NotePopularity(txn, port.domain, port.product,
                                 TRY(access::HoldersOn(txn, clock, port.domain, port.product)));
}

// {"scope": ["read", "run"], "on": "operations/flights"}; both may be absent.
Result<model::Limits> LimitsOf(store::Txn& txn, const Json& body, const std::string& token_name) {
  model::Limits limits;
  limits.token = token_name;
  if (!body["scope"].is_null() && !body["scope"].is_array()) {
    return Error{Code::kInvalid, fmt::format("field scope: {} is no list of actions", body["scope"].Dump())};
  }
  for (const Json& item : body["scope"].Items()) {
    auto action = model::ActionFrom(item.Text());
    if (!action) return action.TakeError().With("field scope");
    if (std::ranges::find(limits.actions, *action) == limits.actions.end()) limits.actions.push_back(*action);
  }
  if (body["on"].Text().empty()) return limits;
  auto on = AddressOf(txn, body["on"].Text());
  if (!on) return on.TakeError().With("field on");
  if (on->version || (on->major && on->port.empty())) {
    return Error{Code::kInvalid, fmt::format("field on: a token is limited to a domain, a product, a port or a port's "
                                             "major version, and '{}' is none of these",
                                             body["on"].Text())};
  }
  limits.on = on.TakeValue();
  limits.on.mesh.clear();
  return limits;
}

}  // namespace

Answer ListGrants(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "principal", "mine"}));
  const std::string mine = request.Query("mine");
  if (!mine.empty()) TRY(OneOf("mine", mine, {"true", "false"}));
  auto txn = TRY(api.store.Read());
  std::optional<model::PortKey> key;
  if (!request.Query("address").empty()) key = TRY(PortOf(api, *txn, caller, request.Query("address"))).row.key;
  std::optional<std::vector<std::string>> holders;
  if (!request.Query("principal").empty()) holders = std::vector{request.Query("principal")};
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  Json::Array grants;
  for (const access::Grant& grant : TRY(access::Grants(*txn, key ? &*key : nullptr, std::move(holders)))) {
    const bool own = access::Covers(grant.principal, caller.principal);
    if (!own && (mine == "true" || !TRY(seen.Sees(grant.port)))) continue;
    // Who speaks for the port knows to whom it was given.
    if (sight.SeesDrafts(grant.port) || TRY(seen.SeesPrincipal(grant.principal))) grants.push_back(GrantJson(grant));
  }
  return http::Response::Of(Json::Map({{"grants", std::move(grants)}}));
}

Answer PutGrant(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"principal", "address", "purpose", "until", "columns"}));
  access::Grant wanted;
  const std::string address = TRY(NeedText(body, "address"));
  wanted.principal = TRY(PrincipalName(body));
  wanted.purpose = body["purpose"].Text();
  wanted.until = TRY(TimeOf(body, "until"));
  wanted.granted_by = caller.principal.name;
  TRY(NotPast(api.clock, "until", wanted.until));
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, address));
  TRY(api.gate.Decide(*txn, caller, model::Action::kGrant, port.resource));
  wanted.port = port.row.key;
  wanted.columns = TRY(ColumnsOf(body));
  TRY(approve::CheckDirect(*txn, api.clock, caller, wanted, port.resource));
  const access::Grant grant = TRY(access::PutGrant(*txn, api.clock, wanted, port.resource));
  TRY(NoteHolders(*txn, api.clock, grant.port));
  TRY(Record(*txn, api.clock, caller, "granted", grant.port.Text(),
             Json::Map({{"grant", grant.id},
                        {"principal", grant.principal},
                        {"purpose", grant.purpose},
                        {"columns", grant.columns},
                        {"until", OptionalTime(grant.until)}})));
  TRY(txn->Commit());
  return http::Response::Of(GrantJson(grant));
}

Answer RevokeGrants(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal", "address"}));
  const std::string principal = request.Query("principal");
  if (principal.empty()) return Error{Code::kInvalid, "parameter principal is missing: whose grant ends?"};
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, request.Query("address")));
  TRY(api.gate.Decide(*txn, caller, model::Action::kGrant, port.resource));
  const int revoked = TRY(access::Revoke(*txn, api.clock, principal, port.row.key));
  if (revoked > 0) {
    TRY(NoteHolders(*txn, api.clock, port.row.key));
    TRY(Record(*txn, api.clock, caller, "revoked", port.row.key.Text(),
               Json::Map({{"principal", principal}, {"grants", revoked}})));
  }
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", revoked}}));
}

Answer ListTokens(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal"}));
  std::string principal = request.Query("principal");
  const bool all = caller.principal.administrator && caller.principal.limits.Permit(model::Action::kAdminister, {});
  if (!all && principal.empty()) principal = caller.principal.name;
  if (principal != caller.principal.name) TRY(api.gate.Decide(caller, model::Action::kAdminister, {}));
  auto txn = TRY(api.store.Read());
  Json::Array tokens;
  for (access::Token& token : TRY(access::Tokens(*txn, principal))) {
    if (auto seen = api.gate.LastUse(token.id)) token.last_used_at = seen;
    tokens.push_back(TokenJson(token));
  }
  return http::Response::Of(Json::Map({{"tokens", std::move(tokens)}}));
}

// A token that is made with another one ends with it at the latest: what was lent for a day does not become a right for
// good. The caller's own is looked up again, since it may have been revoked while the request waited. `unasked`: the
// end is this node's default, and gives way.
Result<std::optional<Instant>> WithinOwn(store::Txn& txn, const Caller& caller, std::optional<Instant> expires_at,
                                         bool unasked) {
  const std::vector<access::Token> tokens = TRY(access::Tokens(txn, caller.principal.name));
  // Tokens of an identity provider are kept nowhere here.
  const bool holds = caller.token_id.starts_with("jwt_") || std::ranges::any_of(tokens, [&](const access::Token& own) {
                       return own.id == caller.token_id && !own.revoked_at;
                     });
  if (!holds) return Error{Code::kUnauthenticated, "the token that was given has been revoked"};
  const std::optional<Instant>& end = caller.expires_at;
  if (!end || (expires_at && *expires_at <= *end)) return expires_at;
  if (!expires_at || unasked) return end;
  return Error{Code::kInvalid, fmt::format("field expires_at: {} is after {}, when the token that makes it expires",
                                           expires_at->Text(), end->Text())};
}

// Anyone makes further tokens of their own; another's, or an administrator's, only an administrator.
Answer CreateToken(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"principal", "name", "administrator", "expires_at", "scope", "on"}));
  const std::string principal = body["principal"].is_null() ? caller.principal.name : TRY(PrincipalName(body));
  const std::string name = body["name"].Text();
  const bool administrator = body["administrator"].Bool();
  const bool never = body["expires_at"].Text() == "never";
  std::optional<Instant> expires_at = never ? std::nullopt : TRY(TimeOf(body, "expires_at"));
  if (!never && !expires_at) expires_at = Instant{api.clock.Now().micros + api.token_lifetime.count() * 1'000};
  TRY(NotPast(api.clock, "expires_at", expires_at));
  if (principal.starts_with("group:"))
    return Error{Code::kInvalid, "'" + principal + "' is a group: tokens are of principals"};
  auto txn = TRY(api.store.Begin());
  if (administrator || principal != caller.principal.name) {
    TRY(api.gate.Decide(*txn, caller, model::Action::kAdminister, {}));
  }
  if (principal == caller.principal.name) {
    expires_at = TRY(WithinOwn(*txn, caller, expires_at, body["expires_at"].Text().empty()));
  }
  model::Limits limits = TRY(LimitsOf(*txn, body, name));
  if (!limits.any()) limits = caller.principal.limits;
  if (!caller.principal.limits.Cover(limits)) {
    return Error{Code::kDenied, fmt::format("the token '{}' is limited to {}, and makes none that may more",
                                            caller.principal.limits.token, caller.principal.limits.Text())};
  }
  const access::NewToken made =
      TRY(access::CreateToken(*txn, api.clock, principal, name, administrator, expires_at, limits));
  TRY(Record(*txn, api.clock, caller, "token.created", "",
             Json::Map({{"token", made.token.id},
                        {"principal", principal},
                        {"administrator", administrator},
                        {"limits", limits.Text()},
                        {"expires_at", OptionalTime(expires_at)}})));
  TRY(txn->Commit());
  http::Response response = http::Response::Of(Json::Map({{"token", TokenJson(made.token)}, {"secret", made.secret}}));
  response.headers["Cache-Control"] = "no-store";
  return response;
}

Answer RevokeToken(Api& api, const Caller& caller, const http::Request& request) {
  const std::string id = request.captures.at("id");
  auto txn = TRY(api.store.Begin());
  bool own = false;
  // With a token that is limited one ends that token alone.
  for (const access::Token& token : TRY(access::Tokens(*txn, caller.principal.name))) {
    own = own || (token.id == id && (!caller.principal.limits.any() || id == caller.token_id));
  }
  if (!own) TRY(api.gate.Decide(*txn, caller, model::Action::kAdminister, {}));
  TRY(access::RevokeToken(*txn, api.clock, id));
  TRY(accounts::EndFamilyOf(*txn, id));  // Of a sign-in: it would be renewed.
  TRY(Record(*txn, api.clock, caller, "token.revoked", "", Json::Map({{"token", id}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", 1}}));
}

}  // namespace weft::rest
