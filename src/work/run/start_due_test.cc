#include <algorithm>
#include <atomic>

#include "work/run/testing.h"
#include "work/run/why.h"

namespace weft::run {
namespace {

class StartDueTest : public RunnerTest {
 protected:
  Options NodeOptions(const std::string& node) {
    Options options;
    options.node = node;
    options.several = !node.empty();
    options.upload_folder = folder_ / "uploads";
    options.temp_folder = folder_ / ("spill" + node);
    options.parallel_runs = 2;
    options.memory_bytes = int64_t{256} << 20;
    return options;
  }
  std::unique_ptr<Runner> NodeOf(const std::string& node, const CheckStep& check = CheckRows) {
    return Runner::Start({*store_, clock_, *ledger_, *lake_, memory_, vault_, check, NodeOptions(node)}).value();
  }

  void Schedule(const std::string& port, const std::string& cron, const std::string& trigger, const std::string& due,
                const std::set<std::string>& inputs = {}) {
    schedules::Schedule schedule{Key(port), cron, "", trigger};
    schedule.retries = 2;
    schedule.promised = Millis(trigger == "freshness" ? 3'600'000 : 0);
    if (!due.empty()) schedule.due = Instant::Parse(due).value();
    for (const std::string& input : inputs) schedule.inputs.insert(Key(input));
    auto txn = store_->Begin().value();
    ASSERT_TRUE(schedules::Put(*txn, schedule));
    ASSERT_TRUE(txn->Commit());
  }
  schedules::Schedule Scheduled(const std::string& port) {
    auto txn = store_->Read().value();
    return schedules::Find(*txn, Key(port)).value().value();
  }
  void At(const std::string& time) { clock_.now = Instant::Parse(time).value(); }
  void Later(int64_t seconds) { clock_.now.micros += seconds * 1'000'000; }

  // All runs of the port, the oldest first.
  std::vector<runs::Run> RunsOf(const std::string& port) {
    auto txn = store_->Read().value();
    auto list = runs::List(*txn, {port, "", 100}).value();
    std::ranges::reverse(list);
    return list;
  }
  // Turns until nothing is left to be done.
  void Settle(Runner& runner) {
    for (int quiet = 0; quiet < 3;) {
      Status started = runner.StartDue();
      ASSERT_TRUE(started) << started.error().message;
      auto txn = store_->Read().value();
      quiet = runs::Alive(*txn)->empty() ? quiet + 1 : 0;
      txn.reset();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::string Reason(Runner& runner, const std::string& port) { return runner.Explain(Key(port)).value().reason; }

  // a reads a file, b and c read a, d reads both: ports of one product, which may read its own.
  void Diamond() {
    const std::string row = "      - {name: seats, logicalType: integer}\n";
    auto own = [](const std::string& port) { return "{kind: product, address: fleet/planes/" + port + "@1}"; };
    Product("fleet", "planes",
            {{"list", "{kind: file, path: data/planes.csv}"}, {"ia", own("a")}, {"ib", own("b")}, {"ic", own("c")}},
            {{"a", row, "{sql: a.sql}", "SELECT seats FROM list"},
             {"b", row, "{sql: b.sql, trigger: inputs}", "SELECT seats FROM ia"},
             {"c", row, "{sql: c.sql, trigger: inputs}", "SELECT seats + 1 AS seats FROM ia"},
             {"d", row, "{sql: d.sql, trigger: inputs}", "SELECT seats FROM ib UNION ALL SELECT seats FROM ic"}},
            {{"domains/fleet/planes/data/planes.csv", "seats\n10\n"}});
    Schedule("fleet/planes/b@1", "", "inputs", "", {"fleet/planes/a@1"});
    Schedule("fleet/planes/c@1", "", "inputs", "", {"fleet/planes/a@1"});
    Schedule("fleet/planes/d@1", "", "inputs", "", {"fleet/planes/b@1", "fleet/planes/c@1"});
  }
};

constexpr const char* kPort = "fleet/planes/planes@1";

TEST_F(StartDueTest, AScheduleStartsOneRunWithItsDueTime) {
  Planes("tail,seats\nN1,10\n");
  Schedule(kPort, "0 5 * * *", "", "2024-05-07T05:00:00Z");
  Settle(*runner_);
  EXPECT_TRUE(RunsOf(kPort).empty());
  EXPECT_EQ(Reason(*runner_, kPort), "not-due");
  At("2024-05-07T05:00:03Z");
  Settle(*runner_);
  auto runs = RunsOf(kPort);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].status, "succeeded") << runs[0].message;
  EXPECT_EQ(runs[0].cause, "schedule");
  EXPECT_EQ(runs[0].requested_by, "product:fleet/planes");
  EXPECT_EQ(runs[0].logical_time.Text(), "2024-05-07T05:00:00.000000Z");
  EXPECT_EQ(Scheduled(kPort).due->Text(), "2024-05-08T05:00:00.000000Z");
  // While no node was up for three days: once, as the last of them.
  At("2024-05-10T07:30:00Z");
  Settle(*runner_);
  runs = RunsOf(kPort);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].logical_time.Text(), "2024-05-10T05:00:00.000000Z");
  EXPECT_EQ(runs[1].status, "skipped");
  EXPECT_EQ(Scheduled(kPort).due->Text(), "2024-05-11T05:00:00.000000Z");
}

