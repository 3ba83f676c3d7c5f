#include "drivers/token/provider.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::token {
namespace {

constexpr int64_t kLeastBetweenTries = int64_t{30} * 1'000'000;  // Microseconds.
constexpr std::chrono::seconds kWaitForAnother{2};
constexpr size_t kAnswerLimit = size_t{256} << 10;

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos;
}

Error Unavailable(const std::string& issuer, const Error& why) {
  return {Code::kUnavailable,
          fmt::format("the identity provider {} cannot be asked for its keys: {}", issuer, why.message)};
}

// The key that the token names; where it names none, the one key that fits.
const PublicKey* Find(const std::vector<PublicKey>& keys, const Unproven& token) {
  const PublicKey* found = nullptr;
  for (const PublicKey& key : keys) {
    if (!key.Fits(token.algorithm) || (!token.key_id.empty() && key.id() != token.key_id)) continue;
    if (found) return nullptr;
    found = &key;
  }
  return found;
}

}  // namespace

Status CheckProviderUrl(const std::string& url) {
  std::string_view rest = url;
  const bool secure = rest.starts_with("https://");
  auto bad = [&](std::string_view why) { return Error{Code::kInvalid, fmt::format("'{}' {}", url, why)}; };
  if (!secure && !rest.starts_with("http://"))
    return bad("is no address of a provider: write it like https://id.example.org");
  rest.remove_prefix(secure ? 8 : 7);
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.find('@') != host.npos) return bad("names a user: credentials do not stand in an address");
  if (const size_t port = host.rfind(':'); port != host.npos && !host.ends_with(']')) host = host.substr(0, port);
  if (host.empty()) return bad("names no host");
  if (!secure && !IsLoopback(host)) return bad("is not encrypted: http is for loopback alone, use https");
  return {};
}

Result<std::unique_ptr<Provider>> Provider::Open(ProviderOptions options, Fetch fetch, Clock& clock) {
  TRY(CheckProviderUrl(options.expected.issuer));
  if (options.expected.audience.empty()) {
    return Error{Code::kInvalid,
                 "without an audience every token of the provider would open this node, whomever it "
                 "was made for: name this node's"};
  }
  return std::unique_ptr<Provider>(new Provider(std::move(options), std::move(fetch), clock));
}

Result<Json> Provider::Verify(std::string_view jwt) {
  Unproven token = TRY(Read(jwt));
  const auto& allowed = options_.algorithms;
  if (std::find(allowed.begin(), allowed.end(), token.algorithm) == allowed.end()) {
    return Error{Code::kUnauthenticated, fmt::format("the token is refused: this node does not take the algorithm {}",
                                                     AlgorithmName(token.algorithm))};
  }
  Keys keys = Known();
  const PublicKey* key = keys ? Find(*keys, token) : nullptr;
  if (!key) {
    Status refreshed = Refresh();
    keys = Known();
    key = keys ? Find(*keys, token) : nullptr;
    if (!key && !refreshed) return refreshed.TakeError();
  }
  if (!key) {
    return Error{Code::kUnauthenticated,
                 fmt::format("the token is refused: {} has no {} key '{}'", options_.expected.issuer,
                             AlgorithmName(token.algorithm), token.key_id)};
  }
  if (!key->Verifies(token)) {
    return Error{Code::kUnauthenticated, "the token is refused: its signature is not that of the provider's key"};
  }
  TRY(CheckClaims(token.claims, options_.expected, clock_.Now()));
  return std::move(token.claims);
}

Provider::Keys Provider::Known() const {
  std::lock_guard lock(mutex_);
  if (clock_.Now().micros - fetched_at_.micros > options_.keys_max_age.count() * 1'000) return nullptr;
  return keys_;
}

Status Provider::Refresh() {
  std::unique_lock fetching(fetching_, kWaitForAnother);
  if (!fetching) {
    return Error{Code::kUnavailable, "the identity provider is being asked for its keys; try again in a moment"};
  }
  {
    std::lock_guard lock(mutex_);
    const Instant now = clock_.Now();
    if (tried_at_ && now.micros - tried_at_->micros < kLeastBetweenTries) {
      return failure_ ? Status(*failure_) : Status();
    }
    tried_at_ = now;
  }
  Result<Keys> fetched = FetchKeys();
  std::lock_guard lock(mutex_);
  failure_ = fetched ? std::nullopt : std::optional(Unavailable(options_.expected.issuer, fetched.error()));
  if (!fetched) return *failure_;
  keys_ = fetched.TakeValue();
  fetched_at_ = clock_.Now();
  return {};
}

Result<Provider::Keys> Provider::FetchKeys() {
  auto get = [&](const std::string& url) -> Result<std::string> {
    std::string body = TRY(fetch_(url));
    if (body.size() > kAnswerLimit) return Error{Code::kUnavailable, fmt::format("{} answers too much", url)};
    return body;
  };
  std::string issuer = options_.expected.issuer;
  while (issuer.ends_with('/')) issuer.pop_back();
  const std::string discovery = issuer + "/.well-known/openid-configuration";
  auto document = Json::Parse(TRY(get(discovery)));
  if (!document) return Error{Code::kUnavailable, discovery + " answers no JSON"};
  if ((*document)["issuer"].Text() != options_.expected.issuer) {
    return Error{Code::kUnavailable, fmt::format("{} speaks for the issuer {}, and not for '{}'", discovery,
                                                 (*document)["issuer"].Dump(), options_.expected.issuer)};
  }
  const std::string jwks = (*document)["jwks_uri"].Text();
  TRY(CheckProviderUrl(jwks));
  auto keys = KeysFromJwks(TRY(get(jwks)));
  if (!keys) return keys.TakeError().With(jwks);
  if (keys->empty()) return Error{Code::kUnavailable, jwks + " has no key that signatures could be checked with"};
  return std::make_shared<const std::vector<PublicKey>>(keys.TakeValue());
}

}  // namespace weft::token
