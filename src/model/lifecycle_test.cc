#include "model/lifecycle.h"

#include <gtest/gtest.h>

#include "model/repository.h"

namespace weft::model {
namespace {

Json Document(const std::string& properties) {
  return Json::Parse(R"({"customProperties": )" + properties + "}").value();
}

TEST(LifecycleTest, APortSaysItselfWhatItsProductSaysOtherwise) {
  Bundle bundle;
  bundle.product.document = Document(
      R"([{"property": "sunset", "vendor": "weft", "value": "2026-12-31"},
          {"property": "successor", "vendor": "weft", "value": "sales/purchases"}])");
  Contract contract;
  contract.document = Document(
      R"([{"property": "weft.successor", "value": "sales/purchases/purchases@1"},
          {"property": "deprecation", "vendor": "other", "value": "not ours"}])");
  const Deprecation says = DeprecationOf(bundle, &contract);
  EXPECT_EQ(says.successor, "sales/purchases/purchases@1");
  EXPECT_EQ(says.message, "");
  ASSERT_TRUE(says.sunset);
  EXPECT_EQ(DayText(*says.sunset), "2026-12-31");
  EXPECT_FALSE(says.overdue(Instant::Parse("2026-12-30T23:59:59Z").value()));
  EXPECT_TRUE(says.overdue(Instant::Parse("2026-12-31T00:00:00Z").value()));
  EXPECT_EQ(DeprecationOf(bundle, nullptr).successor, "sales/purchases");
}

TEST(LifecycleTest, WithoutASunsetNothingIsOverdue) {
  const Deprecation says = DeprecationOf(Bundle{}, nullptr);
  EXPECT_FALSE(says.overdue(Instant::Parse("2999-01-01").value()));
  EXPECT_EQ(says.ToJson({0}).Dump(), R"({"sunset":null,"message":"","successor":"","overdue":false})");
}

TEST(LifecycleTest, ADayIsToldAsADay) {
  EXPECT_EQ(DayText(Instant::Parse("2026-01-31T09:30:00Z").value()), "2026-01-31T09:30:00.000000Z");
}

}  // namespace
}  // namespace weft::model
