#include "state/access/access.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::access {
namespace {

using model::Action;

struct StoppedClock final : Clock {
  Instant Now() const override { return now; }
  Instant now = Instant::Parse("2026-03-01T12:00:00Z").value();
};

class AccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    txn_ = store_->Begin().value();
    ASSERT_TRUE(PutGroups(*txn_, {{"ops", {"olga", "service:loader"}},
                                  {"auditors", {"aud"}},
                                  {"governance", {"gov"}},
                                  {"pipelines", {"service:ci"}},
                                  {"analysts", {"ana"}}}));
    flights_.domain = key_.domain;
    flights_.product = key_.product;
    flights_.port = key_.port;
    flights_.major = key_.major;
    flights_.owners = {"owen", "group:ops"};
    flights_.stewards = {"stella"};
    flights_.engineers = {"emil", "group:pipelines"};
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  model::Decision Ask(const std::string& name, Action action, const std::string& purpose = "",
                      bool administrator = false) {
    model::Principal principal = PrincipalOf(*txn_, name).value();
    principal.administrator = administrator;
    return Decide(*txn_, clock_, principal, action, flights_, purpose).value();
  }
  Grant Give(const std::string& principal, const std::string& purpose = "", std::optional<Instant> until = {}) {
    return PutGrant(*txn_, clock_, {"", principal, key_, purpose, until, "owen", {}}, flights_).value();
  }
  Instant In(int seconds) const { return {clock_.now.micros + seconds * int64_t{1'000'000}}; }

