#include "work/signin/signin.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/token/password.h"
#include "drivers/token/provider.h"
#include "state/access/access.h"
#include "state/ledger/ledger.h"
#include "work/signin/scope.h"

namespace weft::signin {
namespace {

constexpr size_t kKeptKeys = 2;
constexpr std::chrono::seconds kWaitToHash{5};
constexpr int kMostWanting = 8;                                // Whoever waits holds a thread of the door.
constexpr int64_t kForgetAfter = int64_t{86'400} * 1'000'000;  // Microseconds.
constexpr size_t kLeastPassword = 10;
constexpr size_t kMostPassword = 1'000;
// The hash of random bytes that nobody kept: names are held against it that nobody has, so that they take as long.
constexpr const char* kNobodysHash =
    "$argon2id$v=19$m=65536,t=2,p=1$Ay9KVXiaPH4CIa9vHECvvg$OZhXlOD791H03Zv5Ap3WY9lbxJDwo51IwT+cmvT6Vdc";

// "http://127.0.0.1:5000/back" as "http://127.0.0.1/back"; anything else as it is.
std::string WithoutLoopbackPort(const std::string& uri) {
  for (const std::string_view host : {"http://127.0.0.1", "http://[::1]"}) {
    if (!uri.starts_with(host) || uri.size() == host.size() || uri[host.size()] != ':') continue;
    const size_t end = uri.find_first_not_of("0123456789", host.size() + 1);
    if (end != uri.npos && uri[end] != '/') continue;
    return std::string(host) + (end == uri.npos ? "" : uri.substr(end));
  }
  return uri;
}

}  // namespace

bool RedirectAllowed(const std::string& registered, const std::string& redirect_uri) {
  return registered == redirect_uri || WithoutLoopbackPort(registered) == WithoutLoopbackPort(redirect_uri);
}

Status CheckRedirectUri(const std::string& uri) {
  TRY(token::CheckProviderUrl(uri));
  const bool plain = std::all_of(uri.begin(), uri.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"'<>\\^`{|}#;,").find(c) == std::string_view::npos;
  });
  if (plain && uri.size() <= 500) return {};
  return Error{Code::kInvalid, fmt::format("'{}' is no address to send people back to: no fragment, no quotes", uri)};
}

Status CheckPasswordText(const std::string& password) {
  if (password.size() >= kLeastPassword && password.size() <= kMostPassword) return {};
  return Error{Code::kInvalid, fmt::format("a password has {} to {} bytes; several words are easy to keep",
                                           kLeastPassword, kMostPassword)};
}

Result<std::unique_ptr<SignIn>> SignIn::Open(store::Store& store, Clock& clock, Options options) {
  std::unique_ptr<SignIn> made(new SignIn(store, clock, std::move(options)));
  TRY(made->Tend());
  return made;
}

Status SignIn::LoadKeys() const {
  auto text = ReadFile(options_.key_file, size_t{1} << 16);
  if (!text) return text.error().code == Code::kNotFound ? Status() : Status(text.TakeError());
  auto all = Json::Parse(*text);
  if (!all) return all.TakeError().With(options_.key_file);
  std::vector<Key> keys;
  for (const Json& item : all->Items()) {
    auto key = token::SigningKey::FromPem(item["pem"].Text());
    if (!key) return key.TakeError().With(options_.key_file);
    keys.push_back({key.TakeValue(), TRY(Instant::Parse(item["made_at"].Text()))});
  }
  std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
  return {};
}

Status SignIn::MakeKey() {
  std::vector<Key> keys;
  keys.push_back({TRY(token::SigningKey::Generate()), clock_.Now()});
  {
    std::lock_guard lock(mutex_);
    keys.insert(keys.end(), keys_.begin(), keys_.end());
  }
  if (keys.size() > kKeptKeys) keys.erase(keys.begin() + kKeptKeys, keys.end());
  Json::Array all;
  for (const Key& key : keys) {
    all.push_back(Json::Map({{"pem", TRY(key.key.Pem())}, {"made_at", key.made_at.Text()}}));
  }
  TRY(WriteFileAtomically(options_.key_file, Json(std::move(all)).Pretty() + "\n", 0600));
  std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
  return {};
}

Status SignIn::Tend() {
  auto txn = TRY(store_.Begin());  // In the writers' queue: of several nodes, one makes the key.
  TRY(LoadKeys());
  bool old = false;
  {
    std::lock_guard lock(mutex_);
    old = keys_.empty() || clock_.Now().micros - keys_[0].made_at.micros > options_.key_age.count() * 1'000;
  }
  if (old) TRY(MakeKey());
  const Instant before{clock_.Now().micros - kForgetAfter};
  TRY(accounts::ForgetExpired(*txn, before));
  for (const char* pattern : {kSignedInTokens, kServiceTokens}) {
    TRY(access::ForgetTokens(*txn, pattern, before));
  }
  return txn->Commit();
}

Result<std::string> SignIn::Signed(const Json& claims) const {
  std::lock_guard lock(mutex_);
  return keys_.at(0).key.Sign(claims);
}

