// Each mask's SQL against the words of the Iceberg REST specification (read-restrictions), value by value.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "drivers/engine/engine.h"
#include "model/policy/mask.h"
#include "work/query/testing.h"

namespace weft::query {
namespace {

using model::Field;
using model::MaskAction;
using model::Type;
using testing::Must;
using Kind = model::Type::Kind;

constexpr std::string_view kSalt = "000102030405060708090a0b0c0d0e0f";

class Masks : public ::testing::Test {
 protected:
  // The masked value as text, "NULL" for null; its type must be the column's.
  std::string Masked(MaskAction action, const Type& type, const std::string& value) {
    Must(model::CheckMask(action, type, false));
    const std::string sql =
        fmt::format("SELECT m::VARCHAR, typeof(m) = typeof(c) FROM (SELECT c, {} AS m FROM (SELECT ({})::{} AS c))",
                    model::DuckDbMask(action, type, "c", kSalt), value, type.DuckDb());
    const engine::Rows rows = Must(connection_->Query(sql));
    EXPECT_EQ(rows.text(0, 1), "true") << sql;
    return rows.cells[0][0].value_or("NULL");
  }
  std::string Value(const std::string& sql) { return Must(connection_->Query(sql)).text(0, 0); }

  static Type Of(Kind kind) {
    Type type;
    type.kind = kind;
    return type;
  }

