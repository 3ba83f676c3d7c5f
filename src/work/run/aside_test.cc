#include <algorithm>

#include "model/quarantine.h"
#include "work/run/testing.h"

namespace weft::run {
namespace {

constexpr const char* kPort = "fleet/planes/planes@1";

class AsideTest : public RunnerTest {
 protected:
  // Registers planes whose contract sets rows aside, as the next version.
  void Put(const std::string& csv, const std::string& build, const std::string& terms = "{}",
           const std::string& sql = "", const std::string& input_contract = "") {
    clock_.now.micros += int64_t{60} * 1'000'000;
    const std::string properties =
        "      - {name: tail, logicalType: string, required: true, primaryKey: true}\n"
        "      - {name: seats, logicalType: integer, logicalTypeOptions: {minimum: 1}}\n"
        "    customProperties:\n      - {property: quarantine, vendor: weft, value: " +
        terms + "}\n";
    Product("fleet", "planes", {{"list", "{kind: file, path: data/planes.csv}"}}, {{"planes", properties, build, sql}},
            {{"domains/fleet/planes/data/planes.csv", csv}}, input_contract);
  }
  runs::Run Fixed(Correction correction, const std::string& csv = "") {
    correction.port = Key(kPort);
    if (!csv.empty()) {
      correction.sha256 = Sha256(csv);
      correction.name = "fixed.csv";
      fs::create_directories(folder_ / "uploads" / correction.sha256.substr(0, 2));
      EXPECT_TRUE(WriteFileAtomically(folder_ / "uploads" / correction.sha256.substr(0, 2) / correction.sha256, csv));
    }
    auto submitted = runner_->Correct(caller_, correction);
    EXPECT_TRUE(submitted) << submitted.error().message;
    return submitted ? Wait(submitted->id) : runs::Run{};
  }
  lake::View Quarantine() {
    auto txn = store_->Read().value();
    return lake::Open(*txn, model::QuarantineKey(Key(kPort))).value();
  }
  // "check line: tail|seats, …" of the rows that are set aside; with `columns` these.
  std::string Aside(const std::string& columns =
                        "weft_check || ' ' || weft_line || ': ' || coalesce(tail, '-') || '|' || "
                        "coalesce(seats, '-')") {
    const lake::View view = Quarantine();
    auto instance = engine::Instance::Open({}).value();
    auto connection = instance->Connect().value();
    auto rows =
        connection->Query(fmt::format("SELECT {} FROM ({}) ORDER BY weft_line, tail", columns, lake::ScanSql(view)));
    if (!rows) return rows.error().message;
    std::vector<std::string> lines;
    for (size_t i = 0; i < rows->size(); ++i) lines.push_back(rows->text(i, 0));
    return Join(lines, ", ");
  }
  static std::string OutcomeOf(const runs::Run& run, const std::string& check) {
    for (const runs::CheckResult& each : run.checks) {
      if (each.id == check) return fmt::format("{} {}", each.outcome, each.failing_rows);
    }
    return "";
  }
};

TEST_F(AsideTest, WhatBreaksTheContractIsCommittedBesideTheOthers) {
  Put("tail,seats\nN1,100\nN2,many\n,7\nN3,0\nN1,9\nN4\nN5,5\n", "{mode: replace}");
  runs::Run run = Run(kPort);
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.rows, 2);
  EXPECT_EQ(RowsOf(kPort), "N1|100, N5|5");
  EXPECT_EQ(Aside(),
            "seats.type 3: N2|many, tail.required 4: -|7, seats.minimum 5: N3|0, primaryKey 6: N1|9, line 7: -|-");
  EXPECT_EQ(
      run.message,
      "5 in quarantine (1 seats.type, 1 tail.required, 1 seats.minimum, 1 primaryKey, 1 line): weft sql \"SELECT * "
      "FROM fleet.planes.planes_quarantine_v1\"");
  EXPECT_EQ(OutcomeOf(runner_->Get(run.id).value(), "seats.minimum"), "diverted 1");
  EXPECT_EQ(Aside("weft_source"),
            "data/planes.csv, data/planes.csv, data/planes.csv, data/planes.csv, data/planes.csv");
  EXPECT_EQ(Quarantine().snapshot->run_id, run.id);

  // Mode replace: what the run before has set aside is not there any more.
  Put("tail,seats\nN1,100\n", "{mode: replace}");
  run = Run(kPort);
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.message, "");
  EXPECT_EQ(Quarantine().snapshot->run_id, run.id);
  EXPECT_EQ(Aside(), "");
}

TEST_F(AsideTest, WhereNoRowBreaksTheContractThereIsNoSnapshotOfIt) {
  Put("tail,seats\nN1,100\n", "{mode: replace}");
  EXPECT_EQ(Run(kPort).status, "succeeded");
  EXPECT_FALSE(Quarantine().snapshot);
}

