// Sources of which a run reads only what is new.
#include "work/run/testing.h"

namespace weft::run {
namespace {

constexpr const char* kPort = "fleet/spots/spots@1";

class IncrementalTest : public RunnerTest {
 protected:
  std::string In(const std::string& name) const { return (folder_ / "roots" / name).string(); }
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(WriteFileAtomically(In(name), text)); }
  void Spots(const std::string& build = "{mode: append}", const std::string& more = "", const std::string& key = "") {
    Product("fleet", "spots", {{"list", "{kind: file, path: " + In("*.csv") + ", read: new" + more + "}"}},
            {{"spots",
              "      - {name: id, logicalType: integer, required: true" + key +
                  "}\n      - {name: tail, logicalType: string}\n",
              build, ""}},
            {}, "      - {name: id, logicalType: integer}\n      - {name: tail, logicalType: string}\n");
  }
  runs::Run RunWhole() {
    Request request;
    request.ports = {Key(kPort)};
    request.whole = true;
    auto submitted = runner_->Submit(caller_, request);
    EXPECT_TRUE(submitted);
    return Wait(submitted->at(0).id);
  }
};

TEST_F(IncrementalTest, FilesAreReadOnceMovedOrLate) {
  Spots();
  runs::Run run = Run(kPort);
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("none has been read before"), std::string::npos) << run.message;
  Put("2.csv", "id,tail\n1,A\n");
  run = Run(kPort);
  EXPECT_EQ(run.status + ": " + run.message, "succeeded: 1 new file, 0 seen before");
  EXPECT_EQ(Run(kPort).status, "skipped");
  fs::rename(In("2.csv"), In("3.csv"));
  EXPECT_EQ(Run(kPort).status, "skipped");
  Put("1.csv", "id,tail\n2,B\n");  // Its name sorts before.
  Put("4.csv", "id,tail\n2,C\n");
  run = Run(kPort);
  EXPECT_EQ(run.message, "2 new files, 1 seen before");
  EXPECT_EQ(run.rows, 2);
  fs::remove(In("3.csv"));
  EXPECT_EQ(Run(kPort).status, "skipped");
  EXPECT_EQ(RowsOf(kPort), "1|A, 2|B, 2|C");
}

TEST_F(IncrementalTest, ARunThatFailsOrIsTakenBackHasReadNothing) {
  Spots("{mode: append}", "", ", primaryKey: true");
  Put("1.csv", "id,tail\n1,A\n");
  EXPECT_EQ(Run(kPort).status, "succeeded");
  Put("2.csv", "id,tail\n2,B\n");
  Put("3.csv", "id,tail,more\n3,C,x\n");
  runs::Run run = Run(kPort);
  EXPECT_EQ(run.status, "failed");  // One drifted file keeps the whole batch out.
  EXPECT_NE(run.message.find("roots/3.csv' has more, which the contract does not know"), std::string::npos)
      << run.message;
  EXPECT_EQ(RowsOf(kPort), "1|A");
  Put("3.csv", "id,tail\n3,C\n");
  run = Run(kPort);
  EXPECT_EQ(run.message, "2 new files, 1 seen before");
  auto rollback = runner_->Rollback(caller_, Key(kPort), {}, "");
  ASSERT_TRUE(rollback) << rollback.error().message;
  EXPECT_EQ(Wait(rollback->id).status, "succeeded");
  EXPECT_EQ(RowsOf(kPort), "1|A");
  EXPECT_EQ(Run(kPort).status, "refused");  // It would do again what was taken back.
  run = Run(kPort, true);
  EXPECT_EQ(run.message, "2 new files, 1 seen before");
  EXPECT_EQ(RowsOf(kPort), "1|A, 2|B, 3|C");
}

TEST_F(IncrementalTest, AFileThatChangedIsRefusedOrReadAgain) {
  Spots("{mode: upsert}", "", ", primaryKey: true");
  Put("1.csv", "id,tail\n1,A\n");
  EXPECT_EQ(Run(kPort).status, "succeeded");
  Put("1.csv", "id,tail\n1,B\n2,C\n");
  runs::Run run = Run(kPort);
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("is not what it was when a run read it"), std::string::npos) << run.message;
  run = RunWhole();
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf(kPort), "1|B, 2|C");
  Put("1.csv", "id,tail\n1,D\n");
  Spots("{mode: upsert}", ", changed: read", ", primaryKey: true");
  run = Run(kPort);
  EXPECT_EQ(run.status, "succeeded") << run.message;
  EXPECT_EQ(RowsOf(kPort), "1|D, 2|C");
  // What is there already makes no snapshot, and counts as read.
  Put("2.csv", "id,tail\n2,C\n");
  run = Run(kPort);
  EXPECT_EQ(run.message, "1 new file, 1 seen before; nothing changed: the table has these rows already");
  EXPECT_EQ(Run(kPort).status, "skipped");
}

TEST_F(IncrementalTest, AnotherInputThatChangesFindsNothingNew) {
  Planes("tail,seats\nA,1\n");
  GrantPlanes("product:fleet/spots");
  Product("fleet", "spots",
          {{"list", "{kind: file, path: " + In("*.csv") + ", read: new}"},
           {"planes", "{kind: product, address: fleet/planes/planes@1}"}},
          {{"spots", "      - {name: id, logicalType: integer}\n      - {name: seats, logicalType: integer}\n",
            "{mode: append, sql: spots.sql}", "SELECT list.id::INT AS id, seats FROM list JOIN planes USING (tail)"}});
  Put("1.csv", "id,tail\n1,A\n");
  EXPECT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
  EXPECT_EQ(Run(kPort).status, "succeeded");
  Planes("tail,seats\nA,2\n");
  EXPECT_EQ(Run("fleet/planes/planes@1").status, "succeeded");
  const runs::Run run = Run(kPort);
  EXPECT_EQ(run.status + ": " + run.message,
            "succeeded: list: 0 new files, 1 seen before; nothing to add: the table has these rows already");
  EXPECT_EQ(RowsOf(kPort), "1|1");
}

TEST_F(IncrementalTest, AllAgainIsRefusedWhereRowsWouldBeThereTwice) {
  Spots();
  Put("1.csv", "id,tail\n1,A\n");
  EXPECT_EQ(Run(kPort).status, "succeeded");
  const runs::Run run = RunWhole();
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("its rows would be there twice"), std::string::npos) << run.message;
}

TEST_F(IncrementalTest, ABuildThatReplacesIsRefused) {
  Put("1.csv", "id,tail\n1,A\n");
  Spots("{mode: replace}");
  const runs::Run run = Run(kPort);
  EXPECT_EQ(run.status, "failed");
  EXPECT_NE(run.message.find("with mode replace nothing else would stay"), std::string::npos) << run.message;
}

}  // namespace
}  // namespace weft::run
