#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/ledger/ledger.h"
#include "work/signin/scope.h"
#include "work/signin/signin.h"

namespace weft::signin {
namespace {

constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
constexpr int kSlowDownSeconds = 5;

Answer Refused(std::string_view error, std::string_view description, int status = 400) {
  return {status, Json::Map({{"error", error}, {"error_description", description}})};
}

// Whether the person or service may still come in.
Result<bool> Welcome(store::Txn& txn, const std::string& principal) {
  if (principal.starts_with("service:")) {
    const auto service = TRY(accounts::FindService(txn, principal.substr(8)));
    return service && !service->disabled_at;
  }
  const auto user = TRY(accounts::FindUser(txn, principal));
  return user && !user->disabled_at;
}

}  // namespace

Result<std::optional<Answer>> SignIn::CheckClient(const Client& client, const std::string& peer) {
  if (client.id == kCommandLine && client.secret.empty()) return std::optional<Answer>();
  TRY(CheckTries(peer));
  {
    auto txn = TRY(store_.Read());
    const auto service = TRY(accounts::FindService(*txn, client.id));
    if (service && !service->disabled_at && SecretsEqual(service->secret_hash, Sha256(client.secret))) {
      return std::optional<Answer>();
    }
  }
  failures_.Count(peer);
  return std::optional(Refused("invalid_client", "the client or its secret is not known", 401));
}

Result<Answer> SignIn::Token(const Client& client, const Form& form, const std::string& peer) {
  if (auto refused = TRY(CheckClient(client, peer))) return std::move(*refused);
  auto txn = TRY(store_.Begin());
  const std::string grant = FieldOf(form, "grant_type");
  auto answer = [&]() -> Result<Answer> {
    if (grant == kDeviceGrant) return TokenForDevice(*txn, client, form, peer);
    if (grant == "authorization_code") return TokenForCode(*txn, client, form, peer);
    if (grant == "refresh_token") return TokenForRefresh(*txn, client, form, peer);
    if (grant == "client_credentials") return TokenForService(*txn, client, form, peer);
    return Refused("unsupported_grant_type", "see grant_types_supported of the discovery document");
  }();
  // A refusal is kept too: that a code was tried counts.
  if (answer) TRY(txn->Commit());
  return answer;
}

Result<Answer> SignIn::TokenForDevice(store::Txn& txn, const Client& client, const Form& form,
                                      const std::string& peer) {
  const std::string code = FieldOf(form, "device_code");
  const auto device = TRY(accounts::FindDevice(txn, code));
  const Instant now = clock_.Now();
  if (!device || device->client != client.id) return Refused("invalid_grant", "the device code is not known");
  if (device->expires_at <= now) return Refused("expired_token", "the code has expired: begin again");
  const int64_t pause = device->polled_at ? now.micros - device->polled_at->micros : INT64_MAX;
  const bool hasty = pause < device->interval_s * int64_t{1'000'000};
  TRY(accounts::PollDevice(txn, code, now, device->interval_s + (hasty ? kSlowDownSeconds : 0)));
  if (hasty) return Refused("slow_down", fmt::format("ask every {} s", device->interval_s + kSlowDownSeconds));
  if (!device->denied && device->principal.empty())
    return Refused("authorization_pending", "nobody has approved it yet");
  TRY(accounts::RemoveDevice(txn, code));
  if (device->denied) return Refused("access_denied", "the person said no");
  return Give(txn, client, {device->principal, device->scope, "", "", "device"}, peer);
}

Result<Answer> SignIn::TokenForCode(store::Txn& txn, const Client& client, const Form& form, const std::string& peer) {
  const std::string code = FieldOf(form, "code");
  const auto promised = TRY(accounts::FindCode(txn, code));
  if (!promised || promised->client != client.id) return Refused("invalid_grant", "the code is not known");
  if (promised->used) {
    TRY(accounts::RemoveCode(txn, code));
    return EndFamily(txn, promised->family, "a code came twice", promised->principal, peer);
  }
  // Whatever is wrong with it, it is tried once.
  const std::string family = NewId("fam");
  TRY(accounts::UseCode(txn, code, family));
  if (promised->expires_at <= clock_.Now()) return Refused("invalid_grant", "the code has expired");
  if (promised->redirect_uri != FieldOf(form, "redirect_uri")) {
    return Refused("invalid_grant", "the redirect_uri is not the one that the code was asked for with");
  }
  if (!SecretsEqual(token::Thumbprint(FieldOf(form, "code_verifier")), promised->challenge)) {
    return Refused("invalid_grant", "the code_verifier does not fit the code_challenge");
  }
  return Give(txn, client, {promised->principal, promised->scope, promised->nonce, family, "code"}, peer);
}

Result<Answer> SignIn::TokenForRefresh(store::Txn& txn, const Client& client, const Form& form,
                                       const std::string& peer) {
  const std::string secret = FieldOf(form, "refresh_token");
  const auto refresh = TRY(accounts::FindRefresh(txn, secret));
  if (!refresh || refresh->client != client.id) return Refused("invalid_grant", "the refresh token is not known");
  // Two who hold one token: one of them stole it, and there is no telling which.
  if (refresh->used) {
    return EndFamily(txn, refresh->family, "a refresh token came twice", refresh->principal, peer);
  }
  TRY(accounts::UseRefresh(txn, secret));
  if (refresh->expires_at <= clock_.Now()) return Refused("invalid_grant", "the refresh token has expired");
  const std::string scope = FieldOf(form, "scope").empty() ? refresh->scope : FieldOf(form, "scope");
  const bool all = client.id == kCommandLine;
  auto before = LimitsOf(refresh->scope, all), after = LimitsOf(scope, all);
  if (!before || !after || !before->Cover(*after)) {
    return Refused("invalid_scope", "a refresh asks for no more than the sign-in did");
  }
  return Give(txn, client, {refresh->principal, scope, "", refresh->family, "refresh"}, peer);
}

Result<Answer> SignIn::TokenForService(store::Txn& txn, const Client& client, const Form& form,
                                       const std::string& peer) {
  if (client.secret.empty()) return Refused("unauthorized_client", "a client without a secret stands for nobody");
  return Give(txn, client, {"service:" + client.id, FieldOf(form, "scope"), "", "", "client"}, peer);
}

Result<Answer> SignIn::Give(store::Txn& txn, const Client& client, const Given& given, const std::string& peer) {
  const bool itself = given.how == "client";
  // Another's program that asks for nothing gets no more than to know who one is.
  auto limits = LimitsOf(given.scope, itself || client.id == kCommandLine);
  if (!limits) return Refused("invalid_scope", limits.error().message);
  if (!TRY(Welcome(txn, given.principal))) return Refused("invalid_grant", "the account is not active");
  limits->token = itself ? kServiceTokens : ReplaceAll(kSignedInTokens, "%", client.id);
  const access::NewToken made = TRY(
      access::CreateToken(txn, clock_, given.principal, limits->token, false, In(options_.access_lifetime), *limits));
  TRY(ledger::Append(
      txn, clock_,
      {"signin", given.principal, "", "",
       Json::Map({{"client", client.id}, {"how", given.how}, {"token", made.token.id}, {"peer", peer}})}));
  Json body = Json::Map({{"access_token", made.secret},
                         {"token_type", "Bearer"},
                         {"expires_in", options_.access_lifetime.count() / 1'000},
                         {"scope", given.scope}});
  if (itself) return Answer{200, std::move(body)};
  const std::string refresh = "wref_" + NewSecret(32);
  TRY(accounts::PutRefresh(txn, refresh,
                           {given.family.empty() ? NewId("fam") : given.family, client.id, given.principal, given.scope,
                            made.token.id, In(options_.refresh_lifetime)}));
  body.Set("refresh_token", refresh);
  if (!Asks(given.scope, "openid")) return Answer{200, std::move(body)};
  const int64_t now = clock_.Now().micros / 1'000'000;
  Json claims = Json::Map({{"iss", issuer_},
                           {"sub", given.principal},
                           {"aud", client.id},
                           {"iat", now},
                           {"exp", now + options_.access_lifetime.count() / 1'000},
                           {"preferred_username", given.principal},
                           {"groups", TRY(access::PrincipalOf(txn, given.principal)).groups}});
  if (!given.nonce.empty()) claims.Set("nonce", given.nonce);
  body.Set("id_token", TRY(Signed(claims)));
  return Answer{200, std::move(body)};
}

Result<Answer> SignIn::EndFamily(store::Txn& txn, const std::string& family, const std::string& why,
                                 const std::string& principal, const std::string& peer) {
  TRY(RevokeTokensOf(txn, clock_, TRY(accounts::Family(txn, family))));
  TRY(accounts::EndFamily(txn, family));
  TRY(ledger::Append(txn, clock_, {"signin.ended", principal, "", "", Json::Map({{"why", why}, {"peer", peer}})}));
  return Refused("invalid_grant", why + ": the sign-in has ended, and all of its tokens");
}

Result<Answer> SignIn::Revoke(const Client& client, const Form& form, const std::string& peer) {
  if (auto refused = TRY(CheckClient(client, peer))) return std::move(*refused);
  auto txn = TRY(store_.Begin());
  const std::string secret = FieldOf(form, "token");
  if (const auto refresh = TRY(accounts::FindRefresh(*txn, secret)); refresh && refresh->client == client.id) {
    TRY(EndFamily(*txn, refresh->family, "signed out", refresh->principal, peer));
  } else if (const auto identity = access::Authenticate(*txn, clock_, secret); identity) {
    TRY(access::RevokeToken(*txn, clock_, identity->token_id));
    TRY(accounts::EndFamilyOf(*txn, identity->token_id));  // It would be renewed.
    TRY(ledger::Append(*txn, clock_,
                       {"token.revoked", identity->principal.name, "", "",
                        Json::Map({{"token", identity->token_id}, {"peer", peer}})}));
  }
  TRY(txn->Commit());
  return Answer{200, Json::Map({})};  // The same for what is no token: RFC 7009.
}

}  // namespace weft::signin
