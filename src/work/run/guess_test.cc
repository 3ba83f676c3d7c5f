#include "work/run/guess.h"

#include <gtest/gtest.h>

#include "work/run/profile.h"

namespace weft::run {
namespace {

TEST(TypeOfDuckDb, ReadsBackEveryTypeThatIsWritten) {
  for (const std::string name :
       {"BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(18,2)", "DATE", "TIME", "TIMESTAMP",
        "TIMESTAMP WITH TIME ZONE", "VARCHAR", "BLOB", "BIGINT[]", "DECIMAL(9,0)[][]", "MAP(VARCHAR, BIGINT[])",
        R"(STRUCT("a" INTEGER, "b c" STRUCT("d""e" VARCHAR[]))[])"}) {
    auto type = TypeOfDuckDb(name);
    ASSERT_TRUE(type) << name << ": " << type.error().message;
    EXPECT_EQ(type->DuckDb(), name);
  }
}

TEST(TypeOfDuckDb, WidensWhatNoContractHasAndRefusesTheRest) {
  EXPECT_EQ(TypeOfDuckDb("UTINYINT")->DuckDb(), "INTEGER");
  EXPECT_EQ(TypeOfDuckDb("UBIGINT")->DuckDb(), "DECIMAL(20,0)");
  EXPECT_EQ(TypeOfDuckDb("ENUM('a', 'b')")->DuckDb(), "VARCHAR");
  for (const std::string name : {"INTERVAL", "STRUCT(a INTERVAL)", "MAP(VARCHAR)", "INTEGER)", "TIMESTAMP_NS", ""}) {
    EXPECT_FALSE(TypeOfDuckDb(name)) << name;
  }
}

TEST(SnakeCase, MakesNamesThatNeedNoQuotes) {
  EXPECT_EQ(SnakeCase("Order Date"), "order_date");
  EXPECT_EQ(SnakeCase("orderDate"), "order_date");
  EXPECT_EQ(SnakeCase("Amount (EUR)"), "amount_eur");
  EXPECT_EQ(SnakeCase("2013"), "c_2013");
  EXPECT_EQ(SnakeCase("ID"), "id");
  EXPECT_EQ(SnakeCase("?"), "column");
}

}  // namespace
}  // namespace weft::run
