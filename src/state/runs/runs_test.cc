#include "state/runs/runs.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "drivers/store/testing.h"

namespace weft::runs {
namespace {

class RunsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeFolders(folder_));
    store_ = store::Open(store::TestUrl(folder_ + "/store.db")).value();
    ASSERT_TRUE(store::Migrate(*store_, Migrations()));
    txn_ = store_->Begin().value();
  }
  void TearDown() override {
    txn_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }
  runs::Run Make(const std::string& port, const std::string& status, int64_t second) {
    runs::Run run;
    run.id = NewId("run");
    run.port = model::PortKey::Parse(port).value();
    run.status = status;
    run.key = "key" + std::to_string(second);
    run.requested_by = "ana";
    run.requested_at = run.logical_time = {second * 1'000'000};
    run.inputs = Json::Map({{"list", "abc"}});
    if (status == "succeeded") run.ended_at = run.requested_at;
    return run;
  }

  const std::string folder_ = fs::temp_directory_path() / ("weft-runs-" + NewSecret(6));
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Txn> txn_;
};

TEST_F(RunsTest, KeepsEveryField) {
  runs::Run run = Make("ops/flights/flights@1", "running", 5);
  ASSERT_TRUE(Insert(*txn_, run));
  run.status = "refused";
  run.started_at = Instant{6'000'000};
  run.ended_at = Instant{7'500'000};
  run.step = "checking";
  run.progress = 62.5;
  run.rows = 336'776;
  run.snapshot_id = INT64_MAX;
  run.message = "one rule failed";
  ASSERT_TRUE(Update(*txn_, run));
  CheckResult check{"c1", "no nulls", "failed", 0.1, "0 rows", 3, Json(Json::Array{Json(1)}), "flights.odcs.yaml:3:1"};
  ASSERT_TRUE(PutChecks(*txn_, run.id, {check, {"c2", "", "listed", {}, "", 0, {}, ""}}));
  runs::Run read = Get(*txn_, run.id).value();
  EXPECT_EQ(read.port, run.port);
  EXPECT_EQ(read.status, "refused");
  EXPECT_EQ(read.started_at, run.started_at);
  EXPECT_EQ(read.ended_at, run.ended_at);
  EXPECT_EQ(read.logical_time, run.logical_time);
  EXPECT_EQ(read.progress, 62.5);
  EXPECT_EQ(read.rows, 336'776);
  EXPECT_EQ(read.snapshot_id, INT64_MAX);
  EXPECT_EQ(read.inputs, run.inputs);
  ASSERT_EQ(read.checks.size(), 2u);
  EXPECT_EQ(read.checks[0].value, 0.1);
  EXPECT_EQ(read.checks[0].sample, check.sample);
  EXPECT_EQ(read.checks[1].value, std::nullopt);
  EXPECT_EQ(Get(*txn_, "run_none").error().code, Code::kNotFound);
}

TEST_F(RunsTest, APortHasOneRunUnderWay) {
  ASSERT_TRUE(Insert(*txn_, Make("ops/flights/flights@1", "pending", 1)));
  EXPECT_EQ(Insert(*txn_, Make("ops/flights/flights@1", "pending", 2)).error().code, Code::kConflict);
  EXPECT_TRUE(Insert(*txn_, Make("ops/flights/flights@2", "pending", 3)));
  EXPECT_TRUE(Insert(*txn_, Make("ops/flights/flights@1", "skipped", 4)));
}

TEST_F(RunsTest, ListsNewestFirstByWholeNames) {
  ASSERT_TRUE(Insert(*txn_, Make("ops/flights/flights@1", "succeeded", 1)));
  ASSERT_TRUE(Insert(*txn_, Make("ops/flights/flights@1", "failed", 2)));
  ASSERT_TRUE(Insert(*txn_, Make("ops-eu/flights/flights@1", "failed", 3)));
  auto runs = List(*txn_, {.port_prefix = "ops"}).value();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].status, "failed");
  EXPECT_EQ(List(*txn_, {.status = "failed"}).value().size(), 2u);
  EXPECT_EQ(List(*txn_, {.port_prefix = "ops/flights/flights@1", .limit = 1}).value().size(), 1u);
  EXPECT_EQ(List(*txn_, {.port_prefix = "ops/flights/flights"}).value().size(), 2u);
}

TEST_F(RunsTest, OnlyTheLastSuccessAnswersForItsKey) {
  runs::Run first = Make("ops/flights/flights@1", "succeeded", 1),
            second = Make("ops/flights/flights@1", "succeeded", 2);
  ASSERT_TRUE(Insert(*txn_, first));
  EXPECT_EQ(Succeeded(*txn_, first.port, "key1").value()->id, first.id);
  ASSERT_TRUE(Insert(*txn_, second));
  ASSERT_TRUE(Insert(*txn_, Make("ops/flights/flights@1", "failed", 3)));
  EXPECT_FALSE(Succeeded(*txn_, first.port, "key1").value());
  EXPECT_EQ(Succeeded(*txn_, first.port, "key2").value()->id, second.id);
}

}  // namespace
}  // namespace weft::runs
