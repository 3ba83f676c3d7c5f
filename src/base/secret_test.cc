#include "base/secret.h"

#include <gtest/gtest.h>

#include <set>

namespace weft {
namespace {

std::string Text(const std::array<char, Tokens::kTextLength>& token) { return {token.data(), token.size()}; }

TEST(Secret, SealsAndOpensAsTheSameThingAlone) {
  const Secret key = Secret::Random(kKeyBytes);
  const std::string sealed = Seal(key, "hunter2", "sales/db");
  EXPECT_EQ(sealed.find("hunter2"), std::string::npos);
  EXPECT_NE(sealed, Seal(key, "hunter2", "sales/db"));
  EXPECT_EQ(Unseal(key, sealed, "sales/db")->bytes(), "hunter2");
  EXPECT_EQ(Unseal(key, Seal(key, "", "x"), "x")->bytes(), "");
  EXPECT_EQ(Unseal(key, sealed, "sales/other").error().code, Code::kInvalid);
  EXPECT_EQ(Unseal(Secret::Random(kKeyBytes), sealed, "sales/db").error().code, Code::kInvalid);
  for (size_t i = 0; i + 4 < sealed.size(); i += 7) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Unseal(key, changed, "sales/db")) << i;
  }
  for (const char* text : {"", "AAAA", "no base64 !"}) EXPECT_FALSE(Unseal(key, text, "sales/db"));
}

TEST(Secret, DerivesOtherKeysForOtherMessagesAndLabels) {
  const Secret key = Secret::Random(kKeyBytes);
  std::set<std::string> made;
  for (const char* message : {"", "billing", "research"}) {
    for (const char* label : {"listener", "artist", "a label that is longer than sixteen bytes"}) {
      made.emplace(Derive(key, message, label).bytes());
      EXPECT_EQ(Derive(key, message, label).bytes(), Derive(key, message, label).bytes());
    }
  }
  EXPECT_EQ(made.size(), 9u);
  EXPECT_EQ(KeyId(key).size(), 16u);
  EXPECT_NE(KeyId(key), KeyId(Secret::Random(kKeyBytes)));
}

TEST(Tokens, OfTextAreTheSameForTheSameValueUnderOneKey) {
  const Secret key = Secret::Random(kKeyBytes);
  const Tokens tokens(key), again(key), other(Secret::Random(kKeyBytes));
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string token = Text(tokens.Of("u" + std::to_string(i)));
    EXPECT_TRUE(token.starts_with("p_"));
    EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 2), std::string::npos);
    EXPECT_EQ(token, Text(again.Of("u" + std::to_string(i))));
    EXPECT_NE(token, Text(other.Of("u" + std::to_string(i))));
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 10'000u);
  EXPECT_EQ(Text(tokens.Of("")).size(), 28u);
}

// Undone by hand: the rounds the other way round would need the key; that no two numbers meet is what is promised.
TEST(Tokens, OfNumbersNeverMeetAndKeepTheirSign) {
  const Tokens tokens(Secret::Random(kKeyBytes));
  std::set<int64_t> seen;
  int64_t asked = 0, small = 0;
  auto ask = [&](int64_t value) {
    const int64_t token = tokens.Of(value);
    EXPECT_EQ(token < 0, value < 0) << value;
    small += token >= 0 && token < int64_t{1} << 55;
    seen.insert(token);
    ++asked;
  };
  for (int64_t i = 0; i < 200'000; ++i) ask(i);
  for (int shift = 18; shift < 63; ++shift) ask(int64_t{1} << shift);
  for (int64_t i = 1; i < 1'000; ++i) ask(-i);
  ask(INT64_MAX);
  ask(INT64_MIN);
  EXPECT_EQ(static_cast<int64_t>(seen.size()), asked);
  EXPECT_LT(small, 1'500);  // A 256th of the positive ones is that small, where they are spread evenly.
  EXPECT_GT(small, 400);
}

// A Feistel network is a permutation however wide its halves are; here a neighbourhood is followed bit by bit.
TEST(Tokens, OfNumbersChangeHalfTheirBitsWithOne) {
  const Tokens tokens(Secret::Random(kKeyBytes));
  int64_t changed = 0;
  for (int64_t i = 0; i < 1'000; ++i) {
    for (int bit = 0; bit < 63; ++bit) {
      changed += __builtin_popcountll(static_cast<uint64_t>(tokens.Of(i) ^ tokens.Of(i ^ int64_t{1} << bit)));
    }
  }
  EXPECT_NEAR(static_cast<double>(changed) / 63'000, 31.5, 0.3);
}

}  // namespace
}  // namespace weft
