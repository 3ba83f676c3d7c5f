#include "work/run/testing.h"

namespace weft::run {
namespace {

using ForeignTest = RunnerTest;

TEST_F(ForeignTest, KeysFindInputsSiblingsAndOtherProducts) {
  const std::string flights =
      "      - {name: id, logicalType: integer}\n      - {name: tail, logicalType: string, relationships: [{to: "
      "'TARGET'}]}\n";
  auto run = [&](const std::string& target) {
    Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}, {"trips", "{kind: file, path: trips.csv}"}},
            {{"planes", kPlanes, "{sql: planes.sql}", "SELECT * FROM list"},
             {"flights", ReplaceAll(flights, "TARGET", target), "{sql: flights.sql}", "SELECT id, tail FROM trips"}},
            {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"},
             {"domains/fleet/planes/trips.csv", "id,tail\n1,N1\n2,N9\n"}});
    EXPECT_EQ(Run("fleet/planes/planes@1", true).status, "succeeded");
    return Run("fleet/planes/flights@1");
  };
  for (const char* target : {"list.tail", "planes.tail", "fleet.planes.planes.tail"}) {
    runs::Run result = run(target);
    EXPECT_EQ(result.status, "refused") << target;
    EXPECT_EQ(result.message, "tail.foreignKey failed") << target;
  }
  EXPECT_NE(run("boats.tail").message.find("'boats' is no input port"), std::string::npos);
}

TEST_F(ForeignTest, WhatAKeyPointsAtRunsFirst) {
  Product("fleet", "planes", {{"list", "{kind: file, path: planes.csv}"}},
          {{"old", "      - {name: tail, logicalType: string, relationships: [{to: planes.tail}]}\n", "{sql: old.sql}",
            "SELECT tail FROM list"},
           {"planes", kPlanes, "{sql: planes.sql}", "SELECT * FROM list"}},
          {{"domains/fleet/planes/planes.csv", "tail,seats\nN1,1\n"}});
  EXPECT_EQ(Run("fleet/planes/old@1").message, "tail.foreignKey failed") << "nothing is there yet to point at";
  const std::vector<runs::Run> all = runner_->Submit(caller_, {}).value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].port.port, "planes");
  EXPECT_EQ(Wait(all[1].id).status, "succeeded");
}

}  // namespace
}  // namespace weft::run