TEST_F(AsideTest, TooManyRefuseTheRunWithTheirRows) {
  Put("tail,seats\nN1,1\nN2,2\n", "{mode: replace}", "{max_rows: 1}");
  ASSERT_EQ(Run(kPort).status, "succeeded");
  Put("tail,seats\nN1,0\nN2,x\nN3,3\n", "{mode: replace}", "{max_rows: 1}");
  runs::Run run = runner_->Get(Run(kPort).id).value();
  EXPECT_EQ(run.status, "refused");
  EXPECT_EQ(run.message,
            "2 of 3 rows break the contract, and its quarantine takes at most 1 row: 1 seats.type, 1 seats.minimum");
  EXPECT_EQ(OutcomeOf(run, "seats.type"), "failed 1");
  const auto type = std::ranges::find(run.checks, "seats.type", &runs::CheckResult::id);
  ASSERT_NE(type, run.checks.end());
  EXPECT_EQ(type->sample[size_t{0}]["seats"].Text(), "x");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
  EXPECT_FALSE(Quarantine().snapshot);
  Put("tail,seats\nN1,0\nN2,2\nN3,3\nN4,4\n", "{mode: replace}", "{max_share: 20%}");
  EXPECT_EQ(Run(kPort).message,
            "1 of 4 rows break the contract, and its quarantine takes at most 20 %: 1 seats.minimum");
  Put("tail,seats\nN1,0\n", "{mode: replace}");
  EXPECT_EQ(Run(kPort).message, "1 of 1 rows break the contract, and no row would be left: 1 seats.minimum");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
}

TEST_F(AsideTest, OtherModesAddAndTakeTheSameRowOnce) {
  Put("tail,seats\nN1,1\nN2,x\nN3,0\n", "{mode: upsert}");
  ASSERT_EQ(Run(kPort).status, "succeeded");
  EXPECT_EQ(Aside(), "seats.type 3: N2|x, seats.minimum 4: N3|0");
  // Nothing of the port changes, and one row more is set aside.
  Put("tail,seats\nN1,1\nN2,x\nN4,-1\n", "{mode: upsert}");
  runs::Run run = Run(kPort);
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.rows, 0);
  EXPECT_EQ(Aside(), "seats.type 3: N2|x, seats.minimum 4: N3|0, seats.minimum 4: N4|-1");
  EXPECT_EQ(RowsOf(kPort), "N1|1");
}

TEST_F(AsideTest, RowsOfABuildWithSqlAreJudgedAsItGivesThem) {
  Put("tail,seats\nN1,1\nN2,half\nN3,3\n", "{sql: planes.sql}", "{}",
      "SELECT tail, CASE WHEN seats = 'half' THEN 'a half' ELSE seats END AS seats FROM list",
      "      - {name: tail, logicalType: string}\n      - {name: seats, logicalType: string}\n");
  runs::Run run = Run(kPort);
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf(kPort), "N1|1, N3|3");
  EXPECT_EQ(Aside("weft_check || ' ' || tail || ' ' || seats"), "seats.type N2 a half");
}

TEST_F(AsideTest, ARunThatIsGoneHoldsNeitherOfItsTables) {
  const model::PortKey quarantine = model::QuarantineKey(Key(kPort));
  const model::TableSchema schema{0, {{1, "a", "a", {}, false}}, 1};
  auto lost = lake_->Stage(quarantine, schema, "1.0.0", "run_lost", {});
  ASSERT_TRUE(lost) << lost.error().message;
  EXPECT_FALSE(lake_->Stage(quarantine, schema, "1.0.0", "run_next", {}));
  auto txn = store_->Begin().value();
  ASSERT_TRUE(lake::EndLease(*txn, Key(kPort), "run_lost"));
  ASSERT_TRUE(txn->Commit());
  txn.reset();
  EXPECT_TRUE(lake_->Stage(quarantine, schema, "1.0.0", "run_next", {}));
}

TEST_F(AsideTest, CorrectedRowsAreJudgedAndAdded) {
  Put("tail,seats\nN1,1\nN2,x\nN3,0\nN4,y\n", "{mode: append}");
  ASSERT_EQ(Run(kPort).status, "succeeded");
  const std::vector<std::string> ids = Split(ReplaceAll(Aside("weft_id"), ", ", ","), ',');
  ASSERT_EQ(ids.size(), 3u);
  // Without an id, of no row, and one twice: nothing changes.
  EXPECT_EQ(Fixed({}, "tail,seats\nN2,2\n").status, "failed");
  EXPECT_EQ(Fixed({}, "weft_id,tail,seats\nnone,N2,2\n").message,
            "the weft_id 'none' of 'fixed.csv' is of no row in the quarantine: nothing was changed");
  EXPECT_EQ(Fixed({}, fmt::format("weft_id,tail,seats\n{0},N2,2\n{0},N5,2\n", ids[0])).status, "failed");
  EXPECT_EQ(RowsOf(kPort), "N1|1");

  runs::Run run = Fixed({}, fmt::format("weft_id,tail,seats\n{},N2,2\n{},N1,3\n", ids[0], ids[1]));
  ASSERT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(run.cause, "fix");
  EXPECT_EQ(run.message, "1 row corrected; 1 row still in quarantine (1 primaryKey)");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
  EXPECT_EQ(Aside(), "primaryKey 4: N1|3, seats.type 5: N4|y");
  EXPECT_EQ(Aside("weft_id"), ids[1] + ", " + ids[2]);
  EXPECT_EQ(Run(kPort).status, "skipped") << "its inputs are what they were";

  EXPECT_EQ(Fixed({.port = {}, .ids = {"none"}, .why = "tests"}).status, "failed");
  EXPECT_EQ(Fixed({.port = {}, .ids = {ids[1]}, .why = "tests"}).message, "1 row given up: tests");
  EXPECT_EQ(Aside("weft_id"), ids[2]);
  EXPECT_EQ(Fixed({.port = {}, .all = true, .why = "tests"}).status, "succeeded");
  EXPECT_EQ(Aside("weft_id"), "");
  EXPECT_EQ(RowsOf(kPort), "N1|1, N2|2");
}

}  // namespace
}  // namespace weft::run
