#include "model/compat.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"

namespace weft::model {
namespace {

Contract Read(std::string_view properties, std::string_view version = "1.0.0") {
  std::string text = "apiVersion: v3.2.0\nkind: DataContract\nid: c\nversion: " + std::string(version) +
                     "\nstatus: active\nschema:\n  - name: t\n    properties:\n" + std::string(properties);
  auto contract = Contract::Parse(text, "c.odcs.yaml");
  EXPECT_TRUE(contract) << (contract ? "" : contract.error().message);
  return contract ? contract.TakeValue() : Contract();
}

constexpr std::string_view kBefore =
    "      - {id: k, name: key, logicalType: integer, primaryKey: true, required: true}\n"
    "      - {name: day, logicalType: date}\n"
    "      - {name: amount, logicalType: number, physicalType: \"decimal(9,2)\"}\n"
    "      - {name: device, logicalType: object, properties: [{name: os, logicalType: string}]}\n";

// "breaking column-removed 7<11 device: the column 'device' is removed"
std::vector<std::string> Told(std::string_view after) {
  std::vector<std::string> told;
  for (const Difference& each : Differences(Read(kBefore), Read(after, "1.1.0"))) {
    told.push_back(std::string(ImpactName(each.impact)) + " " + std::string(each.kind) + " " +
                   std::to_string(each.now.line) + "<" + std::to_string(each.was.line) + " " + each.column + ": " +
                   each.what);
  }
  return told;
}

TEST(CompatTest, WhatReadersNeverSeeIsCompatible) {
  EXPECT_EQ(Told(kBefore), std::vector<std::string>());
  EXPECT_EQ(
      Told("      - {name: more, logicalType: string, description: new}\n"
           "      - {name: device, logicalType: object, properties: [{name: os, logicalType: string}, {name: v}]}\n"
           "      - {name: amount, logicalType: number, physicalType: \"DECIMAL(9,2)\", unique: true}\n"
           "      - {name: day, logicalType: date, description: other}\n"
           "      - {id: k, name: key, logicalType: integer, primaryKey: true}\n"),
      (std::vector<std::string>{"compatible words-changed 12<10 day: what is said about 'day' is another",
                                "compatible unique-added 11<11 amount: the column 'amount' is newly unique",
                                "compatible column-added 10<12 device: the column 'device.v' is new",
                                "compatible column-added 9<7 more: the column 'more' is new"}));
}

TEST(CompatTest, RemovedRetypedAndRequired) {
  EXPECT_EQ(
      Told("      - {id: k, name: key, logicalType: integer, primaryKey: true}\n"
           "      - {name: day, logicalType: date, required: true}\n"
           "      - {name: amount, logicalType: number, physicalType: double}\n"
           "      - {name: other, required: true}\n"),
      (std::vector<std::string>{
          "breaking column-required 10<10 day: the column 'day' is newly required",
          "breaking column-retyped 11<11 amount: the column 'amount' was number (decimal(9,2)) and is number (double)",
          "breaking column-removed 7<12 device: the column 'device' is removed",
          "breaking column-required 12<7 other: the new column 'other' is required"}));
}

TEST(CompatTest, ColumnsFollowTheirIdAndNestedOnesTheirParent) {
  EXPECT_EQ(Told("      - {id: k, name: number, logicalType: integer, primaryKey: true}\n"
                 "      - {name: day, logicalType: date}\n"
                 "      - {name: amount, logicalType: number, physicalType: \"decimal(12,2)\"}\n"
                 "      - {name: device, logicalType: object, properties: [{name: os, logicalType: integer}]}\n"),
            (std::vector<std::string>{
                "breaking column-renamed 9<9 key: the column 'key' is renamed to 'number'",
                "risky column-widened 11<11 amount: the column 'amount' was number (decimal(9,2)) and is number "
                "(decimal(12,2))",
                "breaking column-retyped 12<12 device: the column 'device.os' was string and is integer"}));
}

TEST(CompatTest, TheStepIsThatOfTheWorst) {
  auto step = [](std::string_view after) { return StepOf(Differences(Read(kBefore), Read(after))); };
  EXPECT_EQ(step(kBefore), Step::kPatch);
  EXPECT_EQ(step(std::string(kBefore) + "      - {name: more, logicalType: string}\n"), Step::kMinor);
  EXPECT_EQ(step("      - {id: k, name: key, logicalType: integer, primaryKey: true}\n"), Step::kMajor);
}

size_t Occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// "breaking column-removed weight", sorted.
std::vector<std::string> Short(const Contract& older, const Contract& newer) {
  std::vector<std::string> told;
  for (const Difference& each : Differences(older, newer)) {
    told.push_back(std::string(ImpactName(each.impact)) + " " + std::string(each.kind) +
                   (each.column.empty() ? "" : " " + each.column));
    EXPECT_GT(each.now.line, 0) << each.what;
    EXPECT_GT(each.was.line, 0) << each.what;
  }
  std::ranges::sort(told);
  return told;
}

std::vector<std::string> Sorted(const yaml::Node& list) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < list.size(); ++i) texts.push_back(list[i].scalar);
  std::ranges::sort(texts);
  return texts;
}

TEST(CompatTest, EachPairOfTheCorpus) {
  const std::string file = WEFT_SOURCE_DIR "/tests/compat/pairs.yaml";
  const yaml::Node corpus = yaml::Parse(ReadFile(file).value(), file).value();
  const std::string base = corpus["base"].scalar;
  const Contract older = Contract::Parse(base, "older").value();
  int pairs = 0;
  for (size_t i = 0; i < corpus["cases"].size(); ++i) {
    const yaml::Node& each = corpus["cases"][i];
    SCOPED_TRACE(each["name"].scalar);
    const std::string& from = each["from"].scalar;
    ASSERT_EQ(Occurrences(base, from), 1u) << from;
    auto newer = Contract::Parse(ReplaceAll(base, from, each["to"].scalar), "newer");
    ASSERT_TRUE(newer) << newer.error().message << newer.error().problems[0].message;
    EXPECT_EQ(Short(older, *newer), Sorted(each["expect"]));
    ++pairs;
    if (each["swap"].kind == yaml::Node::Kind::kMissing) continue;
    EXPECT_EQ(Short(*newer, older), Sorted(each["swap"])) << "the other way round";
    ++pairs;
  }
  EXPECT_GE(pairs, 200);
}

TEST(CompatTest, TheDocumentationHasTheTable) {
  const std::string page = ReadFile(WEFT_SOURCE_DIR "/docs/compatibility.md").value();
  EXPECT_NE(page.find(DifferenceTable()), std::string::npos) << DifferenceTable();
}

}  // namespace
}  // namespace weft::model
