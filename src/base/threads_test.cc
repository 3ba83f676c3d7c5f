#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace weft {
namespace {

TEST(Pool, RunsEverythingItAccepted) {
  std::atomic<int> ran = 0;
  {
    Pool pool("test", 3, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.Submit([&] { ++ran; }));
  }
  EXPECT_EQ(ran, 500);
}

TEST(Pool, AFullQueueSaysSo) {
  std::latch release(1);
  Pool pool("test", 1, 2);
  std::latch running(1);
  ASSERT_TRUE(pool.Submit([&] {
    running.count_down();
    release.wait();
  }));
  running.wait();
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_TRUE(pool.Submit([] {}));
  Status third = pool.Submit([] {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::kUnavailable);
  release.count_down();
}

TEST(Ticker, TicksWhenPokedAndStopsAtOnce) {
  std::atomic<int> ticks = 0;
  {
    Ticker ticker(std::chrono::hours(1), [&] { ++ticks; });
    ticker.Poke();
    for (int i = 0; i < 2000 && ticks == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(ticks, 1);
}

TEST(Deadline, PassesOrNever) {
  EXPECT_TRUE(Deadline::After(std::chrono::milliseconds(-1)).passed());
  EXPECT_FALSE(Deadline::After(std::chrono::hours(1)).passed());
  EXPECT_FALSE(Deadline::Never().passed());
}

}  // namespace
}  // namespace weft
