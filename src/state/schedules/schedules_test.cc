#include "state/schedules/schedules.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::schedules {
namespace {

constexpr Instant kNow{1'700'000'000'000'000};
Instant After(int64_t seconds) { return Instant{kNow.micros + seconds * 1'000'000}; }
model::PortKey Key(const std::string& text) { return model::PortKey::Parse(text).value(); }

class SchedulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    txn_ = store_->Begin().value();
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Add(const std::string& port, const std::string& cron, const std::string& trigger, std::optional<Instant> due,
           const std::set<model::PortKey>& inputs = {}) {
    Schedule schedule{Key(port), cron, "", trigger};
    schedule.retries = 2;
    schedule.promised = Millis(3'600'000);
    schedule.due = due;
    schedule.inputs = inputs;
    ASSERT_TRUE(Put(*txn_, schedule));
  }
  std::string DueAt(Instant now) {
    std::string ports;
    const auto due = Due(*txn_, now).value();
    for (const Schedule& schedule : due) ports += (ports.empty() ? "" : " ") + schedule.port.port;
    return ports;
  }
  Schedule Of(const std::string& port) { return Find(*txn_, Key(port)).value().value(); }

  const std::string folder_ = std::filesystem::temp_directory_path() / ("weft-schedules-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
};

TEST_F(SchedulesTest, TheLongestDueFirst) {
  Add("a/p/late@1", "@daily", "", After(-5));
  Add("a/p/later@1", "@daily", "", After(10));
  Add("a/p/first@1", "@daily", "", After(-50));
  Add("a/p/never@1", "", "inputs", std::nullopt);
  EXPECT_EQ(DueAt(kNow), "first late");
  EXPECT_EQ(DueAt(After(10)), "first late later");
  EXPECT_EQ(OfProduct(*txn_, "a", "p")->size(), 4u);
  EXPECT_TRUE(OfProduct(*txn_, "a", "p2")->empty());
  ASSERT_TRUE(Remove(*txn_, Key("a/p/first@1")));
  EXPECT_EQ(DueAt(kNow), "late");
}

TEST_F(SchedulesTest, OneClaimsIt) {
  Add("a/p/x@1", "@daily", "", After(-5));
  const Schedule was = Of("a/p/x@1");
  EXPECT_TRUE(Claim(*txn_, was, After(100)).value());
  EXPECT_FALSE(Claim(*txn_, was, After(100)).value());
  EXPECT_EQ(DueAt(kNow), "");
  Add("a/p/y@1", "", "inputs", After(-5));
  EXPECT_TRUE(Claim(*txn_, Of("a/p/y@1"), std::nullopt).value());
  EXPECT_FALSE(Of("a/p/y@1").due.has_value());
}

TEST_F(SchedulesTest, ACommitMakesItsReadersDueUntilOneBegins) {
  Add("a/p/reader@1", "", "inputs", std::nullopt, {Key("a/p/x@1"), Key("a/p/y@1")});
  Add("a/p/by-clock@1", "@daily", "", After(500), {Key("a/p/x@1")});
  ASSERT_TRUE(NoteCommit(*txn_, Key("a/p/z@1"), kNow));
  EXPECT_EQ(DueAt(kNow), "");
  ASSERT_TRUE(NoteCommit(*txn_, Key("a/p/y@1"), kNow));
  EXPECT_EQ(DueAt(kNow), "reader");
  ASSERT_TRUE(NoteStart(*txn_, Key("a/p/reader@1")));
  ASSERT_TRUE(NoteStart(*txn_, Key("a/p/by-clock@1")));
  EXPECT_EQ(DueAt(kNow), "");
  EXPECT_EQ(DueAt(After(500)), "by-clock");
}

TEST_F(SchedulesTest, TriesAgainWhatPassesSoOften) {
  Add("a/p/x@1", "@daily", "", After(90'000));
  Ended ended{.port = Key("a/p/x@1"), .run = "run_1", .by_itself = true, .passes = true};
  ASSERT_TRUE(NoteEnd(*txn_, kNow, ended));
  EXPECT_EQ(Of("a/p/x@1").retry_of, "run_1");
  const int64_t wait = (Of("a/p/x@1").retry_at->micros - kNow.micros) / 1'000'000;
  EXPECT_GE(wait, 30);
  EXPECT_LE(wait, 38);
  EXPECT_EQ(DueAt(After(38)), "x");
  EXPECT_TRUE(Claim(*txn_, Of("a/p/x@1"), After(90'000)).value());
  ended.attempt = 3;
  ASSERT_TRUE(NoteEnd(*txn_, kNow, ended));  // Twice more was all.
  EXPECT_FALSE(Of("a/p/x@1").retry_at.has_value());
  ended.attempt = 1;
  ended.by_itself = false;
  ASSERT_TRUE(NoteEnd(*txn_, kNow, ended));
  EXPECT_FALSE(Of("a/p/x@1").retry_at.has_value());
  for (int attempt = 1; attempt < 20; ++attempt) {
    const int64_t expected = std::min<int64_t>(int64_t{30} << std::min(attempt - 1, 10), 3'600);
    EXPECT_GE(RetryAfter(attempt, "run").count(), expected * 1'000);
    EXPECT_LE(RetryAfter(attempt, "run").count(), expected * 1'250);
  }
}

TEST_F(SchedulesTest, FreshnessLeavesTimeForWhatRunsTake) {
  Add("a/p/x@1", "", "freshness", kNow);
  ASSERT_TRUE(NoteEnd(*txn_, kNow, {.port = Key("a/p/x@1"), .run = "r", .good = true, .took = Millis(600'000)}));
  EXPECT_EQ(*Of("a/p/x@1").due, After(1'200));  // Half an hour less ten minutes.
  ASSERT_TRUE(NoteEnd(*txn_, kNow, {.port = Key("a/p/x@1"), .run = "r", .good = true, .took = Millis(0)}));
  EXPECT_EQ(*Of("a/p/x@1").due, After(1'500));
  ASSERT_TRUE(NoteEnd(*txn_, kNow, {.port = Key("a/p/x@1"), .run = "r", .good = true, .took = Millis(7'200'000)}));
  EXPECT_EQ(*Of("a/p/x@1").due, After(1));
}

TEST_F(SchedulesTest, APauseHoldsForAllUnderIt) {
  ASSERT_TRUE(Put(*txn_, Pause{"a/p", "ana", "why", kNow}));
  ASSERT_TRUE(Put(*txn_, Pause{"a/p", "bo", "", kNow}));
  const auto pauses = Pauses(*txn_).value();
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_EQ(PauseOf(pauses, Key("a/p/x@1"))->by, "bo");
  EXPECT_EQ(PauseOf(pauses, Key("a/p2/x@1")), nullptr);
  EXPECT_TRUE(RemovePause(*txn_, "a/p").value());
  EXPECT_FALSE(RemovePause(*txn_, "a/p").value());
}

}  // namespace
}  // namespace weft::schedules
