#include "work/upkeep/plan.h"

#include <gtest/gtest.h>

namespace weft::upkeep {
namespace {

using Groups = std::vector<std::vector<size_t>>;

TEST(Plan, SmallFilesBecomeOneOfTheRightSize) {
  const Rule rule{.file_bytes = 100, .small_files = 3};
  EXPECT_EQ(GroupsOf({40, 40, 40, 40, 40}, rule, false), (Groups{{0, 1}, {2, 3}})) << "one alone stays";
  EXPECT_EQ(GroupsOf({10, 90, 10, 60, 10, 10}, rule, false), (Groups{{0, 2, 4, 5}})) << "large ones stay";
  EXPECT_EQ(GroupsOf({10, 10, 10}, rule, false), Groups{}) << "so few are none too many";
  EXPECT_EQ(GroupsOf({10, 10, 10}, rule, true), (Groups{{0, 1, 2}}));
  EXPECT_EQ(GroupsOf({10}, rule, true), Groups{});
  EXPECT_EQ(GroupsOf({}, rule, true), Groups{});
}

TEST(Plan, WhatIsLargerThanAllSmallerOnesTogetherWaits) {
  const Rule rule{.file_bytes = 1'000, .small_files = 3};
  EXPECT_EQ(GroupsOf({400, 10, 10, 10, 10}, rule, false), (Groups{{1, 2, 3, 4}}));
  EXPECT_EQ(GroupsOf({400, 10, 10, 10}, rule, false), Groups{});
  EXPECT_EQ(GroupsOf({40, 10, 10, 10, 10}, rule, false), (Groups{{0, 1, 2, 3, 4}}));
  EXPECT_EQ(GroupsOf({400, 10}, rule, true), (Groups{{0, 1}}));
}

// A table that gets a file of one size again and again: each row is written anew a few times, not each time.
TEST(Plan, ATableThatGrowsIsWrittenAnewAFewTimes) {
  const Rule rule{.file_bytes = 10'000'000, .small_files = 16};
  std::vector<int64_t> files;
  int64_t written = 0, appended = 0;
  size_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    files.push_back(1'000);
    appended += 1'000;
    for (Groups groups = GroupsOf(files, rule, false); !groups.empty(); groups = GroupsOf(files, rule, false)) {
      std::vector<int64_t> next;
      std::vector<bool> gone(files.size());
      for (const auto& group : groups) {
        int64_t sum = 0;
        for (const size_t at : group) sum += files[at], gone[at] = true;
        next.push_back(sum);
        written += sum;
      }
      for (size_t at = 0; at < files.size(); ++at) {
        if (!gone[at]) next.push_back(files[at]);
      }
      files = std::move(next);
    }
    most = std::max(most, files.size());
  }
  EXPECT_LT(written, 6 * appended);
  EXPECT_LT(most, 100u);
}

TEST(Window, IsATimeOfTheDay) {
  auto at = [](int hour, int minute) { return Instant{(int64_t{20'000} * 1'440 + hour * 60 + minute) * 60'000'000}; };
  EXPECT_TRUE(Window::Parse("")->Has(at(12, 0)));
  const Window night = Window::Parse("22:00-06:00").value(), noon = Window::Parse("11:30-12:30").value();
  EXPECT_TRUE(night.Has(at(22, 0)) && night.Has(at(23, 59)) && night.Has(at(0, 0)) && night.Has(at(5, 59)));
  EXPECT_FALSE(night.Has(at(6, 0)) || night.Has(at(21, 59)));
  EXPECT_TRUE(noon.Has(at(11, 30)) && noon.Has(at(12, 29)));
  EXPECT_FALSE(noon.Has(at(12, 30)) || noon.Has(at(0, 0)));
  EXPECT_TRUE(Window::Parse("18:00-24:00")->Has(at(23, 0)));
  for (const char* bad : {"22-6", "22:00", "25:00-06:00", "24:30-06:00", "22:60-06:00", "a:bc-06:00", "22:00-06:00-"}) {
    EXPECT_EQ(Window::Parse(bad).error().code, Code::kInvalid) << bad;
  }
}

}  // namespace
}  // namespace weft::upkeep
