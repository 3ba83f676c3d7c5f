#include "work/run/modes.h"

#include <algorithm>

#include "work/run/testing.h"

namespace weft::run {
namespace {

class ModesTest : public RunnerTest {
 protected:
  static constexpr const char* kPort = "fleet/planes/planes@1";

  // Rows of planes at the next minute.
  runs::Run Put(const std::string& csv, const std::string& build, const std::string& properties = "",
                const std::string& sql = "") {
    clock_.now.micros += int64_t{60} * 1'000'000;
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}},
            {{"planes", properties.empty() ? kPlanes : properties, build, sql}},
            {{"domains/fleet/planes/data/planes.csv", csv}});
    return Run(kPort);
  }
  runs::Run RunAt(const std::string& time, bool force = false) {
    auto submitted = runner_->Submit(caller_, {{Key(kPort)}, force, Instant::Parse(time).value()});
    EXPECT_TRUE(submitted) << submitted.error().message;
    return submitted ? Wait(submitted->at(0).id) : runs::Run{};
  }
  std::vector<lake::Snapshot> History() {
    auto txn = store_->Read().value();
    return lake::History(*txn, Key(kPort)).value();
  }
  std::set<std::string> Files() {
    auto txn = store_->Read().value();
    const lake::View view = lake::Open(*txn, Key(kPort)).value();
    std::set<std::string> files;
    for (const lake::DataFile& file : view.files) files.insert(file.path);
    return files;
  }
  // How many of those files the table has still.
  int64_t Of(const std::set<std::string>& before) {
    return std::ranges::count_if(Files(), [&](const std::string& file) { return before.contains(file); });
  }
};

TEST_F(ModesTest, AnUpsertReplacesByKeyAndSaysWhatChanged) {
  EXPECT_EQ(Put("tail,seats\nN1,1\nN2,2\nN3,3\n", "{mode: upsert}").rows, 3);
  runs::Run run = Put("tail,seats\nN2,20\nN3,3\nN4,4\n", "{mode: upsert}");
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.rows, 2);
  EXPECT_EQ(run.message, "1 new, 1 changed, 1 as before");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|20, N3|3, N4|4");
  EXPECT_EQ(History()[0].operation, "overwrite");
  EXPECT_EQ(History()[0].rows, 4);

  const size_t snapshots = History().size();
  runs::Run same = Put("tail,seats\nN3,3\nN1,1\n", "{mode: upsert}");
  EXPECT_EQ(same.status, "succeeded") << same.message;
  EXPECT_EQ(same.message, "nothing changed: the table has these rows already");
  EXPECT_EQ(same.rows, 0);
  EXPECT_EQ(same.snapshot_id, run.snapshot_id);
  EXPECT_EQ(History().size(), snapshots) << "no snapshot without a change";
  EXPECT_EQ(LedgerKinds().back(), "ran");

  EXPECT_EQ(Put("tail,seats\nN9,\n", "{mode: upsert}").message, "1 new, 0 changed, 0 as before");
  EXPECT_EQ(History()[0].operation, "append") << "no file was written again";
  EXPECT_EQ(Put("tail,seats\nN9,\nN1,7\n", "{mode: upsert}").message, "0 new, 1 changed, 1 as before")
      << "no value is no change";
  EXPECT_EQ(RowsOf(kPort), "N1|7, N2|20, N3|3, N4|4, N9|-");
}

TEST_F(ModesTest, AnUpsertWritesOnlyTheFilesThatItMust) {
  Put("tail,seats\nA1,1\nA2,2\n", "{mode: upsert}");
  Put("tail,seats\nB1,1\nB2,2\n", "{mode: upsert}");
  Put("tail,seats\nC1,1\nC9,2\n", "{mode: upsert}");
  const std::set<std::string> before = Files();
  ASSERT_EQ(before.size(), 3u);
  // C5 is between the keys of a file that does not have it.
  runs::Run run = Put("tail,seats\nB2,5\nC5,5\nA1,1\n", "{mode: upsert}");
  EXPECT_EQ(run.message, "1 new, 1 changed, 1 as before");
  EXPECT_EQ(Of(before), 2);
  EXPECT_EQ(RowsOf(kPort), "A1|1, A2|2, B1|1, B2|5, C1|1, C5|5, C9|2");
}

