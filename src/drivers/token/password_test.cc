#include "drivers/token/password.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>

#include "base/text.h"

namespace weft::token {
namespace {

TEST(Password, IsTheOneThatWasHashed) {
  const std::string hash = HashPassword("correct horse battery").value();
  EXPECT_TRUE(PasswordMatches(hash, "correct horse battery").value());
  EXPECT_FALSE(PasswordMatches(hash, "correct horse").value());
  for (const std::string& other : {std::string(), std::string("no hash"), hash + "A", ReplaceAll(hash, "p=1", "p=2")}) {
    EXPECT_FALSE(PasswordMatches(other, "correct horse battery").value()) << other;
  }
}

// In a process of its own, which is given less memory than the hash asks for.
void CheckWithoutMemory(const std::string& hash) {
  std::ifstream about("/proc/self/statm");
  rlim_t pages = 0;
  about >> pages;
  const rlim_t most = pages * 4'096 + (rlim_t{64} << 20);
  const rlimit limit{most, most};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(2);
  const Result<bool> matches = PasswordMatches(hash, "correct horse battery");
  std::exit(!matches && matches.error().code == Code::kUnavailable ? 0 : 1);
}

// In another program: threads of other tests may hold what the child needs.
TEST(PasswordDeathTest, IsNotWrongWhereThereIsNoMemoryToAsk) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string dear = ReplaceAll(HashPassword("correct horse battery").value(), "m=65536", "m=1048576");
  EXPECT_EXIT(CheckWithoutMemory(dear), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weft::token
