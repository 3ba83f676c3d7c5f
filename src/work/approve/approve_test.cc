#include "work/approve/approve.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "drivers/store/testing.h"
#include "model/repository.h"
#include "state/accounts/accounts.h"
#include "state/ledger/ledger.h"

namespace weft::approve {
namespace {

using Texts = std::vector<std::string>;

struct StoppedClock final : Clock {
  Instant Now() const override { return now; }
  Instant now = Instant::Parse("2026-03-01T12:00:00Z").value();
};

constexpr const char* kProduct = R"(apiVersion: v1.1.0
kind: DataProduct
id: p1
name: orders
domain: sales
version: 1.0.0
status: active
outputPorts:
  - {name: orders, type: table, version: 1.0.0, contractId: orders-contract}
)";
constexpr const char* kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: orders-contract
version: 1.0.0
status: active
description: {usage: Reports only., limitations: No resale.}
slaProperties: [{property: retention, value: 3, unit: y}]
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, physicalType: bigint}
      - {name: mail, logicalType: string, classification: restricted}
)";
constexpr const char* kTwo = R"(policies:
  - name: two
    approve: {steps: [owners, group:privacy], until: 90d}
)";

// sales/orders/orders@1 of owen and olga; zoe and yan ask, pia and pit are the privacy office.
class ApproveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    for (auto migrations : {ledger::Migrations(), access::Migrations(), accounts::Migrations(), catalog::Migrations(),
                            requests::Migrations()}) {
      ASSERT_TRUE(store::Migrate(*store_, migrations));
    }
    model::Repository mesh =
        model::ReadRepository({{"mesh.yaml",
                                "id: acme\ndomains: [{name: sales, owners: [owen, "
                                "olga, service:etl]}, {name: other, owners: [yan, 'service:bot']}]\n"},
                               {"domains/sales/orders/product.odps.yaml", kProduct},
                               {"domains/sales/orders/orders.odcs.yaml", kContract}},
                              {}, false);
    ASSERT_EQ(mesh.bundles.size(), 1u) << mesh.problems.at(0).Text();
    txn_ = store_->Begin().value();
    ASSERT_TRUE(catalog::PutMesh(*txn_, *mesh.mesh));
    ASSERT_TRUE(catalog::Put(*txn_, clock_, mesh.bundles[0], "owen"));
    ASSERT_TRUE(access::PutGroups(*txn_, {{"privacy", {"pia", "pit"}},
                                          {"analysts", {"zoe", "yan", "pia"}},
                                          {"mixed", {"owen", "pia"}},
                                          {"nobody", {}},
                                          {"governance", {"gina"}}}));
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }

  // A draft of sales/drafts with this one port; again with another it replaces what was there.
  void PutDraft(const std::string& port) {
    std::string product = ReplaceAll(kProduct, "status: active", "status: draft");
    product = ReplaceAll(ReplaceAll(product, "id: p1\nname: orders", "id: p2\nname: drafts"), "{name: orders",
                         "{name: " + port);
    model::Repository mesh = model::ReadRepository(
        {{"domains/sales/drafts/product.odps.yaml", product},
         {"domains/sales/drafts/" + port + ".odcs.yaml", ReplaceAll(kContract, "status: active", "status: draft")}},
        {}, false);
    ASSERT_EQ(mesh.bundles.size(), 1u) << mesh.problems.at(0).Text();
    ASSERT_TRUE(catalog::Put(*txn_, clock_, mesh.bundles[0], "owen"));
  }
  void Policies(const std::string& text) {
    auto file = model::PolicyFile::Parse(text, "policies/approval.yaml");
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(access::PutPolicies(*txn_, clock_, {*file}, "gina"));
  }
  model::Caller As(const std::string& name) {
    model::Caller caller;
    caller.principal = access::PrincipalOf(*txn_, name).value();
    caller.door = "rest";
    return caller;
  }
  Result<View> Make(const std::string& who, Wanted wanted = {}) {
    if (wanted.because.empty()) wanted.because = "the weekly report";
    const catalog::Port port =
        catalog::Load(*txn_, catalog::ResolveSql(*txn_, "sales", "orders", "orders_v1").value()).value();
    return approve::Make(*txn_, clock_, As(who), port, wanted);
  }
  Result<View> Yes(const std::string& who, const std::string& id) { return Approve(*txn_, clock_, As(who), id, ""); }
  std::string No(const std::string& who, const std::string& id) {
    auto view = Yes(who, id);
    return view ? "approved" : view.error().code == Code::kDenied ? view.error().message : "another error";
  }
  std::vector<access::Grant> Held() { return access::Grants(*txn_, nullptr, std::nullopt).value(); }
  int Rows(const std::string& kind) {
    return static_cast<int>(txn_->Run("SELECT count(*) FROM ledger WHERE kind = $1", {kind}).value().at(0).integer(0));
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-approve-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
  StoppedClock clock_;
};

