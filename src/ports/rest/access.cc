// Grants and tokens.
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
                    {"until", OrNull(grant.until)},
                    {"granted_by", grant.granted_by},
                    {"granted_at", grant.granted_at.Text()}});
}

Json TokenJson(const access::Token& token) {
  return Json::Map({{"id", token.id},
                    {"principal", token.principal},
                    {"name", token.name},
                    {"administrator", token.administrator},
                    {"created_at", token.created_at.Text()},
                    {"expires_at", OrNull(token.expires_at)},
                    {"revoked_at", OrNull(token.revoked_at)}});
}

// Principals are named by their owners in YAML and on the command line: no spaces, no control characters.
Status CheckPrincipal(const std::string& name) {
  for (char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
      return Error{Code::kInvalid, fmt::format("'{}' is no name of a principal: no spaces", name)};
    }
  }
  return {};
}

}  // namespace

Answer ListGrants(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  std::optional<model::PortKey> key;
  if (!request.Query("address").empty()) key = TRY(PortAt(*txn, request.Query("address")))
  .row.key;
  Json list = Json::Array();
  for (const access::Grant& grant : TRY(access::Grants(*txn, key ? &*key : nullptr, request.Query("principal")))) {
    list.Push(GrantJson(grant));
  }
  return http::Response::Of(Json::Map({{"grants", std::move(list)}}));
}

Answer PutGrant(Api& api, const model::Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  access::Grant wanted;
  wanted.principal = TRY(TextField(body, "principal"));
  TRY(CheckPrincipal(wanted.principal));
  wanted.purpose = body["purpose"].Text();
  wanted.until = TRY(TimeField(body, "until"));
  if (wanted.until && *wanted.until <= api.clock.Now()) {
    return Error{Code::kInvalid, fmt::format("'until' is in the past: {}", wanted.until->Text())};
  }
  const catalog::Port port = TRY(PermittedPort(api, caller, model::Action::kGrant, TRY(TextField(body, "address"))));
  wanted.port = port.row.key;
  wanted.granted_by = caller.principal.name;
  auto txn = TRY(api.store.Begin());
  const access::Grant grant = TRY(access::PutGrant(*txn, api.clock, wanted));
  TRY(ledger::Append(*txn, api.clock,
                     {"granted", caller.principal.name, caller.purpose, grant.port.Text(), GrantJson(grant)}));
  TRY(txn->Commit());
  return http::Response::Of(GrantJson(grant), 201);
}

Answer DeleteGrants(Api& api, const model::Caller& caller, const http::Request& request) {
  const std::string principal = request.Query("principal");
  if (principal.empty()) return Error{Code::kInvalid, "whose grant? name it in ?principal="};
  const catalog::Port port = TRY(PermittedPort(api, caller, model::Action::kGrant, request.Query("address")));
  auto txn = TRY(api.store.Begin());
  const int ended = TRY(access::Revoke(*txn, api.clock, principal, port.row.key));
  if (ended == 0) {
    return Error{Code::kNotFound, fmt::format("'{}' holds no grant on {}", principal, port.row.key.Text())};
  }
  TRY(ledger::Append(*txn, api.clock,
                     {"revoked", caller.principal.name, caller.purpose, port.row.key.Text(),
                      Json::Map({{"principal", principal}, {"grants", ended}})}));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", ended}}));
}

Answer ListTokens(Api& api, const model::Caller& caller, const http::Request&) {
  auto txn = TRY(api.store.Read());
  Json list = Json::Array();
  // Administrators see every token's facts, others their own; nobody sees a secret again.
  const std::string whose = caller.principal.administrator ? "" : caller.principal.name;
  for (const access::Token& token : TRY(access::Tokens(*txn, whose))) list.Push(TokenJson(token));
  return http::Response::Of(Json::Map({{"tokens", std::move(list)}}));
}

Answer CreateToken(Api& api, const model::Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request));
  const std::string principal = body["principal"].Text(caller.principal.name);
  TRY(CheckPrincipal(principal));
  const bool administrator = body["administrator"].Bool();
  if (principal != caller.principal.name || administrator) {
    TRY(api.gate.Decide(caller, model::Action::kAdminister, model::Resource{}));
  }
  const std::optional<Instant> expires_at = TRY(TimeField(body, "expires_at"));
  if (expires_at && *expires_at <= api.clock.Now()) {
    return Error{Code::kInvalid, fmt::format("'expires_at' is in the past: {}", expires_at->Text())};
  }
  auto txn = TRY(api.store.Begin());
  const access::NewToken made =
      TRY(access::CreateToken(*txn, api.clock, principal, body["name"].Text(), administrator, expires_at));
  TRY(ledger::Append(*txn, api.clock,
                     {"token.created", caller.principal.name, caller.purpose, "", TokenJson(made.token)}));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"token", TokenJson(made.token)}, {"secret", made.secret}}), 201);
}

Answer DeleteToken(Api& api, const model::Caller& caller, const http::Request& request) {
  const std::string& id = request.captures.at("id");
  {
    auto txn = TRY(api.store.Read());
    bool own = false;
    for (const access::Token& token : TRY(access::Tokens(*txn, caller.principal.name))) own = own || token.id == id;
    txn.reset();
    if (!own) TRY(api.gate.Decide(caller, model::Action::kAdminister, model::Resource{}));
  }
  auto txn = TRY(api.store.Begin());
  TRY(access::RevokeToken(*txn, api.clock, id));
  TRY(ledger::Append(*txn, api.clock,
                     {"token.revoked", caller.principal.name, caller.purpose, "", Json::Map({{"token", id}})}));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"revoked", id}}));
}

}  // namespace weft::rest
