#include "work/run/divert.h"

#include <gtest/gtest.h>

namespace weft::run {
namespace {

constexpr const char* kContract = R"yaml(apiVersion: v3.2.0
kind: DataContract
id: parts
version: 1.0.0
status: active
schema:
  - name: parts
    customProperties:
      - {property: quarantine, vendor: weft, value: {max_rows: 10}}
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, required: true, primaryKey: true}
      - {name: of, logicalType: integer, physicalType: bigint, relationships: [{to: parts.id}]}
      - {name: price, logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0}}
)yaml";

class DivertTest : public ::testing::Test {
 protected:
  void SetUp() override {
    instance_ = engine::Instance::Open({1, int64_t{64} << 20, "", {}}).value();
    connection_ = instance_->Connect().value();
    model::Bundle bundle;
    bundle.contracts.push_back(model::Contract::Parse(kContract, "parts.odcs.yaml").value());
    bundle.product.outputs.push_back({});
    bundle.product.outputs[0].name = "parts";
    bundle.product.outputs[0].version = "1.0.0";
    bundle.product.outputs[0].contract_id = "parts";
    const model::Bundle own = model::QuarantinesOf(bundle);
    ASSERT_EQ(own.contracts.size(), 1u);
    schema_ = model::SchemaOf(bundle.contracts[0].schema[0], nullptr).value();
    quarantine_ = model::SchemaOf(own.contracts[0].schema[0], nullptr).value();
    checks_ = ChecksOfRows(model::CompileChecks(bundle.contracts[0], schema_, model::Entities()).value());
  }

  Result<Diverted> Apart(const std::string& sql, const std::string& stays = "", bool new_keys = false) {
    Diverting what{.schema = schema_, .quarantine = quarantine_};
    what.sql = sql;
    what.checks = checks_;
    what.stays = stays;
    what.new_keys = new_keys;
    what.run = "run_1";
    what.at = Instant::Parse("2026-01-01T00:00:00Z").value();
    return Divert(*connection_, what);
  }

  std::string Ids(const std::string& select, const std::string& columns) {
    auto rows = connection_->Query("SELECT " + columns + " FROM (" + select + ") ORDER BY ALL");
    if (!rows) return rows.error().message;
    std::string text;
    for (size_t i = 0; i < rows->size(); ++i) text += (i ? " " : "") + rows->text(i, 0);
    return text;
  }

  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
  model::TableSchema schema_, quarantine_;
  std::vector<model::Check> checks_;
};

TEST_F(DivertTest, WhatIsNoneOfItsTypeStaysTheTextThatItWas) {
  auto found =
      Apart("SELECT * FROM (VALUES ('1', NULL, '2.50'), ('2', NULL, '2,50'), ('x', NULL, '-1')) AS v(id, of, price)");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->sent, 3);
  EXPECT_EQ(found->rows, 2);
  EXPECT_EQ(found->Text(), "1 id.type, 1 price.type");
  EXPECT_EQ(Ids(found->good, "id"), "1");
  EXPECT_EQ(Ids(found->bad, "weft_check || ':' || id || ':' || price"), "id.type:x:-1 price.type:2:2,50");
  EXPECT_EQ(Ids(found->bad, "weft_reason"), "id is no value of bigint price is no value of decimal(10,2)");
}

TEST_F(DivertTest, ARowTellsOfAllThatItBreaksAndCountsOnce) {
  auto found = Apart("SELECT NULL AS id, NULL AS of, -1 AS price");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->Text(), "1 id.required");
  EXPECT_EQ(Ids(found->bad, "weft_reason"), "id is never null; price is at least 0");
}

TEST_F(DivertTest, OfAKeyTheFirstStays) {
  const std::string rows = "SELECT * FROM (VALUES (1, NULL, 1), (2, NULL, 2), (1, NULL, 3)) AS v(id, of, price)";
  auto found = Apart(rows);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->Text(), "1 primaryKey");
  EXPECT_EQ(Ids(found->good, "id || ':' || price"), "1:1.00 2:2.00");
  found = Apart(rows, "SELECT 2::BIGINT AS id, NULL::BIGINT AS of, NULL::DECIMAL(10,2) AS price", true);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->Text(), "2 primaryKey") << "one of them is in the table";
}

TEST_F(DivertTest, ARowThatGoesTakesThoseThatPointAtIt) {
  auto found = Apart(
      "SELECT * FROM (VALUES (1, NULL, 1), (2, 1, 1), (3, 9, 1), (4, 3, 1), (5, 4, 1), (6, 7, 1)) AS v(id, of, "
      "price)",
      "SELECT 7::BIGINT AS id, NULL::BIGINT AS of, NULL::DECIMAL(10,2) AS price");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->Text(), "3 of.foreignKey");
  EXPECT_EQ(Ids(found->good, "id"), "1 2 6") << "7 is in the table";
}

TEST_F(DivertTest, WhatTheBuildItselfCannotGiveIsAnError) {
  EXPECT_FALSE(Apart("SELECT CAST('x' AS BIGINT) AS id, NULL AS of, 1 AS price"));
}

}  // namespace
}  // namespace weft::run