  std::unique_ptr<engine::Instance> instance_ = Must(engine::Instance::Open({.memory_bytes = int64_t{128} << 20}));
  std::unique_ptr<engine::Connection> connection_ = Must(instance_->Connect());
};

TEST_F(Masks, AlphanumKeepsLengthAndListedPunctuation) {
  const Type text = Of(Kind::kString);
  EXPECT_EQ(Masked(MaskAction::kMaskAlphanum, text, "'prashant010696@gmail.com'"), "xxxxxxxxnnnnnn@xxxxx.xxx");
  EXPECT_EQ(Masked(MaskAction::kMaskAlphanum, text, "'(030) 12-34, ok!'"), "(nnn)xnn-nn,xxxx");
  EXPECT_EQ(Masked(MaskAction::kMaskAlphanum, text, "E'né\\n🤦_'"), "xxxxx");
  EXPECT_EQ(Masked(MaskAction::kMaskAlphanum, text, "''"), "");
  EXPECT_EQ(Masked(MaskAction::kMaskAlphanum, text, "NULL"), "NULL");
}

TEST_F(Masks, FirstAndLastFour) {
  const Type text = Of(Kind::kString);
  EXPECT_EQ(Masked(MaskAction::kShowFirst4, text, "'prashant010696@gmail.com'"), "prasxxxxnnnnnn@xxxxx.xxx");
  EXPECT_EQ(Masked(MaskAction::kShowFirst4, text, "'abcd'"), "abcd");
  EXPECT_EQ(Masked(MaskAction::kShowFirst4, text, "'né🤦aé1'"), "né🤦axn");
  EXPECT_EQ(Masked(MaskAction::kShowLast4, text, "'4111-1111-1111-4444'"), "nnnn-nnnn-nnnn-4444");
  EXPECT_EQ(Masked(MaskAction::kShowLast4, text, "'ab'"), "ab");
  EXPECT_EQ(Masked(MaskAction::kShowLast4, text, "'1é🤦né1'"), "nx🤦né1");
  EXPECT_EQ(Masked(MaskAction::kShowLast4, text, "NULL"), "NULL");
}

TEST_F(Masks, Truncation) {
  EXPECT_EQ(Masked(MaskAction::kTruncateToYear, Of(Kind::kDate), "DATE '2024-07-15'"), "2024-01-01");
  EXPECT_EQ(Masked(MaskAction::kTruncateToMonth, Of(Kind::kDate), "DATE '2024-07-15'"), "2024-07-01");
  EXPECT_EQ(Masked(MaskAction::kTruncateToYear, Of(Kind::kTimestamp), "TIMESTAMP '2024-07-15 12:13:14.5'"),
            "2024-01-01 00:00:00");
  EXPECT_EQ(Masked(MaskAction::kTruncateToMonth, Of(Kind::kTimestampTz), "TIMESTAMPTZ '2024-07-01 00:30:00+02'"),
            "2024-06-01 00:00:00+00");
  EXPECT_EQ(Masked(MaskAction::kTruncateToYear, Of(Kind::kDate), "NULL"), "NULL");
}

// Little-endian in, little-endian out, as bytes of this machine are.
template <class Number>
std::string HashOf(Number value) {
  const std::string digest = Sha256(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  uint64_t hash = 0;
  for (size_t i = sizeof value; i > 0; --i) hash = hash << 8 | std::stoul(digest.substr(2 * (i - 1), 2), nullptr, 16);
  return std::to_string(static_cast<Number>(hash));
}

TEST_F(Masks, HashesHaveTheStandardsBytes) {
  EXPECT_EQ(Masked(MaskAction::kSha256Global, Of(Kind::kString), "'né'"), Sha256("né"));
  EXPECT_EQ(Masked(MaskAction::kSha256QueryLocal, Of(Kind::kString), "'abc'"),
            Sha256(std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16) + "abc"));
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-2}, int64_t{258}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(Masked(MaskAction::kSha256Global, Of(Kind::kLong), fmt::format("'{}'", value)), HashOf(value));
  }
  for (const int32_t value : {0, 1, -2, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(Masked(MaskAction::kSha256Global, Of(Kind::kInt), fmt::format("'{}'", value)), HashOf(value));
  }
  EXPECT_EQ(Masked(MaskAction::kSha256Global, Of(Kind::kBinary), "'\\x01\\x02'::BLOB"),
            Value("SELECT unhex(sha256('\\x01\\x02'::BLOB))::VARCHAR"));
  EXPECT_EQ(Masked(MaskAction::kSha256Global, Of(Kind::kLong), "NULL"), "NULL");
}

TEST_F(Masks, FixedValuesAreOfEveryType) {
  Type decimal = Of(Kind::kDecimal);
  decimal.precision = 18;
  decimal.scale = 2;
  Type list = Of(Kind::kList);
  list.fields = {{1, "element", "element", Of(Kind::kInt), false}};
  Type map = Of(Kind::kMap);
  map.fields = {{1, "key", "key", Of(Kind::kString), true}, {2, "value", "value", Of(Kind::kInt), false}};
  Type object = Of(Kind::kStruct);
  object.fields = {{1, "a b", "a b", Of(Kind::kInt), false}, {2, "list", "list", list, false}};
  const std::tuple<Type, std::string, std::string> kCases[] = {
      {Of(Kind::kBoolean), "true", "false"},
      {Of(Kind::kInt), "5", "999999999"},
      {Of(Kind::kLong), "5", "999999999"},
      {Of(Kind::kFloat), "5", "0.0"},
      {Of(Kind::kDouble), "5", "0.0"},
      {decimal, "5", "0.00"},
      {Of(Kind::kDate), "DATE '2024-07-15'", "9999-12-31"},
      {Of(Kind::kTime), "TIME '10:00:00'", "00:00:00"},
      {Of(Kind::kTimestamp), "TIMESTAMP '2024-07-15 12:13:14'", "9999-12-31 00:00:00"},
      {Of(Kind::kTimestampTz), "TIMESTAMPTZ '2024-07-15 12:13:14+00'", "9999-12-31 00:00:00+00"},
      {Of(Kind::kString), "'secret'", "XXXXXXXX"},
      {Of(Kind::kBinary), "'secret'::BLOB", ""},
      {list, "[1, 2]", "[]"},
      {map, "MAP {'a': 1}", "{}"},
      {object, "{'a b': 1, 'list': [2]}", "{'a b': 999999999, 'list': []}"},
  };
  for (const auto& [type, value, expected] : kCases) {
    EXPECT_EQ(Masked(MaskAction::kMaskToFixedValue, type, value), expected) << type.DuckDb();
    EXPECT_EQ(Masked(MaskAction::kMaskToFixedValue, type, "NULL"), "NULL") << type.DuckDb();
    EXPECT_EQ(Masked(MaskAction::kReplaceWithNull, type, value), "NULL") << type.DuckDb();
  }
}

TEST_F(Masks, WhatWouldChangeATypeIsRefused) {
  EXPECT_FALSE(model::CheckMask(MaskAction::kMaskAlphanum, Of(Kind::kInt), false));
  EXPECT_FALSE(model::CheckMask(MaskAction::kTruncateToYear, Of(Kind::kString), false));
  EXPECT_FALSE(model::CheckMask(MaskAction::kSha256Global, Of(Kind::kDate), false));
  const Status required = model::CheckMask(MaskAction::kReplaceWithNull, Of(Kind::kString), true);
  ASSERT_FALSE(required);
  EXPECT_NE(required.error().message.find("mask-to-fixed-value"), std::string::npos);
}

}  // namespace
}  // namespace weft::query
