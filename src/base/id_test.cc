#include "base/id.h"

#include <gtest/gtest.h>

#include <set>

namespace weft {
namespace {

TEST(Id, IdsAreDistinctAndSortByTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(NewId("run"));
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(NewId("run").size(), 30u);
  EXPECT_EQ(NewUuid().size(), 36u);
  EXPECT_EQ(NewUuid()[14], '7');
  for (int i = 0; i < 1000; ++i) EXPECT_GT(NewPositiveInt64(), 0);
}

TEST(Id, Base64RoundTrips) {
  const std::string bytes("\0\xff\x10 any", 7);
  EXPECT_EQ(*FromBase64(Base64(bytes)), bytes);
  EXPECT_EQ(*FromBase64(""), "");
  EXPECT_FALSE(FromBase64("a*b="));
}

TEST(Id, SignaturesHoldOnlyForTheirMessageAndKey) {
  const SigningKey key = NewSigningKey(), other = NewSigningKey();
  const std::string signature = Sign(key, "head");
  EXPECT_TRUE(VerifySignature(key.public_key, "head", signature));
  EXPECT_FALSE(VerifySignature(key.public_key, "tail", signature));
  EXPECT_FALSE(VerifySignature(other.public_key, "head", signature));
  EXPECT_FALSE(VerifySignature(key.public_key, "head", "junk"));
}

TEST(Id, SecretsAreComparedWhole) {
  EXPECT_TRUE(SecretsEqual("abc", "abc"));
  EXPECT_FALSE(SecretsEqual("abc", "abd"));
  EXPECT_FALSE(SecretsEqual("abc", "ab"));
  EXPECT_NE(NewSecret(24), NewSecret(24));
}

}  // namespace
}  // namespace weft
