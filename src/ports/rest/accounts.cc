#include "state/accounts/accounts.h"

#include <fmt/format.h>

#include "ports/rest/handlers.h"
#include "state/access/access.h"

namespace weft::rest {
namespace {

constexpr std::string_view kUser = "user";
constexpr std::string_view kService = "service";

// Of which accounts a path speaks: as the ledger calls them.
std::string KindOf(const http::Request& request) {
  return std::string(request.path.starts_with("/v1/users/") ? kUser : kService);
}

Json UserJson(const accounts::User& user, Instant now) {
  const bool locked = user.locked_until && *user.locked_until > now;
  return Json::Map({{"name", user.name},
                    {"created_at", user.created_at.Text()},
                    {"disabled_at", OptionalTime(user.disabled_at)},
                    {"failures", user.failures},
                    {"locked_until", locked ? OptionalTime(user.locked_until) : Json()}});
}

Json ServiceJson(const accounts::Service& service) {
  return Json::Map({{"name", service.name},
                    {"client_id", service.name},
                    {"principal", "service:" + service.name},
                    {"redirect_uris", service.redirect_uris},
                    {"created_at", service.created_at.Text()},
                    {"disabled_at", OptionalTime(service.disabled_at)}});
}

Result<std::string> AccountName(const Json& body) {
  const std::string name = TRY(NeedText(body, "name"));
  if (access::IsPlainName(name) && name != signin::kCommandLine) return name;
  return Error{Code::kInvalid,
               fmt::format("field name: '{}' is no name of an account: 1 to 128 letters, digits and ._-@+", name)};
}

}  // namespace

Answer ListUsers(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array users;
  for (const accounts::User& user : TRY(accounts::Users(*txn))) users.push_back(UserJson(user, api.clock.Now()));
  return http::Response::Of(Json::Map({{"users", std::move(users)}}));
}

Answer CreateUser(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"name", "password"}));
  const std::string name = TRY(AccountName(body));
  const std::string hash = TRY(api.sign_in.HashPassword(TRY(NeedText(body, "password"))));
  auto txn = TRY(api.store.Begin());
  TRY(accounts::CreateUser(*txn, api.clock, name, hash));
  TRY(Record(*txn, api.clock, caller, "user.created", "", Json::Map({{"user", name}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"name", name}}));
}

// One's own with the password that it was; another's as administrator. Sign-ins under the old one end.
Answer SetPassword(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"password", "current"}));
  const std::string name = request.captures.at("name");
  const bool own = name == caller.principal.name && !body["current"].Text().empty();
  if (own) {
    TRY(api.sign_in.CheckPassword(name, body["current"].Text(), caller.peer));
  } else {
    TRY(api.gate.Decide(caller, model::Action::kAdminister, {}));
  }
  const std::string hash = TRY(api.sign_in.HashPassword(TRY(NeedText(body, "password"))));
  auto txn = TRY(api.store.Begin());
  TRY(accounts::SetPassword(*txn, name, hash));
  TRY(signin::EndSignIns(*txn, api.clock, name));
  TRY(Record(*txn, api.clock, caller, "user.password", "", Json::Map({{"user", name}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"name", name}}));
}

Answer ListServices(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  Json::Array services;
  for (const accounts::Service& service : TRY(accounts::Services(*txn))) services.push_back(ServiceJson(service));
  return http::Response::Of(Json::Map({{"services", std::move(services)}}));
}

Answer CreateService(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"name", "redirect_uris"}));
  const std::string name = TRY(AccountName(body));
  const std::vector<std::string> redirects = body["redirect_uris"].Texts();
  for (const std::string& uri : redirects) {
    Status fits = signin::CheckRedirectUri(uri);
    if (!fits) return fits.TakeError().With("field redirect_uris");
  }
  auto txn = TRY(api.store.Begin());
  const accounts::NewService made = TRY(accounts::CreateService(*txn, api.clock, name, redirects));
  TRY(Record(*txn, api.clock, caller, "service.created", "",
             Json::Map({{"service", name}, {"redirect_uris", redirects}})));
  TRY(txn->Commit());
  http::Response response =
      http::Response::Of(Json::Map({{"service", ServiceJson(made.service)}, {"client_secret", made.secret}}));
  response.headers["Cache-Control"] = "no-store";
  return response;
}

Answer EnableAccount(Api& api, const Caller& caller, const http::Request& request) {
  const std::string name = request.captures.at("name"), kind = KindOf(request);
  auto txn = TRY(api.store.Begin());
  TRY(kind == kUser ? accounts::EnableUser(*txn, name) : accounts::EnableService(*txn, name));
  TRY(Record(*txn, api.clock, caller, kind + ".enabled", "", Json::Map({{kind, name}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"name", name}}));
}

Answer DisableAccount(Api& api, const Caller& caller, const http::Request& request) {
  const std::string name = request.captures.at("name"), kind = KindOf(request);
  auto txn = TRY(api.store.Begin());
  TRY(kind == kUser ? accounts::DisableUser(*txn, api.clock, name) : accounts::DisableService(*txn, api.clock, name));
  TRY(signin::EndTokens(*txn, api.clock, kind == kUser ? name : "service:" + name));
  TRY(Record(*txn, api.clock, caller, kind + ".disabled", "", Json::Map({{kind, name}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"name", name}}));
}

}  // namespace weft::rest