TEST_F(StartDueTest, ADiamondRunsOnceForAllThatChanged) {
  Diamond();
  EXPECT_EQ(Reason(*runner_, "fleet/planes/d@1"), "never-triggered");
  EXPECT_EQ(Reason(*runner_, "fleet/planes/a@1"), "by-hand");
  const runs::Run first = Run("fleet/planes/a@1");
  ASSERT_EQ(first.status, "succeeded") << first.message;
  Settle(*runner_);
  ASSERT_EQ(RunsOf("fleet/planes/d@1").size(), 1u);
  EXPECT_EQ(RunsOf("fleet/planes/d@1")[0].cause, "inputs");
  EXPECT_EQ(RunsOf("fleet/planes/b@1").size(), 1u);
  EXPECT_EQ(RowsOf("fleet/planes/d@1"), "10, 11");
  EXPECT_EQ(Reason(*runner_, "fleet/planes/d@1"), "up-to-date");
  // What changed nothing starts nothing.
  ASSERT_EQ(Run("fleet/planes/a@1").status, "skipped");
  Settle(*runner_);
  EXPECT_EQ(RunsOf("fleet/planes/b@1").size(), 1u);
  // All by one request: each sees what came before, and nothing is left to start.
  ASSERT_EQ(Run("fleet/planes/a@1", true).status, "succeeded");
  Settle(*runner_);
  EXPECT_EQ(RunsOf("fleet/planes/d@1").size(), 2u);
  // A rollback changes rows as well.
  auto back = runner_->Rollback(caller_, Key("fleet/planes/a@1"), std::nullopt, "");
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(Wait(back->id).status, "succeeded");
  Settle(*runner_);
  EXPECT_EQ(RunsOf("fleet/planes/b@1").size(), 3u);
  EXPECT_EQ(RunsOf("fleet/planes/d@1").size(), 3u);
}

TEST_F(StartDueTest, WhatIsPausedWaits) {
  Diamond();
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(schedules::Put(*txn, schedules::Pause{"fleet/planes/b@1", "ana", "moving", clock_.now}));
    ASSERT_TRUE(txn->Commit());
  }
  ASSERT_EQ(Run("fleet/planes/a@1").status, "succeeded");
  Settle(*runner_);
  EXPECT_TRUE(RunsOf("fleet/planes/b@1").empty());
  EXPECT_EQ(Reason(*runner_, "fleet/planes/b@1"), "paused");
  EXPECT_EQ(RunsOf("fleet/planes/c@1").size(), 1u);
  EXPECT_EQ(RunsOf("fleet/planes/d@1").size(), 1u);  // What is paused makes nobody wait.
  {
    auto txn = store_->Begin().value();
    EXPECT_TRUE(schedules::RemovePause(*txn, "fleet/planes/b@1").value());
    ASSERT_TRUE(txn->Commit());
  }
  Settle(*runner_);
  EXPECT_EQ(RunsOf("fleet/planes/b@1").size(), 1u);
}

TEST_F(StartDueTest, WhatPassesIsTriedAgainAndWhatDoesNotIsNot) {
  Planes("tail,seats\nN1,10\n");
  std::atomic<int> failures = 2;
  std::atomic<Code> code = Code::kUnavailable;
  auto check = [&](const CheckRequest& request) -> Result<CheckAnswer> {
    if (failures-- > 0) return Error{code, "the connection was lost"};
    return CheckRows(request);
  };
  runner_.reset();
  runner_ = NodeOf("", check);
  Schedule(kPort, "0 5 * * *", "", "2024-05-07T05:00:00Z");
  At("2024-05-07T05:00:01Z");
  Settle(*runner_);
  ASSERT_EQ(RunsOf(kPort).size(), 1u);
  EXPECT_EQ(RunsOf(kPort)[0].failure, "unavailable");
  EXPECT_EQ(Reason(*runner_, kPort), "retry");
  Later(29);
  Settle(*runner_);
  EXPECT_EQ(RunsOf(kPort).size(), 1u);
  Later(9);  // 30 s, and up to a quarter more.
  Settle(*runner_);
  auto runs = RunsOf(kPort);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].cause, "retry");
  EXPECT_EQ(runs[1].retry_of, runs[0].id);
  EXPECT_EQ(runs[1].attempt, 2);
  Later(59);
  Settle(*runner_);
  EXPECT_EQ(RunsOf(kPort).size(), 2u);
  Later(17);
  Settle(*runner_);
  runs = RunsOf(kPort);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[2].status, "succeeded");
  EXPECT_EQ(runs[2].logical_time, runs[0].logical_time);
  EXPECT_FALSE(Scheduled(kPort).retry_at.has_value());
  // What is invalid stays so.
  failures = 100;
  code = Code::kInvalid;
  Planes("tail,seats\nN2,10\n");
  At("2024-05-08T05:00:01Z");
  Settle(*runner_);
  ASSERT_EQ(RunsOf(kPort).size(), 4u);
  EXPECT_FALSE(Scheduled(kPort).retry_at.has_value());
  EXPECT_EQ(Reason(*runner_, kPort), "failed");
  // All tries are used up at last.
  code = Code::kUnavailable;
  At("2024-05-09T05:00:01Z");
  for (int i = 0; i < 6; ++i) {
    Settle(*runner_);
    Later(3'600);
  }
  EXPECT_EQ(RunsOf(kPort).size(), 7u);
  EXPECT_NE(runner_->Explain(Key(kPort))->text.find("it was tried 3 times"), std::string::npos);
}

