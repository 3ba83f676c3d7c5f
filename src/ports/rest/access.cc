#include "state/access/access.h"

#include <fmt/format.h>

#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Json GrantJson(const access::Grant& grant) {
  return Json::Map({{"id", grant.id},
                    {"principal", grant.principal},
                    {"address", grant.port.Text()},
                    {"purpose", grant.purpose},
                    {"until", OptionalTime(grant.until)},
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
                    {"revoked_at", OptionalTime(token.revoked_at)}});
}

Status NotPast(Clock& clock, std::string_view field, const std::optional<Instant>& time) {
  if (!time || *time > clock.Now()) return {};
  return Error{Code::kInvalid, fmt::format("field {}: {} is past", field, time->Text())};
}

// A name as grants, tokens and mesh.yaml write principals.
Result<std::string> PrincipalName(const Json& body) {
  const std::string name = TRY(NeedText(body, "principal"));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:@/+").find(c) != std::string_view::npos;
  });
  if (plain && name.size() <= 200) return name;
  return Error{Code::kInvalid, fmt::format("field principal: '{}' is no principal: letters, digits and -_.:@/+", name)};
}

}  // namespace

Answer ListGrants(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "principal"}));
  auto txn = TRY(api.store.Read());
  std::optional<model::PortKey> key;
  if (!request.Query("address").empty()) key = TRY(PortOf(*txn, request.Query("address")))
  .row.key;
  Json::Array grants;
  for (const access::Grant& grant : TRY(access::Grants(*txn, key ? &*key : nullptr, request.Query("principal")))) {
    grants.push_back(GrantJson(grant));
  }
  return http::Response::Of(Json::Map({{"grants", std::move(grants)}}));
}

Answer PutGrant(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"principal", "address", "purpose", "until"}));
  access::Grant wanted;
  const std::string address = TRY(NeedText(body, "address"));
  wanted.principal = TRY(PrincipalName(body));
  wanted.purpose = body["purpose"].Text();
  wanted.until = TRY(TimeOf(body, "until"));
  wanted.granted_by = caller.principal.name;
  TRY(NotPast(api.clock, "until", wanted.until));
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(*txn, address));
  TRY(api.gate.Decide(*txn, caller, model::Action::kGrant, port.resource));
  wanted.port = port.row.key;
  const access::Grant grant = TRY(access::PutGrant(*txn, api.clock, wanted));
  TRY(Record(*txn, api.clock, caller, "granted", grant.port.Text(),
             Json::Map({{"grant", grant.id},
                        {"principal", grant.principal},
                        {"purpose", grant.purpose},
                        {"until", OptionalTime(grant.until)}})));
  TRY(txn->Commit());
  return http::Response::Of(GrantJson(grant));
}

Answer RevokeGrants(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal", "address"}));
  const std::string principal = request.Query("principal");
  if (principal.empty()) return Error{Code::kInvalid, "parameter principal is missing: whose grant ends?"};
  auto txn = TRY(api.store.Begin());
  const catalog::Port port = TRY(PortOf(*txn, request.Query("address")));
  TRY(api.gate.Decide(*txn, caller, model::Action::kGrant, port.resource));
  const int revoked = TRY(access::Revoke(*txn, api.clock, principal, port.row.key));
  if (revoked > 0) {
    TRY(Record(*txn, api.clock, caller, "revoked", port.row.key.Text(),
               Json::Map({{"principal", principal}, {"grants", revoked}})));
  }
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", revoked}}));
}

Answer ListTokens(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"principal"}));
  std::string principal = request.Query("principal");
  if (!caller.principal.administrator && principal.empty()) principal = caller.principal.name;
  if (principal != caller.principal.name) TRY(api.gate.Decide(caller, model::Action::kAdminister, {}));
  auto txn = TRY(api.store.Read());
  Json::Array tokens;
  for (const access::Token& token : TRY(access::Tokens(*txn, principal))) tokens.push_back(TokenJson(token));
  return http::Response::Of(Json::Map({{"tokens", std::move(tokens)}}));
}

// A token that is made with another one ends with it at the latest: what was lent for a day does not become a right for
// good. The caller's own is looked up again, since it may have been revoked while the request waited.
Result<std::optional<Instant>> WithinOwn(store::Txn& txn, const Caller& caller, std::optional<Instant> expires_at) {
  for (const access::Token& own : TRY(access::Tokens(txn, caller.principal.name))) {
    if (own.id != caller.token_id || own.revoked_at) continue;
    if (!own.expires_at || (expires_at && *expires_at <= *own.expires_at)) return expires_at;
    if (!expires_at) return own.expires_at;
    return Error{Code::kInvalid, fmt::format("field expires_at: {} is after {}, when the token that makes it expires",
                                             expires_at->Text(), own.expires_at->Text())};
  }
  return Error{Code::kUnauthenticated, "the token that was given has been revoked"};
}

// Anyone makes further tokens of their own; another's, or an administrator's, only an administrator.
Answer CreateToken(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"principal", "name", "administrator", "expires_at"}));
  const std::string principal = body["principal"].is_null() ? caller.principal.name : TRY(PrincipalName(body));
  const std::string name = body["name"].Text();
  const bool administrator = body["administrator"].Bool();
  std::optional<Instant> expires_at = TRY(TimeOf(body, "expires_at"));
  TRY(NotPast(api.clock, "expires_at", expires_at));
  if (principal.starts_with("group:"))
    return Error{Code::kInvalid, "'" + principal + "' is a group: tokens are of principals"};
  auto txn = TRY(api.store.Begin());
  if (administrator || principal != caller.principal.name) {
    TRY(api.gate.Decide(*txn, caller, model::Action::kAdminister, {}));
  }
  if (principal == caller.principal.name) expires_at = TRY(WithinOwn(*txn, caller, expires_at));
  const access::NewToken made = TRY(access::CreateToken(*txn, api.clock, principal, name, administrator, expires_at));
  TRY(Record(*txn, api.clock, caller, "token.created", "",
             Json::Map({{"token", made.token.id},
                        {"principal", principal},
                        {"administrator", administrator},
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
  for (const access::Token& token : TRY(access::Tokens(*txn, caller.principal.name))) own = own || token.id == id;
  if (!own) TRY(api.gate.Decide(*txn, caller, model::Action::kAdminister, {}));
  TRY(access::RevokeToken(*txn, api.clock, id));
  TRY(Record(*txn, api.clock, caller, "token.revoked", "", Json::Map({{"token", id}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", 1}}));
}

}  // namespace weft::rest
