#include "drivers/token/provider.h"

#include <gtest/gtest.h>

namespace weft::token {
namespace {

struct StoppedClock final : Clock {
  Instant Now() const override { return now; }
  void Pass(int64_t seconds) { now.micros += seconds * 1'000'000; }
  Instant now = Instant::Parse("2026-03-01T12:00:00Z").value();
};

class ProviderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ProviderOptions options;
    options.expected = {"https://id.example.org", "weft"};
    options.algorithms = {Algorithm::kEs256};
    options.keys_max_age = Millis(3'600'000);
    provider_ = Provider::Open(
                    options, [this](const std::string& url) { return Get(url); }, clock_)
                    .value();
  }
  Result<std::string> Get(const std::string& url) {
    ++fetches_;
    if (down_) return Error{Code::kUnavailable, "nobody answers"};
    if (url == "https://id.example.org/.well-known/openid-configuration") {
      return Json::Map({{"issuer", issuer_}, {"jwks_uri", jwks_uri_}}).Dump();
    }
    if (url != jwks_uri_) return Error{Code::kNotFound, url};
    return Json::Map({{"keys", Json::Array{key_.PublicJwk()}}}).Dump();
  }
  std::string Token() {
    const int64_t now = clock_.now.micros / 1'000'000;
    return key_
        .Sign(Json::Map({{"iss", "https://id.example.org"}, {"aud", "weft"}, {"sub", "ana"}, {"exp", now + 300}}))
        .value();
  }
  Code Outcome(const std::string& jwt) {
    auto claims = provider_->Verify(jwt);
    return claims ? Code::kInternal : claims.error().code;  // kInternal stands for none.
  }
  static constexpr Code kGood = Code::kInternal;

  StoppedClock clock_;
  SigningKey key_ = SigningKey::Generate().value();
  std::string issuer_ = "https://id.example.org", jwks_uri_ = "https://id.example.org/keys?v=1";
  bool down_ = false;
  int fetches_ = 0;
  std::unique_ptr<Provider> provider_;
};

TEST_F(ProviderTest, FetchesOnceAndAgainForAKeyThatIsNew) {
  EXPECT_EQ(provider_->Verify(Token()).value()["sub"].Text(), "ana");
  EXPECT_EQ(Outcome(Token()), kGood);
  EXPECT_EQ(fetches_, 2);  // The discovery and the keys.
  const std::string old = Token();
  key_ = SigningKey::Generate().value();
  EXPECT_EQ(Outcome(Token()), Code::kUnauthenticated);  // Too soon to ask again.
  EXPECT_EQ(fetches_, 2);
  clock_.Pass(31);
  EXPECT_EQ(Outcome(Token()), kGood);
  EXPECT_EQ(Outcome(old), Code::kUnauthenticated);
  EXPECT_EQ(fetches_, 4);
}

TEST_F(ProviderTest, WhenItIsDownKnownKeysHoldForAWhileAndThenNothingDoes) {
  EXPECT_EQ(Outcome(Token()), kGood);
  down_ = true;
  clock_.Pass(3'599);
  EXPECT_FALSE(provider_->Refresh());
  EXPECT_EQ(Outcome(Token()), kGood);
  clock_.Pass(2);
  EXPECT_EQ(Outcome(Token()), Code::kUnavailable);
  EXPECT_EQ(Outcome(SigningKey::Generate().value().Sign(Json::Map({})).value()), Code::kUnavailable);
  down_ = false;
  EXPECT_EQ(Outcome(Token()), Code::kUnavailable);
  clock_.Pass(31);
  EXPECT_EQ(Outcome(Token()), kGood);
}

TEST_F(ProviderTest, AnotherIssuersDocumentAndKeysInTheClearAreNotTaken) {
  issuer_ = "https://evil.example.org";
  EXPECT_EQ(Outcome(Token()), Code::kUnavailable);
  issuer_ = "https://id.example.org";
  jwks_uri_ = "http://id.example.org/keys";
  clock_.Pass(31);
  EXPECT_EQ(Outcome(Token()), Code::kUnavailable);
}

TEST_F(ProviderTest, AnAlgorithmThatIsNotAllowedIsRefusedWithoutAKey) {
  const std::string header = Base64Url(R"({"alg":"RS256","kid":"x"})");
  EXPECT_EQ(Outcome(header + "." + Base64Url("{}") + ".YQ"), Code::kUnauthenticated);
  EXPECT_EQ(fetches_, 0);
}

TEST(ProviderUrl, IsEncryptedOrOnLoopback) {
  for (const char* good : {"https://id.example.org", "https://id.example.org:8443/realms/a", "http://127.0.0.1:18080/x",
                           "http://localhost", "http://[::1]:90/a?b"}) {
    EXPECT_TRUE(CheckProviderUrl(good)) << good;
  }
  for (const char* bad :
       {"", "id.example.org", "ftp://id.example.org", "http://id.example.org", "http://127.0.0.1.evil.org",
        "http://localhost.evil.org/", "http://localhost:1@evil.org/", "https://", "https://a@b", "http://127.evil"}) {
    EXPECT_EQ(CheckProviderUrl(bad).error().code, Code::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace weft::token
