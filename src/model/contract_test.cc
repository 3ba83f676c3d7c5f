#include "model/contract.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace weft::model {
namespace {

constexpr std::string_view kHead = "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: 1.0.0\n";

std::string Sample(const std::string& name) {
  return ReadFile(WEFT_SOURCE_DIR "/tests/descriptors/samples/" + name).value();
}

// The problems of a text, one line each.
std::vector<std::string> Faults(const std::string& text) {
  auto contract = Contract::Parse(text, "c.odcs.yaml");
  std::vector<std::string> faults;
  if (contract) return faults;
  EXPECT_EQ(contract.error().code, Code::kInvalid);
  for (const Problem& problem : contract.error().problems) faults.push_back(problem.Text());
  return faults;
}

TEST(ContractTest, ReadsEveryPartThatWeftUses) {
  auto contract = Contract::Parse(Sample("play-events.odcs.yaml"), "p.odcs.yaml");
  ASSERT_TRUE(contract) << contract.error().message;
  EXPECT_EQ(contract->id, "0c7a3b52-7f0e-4b62-8a55-3f5f7c9d2e10");
  EXPECT_EQ(contract->version, "2.1.0");
  EXPECT_EQ(contract->description,
            "Contract of the play_events table.\n\nAnalytics, recommendations, royalty reporting.");
  EXPECT_EQ(contract->custom["compatibility"].Text(), "BACKWARD");
  ASSERT_EQ(contract->schema.size(), 1u);
  const SchemaObject& object = contract->schema[0];
  EXPECT_EQ(object.granularity, "one row per event_id");
  EXPECT_EQ(object.PrimaryKey(), std::vector<std::string>{"event_id"});
  EXPECT_TRUE(object.Find("event_id")->unique);
  EXPECT_EQ(object.Find("event_id")->options["format"].Text(), "uuid");
  EXPECT_EQ(object.Find("viewer_id")->classification, "restricted");
  EXPECT_EQ(object.Find("viewer_id")->custom["maskingAction"].Text(), "sha-256-global");
  EXPECT_EQ(object.Find("title_id")->relationships.at(0).from, std::vector<std::string>{"title_id"});
  EXPECT_EQ(object.Find("title_id")->relationships.at(0).to, std::vector<std::string>{"titles.title_id"});
  EXPECT_EQ(object.Find("event_type")->enum_values.at(1).label, "The viewer left");
  EXPECT_EQ(object.Find("event_type")->quality.at(0).metric, "invalidValues");
  EXPECT_EQ(object.Find("event_type")->quality.at(0).place.path, "schema[0].properties[3].quality[0]");
  EXPECT_EQ(object.Find("event_date")->partition_position, 1);
  EXPECT_EQ(object.Find("device")->properties.at(1).name, "os");
  EXPECT_EQ(object.Find("labels")->map.size(), 2u);
  EXPECT_EQ(object.Find("labels")->map.at(0).name, "key");
  EXPECT_EQ(object.Find("scores")->items.at(0).logical_type, "number");
  EXPECT_EQ(object.Find("nothing"), nullptr);
  EXPECT_EQ(object.place.line, 14);
  ASSERT_EQ(object.quality.size(), 3u);
  EXPECT_EQ(object.quality[0].op, "mustBeGreaterThan");
  EXPECT_EQ(object.quality[0].bound, Json(0));
  EXPECT_FALSE(object.quality[0].IsWarning());
  EXPECT_EQ(object.quality[1].unit, "percent");
  EXPECT_TRUE(object.quality[1].IsWarning());
  EXPECT_EQ(object.quality[2].type, "text");
  EXPECT_EQ(contract->slas.at(1).value, Json(99.9));
  EXPECT_EQ(contract->document["servers"][size_t{0}]["catalog"].Text(), "mesh");
  EXPECT_EQ(contract->document["price"]["priceAmount"], Json(0.02));
  EXPECT_EQ(contract->bytes, Sample("play-events.odcs.yaml"));
}

TEST(ContractTest, EveryVersionIsRead) {
  for (const char* name : {"full-3.0.odcs.yaml", "full-3.1.odcs.yaml", "full-3.2.odcs.yaml"}) {
    EXPECT_EQ(Faults(Sample(name)), std::vector<std::string>()) << name;
  }
}

TEST(ContractTest, ShortNamesOfServiceLevels) {
  auto contract = Contract::Parse(
      std::string(kHead) +
          "slaProperties: [{property: LY, value: 1}, {property: timetorepair, value: 1}, {property: x, value: 1}]",
      "c");
  ASSERT_TRUE(contract);
  EXPECT_EQ(contract->slas[0].kind, "latency");
  EXPECT_EQ(contract->slas[1].kind, "timeToRepair");
  EXPECT_EQ(contract->slas[2].kind, "x");
}

TEST(ContractTest, AllProblemsAtOnceEachInItsPlace) {
  EXPECT_EQ(
      Faults("apiVersion: v3.2.0\n"
             "kind: DataContract\n"
             "id: c\n"
             "version: 1.0\n"
             "schema:\n"
             "  - nam: t\n"
             "    properties:\n"
             "      - {name: a, logicalType: text}\n"
             "      - {name: b, logicalType: string, logicalTypeOptions: {maxLenght: 3}}\n"
             "      - {name: c, required: 'true'}\n"
             "    quality:\n"
             "      - {metric: rowCount}\n"
             "      - {type: sql, query: x, mustBe: 1, mustBeLessThan: 2}\n"),
      (std::vector<std::string>{
          "c.odcs.yaml:4:10: version: is the number 1.0; a text belongs here: write \"1.0\", in quotes [odcs]",
          "c.odcs.yaml:6:5: schema[0].nam: 'nam' is not a key of an object of the schema; did you mean 'name'? [odcs]",
          "c.odcs.yaml:6:5: schema[0]: an object of the schema must have 'name' [odcs]",
          "c.odcs.yaml:8:32: schema[0].properties[0].logicalType: is 'text', which is not a value it can have; it must "
          "be one of string, date, timestamp, time, number, integer, object, array, boolean, map, vector [odcs]",
          "c.odcs.yaml:9:61: schema[0].properties[1].logicalTypeOptions.maxLenght: 'maxLenght' is not a key of the "
          "options of a string; did you mean 'maxLength'? [odcs]",
          "c.odcs.yaml:10:29: schema[0].properties[2].required: is 'true'; true or false belongs here [odcs]",
          "c.odcs.yaml:12:9: schema[0].quality[0]: a rule of this type needs one operator, such as 'mustBe' or "
          "'mustBeLessThan' [odcs]",
          "c.odcs.yaml:13:9: schema[0].quality[1]: has 'mustBe' and 'mustBeLessThan'; a rule has one operator: write "
          "two rules [odcs]"}));
}

TEST(ContractTest, KeysOfALaterVersionAreNamedAsSuch) {
  EXPECT_EQ(Faults("apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\n"
                   "customProperties: [{property: p, value: 1, vendor: weft}]\n"),
            std::vector<std::string>{"c.odcs.yaml:6:44: customProperties[0].vendor: 'vendor' belongs to v3.2.0 of the "
                                     "standard: raise apiVersion, or remove it [odcs]"});
}

TEST(ContractTest, HostileTextsAreProblems) {
  EXPECT_EQ(Faults("").size(), 1u);
  EXPECT_EQ(Faults("- a").size(), 1u);
  EXPECT_EQ(Faults("\"a\\nb\""), std::vector<std::string>{"c.odcs.yaml:1:1: is 'a b'; a map belongs here [odcs]"});
  EXPECT_EQ(Faults(std::string(1 << 20, '[')).size(), 1u);
  EXPECT_EQ(Faults(std::string(kHead) + std::string("name: \0", 7)).size(), 1u);
  EXPECT_EQ(Faults(std::string(kHead) + "name: \xc3\x28").size(), 1u);
  EXPECT_EQ(Faults(std::string(kHead) + std::string(1024, 'k') + ": 1").size(), 1u);
  std::string many = std::string(kHead) + "tags: [";
  for (int i = 0; i < 100000; ++i) many += "5,";
  EXPECT_EQ(Faults(many + "]").size(), 1000u);
  std::string custom = std::string(kHead) + "customProperties:\n";
  for (int i = 0; i < 50000; ++i) custom += "  - {property: p" + std::to_string(i) + ", value: 1}\n";
  auto contract = Contract::Parse(custom, "c");
  ASSERT_TRUE(contract);
  EXPECT_EQ(contract->custom.size(), 50000u);
}

}  // namespace
}  // namespace weft::model
