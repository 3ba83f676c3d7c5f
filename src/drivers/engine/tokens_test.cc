#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/secret.h"
#include "drivers/engine/engine.h"

namespace weft::engine {
namespace {

TEST(EngineTokens, AreTheKeysOwnWithNullsAndInEveryVector) {
  auto instance = Instance::Open({.memory_bytes = int64_t{256} << 20}).value();
  auto connection = instance->Connect().value();
  const Secret key = Secret::Random(kKeyBytes);
  ASSERT_TRUE(connection->DefineTokens("tokens_of", key));
  ASSERT_TRUE(instance->Lock({}));
  const Tokens tokens(key);
  auto rows = connection
                  ->Query(
                      "SELECT i, tokens_of(CASE WHEN i % 7 <> 0 THEN 'somebody ' || i END), "
                      "tokens_of(CASE WHEN i % 5 <> 0 THEN i - 3000 END) FROM range(6000) r(i)")
                  .value();
  EXPECT_EQ(rows.types[1], "VARCHAR");
  EXPECT_EQ(rows.types[2], "BIGINT");
  ASSERT_EQ(rows.size(), 6'000u);
  for (size_t row = 0; row < rows.size(); ++row) {
    const int64_t i = rows.integer(row, 0);
    ASSERT_EQ(rows.cells[row][1].has_value(), i % 7 != 0) << i;
    ASSERT_EQ(rows.cells[row][2].has_value(), i % 5 != 0) << i;
    const auto text = tokens.Of(fmt::format("somebody {}", i));
    EXPECT_EQ(rows.text(row, 1), i % 7 != 0 ? std::string(text.data(), text.size()) : "");
    EXPECT_EQ(rows.integer(row, 2), i % 5 != 0 ? tokens.Of(i - 3000) : 0);
  }
  auto same = connection
                  ->Query(
                      "SELECT count(*) FROM range(3000) a(i) JOIN range(1000, 5000) b(j) ON "
                      "tokens_of(i::VARCHAR) = tokens_of(j::VARCHAR) AND tokens_of(i) = tokens_of(j)")
                  .value();
  EXPECT_EQ(same.integer(0, 0), 2'000);
  EXPECT_FALSE(connection->Query("SELECT tokens_of(DATE '2024-01-01', 1)"));
  const std::string plan = connection->Query("EXPLAIN SELECT tokens_of('x' || i) FROM range(3) r(i)")->text(0, 1);
  EXPECT_EQ(plan.find(key.bytes()), std::string::npos);
}

}  // namespace
}  // namespace weft::engine
