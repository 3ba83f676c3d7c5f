#include "state/lake/bounds.h"

#include <gtest/gtest.h>

#include "base/id.h"

namespace weft::lake {
namespace {

using Kind = model::Type::Kind;

std::string Shown(Kind kind, std::string_view text, bool lower = true) {
  auto bound = Bound({kind, 38, 2, {}}, text, lower);
  return bound ? Hex(*bound) : "none";
}

TEST(Bound, IsIcebergsSingleValueForm) {
  EXPECT_EQ(Shown(Kind::kBoolean, "0"), "00");
  EXPECT_EQ(Shown(Kind::kBoolean, "1"), "01");
  EXPECT_EQ(Shown(Kind::kInt, "-2"), "feffffff");
  EXPECT_EQ(Shown(Kind::kLong, "-9223372036854775808"), "0000000000000080");
  EXPECT_EQ(Shown(Kind::kFloat, "-1.5"), "0000c0bf");
  EXPECT_EQ(Shown(Kind::kDouble, "1e+300"), "9c7500883ce4377e");
  EXPECT_EQ(Shown(Kind::kDate, "1969-12-31"), "ffffffff");
  EXPECT_EQ(Shown(Kind::kTime, "00:00:01.000002"), "42420f0000000000");
  EXPECT_EQ(Shown(Kind::kTimestamp, "1970-01-01 00:00:00.000001"), "0100000000000000");
  EXPECT_EQ(Shown(Kind::kTimestampTz, "1970-01-01 01:00:00+01"), "0000000000000000");
  EXPECT_EQ(Shown(Kind::kString, "nä"), "6ec3a4");
  EXPECT_EQ(Shown(Kind::kBinary, "00AA62"), "00aa62");
}

TEST(Bound, DecimalsTakeAsFewBytesAsHoldTheSign) {
  EXPECT_EQ(Shown(Kind::kDecimal, "0.00"), "00");
  EXPECT_EQ(Shown(Kind::kDecimal, "1.27"), "7f");
  EXPECT_EQ(Shown(Kind::kDecimal, "1.28"), "0080");
  EXPECT_EQ(Shown(Kind::kDecimal, "-1.28"), "80");
  EXPECT_EQ(Shown(Kind::kDecimal, "-1.29"), "ff7f");
  EXPECT_EQ(Shown(Kind::kDecimal, "-0.01"), "ff");
  EXPECT_EQ(Shown(Kind::kDecimal, "999999999999999999999999999999999999.99"), "4b3b4ca85a86c47a098a223fffffffff");
}

TEST(Bound, OfTheTwoZerosEachBoundTakesTheOuterOne) {
  EXPECT_EQ(Shown(Kind::kDouble, "0.0", true), "0000000000000080");
  EXPECT_EQ(Shown(Kind::kDouble, "-0.0", false), "0000000000000000");
  EXPECT_EQ(Shown(Kind::kFloat, "0.0", true), "00000080");
}

TEST(Bound, WhatHasNoneHasNone) {
  EXPECT_EQ(Shown(Kind::kDouble, "nan"), "none");
  EXPECT_EQ(Shown(Kind::kDate, "infinity"), "none");
  EXPECT_EQ(Shown(Kind::kDate, "0044-03-15 (BC)"), "none");
  EXPECT_EQ(Shown(Kind::kDate, "10000-01-01"), "none");
  EXPECT_EQ(Shown(Kind::kTimestamp, "-infinity"), "none");
  EXPECT_EQ(Shown(Kind::kTimestamp, "0044-03-15 (BC) 00:00:00"), "none");
  EXPECT_EQ(Shown(Kind::kInt, "x"), "none");
  EXPECT_EQ(Shown(Kind::kStruct, "{}"), "none");
}

}  // namespace
}  // namespace weft::lake