  const std::string folder_ = fs::temp_directory_path() / ("weft-access-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
  StoppedClock clock_;
  const model::PortKey key_{"operations", "flights", "flights", 1};
  model::Resource flights_;
};

TEST_F(AccessTest, DecidesByTheTable) {
  struct Case {
    const char* who;
    bool administrator;
    const char* may;  // Of: browse read publish administer run grant audit govern
  };
  const Case cases[] = {
      {"stranger", false, "b......."},
      {"owen", false, "brp.rga."},
      {"olga", false, "brp.rga."},
      {"service:loader", false, "brp.rga."},
      {"stella", false, "b....ga."},
      {"emil", false, "brp.r..."},
      {"service:ci", false, "brp.r..."},
      {"root", true, "b.pargag"},
      {"owen", true, "brpargag"},
      {"aud", false, "b.....a."},
      {"gov", false, "b......g"},
      {"product:operations/flights", false, "br......"},
      {"product:operations/other", false, "b......."},
      {"", false, "........"},
  };
  const Action actions[] = {Action::kBrowse, Action::kRead,  Action::kPublish, Action::kAdminister,
                            Action::kRun,    Action::kGrant, Action::kAudit,   Action::kGovern};
  for (const Case& c : cases) {
    for (size_t i = 0; i < std::size(actions); ++i) {
      model::Decision decision = Ask(c.who, actions[i], "", c.administrator);
      EXPECT_EQ(decision.permitted, c.may[i] != '.') << c.who << " " << model::ActionName(actions[i]);
      EXPECT_EQ(decision.reasons.empty(), decision.permitted);
      EXPECT_EQ(decision.remedy.empty(), decision.permitted);
      EXPECT_EQ(decision.right.empty(), !decision.permitted || actions[i] == Action::kBrowse);
    }
  }
  EXPECT_TRUE(Ask("", Action::kOpen).permitted);
}

TEST_F(AccessTest, ARoleIsOfItsPlaceAndNamesItself) {
  EXPECT_EQ(Ask("olga", Action::kGrant).right, "owner group:ops");
  EXPECT_EQ(Ask("stella", Action::kGrant).right, "steward stella");
  EXPECT_EQ(Ask("service:ci", Action::kRun).right, "engineer group:pipelines");
  EXPECT_EQ(Ask("aud", Action::kAudit).right, "auditor group:auditors");
  EXPECT_EQ(Ask("root", Action::kRun, "", true).right, "administrator");
  Grant grant = Give("stella");
  EXPECT_EQ(Ask("stella", Action::kRead).right, "grant " + grant.id);
  model::Decision denied = Ask("emil", Action::kGrant);
  EXPECT_EQ(denied.reasons[0], "emil is neither owner nor steward of operations/flights, nor an administrator");
  EXPECT_EQ(
      denied.remedy,
      "ask an owner (owen, group:ops) or a steward (stella) to grant it, or to name emil owner or steward, of the "
      "domain in mesh.yaml or of the product in its team");
  flights_ = {};
  EXPECT_FALSE(Ask("owen", Action::kAudit).permitted) << "of the mesh as a whole only auditors do";
  EXPECT_TRUE(Ask("aud", Action::kAudit).permitted);
  EXPECT_EQ(Ask("emil", Action::kPublish).reasons[0],
            "emil is neither owner nor engineer of any domain or product, nor an administrator");
}

TEST_F(AccessTest, ADenialSaysWhyAndWhatToType) {
  model::Decision decision = Ask("ana", Action::kRead);
  EXPECT_EQ(decision.reasons,
            std::vector<std::string>{"ana does not own operations/flights/flights@1 and holds no grant on it"});
  EXPECT_EQ(
      decision.remedy,
      "weft request operations/flights/flights@1 --because WHY; or weft grant ana operations/flights/flights@1, by an "
      "owner (owen, group:ops) or a steward (stella)");
  decision = Ask("root", Action::kRead, "", true);
  EXPECT_EQ(decision.reasons.size(), 2u);
}

TEST_F(AccessTest, AGrantOpensItsPortAloneUntilItEnds) {
  Give("ana", "", In(60));
  EXPECT_TRUE(Ask("ana", Action::kRead).permitted);
  EXPECT_EQ(Ask("ana", Action::kRead).until, In(60));
  EXPECT_FALSE(Ask("ana", Action::kRun).permitted);
  EXPECT_FALSE(Ask("bob", Action::kRead).permitted);
  flights_.major = 2;
  EXPECT_FALSE(Ask("ana", Action::kRead).permitted);
  flights_.major = 1;
  clock_.now = In(60);
  model::Decision decision = Ask("ana", Action::kRead);
  EXPECT_FALSE(decision.permitted);
  EXPECT_EQ(decision.reasons[0], "the grant to ana ended at 2026-03-01T12:01:00.000000Z");
}

TEST_F(AccessTest, AGrantToAGroupIsOfItsMembersNow) {
  Give("group:analysts");
  EXPECT_TRUE(Ask("ana", Action::kRead).permitted);
  ASSERT_TRUE(PutGroups(*txn_, {{"analysts", {"bob"}}}));
  EXPECT_FALSE(Ask("ana", Action::kRead).permitted);
  EXPECT_TRUE(Ask("bob", Action::kRead).permitted);
}

TEST_F(AccessTest, APurposeMustMatchWhereTheGrantHasOne) {
  Give("ana", "forecast");
  EXPECT_TRUE(Ask("ana", Action::kRead, "forecast").permitted);
  model::Decision decision = Ask("ana", Action::kRead);
  EXPECT_FALSE(decision.permitted);
  EXPECT_EQ(decision.remedy, "ask again with the purpose: --purpose forecast");
  decision = Ask("ana", Action::kRead, "marketing");
  EXPECT_FALSE(decision.permitted);
  EXPECT_NE(decision.remedy.find("--purpose marketing, by an owner"), std::string::npos) << decision.remedy;
  Give("ana", "");
  EXPECT_TRUE(Ask("ana", Action::kRead, "marketing").permitted);
}

TEST_F(AccessTest, TheLongestGrantDecidesHowLong) {
  Give("ana", "", In(60));
  Give("group:analysts", "", In(600));
  EXPECT_EQ(Ask("ana", Action::kRead).until, In(600));
  Give("ana", "forecast");
  EXPECT_EQ(Ask("ana", Action::kRead, "forecast").until, std::nullopt);
}

TEST_F(AccessTest, GrantingAgainChangesTheEndAndRevokingEndsAll) {
  Grant first = Give("ana", "", In(60));
  Grant again = Give("ana", "", In(900));
  EXPECT_EQ(first.id, again.id);
  Give("ana", "forecast");
  Give("bob");
  EXPECT_EQ(Grants(*txn_, &key_, std::nullopt).value().size(), 3u);
  EXPECT_EQ(Grants(*txn_, nullptr, std::vector<std::string>{"ana"}).value().size(), 2u);
  EXPECT_EQ(Grants(*txn_, nullptr, std::vector<std::string>{"bob", "zoe", "ana"}).value().size(), 3u);
  EXPECT_EQ(Grants(*txn_, nullptr, std::vector<std::string>()).value().size(), 0u);
  EXPECT_EQ(Revoke(*txn_, clock_, "ana", key_).value(), 2);
  EXPECT_EQ(Revoke(*txn_, clock_, "ana", key_).value(), 0);
  EXPECT_FALSE(Ask("ana", Action::kRead).permitted);
  EXPECT_EQ(PutGrant(*txn_, clock_, {"", "ana", key_, "", In(0), "owen", {}}, flights_).error().code, Code::kInvalid);
}

TEST_F(AccessTest, ATokenIsItsHoldersUntilItExpires) {
  NewToken made = CreateToken(*txn_, clock_, "ana", "laptop", false, In(60)).value();
  EXPECT_TRUE(made.secret.starts_with("weft_"));
  Identity identity = Authenticate(*txn_, clock_, made.secret).value();
  EXPECT_EQ(identity.principal.name, "ana");
  EXPECT_EQ(identity.principal.groups, std::vector<std::string>{"analysts"});
  EXPECT_FALSE(identity.principal.administrator);
  EXPECT_EQ(identity.token_id, made.token.id);
  clock_.now = In(60);
  auto expired = Authenticate(*txn_, clock_, made.secret);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, Code::kUnauthenticated);
  EXPECT_NE(expired.error().message.find("expired"), std::string::npos);
}

