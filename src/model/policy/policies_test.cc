#include "model/policy/policies.h"

#include <gtest/gtest.h>

#include "model/policy/restriction.h"

namespace weft::model {
namespace {

constexpr const char* kContract = R"(apiVersion: v3.2.0
kind: DataContract
id: people
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, required: true}
      - {name: name, logicalType: string, physicalType: varchar}
      - {name: ids, logicalType: array, physicalType: "bigint[]", items: {logicalType: integer, physicalType: bigint}}
)";

class PoliciesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    contract_ = std::make_shared<const Contract>(Contract::Parse(kContract, "people.odcs.yaml").value());
  }
  // A port of the product people/people, all of which have the one contract.
  Resource Port(const std::string& name, const std::string& tag = "") const {
    Resource port;
    port.domain = port.product = "people";
    port.port = name;
    port.major = 1;
    port.contract = contract_;
    if (!tag.empty()) port.tags.push_back(tag);
    port.version = "people 1.0.0 " + name;
    return port;
  }
  void Use(const std::string& text) {
    policies_ = Policies::Compile({PolicyFile::Parse(text, "policies/a.yaml").value()}).value();
  }
  // What the policies make of a right to read by the grant grant_1.
  Decision Ask(const Resource& port, bool permitted = true) const {
    Decision decision;
    decision.permitted = permitted;
    if (permitted) {
      decision.right = "grant grant_1";
      decision.until = decision.remind_at = Instant{7};
    } else {
      decision.reasons = {"ana holds no grant"};
      decision.remedy = "weft request";
    }
    Principal ana;
    ana.name = "ana";
    policies_->Decide(ana, Action::kRead, port, "", Instant{}, &decision);
    return decision;
  }

  std::shared_ptr<const Contract> contract_;
  std::shared_ptr<const Policies> policies_;
};

TEST_F(PoliciesTest, OneContractsPortsAreEachDecidedByTheirOwnScope) {
  for (const char* scope : {"ports: [people/people/closed]", "tags: [closed]"}) {
    for (const bool open_first : {true, false}) {
      Use(std::string("policies:\n  - name: masked\n    scope: {columns: {names: [name]}, ") + scope +
          "}\n    mask: mask-alphanum\n");
      const Resource open = Port("open"), closed = Port("closed", "closed");
      if (open_first) {
        EXPECT_EQ(Ask(open).restriction, nullptr) << scope;
      }
      const Decision decision = Ask(closed);
      ASSERT_NE(decision.restriction, nullptr) << scope;
      EXPECT_TRUE(decision.restriction->masks.contains("name")) << scope;
      EXPECT_EQ(Ask(open).restriction, nullptr) << scope;
      EXPECT_NE(Ask(closed).restriction, nullptr) << scope;
    }
  }
}

constexpr const char* kFilteredAndDenied = R"(policies:
  - name: filtered
    filter: row.id > 3
  - name: denied
    deny: [read]
    message: the books are closed
)";

TEST_F(PoliciesTest, ADenialHidesWhatAFilterHides) {
  Use(kFilteredAndDenied);
  for (const bool had_right : {true, false}) {
    const Decision decision = Ask(Port("closed"), had_right);
    EXPECT_FALSE(decision.permitted);
    ASSERT_NE(decision.restriction, nullptr);
    ASSERT_EQ(decision.restriction->filters.size(), 1u);
    EXPECT_EQ(decision.restriction->filters[0].text(), "row.id > 3");
  }
  Resource unknown = Port("closed");
  unknown.contract.reset();
  const Decision decision = Ask(unknown);
  EXPECT_FALSE(decision.permitted);
  ASSERT_NE(decision.restriction, nullptr);
  ASSERT_EQ(decision.restriction->filters.size(), 1u);
  EXPECT_EQ(decision.restriction->filters[0].asked->predicate.kind, Predicate::Kind::kFalse);
}

