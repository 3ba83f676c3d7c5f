#include "model/glob.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

TEST(GlobTest, StaysWithinAFolderUnlessToldOtherwise) {
  EXPECT_TRUE(GlobMatches("data/*.csv", "data/a.csv"));
  EXPECT_FALSE(GlobMatches("data/*.csv", "data/x/a.csv"));
  EXPECT_TRUE(GlobMatches("data/**/*.csv", "data/a.csv"));
  EXPECT_TRUE(GlobMatches("data/**/*.csv", "data/x/y/a.csv"));
  EXPECT_FALSE(GlobMatches("data/**/*.csv", "data/x/y/a.json"));
  EXPECT_TRUE(GlobMatches("**/a", "a"));
  EXPECT_FALSE(GlobMatches("**/a", "ba"));
  EXPECT_TRUE(GlobMatches("201?.csv", "2013.csv"));
  EXPECT_FALSE(GlobMatches("a?b", "a/b"));
  EXPECT_TRUE(GlobMatches("[a-c]x[!0-9]", "bxy"));
  EXPECT_FALSE(GlobMatches("[a-c]x[!0-9]", "bx5"));
  EXPECT_FALSE(GlobMatches("[!a]", "/"));
  EXPECT_TRUE(GlobMatches("a[b", "a[b"));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_TRUE(GlobMatches("*", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(GlobTest, HostilePatternsAreQuick) {
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(3000, 'a')));
}

}  // namespace
}  // namespace weft::model