TEST_F(ModesTest, AKeyThatARunHasTwiceIsRefused) {
  Put("tail,seats\nN1,1\nN2,2\n", "{mode: upsert}");
  for (const char* csv : {"tail,seats\nN2,7\nN2,8\n", "tail,seats\nN2,2\nN2,2\n", "tail,seats\nN5,5\nN5,5\n"}) {
    runs::Run run = Put(csv, "{mode: upsert}");
    EXPECT_EQ(run.status, "refused") << csv;
    ASSERT_EQ(run.checks.size(), 2u);
    EXPECT_EQ(run.checks[1].failing_rows, 1) << "one key: " << csv;
  }
  EXPECT_EQ(Put("tail,seats\n,7\n", "{mode: upsert}").status, "refused") << "a key is never null";
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
}

TEST_F(ModesTest, ARowThatMeetsOneOfAFileThatIsNotTouchedIsRefused) {
  const std::string unique =
      "      - {name: tail, logicalType: string, required: true, primaryKey: true}\n      - {name: seats, logicalType: "
      "integer, unique: true}\n";
  EXPECT_EQ(Put("tail,seats\nA1,1\nA2,9\n", "{mode: upsert}", unique).status, "succeeded");
  EXPECT_EQ(Put("tail,seats\nB1,20\nB2,30\n", "{mode: upsert}", unique).status, "succeeded");
  EXPECT_EQ(Put("tail,seats\nC1,40\n", "{mode: upsert}", unique).status, "succeeded");
  EXPECT_EQ(Put("tail,seats\nD1,9\n", "{mode: upsert}", unique).status, "refused");
  EXPECT_EQ(Put("tail,seats\nD1,9\nA2,10\n", "{mode: upsert}", unique).status, "succeeded");
  // A rule that the table was not yet held to is held against all of it.
  EXPECT_EQ(Put("tail,seats\nE1,20\n", "{mode: upsert}").status, "succeeded");
  runs::Run run = Put("tail,seats\nF1,99\n", "{mode: upsert}", unique);
  EXPECT_EQ(run.status, "refused") << run.message;
}

TEST_F(ModesTest, AnUpsertCarriesEveryTypeAndOldSchemasOver) {
  const std::string typed =
      "      - {name: tail, logicalType: string, required: true, primaryKey: true}\n"
      "      - {name: weight, logicalType: number, physicalType: 'decimal(9,3)'}\n"
      "      - {name: ratio, logicalType: number}\n      - {name: since, logicalType: date}\n"
      "      - {name: seen, logicalType: timestamp, physicalType: timestamptz}\n"
      "      - {name: tags, logicalType: array, items: {name: item, logicalType: string}}\n";
  const std::string sql =
      "SELECT tail, seats * 1.25 AS weight, CASE WHEN seats > 8 THEN 'nan'::DOUBLE ELSE seats / 3 END AS ratio, DATE "
      "'2020-02-29' + seats::INTEGER AS since, TIMESTAMPTZ '2024-03-31 00:30:00.000001+01' + to_days(seats::INTEGER) "
      "AS "
      "seen, CASE WHEN seats = 2 THEN NULL ELSE [tail, NULL] END AS tags FROM (SELECT tail, seats::INTEGER "
      "AS seats FROM "
      "list)";
  runs::Run first = Put("tail,seats\nN1,1\nN2,2\nN9,9\n", "{mode: upsert, sql: planes.sql}", typed, sql);
  ASSERT_EQ(first.status, "succeeded") << first.message;
  const std::string before = RowsOf(kPort);
  EXPECT_EQ(Put("tail,seats\nN9,9\nN2,2\nN1,1\n", "{mode: upsert, sql: planes.sql}", typed, sql).rows, 0);
  EXPECT_EQ(Put("tail,seats\nN1,3\n", "{mode: upsert, sql: planes.sql}", typed, sql).rows, 1);
  const std::string after = RowsOf(kPort);
  EXPECT_EQ(after.substr(after.find("N2")), before.substr(before.find("N2")));
  // A column that came later is null in rows that are carried over, and in files that are not touched.
  const std::string more = typed + "      - {name: note, logicalType: string}\n";
  runs::Run run =
      Put("tail,seats\nN1,3\n", "{mode: upsert, sql: planes.sql}", more, "SELECT *, 'x' AS note FROM (" + sql + ")");
  EXPECT_EQ(run.message, "0 new, 1 changed, 0 as before");
  const std::string noted = RowsOf(kPort);
  EXPECT_EQ(noted.substr(0, noted.find(", N2")), after.substr(0, after.find(", N2")) + "|x");
  EXPECT_TRUE(noted.ends_with("|-")) << noted;
}