Json SignIn::Jwks() const {
  if (Status loaded = LoadKeys(); !loaded) log::Warn("keys of sign-in not read", {{"why", loaded.error().message}});
  std::lock_guard lock(mutex_);
  Json::Array keys;
  for (const Key& key : keys_) keys.push_back(key.key.PublicJwk());
  return Json::Map({{"keys", std::move(keys)}});
}

Json SignIn::Discovery() const {
  using List = std::vector<std::string>;
  return Json::Map(
      {{"issuer", issuer_},
       {"authorization_endpoint", issuer_ + "/oauth/authorize"},
       {"device_authorization_endpoint", issuer_ + "/oauth/device_authorization"},
       {"token_endpoint", issuer_ + "/oauth/token"},
       {"revocation_endpoint", issuer_ + "/oauth/revoke"},
       {"jwks_uri", issuer_ + "/oauth/jwks"},
       {"response_types_supported", List{"code"}},
       {"response_modes_supported", List{"query"}},
       {"grant_types_supported", List{"authorization_code", "refresh_token", "client_credentials",
                                      "urn:ietf:params:oauth:grant-type:device_code"}},
       {"code_challenge_methods_supported", List{"S256"}},
       {"token_endpoint_auth_methods_supported", List{"client_secret_basic", "client_secret_post", "none"}},
       {"revocation_endpoint_auth_methods_supported", List{"client_secret_basic", "client_secret_post", "none"}},
       {"subject_types_supported", List{"public"}},
       {"id_token_signing_alg_values_supported", List{"ES256"}},
       {"scopes_supported", List{"openid", "browse", "read", "publish", "run", "grant", "audit", "govern"}},
       {"claims_supported", List{"iss", "sub", "aud", "exp", "iat", "nonce", "preferred_username", "groups"}},
       {"authorization_response_iss_parameter_supported", true}});
}

Status SignIn::TakeTurn() {
  if (wanting_.fetch_add(1) < kMostWanting && hashing_.try_acquire_for(kWaitToHash)) return {};
  wanting_.fetch_sub(1);
  return Error{Code::kUnavailable, "too many passwords are being checked at once; try again in a moment"};
}

void SignIn::GiveTurn() {
  hashing_.release();
  wanting_.fetch_sub(1);
}

Result<std::string> SignIn::HashPassword(const std::string& password) {
  TRY(CheckPasswordText(password));
  TRY(TakeTurn());
  auto hash = token::HashPassword(password);
  GiveTurn();
  return hash;
}

Status SignIn::CheckTries(const std::string& peer) const {
  const Millis wait = failures_.Wait(peer);
  if (wait <= Millis(0)) return {};
  return Error{Code::kUnavailable, fmt::format("too many sign-ins have failed from your address; try again in {} s",
                                               wait.count() / 1'000 + 1)};
}

Status SignIn::CheckPassword(const std::string& name, const std::string& password, const std::string& peer) {
  TRY(CheckTries(peer));
  std::optional<accounts::User> user;
  {
    auto txn = TRY(store_.Read());
    user = TRY(accounts::FindUser(*txn, name));
  }
  TRY(TakeTurn());
  const Result<bool> matches = token::PasswordMatches(user ? user->password_hash : kNobodysHash, password);
  GiveTurn();
  const bool right = TRY(matches) && user;
  auto txn = TRY(store_.Begin());
  user = TRY(accounts::FindUser(*txn, name));  // Others may have failed meanwhile.
  const bool locked = user && user->locked_until && *user->locked_until > clock_.Now();
  if (right && user && !locked && !user->disabled_at) return {};
  failures_.Count(peer);
  if (user && !locked) TRY(accounts::CountFailure(*txn, clock_, name));
  // What was typed as a name that nobody has may be a password.
  TRY(ledger::Append(*txn, clock_,
                     {"signin.failed", user ? name : "", "", "", Json::Map({{"locked", locked}, {"peer", peer}})}));
  TRY(txn->Commit());
  return Error{Code::kUnauthenticated,
               "the name or the password is wrong, or there were too many tries: then wait a little"};
}

Status RevokeTokensOf(store::Txn& txn, Clock& clock, const std::vector<accounts::Refresh>& sign_ins) {
  for (const accounts::Refresh& refresh : sign_ins) {
    Status ended = access::RevokeToken(txn, clock, refresh.token_id);
    if (!ended && ended.error().code != Code::kNotFound) return ended;
  }
  return {};
}

Status EndTokens(store::Txn& txn, Clock& clock, const std::string& principal) {
  for (const access::Token& token : TRY(access::Tokens(txn, principal))) {
    TRY(access::RevokeToken(txn, clock, token.id));
  }
  return accounts::EndSignIns(txn, principal);
}

Status EndSignIns(store::Txn& txn, Clock& clock, const std::string& principal) {
  TRY(RevokeTokensOf(txn, clock, TRY(accounts::SignInsOf(txn, principal))));
  return accounts::EndSignIns(txn, principal);
}

}  // namespace weft::signin