TEST_F(PoliciesTest, ADenialHasNoRight) {
  Use(kFilteredAndDenied);
  const Decision decision = Ask(Port("closed"));
  EXPECT_EQ(decision.reasons,
            std::vector<std::string>{"the policy 'denied' (policies/a.yaml:4) denies it: the books are closed"});
  EXPECT_EQ(decision.right, "");
  EXPECT_FALSE(decision.until);
  EXPECT_FALSE(decision.remind_at);
}

TEST_F(PoliciesTest, WhatAPolicyAllowsIsByItsRight) {
  Use("policies:\n  - name: shut\n    principals: [bo]\n    deny: [read]\n  - name: open\n    allow: [read]\n");
  for (const bool had_right : {true, false}) {
    const Decision decision = Ask(Port("open"), had_right);
    EXPECT_TRUE(decision.permitted);
    EXPECT_EQ(decision.right, "policy open");
    EXPECT_TRUE(decision.reasons.empty());
    EXPECT_FALSE(decision.until);
  }
}

// What a filter comes to is kept, and never told to another who is not the same to it.
TEST_F(PoliciesTest, AFilterIsWorkedOutForWhoAsks) {
  Use(R"(policies:
  - name: by-attribute
    filter: row.name in principal.attributes.ids || row.name in principal.attributes["names"]
  - name: by-group
    filter: '"all" in principal.groups || row.name == .principal.name'
  - name: by-kind-and-purpose
    filter: 'principal.kind == "user" && purpose == "care" || row.id < 3'
  - name: by-place
    filter: '"ana" in resource.owners || row.id < 9'
)");
  auto rows = [&](const Principal& principal, const Resource& port, const std::string& purpose) {
    Decision decision;
    decision.permitted = true;
    policies_->Decide(principal, Action::kRead, port, purpose, Instant{}, &decision);
    std::string all;
    if (!decision.restriction) return all;
    for (const Restriction::Filter& filter : decision.restriction->filters) {
      all += (all.empty() ? "" : " ; ") + filter.text();
    }
    return all;
  };
  Principal ana, bo;
  ana.name = "ana";
  ana.attributes = Json::Map({{"ids", std::vector<std::string>{"1", "2"}}, {"names", std::vector<std::string>{"3"}}});
  bo.name = "bo";
  bo.groups = {"all"};
  bo.kind = Principal::Kind::kService;
  bo.attributes = Json::Map({{"ids", std::vector<std::string>{"1"}}, {"names", std::vector<std::string>{"2", "3"}}});
  Resource port = Port("open"), other = Port("other");
  other.owners = {"ana"};
  for (int again = 0; again < 2; ++again) {
    const std::string of_ana = rows(ana, port, "care"), of_bo = rows(bo, port, "care");
    EXPECT_NE(of_ana.find("row.name == \"ana\" ; row.id < 9"), std::string::npos) << of_ana;
    EXPECT_NE(of_bo.find("row.id < 3 ; row.id < 9"), std::string::npos) << of_bo;
    EXPECT_EQ(of_bo.find("row.name == "), std::string::npos) << of_bo;
    EXPECT_NE(rows(ana, port, "").find("row.id < 3"), std::string::npos);
    EXPECT_EQ(rows(ana, other, "care").find("row.id < 9"), std::string::npos);
    EXPECT_NE(rows(bo, other, "care").find("row.id < 3"), std::string::npos);
    Principal moved = ana;
    moved.groups = {"all"};
    EXPECT_EQ(rows(moved, port, "care").find("row.name == \"ana\""), std::string::npos);
    moved.attributes = {};
    EXPECT_NE(rows(moved, port, "care").find("false"), std::string::npos);
  }
}

