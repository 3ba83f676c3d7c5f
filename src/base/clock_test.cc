#include "base/clock.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Instant, ReadsTheFormsOfRfc3339) {
  const Instant ten = *Instant::Parse("2013-01-01T10:00:00Z");
  EXPECT_EQ(ten.Text(), "2013-01-01T10:00:00.000000Z");
  EXPECT_EQ(*Instant::Parse("2013-01-01T05:00:00-05:00"), ten);
  EXPECT_EQ(*Instant::Parse("2013-01-01 10:00"), ten);
  EXPECT_EQ(Instant::Parse("2013-01-01T10:00:00.25Z")->micros, ten.micros + 250'000);
  EXPECT_EQ(Instant::Parse("1969-12-31T23:59:59.5Z")->Text(), "1969-12-31T23:59:59.500000Z");
  EXPECT_EQ(Instant::Parse("2024-02-29")->Text(), "2024-02-29T00:00:00.000000Z");
}

TEST(Instant, RefusesWhatIsNoTime) {
  for (const char* text : {"", "yesterday", "2013-02-30", "2013-1-1", "2013-01-01T25:00:00Z", "2013-01-01T10:00:00X",
                           "2013-01-01T10", "2013-01-01T10:00:00+99:00", "2013-01-01T10:00:00.Z"}) {
    auto parsed = Instant::Parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace weft
