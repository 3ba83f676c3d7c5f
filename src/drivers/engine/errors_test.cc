#include <gtest/gtest.h>

#include "drivers/engine/engine.h"

namespace weft::engine {
namespace {

TEST(PlainWordsTest, LeavesOutWhatIsTheEnginesOwn) {
  EXPECT_EQ(PlainWords("Binder Error: Referenced column \"amont\" not found in FROM clause!\nCandidate bindings: "
                       "\"amount\"\n\nLINE 1: SELECT amont\n               ^"),
            "Referenced column \"amont\" not found in FROM clause! Candidate bindings: \"amount\"");
  EXPECT_EQ(PlainWords("Invalid Input Error: Invalid Input Error: 2.5 is no value"), "2.5 is no value");
  EXPECT_EQ(PlainWords("the run was cancelled"), "the run was cancelled");
  const std::string memory = PlainWords(
      "Out of Memory Error: could not allocate block of size 256.0 KiB (18.9 MiB/19.0 MiB used)\nPossible "
      "solutions:\n* Increasing the memory limit (SET memory_limit='...GB')");
  EXPECT_EQ(memory.find("SET "), std::string::npos) << memory;
  EXPECT_NE(memory.find("is used up"), std::string::npos) << memory;
}

}  // namespace
}  // namespace weft::engine
