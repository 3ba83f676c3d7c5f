#include "state/schedules/schedules.h"

#include "work/publish/testing.h"

namespace weft::publish {
namespace {

using testing::PublishTest;
using testing::Sample;

class PublishedSchedulesTest : public PublishTest {
 protected:
  // The sample with a build that says when it runs.
  void PutWith(Sample sample, const std::string& when) {
    Put(sample);
    std::string& text = files_[sample.Folder() + "product.odps.yaml"];
    text = ReplaceAll(text, fmt::format("{{sql: {}.sql}}", sample.name),
                      fmt::format("{{sql: {}.sql{}}}", sample.name, when.empty() ? "" : ", " + when));
  }
  std::string Notes(const Plan& plan, const std::string& address) {
    for (const Change& change : plan.changes) {
      if (change.address == address) return Join(change.notes, "; ");
    }
    return "no such change";
  }
  std::optional<schedules::Schedule> Of(const std::string& port) {
    auto txn = store_->Read().value();
    return schedules::Find(*txn, model::PortKey::Parse(port).value()).value();
  }
};

TEST_F(PublishedSchedulesTest, AScheduleIsPlannedThenInForceThenGone) {
  PutWith({}, "schedule: '0 5 * * 1-5', timezone: Europe/Berlin");
  const std::string notes = Notes(PlanOf(admin_), "operations/flights");
  EXPECT_NE(notes.find("flights@1 runs by 0 5 * * 1-5: next "), std::string::npos) << notes;
  EXPECT_NE(notes.find(" 05:00 Europe/Berlin"), std::string::npos) << notes;
  MustApply(admin_);
  const auto first = Of("operations/flights/flights@1");
  ASSERT_TRUE(first && first->due);
  EXPECT_GT(*first->due, SystemClock().Now());
  EXPECT_EQ(first->published_by, "root");
  // The same again leaves it alone; another one counts at once.
  PutWith({.version = "1.0.1"}, "schedule: '0 5 * * 1-5', timezone: Europe/Berlin");
  EXPECT_EQ(Notes(PlanOf(ana_), "operations/flights").find("runs by"), std::string::npos);
  MustApply(ana_);
  EXPECT_EQ(Of("operations/flights/flights@1")->published_by, "root");
  PutWith({.version = "1.0.2"}, "schedule: '* * * * *'");
  MustApply(ana_);
  EXPECT_LE(Of("operations/flights/flights@1")->due->micros, SystemClock().Now().micros + 60'000'000);
  PutWith({.version = "1.0.3"}, "");
  EXPECT_NE(Notes(PlanOf(ana_), "operations/flights").find("flights@1 is no longer run by itself"), std::string::npos);
  MustApply(ana_);
  EXPECT_FALSE(Of("operations/flights/flights@1").has_value());
  auto ledger = ledger::Ledger::Open(*store_, SystemClock(), folder_).value();
  ASSERT_TRUE(ledger->SealNow());
  auto txn = store_->Read().value();
  const auto rows = ledger::List(*txn, {.kind = "scheduled"}).value();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].entry.principal, "ana");
  EXPECT_EQ(rows[1].entry.detail["schedule"].Text(), "* * * * * UTC");
  EXPECT_EQ(rows[2].entry.detail["schedule"].Text(), "");
}

TEST_F(PublishedSchedulesTest, ATriggerKnowsItsInputsAndWhatIsRetiredHasNone) {
  Put({});
  Sample reader{.name = "delays", .source = "{kind: product, address: operations/flights/flights@1}"};
  PutWith(reader, "trigger: inputs");
  MustApply(admin_);
  const auto trigger = Of("operations/delays/delays@1");
  ASSERT_TRUE(trigger);
  EXPECT_FALSE(trigger->due.has_value());
  EXPECT_EQ(trigger->inputs, std::set{model::PortKey::Parse("operations/flights/flights@1").value()});
  reader.status = "retired";
  PutWith(reader, "trigger: inputs");
  MustApply(admin_);
  EXPECT_FALSE(Of("operations/delays/delays@1").has_value());
}

TEST_F(PublishedSchedulesTest, WhatCannotBeIsRefusedWithWhatToWrite) {
  auto problem = [&](const std::string& when) {
    PutWith({}, when);
    return Problems(PlanOf(admin_));
  };
  EXPECT_NE(problem("schedule: '0 25 * * *'").find("the hour '25' is out of range: it is 0 to 23"), std::string::npos);
  EXPECT_NE(problem("schedule: '0 5 * * *', trigger: inputs").find("a schedule or a trigger"), std::string::npos);
  EXPECT_NE(problem("trigger: inputs").find("no input port of the product is another output port"), std::string::npos);
  EXPECT_NE(problem("trigger: freshness").find("slaProperties"), std::string::npos);
  EXPECT_NE(problem("timezone: Europe/Berlin").find("the build has none"), std::string::npos);
  EXPECT_NE(problem("timeout: soon").find("30m or 2h"), std::string::npos);
  EXPECT_NE(problem("schedule: '0 5 * * *', timezone: Mars/Olympus").find("timezone"), std::string::npos);
  EXPECT_EQ(problem("schedule: '0 5 * * *', timeout: 30m, retries: 0, priority: high"), "");
}

}  // namespace
}  // namespace weft::publish
