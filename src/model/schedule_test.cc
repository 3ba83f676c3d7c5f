#include "model/schedule.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

Contract Promising(std::vector<SlaProperty> slas) {
  Contract contract;
  contract.slas = std::move(slas);
  return contract;
}

SlaProperty Sla(const char* kind, Json value, const char* unit, const char* element = "") {
  SlaProperty sla;
  sla.property = sla.kind = kind;
  sla.value = std::move(value);
  sla.unit = unit;
  sla.element = element;
  return sla;
}

TEST(Retention, IsOfTheTableAndNotOfItsRows) {
  EXPECT_EQ(Retention(Promising({Sla("retention", 90, "d")})), Millis(int64_t{90} * 86'400'000));
  EXPECT_EQ(Retention(Promising({Sla("retention", "1.5", "h")})), Millis(5'400'000));
  EXPECT_EQ(Retention(Promising({Sla("retention", 3, "y", "orders.placed_on")})), std::nullopt);
  EXPECT_EQ(Retention(Promising({Sla("retention", 3, "d"), Sla("retention", 1, "d")})), Millis(3 * 86'400'000))
      << "the longer promise holds both";
  EXPECT_EQ(Retention(Promising({Sla("retention", 3, "moons")})), std::nullopt);
  EXPECT_EQ(Retention(Promising({Sla("retention", 0, "d")})), std::nullopt);
  EXPECT_EQ(Retention(Promising({Sla("latency", 1, "d")})), std::nullopt);
}

}  // namespace
}  // namespace weft::model
