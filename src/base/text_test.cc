#include "base/text.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Text, SplitJoinTrimReplace) {
  EXPECT_EQ(Split("a//b", '/'), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(Join(Split("a,b,c", ','), " - "), "a - b - c");
  EXPECT_EQ(Trim("\t x y \n"), "x y");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(ReplaceAll("aaa", "a", "aa"), "aaaaaa");
}

TEST(Text, NearestIsWhatThePersonMeant) {
  constexpr std::string_view kKeys[] = {"logicalType", "physicalType", "name"};
  EXPECT_EQ(Nearest("logicaltype", kKeys), "logicalType");
  EXPECT_EQ(Nearest("phisicalType", kKeys), "physicalType");
  EXPECT_EQ(Nearest("zzz", kKeys), "");
  EXPECT_EQ(DidYouMean("nam", kKeys), "; did you mean 'name'?");
  EXPECT_EQ(Nearest("nmae", kKeys), "name") << "two letters that changed places are one slip";
  EXPECT_EQ(Nearest("anem", kKeys), "");
}

TEST(Text, Utf8) {
  EXPECT_TRUE(IsUtf8("aé漢😀"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(Text, QuotesForSql) {
  EXPECT_EQ(SqlText("o'clock"), "'o''clock'");
  EXPECT_EQ(SqlName("a\"b"), "\"a\"\"b\"");
}

TEST(Text, NumbersForPeople) {
  EXPECT_EQ(HumanCount(336776), "336,776");
  EXPECT_EQ(HumanCount(-1234), "-1,234");
  EXPECT_EQ(HumanCount(-123), "-123");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(7'340'032), "7.3 MB");
  EXPECT_EQ(Count(1, "row") + " " + Count(2, "row"), "1 row 2 rows");
}

}  // namespace
}  // namespace weft
