#include "base/span.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000;

TEST(SpanTest, ReadsWhatPeopleWrite) {
  const std::pair<const char*, Span> cases[] = {
      {"2d", {0, 48 * kHour}},
      {"12h", {0, 12 * kHour}},
      {"day", {0, 24 * kHour}},
      {"1 month", {1, 0}},
      {"2 Weeks", {0, 336 * kHour}},
      {"quarter", {3, 0}},
      {"P1M", {1, 0}},
      {"PT36H", {0, 36 * kHour}},
      {"P1Y2DT3H", {12, 51 * kHour}},
      {"90 minutes", {0, 90 * kHour / 60}},
  };
  for (const auto& [text, span] : cases) {
    auto read = Span::Parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, span) << text;
  }
  for (const char* text : {"", "2", "d", "-1d", "0d", "P", "PT", "P1H", "PT1D", "1 fortnight", "2 d d", "999999999d"}) {
    EXPECT_FALSE(Span::Parse(text)) << text;
  }
}

TEST(SpanTest, MonthsKeepTheDayWhereThereIsOne) {
  auto after = [](const char* begin, Span span, int64_t times) {
    return span.After(Instant::Parse(begin).value(), times).Text().substr(0, 16);
  };
  EXPECT_EQ(after("2026-01-31T06:30:00Z", {1, 0}, 1), "2026-02-28T06:30");
  EXPECT_EQ(after("2026-01-31T06:30:00Z", {1, 0}, 2), "2026-03-31T06:30");
  EXPECT_EQ(after("2023-11-29T00:00:00Z", {3, 0}, 1), "2024-02-29T00:00");
  EXPECT_EQ(after("2026-12-31T23:00:00Z", {0, kHour}, 2), "2027-01-01T01:00");
}

}  // namespace
}  // namespace weft
