#include <gtest/gtest.h>

#include "base/text.h"
#include "drivers/engine/engine.h"

namespace weft::engine {
namespace {

TEST(PlainWordsTest, LeavesOutWhatIsTheEnginesOwn) {
  EXPECT_EQ(PlainWords("Binder Error: Referenced column \"amont\" not found in FROM clause!\nCandidate bindings: "
                       "\"amount\"\n\nLINE 1: SELECT amont\n               ^"),
            "there is no column 'amont' here; near it are amount");
  EXPECT_EQ(PlainWords("Binder Error: WHERE clause cannot contain aggregates!\n\nLINE 1: x\n        ^"),
            "WHERE cannot contain aggregates");
  EXPECT_EQ(PlainWords("Invalid Input Error: Invalid Input Error: 2.5 is no value"), "2.5 is no value");
  EXPECT_EQ(PlainWords(
                "Invalid Input Error: Malformed JSON in file \"a.jsonl\", at byte 2 in line 4: unexpected character. "),
            "malformed JSON in line 3 of 'a.jsonl', at byte 2: unexpected character");
  EXPECT_EQ(PlainWords("the run was cancelled"), "the run was cancelled");
  const std::string memory = PlainWords(
      "Out of Memory Error: could not allocate block of size 256.0 KiB (18.9 MiB/19.0 MiB used)\nPossible "
      "solutions:\n* Increasing the memory limit (SET memory_limit='...GB')");
  EXPECT_EQ(memory.find("SET "), std::string::npos) << memory;
  EXPECT_NE(memory.find("is used up"), std::string::npos) << memory;
}

// A message that quotes a value tells of that value, whatever it says.
TEST(PlainWordsTest, AreNotMisledByWhatIsQuoted) {
  EXPECT_EQ(PlainWords("Conversion Error: Could not convert string 'Maximum line size of' to INT32"),
            "'Maximum line size of' is no INTEGER");
  const std::string quotes = PlainWords("Invalid Input Error: CSV parser state machine reached an invalid state");
  EXPECT_TRUE(quotes.ends_with("double the quotes inside of quoted values")) << quotes;
}

TEST(MissingColumnTest, IsTheNameThatTheStatementHas) {
  auto instance = Instance::Open({.threads = 1}).TakeValue();
  auto connection = instance->Connect().TakeValue();
  ASSERT_TRUE(connection->Execute("CREATE TABLE t (a INT); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE u (b INT)"));
  for (const char* sql : {"SELECT Secret FROM t", "SELECT t.Secret FROM t", "SELECT x.Secret FROM t AS x",
                          "SELECT x.Secret FROM v AS x", "SELECT x.Secret FROM (SELECT * FROM v) AS x",
                          "SELECT * EXCLUDE (Secret) FROM t", "SELECT * FROM t JOIN u USING (Secret)"}) {
    auto answer = connection->Query(sql);
    ASSERT_FALSE(answer) << sql;
    EXPECT_EQ(Lower(MissingColumn(answer.error().message).value_or("none")), "secret") << answer.error().message;
  }
  for (const char* sql : {"SELECT a FROM nothing", "SELECT a + 'x' FROM t", "SELECT"}) {
    auto answer = connection->Query(sql);
    EXPECT_EQ(MissingColumn(answer ? "" : answer.error().message), std::nullopt) << sql;
  }
  EXPECT_EQ(MissingColumn("there is no column 'a' here"), std::nullopt);
}

}  // namespace
}  // namespace weft::engine