TEST_F(AccessTest, ARevokedOrUnknownTokenOpensNothing) {
  NewToken made = CreateToken(*txn_, clock_, "service:loader", "nightly", true, {}).value();
  EXPECT_TRUE(Authenticate(*txn_, clock_, made.secret).value().principal.administrator);
  EXPECT_EQ(Authenticate(*txn_, clock_, made.secret).value().principal.kind, model::Principal::Kind::kService);
  ASSERT_TRUE(RevokeToken(*txn_, clock_, made.token.id));
  ASSERT_TRUE(RevokeToken(*txn_, clock_, made.token.id));
  for (const std::string& secret : {made.secret, made.secret + "x", std::string("weft_"), std::string()}) {
    EXPECT_EQ(Authenticate(*txn_, clock_, secret).error().code, Code::kUnauthenticated);
  }
  EXPECT_EQ(RevokeToken(*txn_, clock_, "tok_none").error().code, Code::kNotFound);
  auto tokens = Tokens(*txn_, "service:loader").value();
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_TRUE(tokens[0].revoked_at);
}

TEST_F(AccessTest, TheStoreNeverHasTheSecret) {
  NewToken made = CreateToken(*txn_, clock_, "ana", "", false, {}).value();
  auto rows = txn_->Run("SELECT id || hash || principal || name FROM tokens").value();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text(0).find(made.secret.substr(5)), std::string::npos);
}

TEST_F(AccessTest, TokensAreForPeopleAndServices) {
  for (const char* bad : {"", "product:a/b", "group:ops", "service:", "an a", "a/b", "x:y"}) {
    EXPECT_EQ(CreateToken(*txn_, clock_, bad, "", false, {}).error().code, Code::kInvalid) << bad;
  }
  EXPECT_TRUE(CreateToken(*txn_, clock_, "ana@example.org", "", false, {}));
  EXPECT_EQ(CreateToken(*txn_, clock_, "ana", "", false, In(0)).error().code, Code::kInvalid);
}

