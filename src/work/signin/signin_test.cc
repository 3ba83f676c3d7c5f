#include "work/signin/signin.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"
#include "drivers/token/password.h"
#include "state/access/access.h"
#include "state/ledger/ledger.h"

namespace weft::signin {
namespace {

struct StoppedClock final : Clock {
  Instant Now() const override { return now; }
  void Pass(int64_t seconds) { now.micros += seconds * 1'000'000; }
  Instant now = Instant::Parse("2026-03-01T12:00:00Z").value();
};

class SignInTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    for (auto part : {ledger::Migrations(), access::Migrations(), accounts::Migrations()}) {
      ASSERT_TRUE(store::Migrate(*store_, part));
    }
    Restart();
    auto txn = store_->Begin().value();
    ASSERT_TRUE(accounts::CreateUser(*txn, clock_, "ana", token::HashPassword(kPassword).value()));
    ASSERT_TRUE(txn->Commit());
  }
  void TearDown() override {
    sign_in_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  void Restart() {
    sign_in_ = SignIn::Open(*store_, clock_, {.key_file = folder_ + "/keys"}).value();
    sign_in_->SetIssuer("https://weft.example.org");
  }
  bool Kept(const std::string& refresh) {
    auto txn = store_->Read().value();
    return accounts::FindRefresh(*txn, refresh).value().has_value();
  }
  std::string Error(const Form& form) { return sign_in_->Token(kCli, form, "").value().body["error"].Text(); }
  bool Opens(const std::string& secret) {
    auto txn = store_->Read().value();
    return bool(access::Authenticate(*txn, clock_, secret));
  }
  Json SignedIn() {
    const Json device = sign_in_->StartDevice(kCli, {}, "").value().body;
    EXPECT_TRUE(sign_in_->SettleDevice(device["user_code"].Text(), "ana", kPassword, true, ""));
    return sign_in_->Token(kCli, DeviceForm(device), "").value().body;
  }
  static Form DeviceForm(const Json& device) {
    return {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
            {"device_code", device["device_code"].Text()}};
  }

  static constexpr const char* kPassword = "correct horse battery";
  const Client kCli{std::string(kCommandLine), ""};
  const std::string folder_ = fs::temp_directory_path() / ("weft-signin-" + NewSecret(6));
  StoppedClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<SignIn> sign_in_;
};

TEST_F(SignInTest, WhoAsksTooOftenWaitsLonger) {
  const Json device = sign_in_->StartDevice(kCli, {}, "").value().body;
  EXPECT_EQ(Error(DeviceForm(device)), "authorization_pending");
  EXPECT_EQ(Error(DeviceForm(device)), "slow_down");
  clock_.Pass(6);  // The two seconds that were asked for have become seven.
  EXPECT_EQ(Error(DeviceForm(device)), "slow_down");
  clock_.Pass(12);
  EXPECT_EQ(Error(DeviceForm(device)), "authorization_pending");
  clock_.Pass(601);
  EXPECT_EQ(Error(DeviceForm(device)), "expired_token");
  EXPECT_FALSE(sign_in_->SettleDevice(device["user_code"].Text(), "ana", kPassword, true, ""));
}

TEST_F(SignInTest, DevicesThatWaitAreBounded) {
  auto txn = store_->Begin().value();
  for (int i = 0; i < 1'000; ++i) {
    accounts::Device device;
    device.user_code = std::to_string(i);
    device.expires_at = Instant{clock_.now.micros + 600'000'000};
    ASSERT_TRUE(accounts::PutDevice(*txn, "device " + device.user_code, device));
  }
  ASSERT_TRUE(txn->Commit());
  EXPECT_EQ(sign_in_->StartDevice(kCli, {}, "").error().code, Code::kUnavailable);
  clock_.Pass(601);
  EXPECT_TRUE(sign_in_->StartDevice(kCli, {}, ""));
}

TEST_F(SignInTest, LocksGrowAndEnd) {
  auto enters = [&](const char* password) {
    const Json device = sign_in_->StartDevice(kCli, {}, "").value().body;
    return bool(sign_in_->SettleDevice(device["user_code"].Text(), "ana", password, true, ""));
  };
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(enters("wrong"));
  EXPECT_FALSE(enters(kPassword));
  clock_.Pass(31);
  EXPECT_FALSE(enters("wrong"));
  clock_.Pass(31);
  EXPECT_FALSE(enters(kPassword));  // A minute this time.
  clock_.Pass(31);
  EXPECT_TRUE(enters(kPassword));
  EXPECT_FALSE(enters("wrong"));
  EXPECT_TRUE(enters(kPassword));
}

TEST_F(SignInTest, TokensEndAndAreRenewedUntilTheSignInEnds) {
  const Json first = SignedIn();
  EXPECT_TRUE(Opens(first["access_token"].Text()));
  clock_.Pass(3'601);
  EXPECT_FALSE(Opens(first["access_token"].Text()));
  const Form renew{{"grant_type", "refresh_token"}, {"refresh_token", first["refresh_token"].Text()}};
  const Json second = sign_in_->Token(kCli, renew, "").value().body;
  EXPECT_TRUE(Opens(second["access_token"].Text()));
  EXPECT_EQ(Error(renew), "invalid_grant");
  EXPECT_FALSE(Opens(second["access_token"].Text()));
  const Json other = SignedIn();
  clock_.Pass(31 * 86'400);
  EXPECT_EQ(Error({{"grant_type", "refresh_token"}, {"refresh_token", other["refresh_token"].Text()}}),
            "invalid_grant");
  auto tokens = [&] {
    auto txn = store_->Read().value();
    return access::Tokens(*txn, "ana").value().size();
  };
  EXPECT_EQ(tokens(), 3u);
  ASSERT_TRUE(sign_in_->Tend());
  EXPECT_EQ(tokens(), 0u) << "lists stay short";
}

TEST_F(SignInTest, OnePeerHasSoManyTriesAndIsForgivenInTime) {
  sign_in_ = SignIn::Open(*store_, clock_, {.key_file = folder_ + "/keys", .tries = 3}).value();
  auto code = [&](const std::string& user, const std::string& peer) {
    Status checked = sign_in_->CheckPassword(user, kPassword, peer);
    return checked ? std::optional<Code>() : checked.error().code;
  };
  for (int port = 1; port <= 3; ++port) {  // Another name and another port each time.
    EXPECT_EQ(code("nobody" + std::to_string(port), "192.0.2.1:" + std::to_string(port)), Code::kUnauthenticated);
  }
  EXPECT_EQ(code("ana", "192.0.2.1:9"), Code::kUnavailable);
  EXPECT_EQ(code("ana", "192.0.2.2:9"), std::nullopt);
  clock_.Pass(6);
  EXPECT_EQ(code("ana", "192.0.2.1:9"), std::nullopt);
  EXPECT_EQ(code("nobody", "192.0.2.1:9"), Code::kUnauthenticated);
  EXPECT_EQ(code("ana", "192.0.2.1:9"), Code::kUnavailable);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(sign_in_->StartDevice(kCli, {}, "192.0.2.3:1"));
  EXPECT_EQ(sign_in_->StartDevice(kCli, {}, "192.0.2.3:2").error().code, Code::kUnavailable);
}

TEST(Networks, AreAnAddressOrWhatOneCustomerHas) {
  EXPECT_EQ(NetworkOf("192.0.2.1:5000"), "192.0.2.1");
  EXPECT_EQ(NetworkOf("2001:db8:1:2::1:5000"), NetworkOf("2001:db8:1:2:aaaa:bbbb:cccc:dddd:6000"));
  EXPECT_NE(NetworkOf("2001:db8:1:2::1:5000"), NetworkOf("2001:db8:1:3::1:5000"));
  EXPECT_NE(NetworkOf("::ffff:192.0.2.1:1"), NetworkOf("::ffff:192.0.2.2:1"));
}

TEST_F(SignInTest, KeysArePrivateKeptAndReplaced) {
  const std::string first = sign_in_->Jwks()["keys"][size_t{0}]["kid"].Text();
  EXPECT_EQ(fs::status(folder_ + "/keys").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  Restart();
  EXPECT_EQ(sign_in_->Jwks()["keys"][size_t{0}]["kid"].Text(), first);
  clock_.Pass(91 * 86'400);
  ASSERT_TRUE(sign_in_->Tend());
  const Json keys = sign_in_->Jwks()["keys"];
  ASSERT_EQ(keys.size(), 2u);  // What the old one signed still holds.
  EXPECT_NE(keys[size_t{0}]["kid"].Text(), first);
  EXPECT_EQ(keys[size_t{1}]["kid"].Text(), first);
}

TEST(Redirects, AreTheRegisteredOnesButForALoopbackPort) {
  EXPECT_TRUE(RedirectAllowed("https://a.org/b", "https://a.org/b"));
  EXPECT_TRUE(RedirectAllowed("http://127.0.0.1/b", "http://127.0.0.1:5000/b"));
  EXPECT_TRUE(RedirectAllowed("http://[::1]/b", "http://[::1]:5000/b"));
  for (const char* other :
       {"https://a.org/b/", "https://a.org:444/b", "https://a.org/B", "https://a.org", "http://a.org/b", ""}) {
    EXPECT_FALSE(RedirectAllowed("https://a.org/b", other)) << other;
  }
  for (const char* other : {"http://127.0.0.1:5000/c", "http://127.0.0.1:5000@evil.org/b", "http://127.0.0.1:/evil/b",
                            "http://127.0.0.1.evil.org/b", "http://localhost/b"}) {
    EXPECT_FALSE(RedirectAllowed("http://127.0.0.1/b", other)) << other;
  }
}

TEST_F(SignInTest, WhoIsNotKnownTakesNoTurnToWriteAndHasSoManyTries) {
  const Client nobody{"nobody", "guessed"};
  const std::string peer = "192.0.2.9:5000";
  {
    auto writer = store_->Begin().value();
    EXPECT_EQ(sign_in_->Token(nobody, {{"grant_type", "client_credentials"}}, peer).value().status, 401);
    EXPECT_EQ(sign_in_->Revoke(nobody, {{"token", "x"}}, peer).value().status, 401);
    EXPECT_EQ(sign_in_->StartDevice(nobody, {}, peer).value().status, 401);
  }
  for (int i = 3; i < 100; ++i) EXPECT_EQ(sign_in_->Token(nobody, {}, peer).value().status, 401);
  EXPECT_EQ(sign_in_->Token(nobody, {}, peer).error().code, Code::kUnavailable);
  EXPECT_EQ(sign_in_->Token(nobody, {}, "192.0.2.10:5000").value().status, 401);
  // The command line is no secret, and is not kept waiting by others' guesses.
  EXPECT_EQ(sign_in_->Token(kCli, {{"grant_type", "refresh_token"}}, peer).value().body["error"].Text(),
            "invalid_grant");
  clock_.Pass(6);
  EXPECT_EQ(sign_in_->Token(nobody, {}, peer).value().status, 401);
}

TEST_F(SignInTest, ATokenThatIsRevokedEndsItsSignIn) {
  const Json first = SignedIn();
  auto renewed = [&](const std::string& refresh) {
    return sign_in_->Token(kCli, {{"grant_type", "refresh_token"}, {"refresh_token", refresh}}, "").value().body;
  };
  const Json second = renewed(first["refresh_token"].Text());
  const Json other = SignedIn();
  ASSERT_TRUE(Opens(second["access_token"].Text()));
  // The older of its two tokens, which is good still.
  ASSERT_EQ(sign_in_->Revoke(kCli, {{"token", first["access_token"].Text()}}, "").value().status, 200);
  EXPECT_FALSE(Opens(first["access_token"].Text()));
  EXPECT_FALSE(Kept(second["refresh_token"].Text()));
  EXPECT_EQ(renewed(second["refresh_token"].Text())["error"].Text(), "invalid_grant");
  EXPECT_EQ(renewed(other["refresh_token"].Text())["error"].Text(), "");
}

}  // namespace
}  // namespace weft::signin