TEST_F(StartDueTest, FreshnessKeepsHalfOfWhatIsPromised) {
  Planes("tail,seats\nN1,10\n");
  Schedule(kPort, "", "freshness", "2024-05-06T07:08:09Z");
  Settle(*runner_);
  ASSERT_EQ(RunsOf(kPort).size(), 1u);
  EXPECT_EQ(RunsOf(kPort)[0].cause, "freshness");
  EXPECT_EQ(Scheduled(kPort).due->Text(), "2024-05-06T07:38:09.000000Z");  // The clock stands still: it took no time.
  Later(1'799);
  Settle(*runner_);
  EXPECT_EQ(RunsOf(kPort).size(), 1u);
  Later(1);
  Settle(*runner_);
  EXPECT_EQ(RunsOf(kPort).size(), 2u);
}

TEST_F(StartDueTest, ARunThatTakesTooLongIsStopped) {
  Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}},
          {{"planes", "      - {name: seats, logicalType: integer}\n", "{sql: planes.sql, timeout: 1s}",
            "SELECT count(*) AS seats FROM list, range(1000000000000)"}},
          {{"domains/fleet/planes/data/planes.csv", "seats\n10\n"}}, "      - {name: seats, logicalType: integer}\n");
  const runs::Run run = Run(kPort);
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.failure, "timeout");
  EXPECT_EQ(run.message, "it took longer than the 1 second that its build allows (timeout)");
}

TEST_F(StartDueTest, OfTwoNodesOneStartsAndTheOtherTakesOver) {
  Planes("tail,seats\nN1,10\n");
  runner_.reset();
  Schedule(kPort, "*/10 * * * *", "", "2024-05-06T07:10:00Z");
  auto a = NodeOf("a"), b = NodeOf("b");
  ASSERT_TRUE(a->Tend() && b->Tend());
  EXPECT_EQ(Reason(*b, kPort), "no-scheduler");
  At("2024-05-06T07:10:01Z");
  ASSERT_TRUE(a->Tend() && b->Tend());
  Settle(*a);
  Settle(*b);
  ASSERT_EQ(RunsOf(kPort).size(), 1u);
  EXPECT_EQ(Reason(*b, kPort), "not-due");
  // a says nothing more. The time that is due meanwhile is neither lost nor doubled.
  At("2024-05-06T07:20:01Z");
  ASSERT_TRUE(b->Tend());
  Settle(*b);
  Settle(*b);
  ASSERT_EQ(RunsOf(kPort).size(), 2u);
  EXPECT_EQ(RunsOf(kPort)[1].logical_time.Text(), "2024-05-06T07:20:00.000000Z");
  Later(2);
  Settle(*a);  // It comes back, and finds that b has the duty.
  EXPECT_EQ(RunsOf(kPort).size(), 2u);
  // A node that goes well hands the duty on.
  b.reset();
  At("2024-05-06T07:30:01Z");
  Settle(*a);
  EXPECT_EQ(RunsOf(kPort).size(), 3u);
}

TEST_F(StartDueTest, ARunWhoseNodeDiedIsMadeGood) {
  Planes("tail,seats\nN1,10\n");
  runner_.reset();
  Schedule(kPort, "0 5 * * *", "", "2024-05-07T05:00:00Z");
  {
    auto txn = store_->Begin().value();
    ASSERT_TRUE(nodes::KeepAlive(*txn, clock_, "a", Millis(20'000), clock_.Now()));
    runs::Run run;
    run.id = "run_x";
    run.port = Key(kPort);
    run.status = "running";
    run.requested_by = "product:fleet/planes";
    run.inputs = Json(Json::Array{});
    run.requested_at = clock_.now;
    run.logical_time = Instant::Parse("2024-05-06T05:00:00Z").value();
    run.cause = "schedule";
    ASSERT_TRUE(runs::Insert(*txn, run));
    ASSERT_TRUE(nodes::Take(*txn, run.id, "a"));
    ASSERT_TRUE(txn->Commit());
  }
  auto b = NodeOf("b");
  Later(30);
  ASSERT_TRUE(b->Tend());
  EXPECT_EQ(RunsOf(kPort).at(0).status, "interrupted");
  Later(40);
  ASSERT_TRUE(b->Tend());
  Settle(*b);
  const auto runs = RunsOf(kPort);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].retry_of, "run_x");
  EXPECT_EQ(runs[1].logical_time.Text(), "2024-05-06T05:00:00.000000Z");
  EXPECT_EQ(runs[1].status, "succeeded");
}

}  // namespace
}  // namespace weft::run
