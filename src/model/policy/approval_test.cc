#include "model/policy/approval.h"

#include <gtest/gtest.h>

#include "model/policy/policies.h"

namespace weft::model {
namespace {

class ApprovalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    port_.domain = "people";
    port_.product = port_.port = "customers";
    port_.major = 1;
    port_.classification = "internal";
    port_.contract = std::make_shared<const Contract>();
  }
  // The policies of a text; its problems as one text where it has any.
  std::string Read(const std::string& text) {
    policies_.reset();
    auto file = PolicyFile::Parse(text, "policies/a.yaml");
    auto compiled =
        file ? Policies::Compile({file.TakeValue()}) : Result<std::shared_ptr<const Policies>>(file.TakeError());
    if (compiled) {
      policies_ = compiled.TakeValue();
      return "";
    }
    std::string told;
    for (const Problem& problem : compiled.error().problems) told += problem.Text() + "\n";
    return told;
  }
  Chain Of(const std::string& name, std::vector<std::string> groups = {}, const std::string& purpose = "") {
    Principal principal;
    principal.name = name;
    principal.groups = std::move(groups);
    return policies_->ApprovalOf(principal, port_, purpose, Instant{});
  }

  Resource port_;
  std::shared_ptr<const Policies> policies_;
};

using Texts = std::vector<std::string>;

TEST_F(ApprovalTest, WhereNoPolicySpeaksTheOwnersDecide) {
  ASSERT_EQ(Read("policies: []\n"), "");
  EXPECT_EQ(Of("ana").asked.steps, Texts{"owners"});
  EXPECT_TRUE(Of("ana").policies.empty());
}

