#include "state/nodes/nodes.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::nodes {
namespace {

struct HandClock final : Clock {
  Instant Now() const override { return now; }
  Instant now{1'700'000'000'000'000};
};

class NodesTest : public ::testing::Test {
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
  const std::string folder_ = std::filesystem::temp_directory_path() / ("weft-nodes-" + NewSecret(6));
  HandClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
};

TEST_F(NodesTest, OneThatSaysNothingIsGoneAfterItsTime) {
  EXPECT_FALSE(IsAlive(*txn_, clock_, "a").value());
  ASSERT_TRUE(KeepAlive(*txn_, clock_, "a", Millis(2'000), clock_.Now()));
  EXPECT_TRUE(IsAlive(*txn_, clock_, "a").value());
  EXPECT_FALSE(IsAlive(*txn_, clock_, "").value());
  clock_.now.micros += 1'500'000;
  ASSERT_TRUE(KeepAlive(*txn_, clock_, "a", Millis(2'000), clock_.Now()));
  clock_.now.micros += 1'999'999;
  EXPECT_TRUE(IsAlive(*txn_, clock_, "a").value());
  clock_.now.micros += 1;
  EXPECT_FALSE(IsAlive(*txn_, clock_, "a").value());
}

TEST_F(NodesTest, TheOldestReadingOfOthersThatAreAlive) {
  const Instant now = clock_.Now();
  auto since = [&] { return ReadingSince(*txn_, clock_.Now(), "a")->micros - now.micros; };
  EXPECT_EQ(since(), 0);
  ASSERT_TRUE(KeepAlive(*txn_, clock_, "a", Millis(2'000), Instant{now.micros - 50}));
  ASSERT_TRUE(KeepAlive(*txn_, clock_, "b", Millis(2'000), Instant{now.micros - 30}));
  ASSERT_TRUE(KeepAlive(*txn_, clock_, "c", Millis(9'000), Instant{now.micros - 20}));
  EXPECT_EQ(since(), -30) << "its own is no other's";
  clock_.now.micros += 3'000'000;
  EXPECT_EQ(since(), -20) << "b is gone";
}

TEST_F(NodesTest, ARunIsOfOneNode) {
  ASSERT_TRUE(Take(*txn_, "run_1", "a"));
  ASSERT_TRUE(Take(*txn_, "run_2", "b"));
  EXPECT_EQ(HolderOf(*txn_, "run_1").value(), "a");
  EXPECT_EQ(HolderOf(*txn_, "run_3").value(), "");
  ASSERT_TRUE(AskToStop(*txn_, "run_1"));
  const auto held = HeldBy(*txn_, "a").value();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].run_id, "run_1");
  EXPECT_TRUE(held[0].stop);
  EXPECT_FALSE(HeldBy(*txn_, "b").value().at(0).stop);
  ASSERT_TRUE(Drop(*txn_, "run_1"));
  EXPECT_TRUE(HeldBy(*txn_, "a")->empty());
  EXPECT_EQ(Take(*txn_, "run_2", "c").error().code, Code::kConflict);
}

}  // namespace
}  // namespace weft::nodes