TEST_F(ModesTest, AStateTakesThePlaceOfThatOfItsTimeAlone) {
  const std::string monthly =
      "      - {name: tail, logicalType: string, required: true, primaryKey: true}\n      - {name: seats, logicalType: "
      "integer}\n      - {name: month, logicalType: date, primaryKey: true}\n";
  auto put = [&](const std::string& csv, const std::string& time) {
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}},
            {{"planes", monthly, "{mode: snapshot, snapshot_column: month}", ""}},
            {{"domains/fleet/planes/data/planes.csv", csv}});
    return RunAt(time);
  };
  EXPECT_EQ(put("tail,seats\nN1,1\nN2,2\n", "2026-01-01").message, "a new state of 2026-01-01");
  EXPECT_EQ(put("tail,seats\nN1,1\nN3,3\n", "2026-02-01T05:00:00Z").rows, 2);
  EXPECT_EQ(RowsOf(kPort), "N1|1|2026-01-01, N1|1|2026-02-01, N2|2|2026-01-01, N3|3|2026-02-01");
  const std::set<std::string> before = Files();
  runs::Run again = put("tail,seats\nN1,9\n", "2026-02-01");
  EXPECT_EQ(again.message, "in place of the former state of 2026-02-01");
  EXPECT_EQ(RowsOf(kPort), "N1|1|2026-01-01, N1|9|2026-02-01, N2|2|2026-01-01");
  EXPECT_EQ(History()[0].operation, "overwrite");
  EXPECT_EQ(Of(before), 1) << "the other state's file is the same";
  EXPECT_EQ(RunAt("2026-02-01T09:00:00Z").status, "skipped") << "the same state of the same inputs";
  EXPECT_EQ(RunAt("2026-01-01").rows, 1);
  EXPECT_EQ(RunAt("2026-02-01").status, "skipped") << "what came after it was another state";
  EXPECT_EQ(put("tail,seats\nN1,1\nN1,2\n", "2026-03-01").status, "refused") << "a key is there once in a state";
  EXPECT_EQ(put("tail,seats,month\nN1,1,2026-01-01\n", "2026-03-01").message,
            "the build gives the column 'month', which the run fills with its logical time: leave it out of the build");
  EXPECT_EQ(RowsOf(kPort), "N1|9|2026-01-01, N1|9|2026-02-01");
}

TEST_F(ModesTest, AnAppendOfNothingMakesNoSnapshot) {
  runs::Run first = Put("tail,seats\nN1,1\n", "{mode: append}");
  EXPECT_EQ(first.rows, 1);
  runs::Run again = Put("tail,seats\nN1,7\n", "{mode: append}");
  EXPECT_EQ(again.status, "succeeded") << again.message;
  EXPECT_EQ(again.rows, 0);
  EXPECT_EQ(again.message, "nothing to add: the table has these rows already");
  EXPECT_EQ(again.snapshot_id, first.snapshot_id);
  EXPECT_EQ(History().size(), 1u) << "whoever reads it is not started for nothing";
  EXPECT_EQ(Run(kPort).status, "skipped");
  EXPECT_EQ(Put("tail,seats\nN2,2\n", "{mode: append}").rows, 1);
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
}

TEST_F(ModesTest, AnAppendOfNothingStillMakesATable) {
  EXPECT_EQ(Put("tail,seats\n", "{mode: append}").status, "succeeded");
  EXPECT_EQ(History().size(), 1u);
}