TEST_F(AccessTest, ATokensLimitsNarrowAndNeverWiden) {
  auto may = [&](const std::string& name, std::vector<Action> actions, const std::string& on, Action action) {
    model::Limits limits;
    limits.actions = std::move(actions);
    if (!on.empty()) limits.on = model::Address::Parse(on).value();
    NewToken made = CreateToken(*txn_, clock_, name, "ci", false, {}, limits).value();
    model::Principal principal = Authenticate(*txn_, clock_, made.secret).value().principal;
    return Decide(*txn_, clock_, principal, action, flights_, "").value().permitted;
  };
  EXPECT_TRUE(may("owen", {Action::kRead}, "", Action::kRead));
  EXPECT_FALSE(may("owen", {Action::kRead}, "", Action::kRun));
  EXPECT_TRUE(may("owen", {Action::kRead}, "", Action::kBrowse));
  EXPECT_FALSE(may("zoe", {Action::kRead}, "", Action::kRead));
  for (const char* on :
       {"operations", "operations/flights", "operations/flights/flights", "operations/flights/flights@1"}) {
    EXPECT_TRUE(may("owen", {}, on, Action::kRun)) << on;
  }
  for (const char* on :
       {"operation", "operations/flight", "operations/flights/flight", "operations/flights/flights@2"}) {
    EXPECT_FALSE(may("owen", {}, on, Action::kRun)) << on;
    EXPECT_TRUE(may("owen", {}, on, Action::kBrowse)) << on;
  }
}

TEST_F(AccessTest, AnAddressNarrowsAwayWhatIsOfTheWholeMesh) {
  model::Principal root = PrincipalOf(*txn_, "root").value();
  root.administrator = true;
  root.limits.token = "ci";
  root.limits.on = model::Address::Parse("operations").value();
  model::Decision decision = Decide(*txn_, clock_, root, Action::kAdminister, {}, "").value();
  EXPECT_FALSE(decision.permitted);
  EXPECT_EQ(decision.reasons, std::vector<std::string>{"the token 'ci' is limited to operations"});
  EXPECT_EQ(decision.remedy, "another token of root: weft token create root --scope administer --administrator");
}

TEST_F(AccessTest, LimitsCoverTheNarrowerOnes) {
  auto limits = [](std::vector<Action> actions, const std::string& on) {
    model::Limits made;
    made.actions = std::move(actions);
    if (!on.empty()) made.on = model::Address::Parse(on).value();
    return made;
  };
  EXPECT_TRUE(limits({}, "").Cover(limits({Action::kRead}, "a")));
  EXPECT_TRUE(limits({Action::kRead, Action::kRun}, "a").Cover(limits({Action::kRun, Action::kBrowse}, "a/b/c@1")));
  EXPECT_FALSE(limits({Action::kRead}, "").Cover(limits({}, "")));
  EXPECT_FALSE(limits({Action::kRead}, "").Cover(limits({Action::kRead, Action::kRun}, "")));
  EXPECT_FALSE(limits({}, "a/b").Cover(limits({}, "a")));
  EXPECT_FALSE(limits({}, "a/b").Cover(limits({}, "")));
  EXPECT_FALSE(limits({}, "a/b/c@1").Cover(limits({}, "a/b/c")));
}

TEST_F(AccessTest, AForeignPrincipalIsOfTheGroupsThatTheMeshMapped) {
  ASSERT_TRUE(
      PutGroups(*txn_, {{"analysts", {"ana", "claim:/data team"}}, {"auditors", {"claim:audit"}}, {"x", {"bo"}}}));
  auto groups = [&](const std::string& name, const std::vector<std::string>& claimed) {
    return ForeignPrincipal(*txn_, name, claimed).value().groups;
  };
  EXPECT_EQ(groups("ana", {}), std::vector<std::string>{"analysts"});
  EXPECT_EQ(groups("wanda", {"/data team", "audit"}), (std::vector<std::string>{"analysts", "auditors"}));
  EXPECT_EQ(groups("wanda", {"analysts", "x", "claim:audit", "", "/data"}), std::vector<std::string>{});
  for (const char* bad :
       {"", "service:loader", "product:operations/flights", "group:ops", "claim:audit", "an a", "a/b"}) {
    EXPECT_EQ(ForeignPrincipal(*txn_, bad, {}).error().code, Code::kUnauthenticated) << bad;
  }
  EXPECT_FALSE(ForeignPrincipal(*txn_, "admin", {"administrators"}).value().administrator);
  EXPECT_EQ(KnownPrincipals(*txn_).value(), (std::vector<std::string>{"ana", "bo"}));
}