TEST_F(ApproveTest, AnOwnerApprovesWhereNoPolicySpeaks) {
  const View made = Make("zoe").value();
  EXPECT_EQ(made.request.status, "waiting");
  ASSERT_TRUE(made.Next());
  EXPECT_EQ(made.Next()->people, (Texts{"olga", "owen", "service:etl"}));
  EXPECT_EQ(made.request.terms, "usage: Reports only.\nlimitations: No resale.\nretention: 3 y\n");
  EXPECT_TRUE(Held().empty());
  const View given = Yes("owen", made.request.id).value();
  EXPECT_EQ(given.request.status, "approved");
  ASSERT_EQ(Held().size(), 1u);
  EXPECT_EQ(Held()[0].request, made.request.id);
  EXPECT_EQ(Held()[0].until, std::nullopt);
  EXPECT_EQ(Rows("request.made") + Rows("request.approved") + Rows("granted"), 3);
  EXPECT_EQ(Yes("olga", made.request.id).error().code, Code::kConflict);
}

TEST_F(ApproveTest, StepsGoInOrderAndEachToAnotherPerson) {
  Policies(kTwo);
  const std::string id = Make("zoe").value().request.id;
  EXPECT_NE(No("pia", id).find("its next step is of owners (owen, olga, service:etl)"), std::string::npos)
      << No("pia", id);
  ASSERT_TRUE(Yes("owen", id));
  EXPECT_TRUE(Held().empty());
  EXPECT_NE(No("owen", id).find("owen approved the step 'owners', and another person"), std::string::npos);
  EXPECT_NE(No("olga", id).find("its next step is of group:privacy"), std::string::npos);
  EXPECT_EQ(Yes("pit", id).value().request.status, "approved");
  ASSERT_EQ(Held().size(), 1u);
  EXPECT_EQ(Held()[0].until->micros, clock_.now.micros + int64_t{90} * 86'400 * 1'000'000);
}

TEST_F(ApproveTest, OnePersonApprovesTwiceOnlyWhereThePolicySaysSo) {
  ASSERT_TRUE(access::PutGroups(*txn_, {{"privacy", {"owen"}}}));
  Policies(kTwo);
  const View first = Make("zoe").value();
  const View after = Yes("owen", first.request.id).value();
  ASSERT_TRUE(after.Next());
  EXPECT_EQ(after.Next()->stuck, "nobody else holds the step 'group:privacy'");
  Policies("policies: [{name: two, approve: {steps: [owners, 'group:privacy'], same: true}}]\n");
  // It was made under the stricter policy, and that counts.
  EXPECT_NE(No("owen", first.request.id), "approved");
  const std::string id = Make("yan").value().request.id;
  ASSERT_TRUE(Yes("owen", id));
  EXPECT_EQ(Yes("owen", id).value().request.status, "approved");
}

TEST_F(ApproveTest, NobodyApprovesTheirOwnInAnyDisguise) {
  Policies("policies: [{name: p, approve: {steps: [group:analysts]}}]\n");
  // Made by oneself.
  const std::string own = Make("zoe").value().request.id;
  EXPECT_NE(No("zoe", own).find("zoe made the request"), std::string::npos);
  // For a group that one is in, by another member; and by the one who made it.
  const View group = Make("yan", {"group:analysts", "", "we report", {}, {}}).value();
  EXPECT_EQ(group.Next()->stuck, "nobody else holds the step 'group:analysts'");
  EXPECT_NE(No("yan", group.request.id).find("yan made the request"), std::string::npos);
  EXPECT_NE(No("pia", group.request.id).find("pia is a member"), std::string::npos);
  // For a service of one's own domain.
  EXPECT_EQ(Make("yan", {"product:other/none", "", "x", {}, {}}).error().code, Code::kNotFound);
  EXPECT_EQ(Make("zoe", {"service:bot", "", "x", {}, {}}).error().code, Code::kDenied);
  const View service = Make("yan", {"service:bot", "", "x", {}, {}}).value();
  EXPECT_EQ(service.Next()->people, (Texts{"pia", "zoe"}));
  EXPECT_NE(No("yan", service.request.id).find("yan made the request"), std::string::npos);
  // In another's stead: whoever made it uses no lent right to it.
  ASSERT_TRUE(Delegate(*txn_, clock_, As("owen"), {"", "zoe", {}, {}, {}}));
  const std::string lent = Make("zoe").error().message;
  EXPECT_NE(lent.find("waits"), std::string::npos);
  ASSERT_TRUE(Withdraw(*txn_, clock_, As("zoe"), own));
  const std::string again = Make("zoe").value().request.id;
  EXPECT_NE(No("zoe", again).find("zoe made the request"), std::string::npos);
}

TEST_F(ApproveTest, ARequestersRightCannotBeLentForTheirOwnRequest) {
  Policies("policies: [{name: p, approve: {steps: [group:privacy]}}]\n");
  const std::string id = Make("pia").value().request.id;
  ASSERT_TRUE(Delegate(*txn_, clock_, As("pia"), {"", "ben", {}, {}, {}}));
  EXPECT_NE(No("ben", id).find("its next step is of group:privacy"), std::string::npos) << No("ben", id);
  EXPECT_EQ(Yes("pit", id).value().request.status, "approved");
}

TEST_F(ApproveTest, ALentRightEndsWithItsOwnersAndGoesNoFurther) {
  const std::string id = Make("zoe").value().request.id;
  const Instant soon{clock_.now.micros + 60'000'000};
  ASSERT_TRUE(Delegate(*txn_, clock_, As("owen"), {"", "ben", model::Address::Parse("sales").value(), soon, {}}));
  ASSERT_TRUE(Delegate(*txn_, clock_, As("ben"), {"", "cem", {}, {}, {}}));
  EXPECT_NE(No("cem", id).find("its next step is of"), std::string::npos);
  ASSERT_TRUE(Delegate(*txn_, clock_, As("olga"), {"", "cem", model::Address::Parse("other").value(), {}, {}}));
  EXPECT_NE(No("cem", id).find("its next step is of"), std::string::npos);
  clock_.now = soon;
  EXPECT_NE(No("ben", id).find("its next step is of"), std::string::npos);
  ASSERT_TRUE(Delegate(*txn_, clock_, As("gina"), {"", "ben", {}, {}, {}}));
  EXPECT_NE(No("ben", id).find("its next step is of"), std::string::npos);
  ASSERT_TRUE(Delegate(*txn_, clock_, As("owen"), {"", "ben", {}, {}, {}}));
  ASSERT_TRUE(accounts::CreateUser(*txn_, clock_, "owen", "hash"));
  ASSERT_TRUE(accounts::DisableUser(*txn_, clock_, "owen"));
  EXPECT_NE(No("ben", id).find("its next step is of"), std::string::npos);
  ASSERT_TRUE(accounts::EnableUser(*txn_, "owen"));
  const View given = Yes("ben", id).value();
  EXPECT_EQ(given.request.status, "approved");
  EXPECT_EQ(given.steps[0].approved_by, "ben");
  EXPECT_EQ(given.steps[0].in_stead, "owen");
  ASSERT_TRUE(EndDelegation(*txn_, clock_, As("owen"), "ben"));
  EXPECT_EQ(EndDelegation(*txn_, clock_, As("owen"), "ben").error().code, Code::kNotFound);
}

TEST_F(ApproveTest, OneLentPlaceEndsWithoutTheOthers) {
  const model::Address sales = model::Address::Parse("sales").value(), other = model::Address::Parse("other").value();
  ASSERT_TRUE(Delegate(*txn_, clock_, As("owen"), {"", "ben", sales, {}, {}}));
  ASSERT_TRUE(Delegate(*txn_, clock_, As("owen"), {"", "ben", other, {}, {}}));
  ASSERT_TRUE(EndDelegation(*txn_, clock_, As("owen"), "ben", sales));
  EXPECT_EQ(EndDelegation(*txn_, clock_, As("owen"), "ben", sales).error().code, Code::kNotFound);
  const auto left = requests::Delegations(*txn_, clock_, "owen", "ben").value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].on.domain, "other");
}

