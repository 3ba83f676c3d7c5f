#include "model/compat.h"

#include <gtest/gtest.h>

namespace weft::model {
namespace {

Contract Read(std::string_view properties, std::string_view version = "1.0.0") {
  std::string text = "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: " + std::string(version) +
                     "\nschema:\n  - name: t\n    properties:\n" + std::string(properties);
  auto contract = Contract::Parse(text, "c.odcs.yaml");
  EXPECT_TRUE(contract) << (contract ? "" : contract.error().message);
  return contract ? contract.TakeValue() : Contract();
}

constexpr std::string_view kBefore =
    "      - {id: k, name: key, logicalType: integer, primaryKey: true, required: true}\n"
    "      - {name: day, logicalType: date}\n"
    "      - {name: amount, logicalType: number, physicalType: \"decimal(9,2)\"}\n"
    "      - {name: device, logicalType: object, properties: [{name: os, logicalType: string}]}\n";

std::vector<std::string> Breaks(std::string_view after) {
  std::vector<std::string> breaks;
  for (const Problem& problem : BreakingChanges(Read(kBefore), Read(after, "1.1.0"))) {
    EXPECT_EQ(problem.rule, "weft.breaking");
    EXPECT_EQ(problem.file, "c.odcs.yaml");
    breaks.push_back(std::to_string(problem.line) + " " + problem.path + " " +
                     problem.message.substr(0, problem.message.find(": that")));
  }
  return breaks;
}

TEST(CompatTest, WhatReadersNeverSeeIsCompatible) {
  EXPECT_EQ(Breaks(kBefore), std::vector<std::string>());
  EXPECT_EQ(
      Breaks("      - {name: more, logicalType: string, description: new}\n"
             "      - {name: device, logicalType: object, properties: [{name: os, logicalType: string}, {name: v}]}\n"
             "      - {name: amount, logicalType: number, physicalType: \"DECIMAL(9,2)\", unique: true}\n"
             "      - {name: day, logicalType: date, description: other}\n"
             "      - {id: k, name: key, logicalType: integer, primaryKey: true}\n"),
      std::vector<std::string>());
}

TEST(CompatTest, RemovedRetypedAndRequired) {
  EXPECT_EQ(
      Breaks("      - {id: k, name: key, logicalType: integer, primaryKey: true}\n"
             "      - {name: day, logicalType: date, required: true}\n"
             "      - {name: amount, logicalType: number, physicalType: double}\n"
             "      - {name: other, required: true}\n"),
      (std::vector<std::string>{
          "9 schema[0].properties[1] the column 'day' is newly required (line 9 of version 1.0.0)",
          "10 schema[0].properties[2] the column 'amount' was number (decimal(9,2)) and is number (double) (line 10 of "
          "version 1.0.0)",
          "6 schema[0] the column 'device' is removed (line 11 of version 1.0.0)",
          "11 schema[0].properties[3] the new column 'other' is required (line 6 of version 1.0.0)"}));
}

TEST(CompatTest, ColumnsFollowTheirIdAndNestedOnesTheirParent) {
  EXPECT_EQ(Breaks("      - {id: k, name: number, logicalType: integer, primaryKey: true}\n"
                   "      - {name: day, logicalType: date}\n"
                   "      - {name: amount, logicalType: number, physicalType: \"decimal(9,2)\"}\n"
                   "      - {name: device, logicalType: object, properties: [{name: os, logicalType: integer}]}\n"),
            (std::vector<std::string>{
                "8 schema[0].properties[0] the column 'key' is renamed to 'number' (line 8 of version 1.0.0)",
                "11 schema[0].properties[3].properties[0] the column 'device.os' was string and is integer (line 11 of "
                "version 1.0.0)",
                "6 schema[0] the primary key was key and is number (line 6 of version 1.0.0)"}));
}

}  // namespace
}  // namespace weft::model
