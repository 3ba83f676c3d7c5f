// JSON Web Tokens (RFC 7519): read, held against published keys (RFC 7517), and made with a key of this node's own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace weft::token {

// The only algorithms that there are here. "none" and those with a shared secret (HS256…) are not among them: a public
// key must never pass for one.
enum class Algorithm { kRs256, kPs256, kEs256, kEdDsa };
std::string_view AlgorithmName(Algorithm algorithm);     // "RS256"
Result<Algorithm> AlgorithmFrom(std::string_view name);  // kInvalid lists those that there are.

// A token taken apart; nothing in it is proven.
struct Unproven {
  Algorithm algorithm = Algorithm::kRs256;
  std::string key_id;  // Empty where the token names none.
  Json claims;
  std::string signed_text;
  std::string signature;
};
// Whether a bearer has the form of a token of this kind; Weft's own secrets never have.
bool LooksLikeJwt(std::string_view text);
// kUnauthenticated says what is wrong with it. At most 16 KiB are looked at.
Result<Unproven> Read(std::string_view jwt);

// A public key that signatures are checked with. Copies share it; safe to use from several threads.
class PublicKey {
 public:
  // kUnsupported where it is of another kind or use than Algorithm has, or too weak (RSA below 2,048 bits).
  static Result<PublicKey> FromJwk(const Json& jwk);
  const std::string& id() const { return id_; }
  // Whether the key is of the algorithm's kind, and made for no other.
  bool Fits(Algorithm algorithm) const;
  bool Verifies(const Unproven& token) const;

 private:
  std::string id_;
  std::string kind_;           // "RSA", "EC", "OKP"
  std::string algorithm_;      // Of the JWK; empty: any of the kind.
  std::shared_ptr<void> key_;  // OpenSSL's.
};

// A JWK set; keys that are none of ours are left out.
Result<std::vector<PublicKey>> KeysFromJwks(std::string_view jwks);

struct Expected {
  std::string issuer;
  std::string audience;
};
// Issuer, audience, exp, nbf and iat, with a minute of leeway for clocks. kUnauthenticated says which fails.
Status CheckClaims(const Json& claims, const Expected& expected, Instant now);

// A key pair for ES256, to sign with.
class SigningKey {
 public:
  static Result<SigningKey> Generate();
  static Result<SigningKey> FromPem(const std::string& pem);
  Result<std::string> Pem() const;               // The secret half too.
  const std::string& id() const { return id_; }  // RFC 7638: follows from the key.
  Json PublicJwk() const;
  Result<std::string> Sign(const Json& claims) const;  // A whole JWT.

 private:
  static Result<SigningKey> Of(std::shared_ptr<void> key);
  std::string id_;
  std::string x_, y_;  // Base64url.
  std::shared_ptr<void> key_;
};

std::string Thumbprint(std::string_view text);  // Its SHA-256 as base64url.
std::string Base64Url(std::string_view bytes);  // Without padding.
Result<std::string> FromBase64Url(std::string_view text);

}  // namespace weft::token