TEST_F(ApproveTest, APortThatIsGoneIsRefusedOrWithdrawnAndHidesNoOther) {
  PutDraft("plans");
  const catalog::Port draft =
      catalog::Load(*txn_, catalog::ResolveSql(*txn_, "sales", "drafts", "plans_v1").value()).value();
  const Wanted wanted{"", "", "to see it early", {}, {}};
  const std::string one = approve::Make(*txn_, clock_, As("zoe"), draft, wanted).value().request.id;
  const std::string two = approve::Make(*txn_, clock_, As("yan"), draft, wanted).value().request.id;
  const std::string other = Make("zoe").value().request.id;
  PutDraft("renamed");
  const Listed waiting = List(*txn_, clock_, As("owen"), Whose::kToApprove).value();
  ASSERT_EQ(waiting.views.size(), 3u);
  int gone = 0;
  for (const View& view : waiting.views) gone += view.gone;
  EXPECT_EQ(gone, 2);
  EXPECT_EQ(List(*txn_, clock_, As("gina"), Whose::kAll).value().views.size(), 3u);
  EXPECT_EQ(List(*txn_, clock_, As("zoe"), Whose::kMine).value().views.size(), 2u);
  const auto yes = Yes("owen", one);
  EXPECT_EQ(yes.error().code, Code::kConflict);
  EXPECT_NE(yes.error().message.find("sales/drafts/plans@1 is gone"), std::string::npos) << yes.error().message;
  EXPECT_NE(No("ben", one).find("its next step is of owners"), std::string::npos);
  EXPECT_EQ(Refuse(*txn_, clock_, As("owen"), one, "it was renamed").value().request.status, "refused");
  EXPECT_EQ(Withdraw(*txn_, clock_, As("yan"), two).value().request.status, "withdrawn");
  EXPECT_EQ(Yes("owen", other).value().request.status, "approved");
  EXPECT_EQ(Held().size(), 1u);
}