TEST_F(ModesTest, EventsThatAreTooLateAreRefused) {
  const std::string events =
      "      - {name: id, logicalType: integer, primaryKey: true}\n      - {name: at, logicalType: timestamp}\n      - "
      "{name: came, logicalType: timestamp}\n";
  const std::string build = "{mode: append, event_time: at, arrival_time: came, late: 2d}";
  auto put = [&](const std::string& csv, const std::string& time) {
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}}, {{"planes", events, build, ""}},
            {{"domains/fleet/planes/data/planes.csv", csv}});
    return RunAt(time);
  };
  EXPECT_EQ(put("id,at\n1,2026-01-01T00:00:00\n2,2026-01-10T00:00:00\n", "2026-01-10T01:00:00Z").rows, 2)
      << "before anything is committed nothing is late";
  EXPECT_EQ(put("id,at\n1,2026-01-01T00:00:00\n3,2026-01-08T00:00:00\n", "2026-01-10T02:00:00Z").rows, 1)
      << "what is there already is not late";
  runs::Run run = put("id,at\n4,2026-01-12T00:00:00\n5,2026-01-07T23:59:59\n", "2026-01-12T01:00:00Z");
  EXPECT_EQ(run.status, "refused");
  ASSERT_FALSE(run.checks.empty());
  EXPECT_EQ(run.checks.back().id, "at.late");
  EXPECT_EQ(run.checks.back().failing_rows, 1);
  EXPECT_EQ(RowsOf(kPort),
            "1|2026-01-01 00:00:00|2026-01-10 01:00:00, 2|2026-01-10 00:00:00|2026-01-10 01:00:00, "
            "3|2026-01-08 00:00:00|2026-01-10 02:00:00");
}

TEST_F(ModesTest, WhatWasDoneForALogicalTimeIsNotDoneAgain) {
  const std::string days =
      "      - {name: tail, logicalType: string, primaryKey: true}\n      - {name: seats, logicalType: integer}\n";
  for (const char* mode : {"append", "upsert"}) {
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}},
            {{"planes", days, fmt::format("{{mode: {}, sql: planes.sql}}", mode),
              "SELECT strftime(now(), '%Y-%m-%d') AS tail, seats FROM list"}},
            {{"domains/fleet/planes/data/planes.csv", "tail,seats\nx,1\n"}});
    runs::Run first = RunAt("2026-01-01");
    EXPECT_EQ(first.status, "succeeded") << first.message;
    EXPECT_EQ(RunAt("2026-01-02").status, "succeeded");
    EXPECT_EQ(RunAt("2026-01-01").status, "skipped") << mode;
    EXPECT_EQ(RunAt("2026-01-03").status, "succeeded");
    EXPECT_EQ(RowsOf(kPort), "2026-01-01|1, 2026-01-02|1, 2026-01-03|1") << mode;
  }
}

TEST_F(ModesTest, AnUpsertIsDoneAgainAfterOneOfAnEarlierTime) {
  Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}},
          {{"planes", kPlanes, "{mode: upsert, sql: planes.sql}",
            "SELECT tail, CAST(strftime(now(), '%m') AS INTEGER) AS seats FROM list"}},
          {{"domains/fleet/planes/data/planes.csv", "tail\nN1\n"}});
  EXPECT_EQ(RunAt("2026-01-01").status, "succeeded");
  EXPECT_EQ(RunAt("2026-02-01").status, "succeeded");
  EXPECT_EQ(RunAt("2026-03-01").status, "succeeded");
  EXPECT_EQ(RunAt("2026-02-01", true).rows, 1);
  EXPECT_EQ(RowsOf(kPort), "N1|2");
  EXPECT_EQ(RunAt("2026-01-01").status, "skipped");
  EXPECT_EQ(RunAt("2026-02-01").status, "skipped");
  runs::Run last = RunAt("2026-03-01");
  EXPECT_EQ(last.status, "succeeded") << last.message;
  EXPECT_EQ(RowsOf(kPort), "N1|3");
  EXPECT_EQ(RunAt("2026-03-01").status, "skipped");
}

TEST_F(ModesTest, ARollbackTakesAnUpsertBack) {
  Put("tail,seats\nN1,1\nN2,2\n", "{mode: upsert}");
  Put("tail,seats\nN2,3\nN4,4\n", "{mode: upsert}");
  auto rollback = runner_->Rollback(caller_, Key(kPort), std::nullopt, "");
  ASSERT_TRUE(rollback) << rollback.error().message;
  EXPECT_EQ(Wait(rollback->id).status, "succeeded");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
  EXPECT_EQ(Put("tail,seats\nN1,5\n", "{mode: upsert}").message, "0 new, 1 changed, 0 as before");
  EXPECT_EQ(RowsOf(kPort), "N1|5, N2|2");
}

}  // namespace
}  // namespace weft::run
