#include "drivers/token/jwt.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/id.h"
#include "base/text.h"

namespace weft::token {
namespace {

constexpr size_t kTokenLimit = size_t{16} << 10;
constexpr double kLeewaySeconds = 60;

struct Named {
  Algorithm algorithm;
  std::string_view name;
};
constexpr Named kAlgorithms[] = {{Algorithm::kRs256, "RS256"},
                                 {Algorithm::kPs256, "PS256"},
                                 {Algorithm::kEs256, "ES256"},
                                 {Algorithm::kEdDsa, "EdDSA"}};

Error Refused(std::string why) { return {Code::kUnauthenticated, "the token is refused: " + std::move(why)}; }

Result<Json> Part(std::string_view text, std::string_view what) {
  auto bytes = FromBase64Url(text);
  auto json = bytes ? Json::Parse(*bytes) : Result<Json>(bytes.TakeError());
  if (!json || !json->is_object()) return Refused(fmt::format("its {} is no JSON object in base64url", what));
  return json;
}

Status CheckHeader(const Json& header) {
  if (header.Has("crit")) return Refused("its header asks for extensions (crit) that this node does not know");
  const std::string type = Lower(header["typ"].Text("JWT"));
  if (type != "jwt" && type != "at+jwt" && type != "application/at+jwt") {
    return Refused(fmt::format("its type is '{}', and neither JWT nor at+jwt", header["typ"].Text()));
  }
  return {};
}

bool Names(const Json& audience, const std::string& expected) {
  if (audience.is_text()) return audience.Text() == expected;
  for (const Json& one : audience.Items()) {
    if (one.is_text() && one.Text() == expected) return true;
  }
  return false;
}

// Seconds since 1970; nothing where the claim is absent.
Result<std::optional<double>> TimeClaim(const Json& claims, std::string_view name) {
  if (!claims.Has(name)) return std::optional<double>();
  if (!claims[name].is_number()) return Refused(fmt::format("its claim {} is no number of seconds", name));
  return std::optional<double>(claims[name].Double());
}

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  for (const Named& named : kAlgorithms) {
    if (named.algorithm == algorithm) return named.name;
  }
  return "";
}

Result<Algorithm> AlgorithmFrom(std::string_view name) {
  for (const Named& named : kAlgorithms) {
    if (named.name == name) return named.algorithm;
  }
  return Error{Code::kInvalid, fmt::format("'{}' is none of RS256, PS256, ES256, EdDSA", name)};
}

std::string Base64Url(std::string_view bytes) {
  std::string text = Base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

Result<std::string> FromBase64Url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '_') return Error{Code::kInvalid, "not base64url"};
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  return FromBase64(plain);
}

bool LooksLikeJwt(std::string_view text) {
  return !text.starts_with("weft_") && std::count(text.begin(), text.end(), '.') == 2;
}

Result<Unproven> Read(std::string_view jwt) {
  if (jwt.size() > kTokenLimit) return Refused(fmt::format("it is longer than {} bytes", kTokenLimit));
  const size_t first = jwt.find('.'), last = jwt.rfind('.');
  if (first == jwt.npos || last == first || jwt.find('.', first + 1) != last) {
    return Refused("it is not three parts with points between them");
  }
  const Json header = TRY(Part(jwt.substr(0, first), "header"));
  TRY(CheckHeader(header));
  Unproven token;
  auto algorithm = AlgorithmFrom(header["alg"].Text());
  if (!algorithm) return Refused("its algorithm " + algorithm.error().message);
  token.algorithm = *algorithm;
  token.key_id = header["kid"].Text();
  token.claims = TRY(Part(jwt.substr(first + 1, last - first - 1), "second part"));
  token.signed_text = jwt.substr(0, last);
  auto signature = FromBase64Url(jwt.substr(last + 1));
  if (!signature || signature->empty()) return Refused("its signature is missing or no base64url");
  token.signature = signature.TakeValue();
  return token;
}

Result<std::vector<PublicKey>> KeysFromJwks(std::string_view jwks) {
  constexpr size_t kMostKeys = 100;
  const Json set = TRY(Json::Parse(jwks));
  if (!set["keys"].is_array()) return Error{Code::kInvalid, "the key set has no list named keys"};
  std::vector<PublicKey> keys;
  for (const Json& jwk : set["keys"].Items()) {
    if (keys.size() == kMostKeys) break;
    auto key = PublicKey::FromJwk(jwk);
    if (key) keys.push_back(key.TakeValue());
  }
  return keys;
}

Status CheckClaims(const Json& claims, const Expected& expected, Instant now) {
  if (!claims["iss"].is_text() || claims["iss"].Text() != expected.issuer) {
    return Refused(fmt::format("its issuer is {}, and not '{}'", claims["iss"].Dump(), expected.issuer));
  }
  if (!Names(claims["aud"], expected.audience)) {
    return Refused(
        fmt::format("its audience is {}, which does not name '{}'", claims["aud"].Dump(), expected.audience));
  }
  const double seconds = static_cast<double>(now.micros) / 1e6;
  const auto expires = TRY(TimeClaim(claims, "exp"));
  if (!expires) return Refused("it never expires (exp is missing)");
  if (*expires + kLeewaySeconds <= seconds) return Refused("it has expired");
  const auto begins = TRY(TimeClaim(claims, "nbf"));
  if (begins && *begins - kLeewaySeconds > seconds) return Refused("it is not valid yet (nbf)");
  const auto made = TRY(TimeClaim(claims, "iat"));
  if (made && *made - kLeewaySeconds > seconds) return Refused("it was made in the future (iat)");
  // Whoever holds it proves nothing without that key (DPoP, mutual TLS), which does not come with a bearer.
  if (claims.Has("cnf")) return Refused("it is bound to its holder's key (cnf), and this node takes bearers alone");
  return {};
}

}  // namespace weft::token