TEST_F(ApprovalTest, TheStrictestOfAllThatApply) {
  ASSERT_EQ(Read(R"(policies:
  - name: at-once
    scope: {classifications: [internal]}
    approve: {steps: [], until: 365d}
  - name: contractors
    principals: [group:contractors]
    approve: {steps: [owners, group:privacy], until: 90d, remind: 7d}
  - name: marketing
    purposes: [marketing]
    approve: {steps: [pia, owners], until: 12h, remind: 1h, same: true}
)"),
            "");
  EXPECT_TRUE(Of("ana").automatic());
  EXPECT_EQ(Of("ana").asked.until_s, 365 * 86'400);
  const Chain contractor = Of("con", {"contractors"});
  EXPECT_EQ(contractor.asked.steps, (Texts{"owners", "group:privacy"}));
  EXPECT_EQ(contractor.asked.until_s, 90 * 86'400);
  EXPECT_EQ(contractor.policies.size(), 2u);
  const Chain both = Of("con", {"contractors"}, "marketing");
  EXPECT_EQ(both.asked.steps, (Texts{"owners", "group:privacy", "pia"}));
  EXPECT_EQ(both.asked.until_s, 12 * 3'600);
  EXPECT_EQ(both.asked.remind_s, 7 * 86'400);
  EXPECT_FALSE(both.asked.same);
  EXPECT_TRUE(Of("ana", {}, "marketing").asked.same);
  port_.classification = "restricted";
  port_.contract = std::make_shared<const Contract>();
  EXPECT_EQ(Of("ana").asked.steps, Texts{"owners"});
}

TEST_F(ApprovalTest, AConditionThatFailsRestrictsAndDoesNotOpen) {
  ASSERT_EQ(Read(R"(policies:
  - name: at-once
    when: principal.attributes["none"][0] == "x"
    approve: {steps: []}
  - name: two
    when: principal.attributes["none"][0] == "x"
    approve: {steps: [pia]}
)"),
            "");
  EXPECT_EQ(Of("ana").asked.steps, Texts{"pia"});
}

TEST_F(ApprovalTest, ProblemsAreToldWithTheirPlaces) {
  const std::string told = Read(R"(policies:
  - name: a
    approve: {steps: [owner, pia, pia, "group:"], until: soon}
  - name: b
    approve: {until: 5d}
  - name: c
    approve: {steps: [], then: x}
    deny: [read]
)");
  EXPECT_NE(told.find(":3:23: policies[0].approve.steps[0]: write owners"), told.npos) << told;
  EXPECT_NE(told.find("the step 'pia' stands twice"), told.npos) << told;
  EXPECT_NE(told.find("nobody is named"), told.npos) << told;
  EXPECT_NE(told.find("'soon' is no time: write 90d, 12h or 30m"), told.npos) << told;
  EXPECT_NE(told.find("policies[1].approve: an approval must have 'steps'"), told.npos) << told;
  EXPECT_NE(told.find("does deny and approve at once"), told.npos) << told;
}

TEST(Durations, AreReadAndWritten) {
  EXPECT_EQ(SecondsOf("90d"), 90 * 86'400);
  EXPECT_EQ(SecondsOf("30m"), 1'800);
  for (const char* bad : {"", "d", "0d", "-1d", "5", "5w", "5 d", "99999999999999d"})
    EXPECT_FALSE(SecondsOf(bad)) << bad;
  for (const char* text : {"90d", "12h", "30m"}) EXPECT_EQ(DurationText(*SecondsOf(text)), text);
}

class PurposesTest : public ::testing::Test {
 protected:
  static Purpose Of(std::string name, std::string parent = "", Texts incompatible = {}) {
    Purpose purpose;
    purpose.name = std::move(name);
    purpose.parent.name = std::move(parent);
    for (std::string& each : incompatible) purpose.incompatible.push_back({std::move(each), {}});
    return purpose;
  }
  Purposes Make(std::vector<Purpose> all) { return Purposes(std::move(all), &problems_); }

  std::vector<Problem> problems_;
};

TEST_F(PurposesTest, AMeshThatDeclaresNoneTakesAny) {
  const Purposes none = Make({});
  EXPECT_TRUE(none.Check("whatever"));
  EXPECT_TRUE(none.Covers("a", "a"));
  EXPECT_FALSE(none.Covers("a", "b"));
  EXPECT_FALSE(none.Incompatible("a", "b"));
}

TEST_F(PurposesTest, WhatHoldsForOneHoldsForThoseUnderIt) {
  const Purposes purposes = Make({Of("marketing", "", {"fraud"}), Of("email", "marketing"), Of("weekly", "email"),
                                  Of("fraud"), Of("alerts", "fraud"), Of("billing")});
  EXPECT_TRUE(problems_.empty());
  EXPECT_TRUE(purposes.Covers("marketing", "weekly"));
  EXPECT_FALSE(purposes.Covers("weekly", "marketing"));
  EXPECT_FALSE(purposes.Covers("marketing", ""));
  for (const char* a : {"marketing", "email", "weekly"}) {
    for (const char* b : {"fraud", "alerts"}) {
      EXPECT_TRUE(purposes.Incompatible(a, b)) << a << b;
      EXPECT_TRUE(purposes.Incompatible(b, a)) << a << b;
    }
    EXPECT_FALSE(purposes.Incompatible(a, "billing"));
    EXPECT_FALSE(purposes.Incompatible(a, a));
    EXPECT_FALSE(purposes.Incompatible(a, ""));
  }
  EXPECT_EQ(purposes.Check("marketin").error().message,
            "'marketin' is no purpose of this mesh; did you mean 'marketing'?");
}

TEST_F(PurposesTest, CirclesAndTiesAreToldAndEndNothing) {
  const Purposes purposes = Make({Of("a", "b"), Of("b", "c"), Of("c", "b"), Of("d", "d", {"a"}), Of("e", "a", {"b"})});
  EXPECT_EQ(problems_.size(), 4u);
  EXPECT_TRUE(purposes.Covers("c", "a"));
  EXPECT_TRUE(purposes.Incompatible("d", "a"));
}

}  // namespace
}  // namespace weft::model