TEST_F(ApproveTest, WhatWaitsForSomebodyIsNotHiddenByWhatWaitsForOthers) {
  const std::string first = Make("zoe").value().request.id;
  requests::Request other = requests::Find(*txn_, first).value();
  other.chain.asked.steps = {"group:nobody"};
  other.port.domain = "other";
  for (int i = 0; i < 1'500; ++i) {
    other.id = NewId("req");
    other.requester = other.principal = "crowd" + std::to_string(i);
    other.made_at.micros += 1'000'000;
    ASSERT_TRUE(requests::Put(*txn_, other));
  }
  clock_.now.micros += int64_t{86'400} * 1'000'000;
  const std::string last = Make("pia").value().request.id;
  Listed mine = List(*txn_, clock_, As("owen"), Whose::kToApprove).value();
  ASSERT_EQ(mine.views.size(), 2u);
  EXPECT_EQ(mine.views[0].request.id, first);
  EXPECT_EQ(mine.views[1].request.id, last);
  EXPECT_FALSE(mine.more);
  mine = List(*txn_, clock_, As("owen"), Whose::kToApprove, 1).value();
  ASSERT_EQ(mine.views.size(), 1u);
  EXPECT_EQ(mine.views[0].request.id, first);
  EXPECT_TRUE(mine.more);
  // In another's stead too, and by a step that a policy added since.
  ASSERT_TRUE(Delegate(*txn_, clock_, As("olga"), {"", "ben", {}, {}, {}}));
  EXPECT_EQ(List(*txn_, clock_, As("ben"), Whose::kToApprove).value().views.size(), 2u);
  EXPECT_TRUE(List(*txn_, clock_, As("pit"), Whose::kToApprove).value().views.empty());
  Policies(kTwo);
  ASSERT_TRUE(Yes("owen", first));
  EXPECT_EQ(List(*txn_, clock_, As("pit"), Whose::kToApprove).value().views.size(), 1u);
  EXPECT_TRUE(List(*txn_, clock_, As("gina"), Whose::kAll).value().more);
}

TEST_F(ApproveTest, WhatIsAutomaticIsGrantedAtOnceAndOfAGroupForEachMember) {
  Policies(R"(policies:
  - name: at-once
    approve: {steps: [], until: 365d}
  - name: not-yan
    principals: [yan]
    approve: {steps: [group:privacy]}
)");
  EXPECT_EQ(Make("zoe").value().request.status, "approved");
  EXPECT_EQ(Held().size(), 1u);
  const View group = Make("pia", {"group:analysts", "", "we report", {}, {}}).value();
  EXPECT_EQ(group.request.status, "waiting");
  EXPECT_EQ(group.chain.asked.steps, Texts{"group:privacy"});
  EXPECT_EQ(group.Next()->people, Texts{"pit"});
}

TEST_F(ApproveTest, APolicyThatBecomesStricterCountsForWhatWaits) {
  const std::string id = Make("zoe").value().request.id;
  Policies(kTwo);
  EXPECT_EQ(Yes("owen", id).value().request.status, "waiting");
  EXPECT_TRUE(Held().empty());
  // And one that becomes laxer does not.
  Policies("policies: [{name: two, approve: {steps: []}}]\n");
  const View view = Find(*txn_, clock_, As("zoe"), id).value();
  EXPECT_EQ(view.chain.asked.steps, Texts{"owners"});
}

TEST_F(ApproveTest, StepsThatNobodyCanTakeAreTold) {
  Policies("policies: [{name: p, approve: {steps: [group:nobody, zoe]}}]\n");
  const View made = Make("zoe").value();
  EXPECT_EQ(made.steps[0].stuck, "the group 'nobody' has no members");
  EXPECT_EQ(made.steps[1].stuck, "nobody else holds the step 'zoe'");
}

TEST_F(ApproveTest, WhatMakesNoSenseIsNotAskedFor) {
  EXPECT_NE(Make("zoe", {"", "", " ", {}, {}}).error().message.find("the reason"), std::string::npos);
  EXPECT_EQ(Make("zoe", {"", "", std::string(3'000, 'x'), {}, {}}).error().code, Code::kInvalid);
  EXPECT_NE(Make("zoe", {"", "", "x", {"maill"}, {}}).error().message.find("did you mean 'mail'"), std::string::npos);
  EXPECT_EQ(Make("zoe", {"ben", "", "x", {}, {}}).error().code, Code::kDenied);
  EXPECT_EQ(Make("zoe", {"group:privacy", "", "x", {}, {}}).error().code, Code::kDenied);
  EXPECT_EQ(Make("owen").error().message, "owen may read sales/orders/orders@1 already, without end");
  ASSERT_TRUE(Make("zoe"));
  EXPECT_EQ(Make("zoe").error().code, Code::kConflict);
  Policies(
      "purposes: [{name: ads, incompatible: [fraud]}, {name: fraud}]\npolicies: [{name: no, purposes: [ads], deny: "
      "[read]}]\n");
  EXPECT_NE(Make("yan").error().message.find("say what for"), std::string::npos);
  EXPECT_NE(Make("yan", {"", "adz", "x", {}, {}}).error().message.find("did you mean 'ads'"), std::string::npos);
  EXPECT_NE(Make("yan", {"", "ads", "x", {}, {}}).error().message.find("whatever is granted"), std::string::npos);
}

TEST_F(ApproveTest, NobodyAsksForTwoPurposesThatExcludeEachOther) {
  Policies("purposes: [{name: ads, incompatible: [fraud]}, {name: fraud}, {name: mails, parent: ads}]\n");
  const std::string id = Make("zoe", {"", "mails", "x", {}, {}}).value().request.id;
  const std::string other = Make("zoe", {"", "fraud", "x", {}, {}}).value().request.id;
  ASSERT_TRUE(Yes("owen", id));
  // What was asked before is judged again when it is given.
  EXPECT_EQ(Yes("owen", other).error().code, Code::kConflict);
  EXPECT_EQ(Held().size(), 1u);
  EXPECT_EQ(Make("zoe", {"", "fraud", "y", {}, {}}).error().code, Code::kConflict);
}

TEST_F(ApproveTest, AskingAgainExtendsAndNeverShortens) {
  Policies("policies: [{name: p, approve: {steps: [], until: 90d}}]\n");
  ASSERT_TRUE(Make("zoe"));
  const Instant first = *Held()[0].until;
  clock_.now.micros += int64_t{86'400} * 1'000'000;
  ASSERT_TRUE(Make("zoe", {"", "", "more", {}, Instant{clock_.now.micros + 60'000'000}}));
  ASSERT_EQ(Held().size(), 1u);
  EXPECT_EQ(*Held()[0].until, first);
  ASSERT_TRUE(Make("zoe"));
  EXPECT_GT(*Held()[0].until, first);
  ASSERT_TRUE(Make("zoe", {"", "", "less", {"id"}, {}}));
  EXPECT_EQ(Held().size(), 2u);
}

TEST_F(ApproveTest, QuestionsAnswersRefusalsAndWhoSeesThem) {
  const std::string id = Make("zoe").value().request.id;
  EXPECT_EQ(Ask(*txn_, clock_, As("ben"), id, "why?").error().code, Code::kDenied);
  ASSERT_TRUE(Ask(*txn_, clock_, As("owen"), id, "which columns?"));
  EXPECT_EQ(Answer(*txn_, clock_, As("owen"), id, "all").error().code, Code::kDenied);
  ASSERT_TRUE(Answer(*txn_, clock_, As("zoe"), id, "the day"));
  EXPECT_EQ(Find(*txn_, clock_, As("ben"), id).error().code, Code::kNotFound);
  EXPECT_EQ(Find(*txn_, clock_, As("gina"), id).value().request.history.size(), 3u);
  EXPECT_EQ(List(*txn_, clock_, As("owen"), Whose::kToApprove).value().views.size(), 1u);
  EXPECT_EQ(List(*txn_, clock_, As("zoe"), Whose::kMine).value().views.size(), 1u);
  EXPECT_TRUE(List(*txn_, clock_, As("zoe"), Whose::kToApprove).value().views.empty());
  EXPECT_EQ(List(*txn_, clock_, As("ben"), Whose::kAll).error().code, Code::kDenied);
  EXPECT_EQ(Refuse(*txn_, clock_, As("owen"), id, "").error().code, Code::kInvalid);
  EXPECT_EQ(Refuse(*txn_, clock_, As("zoe"), id, "no").error().code, Code::kDenied);
  EXPECT_EQ(Refuse(*txn_, clock_, As("owen"), id, "totals are enough").value().request.status, "refused");
  EXPECT_TRUE(Held().empty());
  EXPECT_EQ(Withdraw(*txn_, clock_, As("zoe"), id).error().code, Code::kConflict);
}

TEST_F(ApproveTest, AnEndIsToldOnce) {
  Policies("policies: [{name: p, approve: {steps: [], until: 90d, remind: 14d}}]\n");
  ASSERT_TRUE(Make("zoe"));
  ASSERT_TRUE(txn_->Commit());
  EXPECT_EQ(TellEnding(*store_, clock_).value(), 0);
  clock_.now.micros += int64_t{77} * 86'400 * 1'000'000;
  EXPECT_EQ(TellEnding(*store_, clock_).value(), 1);
  EXPECT_EQ(TellEnding(*store_, clock_).value(), 0);
  txn_ = store_->Begin().value();
  EXPECT_EQ(Rows("grant.ending"), 1);
  ASSERT_TRUE(Make("zoe", {"", "", "go on", {}, {}}));
  ASSERT_TRUE(txn_->Commit());
  EXPECT_EQ(TellEnding(*store_, clock_).value(), 0);
  clock_.now.micros += int64_t{77} * 86'400 * 1'000'000;
  EXPECT_EQ(TellEnding(*store_, clock_).value(), 1);
}

}  // namespace
}  // namespace weft::approve