// The rows that a filter leaves of lists, null where there is no value, by CEL's rules.
TEST_F(PoliciesTest, WhatIsNotInAListIsAskedAsCelDoes) {
  using Kind = Predicate::Kind;
  auto of = [&](const std::string& filter) {
    Use("policies:\n  - name: f\n    filter: '" + filter + "'\n");
    const Decision decision = Ask(Port("p"));
    return decision.restriction ? decision.restriction->filters.at(0).asked->predicate : Predicate{};
  };
  for (const char* three : {"3", "3.0", "3u", "dyn(3.0)", "dyn(3u)"}) {
    const Predicate has = of(std::string("dyn(") + three + ") in row.ids");
    EXPECT_EQ(has.kind, Kind::kHasItem) << three;
    EXPECT_FALSE(has.negated) << three;
    ASSERT_EQ(has.values.size(), 1u) << three;
    EXPECT_EQ(has.values[0].AsInt(), 3) << three;
    const Predicate lacks = of(std::string("!(dyn(") + three + ") in row.ids)");
    EXPECT_EQ(lacks.kind, Kind::kHasItem) << three;
    EXPECT_TRUE(lacks.negated) << three;
  }
  for (const char* none : {"3.5", "9223372036854775808.0", "18446744073709551615u", "\"3\"", "true"}) {
    EXPECT_EQ(of(std::string("dyn(") + none + ") in row.ids").kind, Kind::kFalse) << none;
    EXPECT_EQ(of(std::string("!(dyn(") + none + ") in row.ids)").kind, Kind::kNotNull) << none;
  }
  // What a list's own nulls are is not asked where the data is.
  EXPECT_EQ(of("dyn(null) in row.ids").kind, Kind::kFalse);
  EXPECT_EQ(of("!(dyn(null) in row.ids)").kind, Kind::kFalse);
}

// The ids of a list's items are each table's own: another snapshot's, and another port's with the same filter.
TEST_F(PoliciesTest, AListIsAskedForItsItemsWhateverTheirIds) {
  Use("policies:\n  - name: f\n    filter: 3 in row.ids\n");
  const Decision decision = Ask(Port("p"));
  ASSERT_NE(decision.restriction, nullptr);
  auto condition = [](const Decision& asked, const TableSchema& table) {
    return DuckDbSql(asked.restriction.get(), table, {}).condition;
  };
  const SchemaObject& object = contract_->schema.front();
  const TableSchema now = SchemaOf(object, nullptr).value();
  const std::string asked = condition(decision, now);
  EXPECT_EQ(asked, R"(list_contains("ids", '3'::BIGINT))");

  TableSchema former;
  former.last_field_id = 20;
  TableSchema older = SchemaOf(object, &former).value();
  ASSERT_FALSE(older.Find("ids")->type == now.Find("ids")->type);
  EXPECT_EQ(condition(decision, older), asked);
  Type& item = older.fields.back().type.fields.front().type;
  item.kind = Type::Kind::kInt;
  EXPECT_EQ(condition(decision, older), asked);
  item.kind = Type::Kind::kString;  // Of which no whole number is one.
  EXPECT_EQ(condition(decision, older), "list_contains(NULL::BIGINT[], '3'::BIGINT)");
  older.fields.back().type.kind = Type::Kind::kLong;
  EXPECT_EQ(condition(decision, older), "list_contains(NULL::BIGINT[], '3'::BIGINT)");
  older.fields.pop_back();
  EXPECT_EQ(condition(decision, older), "list_contains(NULL::BIGINT[], '3'::BIGINT)");

  Resource other = Port("other");
  Contract wider = *contract_;
  wider.schema.front().properties.insert(wider.schema.front().properties.begin(), 3,
                                         wider.schema.front().properties[1]);
  for (const char* name : {"a", "b", "c"})
    wider.schema.front().properties[static_cast<size_t>(*name - 'a')].name = name;
  other.contract = std::make_shared<const Contract>(wider);
  const TableSchema wide = SchemaOf(wider.schema.front(), nullptr).value();
  ASSERT_FALSE(wide.Find("ids")->type == now.Find("ids")->type);
  const Decision of_other = Ask(other);
  ASSERT_NE(of_other.restriction, nullptr);
  EXPECT_EQ(of_other.restriction->filters.at(0).asked, decision.restriction->filters.at(0).asked);
  EXPECT_EQ(condition(of_other, wide), asked);
}

}  // namespace
}  // namespace weft::model