constexpr const char* kPurposes = R"(purposes:
  - {name: care}
  - {name: selling, incompatible: [care]}
)";

TEST_F(AccessTest, NoDoorGivesForPurposesThatExcludeEachOther) {
  ASSERT_TRUE(PutPolicies(*txn_, clock_, {model::PolicyFile::Parse(kPurposes, "policies/p.yaml").value()}, "gov"));
  Give("group:analysts", "care");
  EXPECT_EQ(PutGrant(*txn_, clock_, {"", "ana", key_, "selling", {}, "owen", {}}, flights_).error().code,
            Code::kConflict);
  flights_.purpose = "care";
  EXPECT_EQ(PutGrant(*txn_, clock_, {"", "bob", key_, "selling", {}, "owen", {}}, flights_).error().code,
            Code::kInvalid);
  flights_.owners = {"ana"};
  const model::Decision denied = Ask("ana", Action::kRead, "selling");
  EXPECT_FALSE(denied.permitted);
  EXPECT_EQ(denied.right, "");
}

TEST_F(AccessTest, WhoHoldsForOnePurposeIsFoundUnderEveryName) {
  ASSERT_TRUE(PutPolicies(*txn_, clock_, {model::PolicyFile::Parse(kPurposes, "policies/p.yaml").value()}, "gov"));
  ASSERT_TRUE(PutGroups(*txn_, {{"one", {"ana", "bob"}}, {"two", {"bob", "cleo"}}, {"three", {"dan"}}}));
  auto holder = [&](const std::string& principal, const std::string& purpose) {
    const Status may = CheckGrant(*txn_, clock_, {"", principal, key_, purpose, {}, "owen", {}}, flights_);
    return may ? std::string() : may.error().message.substr(0, may.error().message.find(' '));
  };
  Give("ana", "care");
  EXPECT_EQ(holder("ana", "selling"), "ana");
  EXPECT_EQ(holder("ana", "care"), "");
  EXPECT_EQ(holder("ana", ""), "");
  EXPECT_EQ(holder("group:one", "selling"), "ana");  // Its member.
  for (const char* other : {"bob", "group:two", "dan", "group:three", "group:nobody", "one", "an_", "%"}) {
    EXPECT_EQ(holder(other, "selling"), "") << other;
  }
  Revoke(*txn_, clock_, "ana", key_).value();
  Give("group:two", "care");
  EXPECT_EQ(holder("cleo", "selling"), "group:two");       // A group of hers.
  EXPECT_EQ(holder("group:one", "selling"), "group:two");  // A group of bob, who is a member of both.
  EXPECT_EQ(holder("group:two", "selling"), "group:two");
  for (const char* other : {"ana", "dan", "group:three"}) EXPECT_EQ(holder(other, "selling"), "") << other;
  Revoke(*txn_, clock_, "group:two", key_).value();
  Give("bob", "care", In(60));
  EXPECT_EQ(holder("group:two", "selling"), "bob");
  const model::PortKey elsewhere{key_.domain, key_.product, key_.port, 2};
  EXPECT_TRUE(CheckGrant(*txn_, clock_, {"", "bob", elsewhere, "selling", {}, "owen", {}}, flights_));
  clock_.now = In(60);
  EXPECT_EQ(holder("group:two", "selling"), "");  // What has ended is in nobody's way.
}

TEST_F(AccessTest, WhenATokenWasUsedIsKept) {
  NewToken made = CreateToken(*txn_, clock_, "ana", "", false, {}).value();
  EXPECT_FALSE(Tokens(*txn_, "ana").value()[0].last_used_at);
  ASSERT_TRUE(PutUses(*txn_, {{made.token.id, In(5)}, {"tok_gone", In(5)}}));
  EXPECT_EQ(Tokens(*txn_, "ana").value()[0].last_used_at, In(5));
}

}  // namespace
}  // namespace weft::access
