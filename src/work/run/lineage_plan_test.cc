#include "work/run/lineage_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "drivers/engine/engine.h"

namespace weft::run {
namespace {

// The edges of a query over flights(id, plane, delay, day) and planes(tail, seats, maker), one per line and sorted:
// "d(elay) <- flights.delay" with a leading letter for how.
std::string Lineage(const std::string& sql, const std::vector<std::string>& columns) {
  auto instance = engine::Instance::Open({}).TakeValue();
  auto connection = instance->Connect().TakeValue();
  Status made = connection->Execute(
      "CREATE TABLE flights(id BIGINT, plane VARCHAR, delay DOUBLE, day DATE);"
      "CREATE TABLE planes(tail VARCHAR, seats INTEGER, maker VARCHAR)");
  if (!made) return made.error().message;
  auto rows = connection->Query("SELECT json_serialize_plan($1::VARCHAR, optimize := false)", {sql});
  if (!rows) return rows.error().message;
  auto edges =
      LineageOf(Json::Parse(rows->text(0, 0)).TakeValue(), columns, {{"flights", "Flights"}, {"planes", "Planes"}});
  if (!edges) return "error: " + edges.error().message;
  std::vector<std::string> lines;
  for (const auto& edge : *edges)
    lines.push_back(edge.column + "<-" + edge.input + "." + edge.input_column + ":" + edge.how[0]);
  std::sort(lines.begin(), lines.end());
  return Join(lines, " ");
}

TEST(LineageOf, PassesCastsAndComputes) {
  EXPECT_EQ(Lineage("SELECT CAST(id AS VARCHAR) AS a, delay + 1 AS b, 5 AS c FROM flights", {"a", "b", "c"}),
            "a<-Flights.id:d b<-Flights.delay:c");
}

TEST(LineageOf, JoinsAndFilters) {
  EXPECT_EQ(Lineage("SELECT f.id, p.maker FROM flights f LEFT JOIN planes p ON f.plane = p.tail WHERE f.delay > 0",
                    {"id", "maker"}),
            "*<-Flights.delay:f *<-Flights.plane:f *<-Planes.tail:f id<-Flights.id:d maker<-Planes.maker:d");
  EXPECT_EQ(Lineage("SELECT f.id, p.seats FROM flights f JOIN planes p ON f.delay > p.seats AND f.plane <> p.tail",
                    {"id", "seats"}),
            "*<-Flights.delay:f *<-Flights.plane:f *<-Planes.seats:f *<-Planes.tail:f id<-Flights.id:d "
            "seats<-Planes.seats:d");
  EXPECT_EQ(Lineage("SELECT id FROM flights SEMI JOIN planes ON plane = tail", {"id"}),
            "*<-Flights.plane:f *<-Planes.tail:f id<-Flights.id:d");
}

TEST(LineageOf, AggregatesAndWindows) {
  EXPECT_EQ(Lineage("SELECT plane, sum(delay) AS s, count(*) AS n FROM flights GROUP BY plane HAVING max(id) > 1",
                    {"plane", "s", "n"}),
            "*<-Flights.id:f plane<-Flights.plane:d s<-Flights.delay:c");
  EXPECT_EQ(Lineage("SELECT id, row_number() OVER (PARTITION BY plane ORDER BY day) AS n FROM flights", {"id", "n"}),
            "id<-Flights.id:d n<-Flights.day:c n<-Flights.plane:c");
}

TEST(LineageOf, CtesUnionsAndRecursion) {
  EXPECT_EQ(Lineage("WITH a AS (SELECT plane AS x FROM flights), b AS (SELECT x || '!' AS y FROM a) "
                    "SELECT y FROM b UNION ALL SELECT tail FROM planes",
                    {"y"}),
            "y<-Flights.plane:c y<-Planes.tail:d");
  EXPECT_EQ(
      Lineage("WITH RECURSIVE r(a, b) AS (SELECT plane, 0 FROM flights UNION ALL "
              "SELECT p.maker, b + p.seats FROM r JOIN planes p ON p.tail = r.a) SELECT a, b FROM r",
              {"a", "b"}),
      "*<-Flights.plane:f *<-Planes.maker:f *<-Planes.tail:f a<-Flights.plane:d a<-Planes.maker:d b<-Planes.seats:c");
}

TEST(LineageOf, Subqueries) {
  EXPECT_EQ(Lineage("SELECT id, (SELECT max(seats) FROM planes) AS m FROM flights", {"id", "m"}),
            "id<-Flights.id:d m<-Planes.seats:c");
  EXPECT_EQ(Lineage("SELECT id, (SELECT max(maker) FROM planes WHERE tail = f.plane) AS m FROM flights f", {"id", "m"})
                .find("error"),
            std::string::npos);
  const std::string correlated =
      Lineage("SELECT id, (SELECT max(maker) FROM planes WHERE tail = f.plane) AS m FROM flights f", {"id", "m"});
  EXPECT_NE(correlated.find("m<-Planes.maker:c"), std::string::npos) << correlated;
  EXPECT_NE(correlated.find("*<-Planes.tail:f"), std::string::npos) << correlated;
  EXPECT_EQ(correlated.find("m<-Flights"), std::string::npos) << correlated;
  const std::string in =
      Lineage("SELECT id FROM flights WHERE plane IN (SELECT tail FROM planes WHERE seats > 9)", {"id"});
  EXPECT_EQ(in, "*<-Flights.plane:f *<-Planes.seats:f *<-Planes.tail:f id<-Flights.id:d");
  const std::string exists =
      Lineage("SELECT id FROM flights f WHERE EXISTS (SELECT 1 FROM planes p WHERE p.tail = f.plane)", {"id"});
  EXPECT_NE(exists.find("*<-Planes.tail:f"), std::string::npos) << exists;
}

TEST(LineageOf, StructsListsAndTableFunctions) {
  EXPECT_EQ(Lineage("SELECT {'a': id, 'b': plane} AS s FROM flights", {"s"}), "s<-Flights.id:c s<-Flights.plane:c");
  EXPECT_EQ(Lineage("SELECT unnest([id, id + 1]) AS u, day FROM flights", {"u", "day"}),
            "day<-Flights.day:d u<-Flights.id:c");
  EXPECT_EQ(Lineage("SELECT list_transform([delay], lambda x: x + seats) AS l FROM flights, planes", {"l"}),
            "l<-Flights.delay:c l<-Planes.seats:c");
  EXPECT_EQ(Lineage("SELECT r.range AS n, id FROM range(3) r, flights", {"n", "id"}), "id<-Flights.id:d");
  EXPECT_EQ(Lineage("SELECT * FROM (VALUES (1, 'a')) v(x, y)", {"x", "y"}), "");
  EXPECT_EQ(Lineage("SELECT DISTINCT plane FROM flights ORDER BY plane LIMIT 3", {"plane"}), "plane<-Flights.plane:d");
}

TEST(LineageOf, WhatIsNotKnownIsSaid) {
  EXPECT_EQ(Lineage("SELECT nope FROM flights", {"x"}).substr(0, 32), "error: the plan cannot be told: ");
  auto odd = Json::Parse(R"({"error": false, "plans": [{"type": "LOGICAL_MAGIC"}]})").TakeValue();
  EXPECT_EQ(LineageOf(odd, {"x"}, {}).error().code, Code::kUnsupported);
  EXPECT_EQ(CoarseLineage({"x"}, {{"a", {"b", "c"}}}).size(), 2u);
}

}  // namespace
}  // namespace weft::run
