#include "drivers/token/jwt.h"

#include <gtest/gtest.h>

namespace weft::token {
namespace {

const Instant kNow = Instant::Parse("2026-03-01T12:00:00Z").value();
const int64_t kSeconds = kNow.micros / 1'000'000;

Json Claims() {
  return Json::Map({{"iss", "https://id.example.org"}, {"aud", "weft"}, {"exp", kSeconds + 300}, {"sub", "ana"}});
}

// What RFC 8037, A.4 prints: a key and a signature of others.
constexpr std::string_view kEdKey =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view kEdSigned = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr std::string_view kEdSignature =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
// RFC 7515, A.3.
constexpr std::string_view kEcKey =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kEcToken =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

PublicKey KeyOf(std::string_view jwk) { return PublicKey::FromJwk(Json::Parse(jwk).value()).value(); }

TEST(Jwt, ProvesWhatTheStandardsSigned) {
  EXPECT_TRUE(KeyOf(kEcKey).Verifies(Read(kEcToken).value()));
  EXPECT_EQ(Read(kEcToken).value().claims["iss"].Text(), "joe");
  Unproven ed;
  ed.algorithm = Algorithm::kEdDsa;
  ed.signed_text = kEdSigned;
  ed.signature = FromBase64Url(kEdSignature).value();
  EXPECT_TRUE(KeyOf(kEdKey).Verifies(ed));
  ed.signed_text += "x";
  EXPECT_FALSE(KeyOf(kEdKey).Verifies(ed));
  ed.algorithm = Algorithm::kEs256;  // The key is of another kind.
  EXPECT_FALSE(KeyOf(kEdKey).Verifies(ed));
}

TEST(Jwt, AKeyProvesItsOwnSignaturesAlone) {
  const SigningKey key = SigningKey::Generate().value(), other = SigningKey::Generate().value();
  const std::string jwt = key.Sign(Claims()).value();
  Unproven token = Read(jwt).value();
  EXPECT_EQ(token.key_id, key.id());
  EXPECT_TRUE(PublicKey::FromJwk(key.PublicJwk()).value().Verifies(token));
  EXPECT_FALSE(PublicKey::FromJwk(other.PublicJwk()).value().Verifies(token));
  token.signed_text[token.signed_text.size() / 2] ^= 1;
  EXPECT_FALSE(PublicKey::FromJwk(key.PublicJwk()).value().Verifies(token));
  for (const std::string& signature : {std::string(), std::string(63, 'x'), std::string(64, '\0')}) {
    token.signature = signature;
    EXPECT_FALSE(PublicKey::FromJwk(key.PublicJwk()).value().Verifies(token));
  }
  EXPECT_EQ(SigningKey::FromPem(key.Pem().value()).value().id(), key.id());
  EXPECT_EQ(SigningKey::FromPem("none").error().code, Code::kInvalid);
}

TEST(Jwt, AlgorithmsThatNeedNoKeyOrASharedOneAreNone) {
  const std::string claims = Base64Url(Claims().Dump());
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS256"})", R"({"alg":""})", R"({})",
                             R"({"alg":"RS512"})", R"({"alg":null})"}) {
    auto token = Read(Base64Url(header) + "." + claims + ".c2lnbmF0dXJl");
    ASSERT_FALSE(token) << header;
    EXPECT_EQ(token.error().code, Code::kUnauthenticated);
  }
}

TEST(Jwt, WhatIsNoTokenIsRefused) {
  const std::string header = Base64Url(R"({"alg":"ES256"})"), claims = Base64Url("{}");
  EXPECT_TRUE(Read(header + "." + claims + ".YQ"));
  for (const std::string& text :
       {std::string(), std::string(".."), header, header + "." + claims, header + "." + claims + ".",
        header + "." + claims + ".YQ.YQ", header + ".YQ.YQ", header + "." + claims + ".Y=Q", "x." + claims + ".YQ",
        header + "." + claims + ".a+b/", header + "\n." + claims + ".YQ", header + "." + Base64Url("[]") + ".YQ",
        Base64Url(R"({"alg":"ES256","crit":["b64"]})") + "." + claims + ".YQ",
        Base64Url(R"({"alg":"ES256","typ":"logout+jwt"})") + "." + claims + ".YQ",
        header + "." + claims + "." + std::string(20'000, 'A')}) {
    EXPECT_EQ(Read(text).error().code, Code::kUnauthenticated) << text.substr(0, 80);
  }
  EXPECT_TRUE(LooksLikeJwt(kEcToken));
  EXPECT_FALSE(LooksLikeJwt("weft_a.b.c"));
  EXPECT_FALSE(LooksLikeJwt("a.b"));
}

TEST(Jwt, WeakOrForeignKeysAreLeftOut) {
  for (
      std::string_view jwk :
      {R"({"kty":"oct","k":"c2VjcmV0"})", R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"P-384"})",
       R"({"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"})",
       R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", R"({})",
       R"({"use":"enc","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       R"({"key_ops":["sign"],"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"}) {
    EXPECT_FALSE(PublicKey::FromJwk(Json::Parse(jwk).value())) << jwk;
  }
  const PublicKey tied =
      KeyOf(R"({"alg":"EdDSA","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  EXPECT_TRUE(tied.Fits(Algorithm::kEdDsa));
  EXPECT_FALSE(tied.Fits(Algorithm::kEs256));
}

TEST(Jwt, ClaimsHoldOrSayWhichDoesNot) {
  const Expected expected{"https://id.example.org", "weft"};
  auto check = [&](std::string_view name, Json value) {
    Json claims = Claims();
    claims.Set(name, std::move(value));
    Status status = CheckClaims(claims, expected, kNow);
    return status ? "" : status.error().message;
  };
  EXPECT_EQ(check("x", 1), "");
  EXPECT_EQ(check("aud", Json(Json::Array{"other", "weft"})), "");
  EXPECT_EQ(check("exp", kSeconds - 59), "");
  EXPECT_EQ(check("nbf", kSeconds + 60), "");
  EXPECT_NE(check("exp", kSeconds - 60).find("expired"), std::string::npos);
  EXPECT_NE(check("exp", Json()).find("exp"), std::string::npos);
  EXPECT_NE(check("exp", "soon").find("exp"), std::string::npos);
  EXPECT_NE(check("exp", true).find("exp"), std::string::npos);
  EXPECT_NE(check("nbf", kSeconds + 61).find("nbf"), std::string::npos);
  EXPECT_NE(check("iat", kSeconds + 61).find("iat"), std::string::npos);
  EXPECT_NE(check("iss", "https://id.example.org/").find("issuer"), std::string::npos);
  EXPECT_NE(check("iss", Json()).find("issuer"), std::string::npos);
  EXPECT_NE(check("aud", "Weft").find("audience"), std::string::npos);
  EXPECT_NE(check("aud", Json(Json::Array{})).find("audience"), std::string::npos);
  EXPECT_NE(check("aud", Json::Map({{"weft", "weft"}})).find("audience"), std::string::npos);
}

}  // namespace
}  // namespace weft::token
