#include "work/quality/quality.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/entity.h"

namespace weft::quality {
namespace {

using model::Contract;
using model::Property;
using model::QualityRule;
using model::Type;

const model::Entities kNoEntities;

// A contract made of values, the checks compiled from it, and an engine to run them over VALUES.
struct Bench {
  Contract contract;
  model::TableSchema schema;
  std::unique_ptr<engine::Instance> instance = engine::Instance::Open({}).TakeValue();
  std::unique_ptr<engine::Connection> connection = instance->Connect().TakeValue();

  Bench() {
    contract.file = "t.odcs.yaml";
    contract.schema.emplace_back();
    contract.schema[0].name = "t";
  }
  Property& Add(const std::string& name, Type type) {
    schema.fields.push_back({static_cast<int>(schema.fields.size()) + 1, name, name, std::move(type), false});
    Property property;
    property.name = name;
    property.place = {static_cast<int>(schema.fields.size()), 3, "schema[0].properties"};
    contract.schema[0].properties.push_back(std::move(property));
    return contract.schema[0].properties.back();
  }
  Property& Text(const std::string& name) { return Add(name, {Type::Kind::kString, 0, 0, {}}); }
  Property& Long(const std::string& name) { return Add(name, {Type::Kind::kLong, 0, 0, {}}); }
  Property& Double(const std::string& name) { return Add(name, {Type::Kind::kDouble, 0, 0, {}}); }

  Result<Verdict> Run(const std::string& rows, const std::string& parent = "") {
    auto checks = model::CompileChecks(contract, schema, kNoEntities);
    if (!checks) return checks.TakeError();
    std::string names;
    for (const auto& field : schema.fields) names += (names.empty() ? "" : ", ") + field.name;
    auto select = [&](const std::string& values) {
      std::string casts;
      for (const auto& field : schema.fields) {
        casts +=
            (casts.empty() ? "" : ", ") + ("CAST(" + field.name + " AS " + field.type.DuckDb() + ") AS " + field.name);
      }
      return "SELECT " + casts + " FROM (VALUES " + values + ") v(" + names + ")";
    };
    Subject subject;
    subject.staged = select(rows);
    subject.whole = parent.empty() ? subject.staged : select(parent) + " UNION ALL " + subject.staged;
    subject.target = [](const model::Check& check) -> Result<std::string> {
      if (check.target == "planes") return std::string("SELECT * FROM (VALUES ('N1'), ('N2')) p(tailnum)");
      return Error{Code::kNotFound, "there is no table '" + check.target + "'"};
    };
    return Evaluate(*connection, *checks, subject, contract.file);
  }
};

// "id=outcome:failing_rows" of what did not pass.
std::string Failures(const Result<Verdict>& verdict) {
  if (!verdict) return verdict.error().message;
  std::string text;
  for (const auto& result : verdict->results) {
    if (result.outcome == "passed") continue;
    text += (text.empty() ? "" : " ") + result.id + "=" + result.outcome + ":" + std::to_string(result.failing_rows);
  }
  return text;
}

QualityRule Library(const std::string& metric, const std::string& op, Json bound) {
  QualityRule rule;
  rule.metric = metric;
  rule.op = op;
  rule.bound = std::move(bound);
  return rule;
}

QualityRule Sql(const std::string& query, const std::string& op, Json bound) {
  QualityRule rule = Library("", op, std::move(bound));
  rule.type = "sql";
  rule.query = query;
  rule.id = "q";
  return rule;
}

TEST(Evaluate, OnlyRequiredMindsNulls) {
  Bench bench;
  Property& code = bench.Text("code");
  code.options = Json::Map({{"minLength", 2}, {"maxLength", 2}, {"pattern", "^[A-Z]+$"}});
  code.enum_values = {{Json("DE"), ""}, {Json("US"), ""}};
  EXPECT_EQ(Failures(bench.Run("(NULL), ('DE')")), "");
  EXPECT_EQ(Failures(bench.Run("('D'), ('ABC'), ('de'), ('US')")),
            "code.enum=failed:3 code.minLength=failed:1 code.maxLength=failed:1 code.pattern=failed:1");
  bench.contract.schema[0].properties[0].required = true;
  EXPECT_EQ(Failures(bench.Run("(NULL), ('DE')")), "code.required=failed:1");
}

TEST(Evaluate, PatternsSearchUnlessAnchored) {
  Bench bench;
  bench.Text("code").options = Json::Map({{"pattern", "[0-9]"}});
  EXPECT_EQ(Failures(bench.Run("('a1b'), ('ab')")), "code.pattern=failed:1");
}

TEST(Evaluate, Formats) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"uuid", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "7d444840"},
      {"email", "ana@weft.example", "ana@weft"},
      {"uri", "https://weft.example/x?y#z", "//weft.example"},
      {"hostname", "a-b.weft.example", "-a.example"},
      {"ipv4", "255.0.10.1", "256.0.10.1"},
      {"ipv6", "2001:db8::1", "2001:db8:::1"},
      {"date", "2024-02-29", "29.02.2024"},
      {"date-time", "2024-02-29T10:00:00Z", "2024-02-29"},
  };
  for (const auto& [format, good, bad] : cases) {
    Bench bench;
    bench.Text("x").options = Json::Map({{"format", format}});
    EXPECT_EQ(Failures(bench.Run(std::string("('") + good + "')")), "") << format;
    EXPECT_EQ(Failures(bench.Run(std::string("('") + bad + "')")), "x.format=failed:1") << format;
  }
}

TEST(Evaluate, RangesOfNumbersAndNaN) {
  Bench bench;
  bench.Double("x").options = Json::Map({{"minimum", 0}, {"exclusiveMaximum", 10.5}, {"multipleOf", 0.1}});
  EXPECT_EQ(Failures(bench.Run("(0), (0.3), (10.4), (NULL)")), "");
  EXPECT_EQ(Failures(bench.Run("(-0.1), (10.5), ('nan'::DOUBLE), (0.25)")),
            "x.minimum=failed:2 x.exclusiveMaximum=failed:2 x.multipleOf=failed:2");
}

TEST(Evaluate, RangesOfMoments) {
  Bench bench;
  bench.Add("d", {Type::Kind::kDate, 0, 0, {}}).options =
      Json::Map({{"minimum", "2013-01-01"}, {"maximum", "2013-12-31"}});
  bench.Add("ts", {Type::Kind::kTimestampTz, 0, 0, {}}).options =
      Json::Map({{"exclusiveMinimum", "2013-01-01T01:00:00+01:00"}});
  EXPECT_EQ(Failures(bench.Run("('2013-01-01', '2013-01-01 00:00:00.1+00'), ('2013-12-31', NULL)")), "");
  EXPECT_EQ(Failures(bench.Run("('2014-01-01', '2013-01-01 00:00:00+00'), ('2012-12-31', NULL)")),
            "d.minimum=failed:1 d.maximum=failed:1 ts.exclusiveMinimum=failed:1");
}

TEST(Evaluate, ListsAndWhatIsInside) {
  Bench bench;
  model::Field element;
  element.name = "element";
  Property& tags = bench.Add("tags", {Type::Kind::kList, 0, 0, {element}});
  tags.options = Json::Map({{"minItems", 1}, {"maxItems", 3}, {"uniqueItems", true}});
  tags.items.emplace_back();
  tags.items[0].options = Json::Map({{"maxLength", 2}});
  EXPECT_EQ(Failures(bench.Run("(['a', 'b']), (NULL), (['a', NULL, NULL])")), "");
  EXPECT_EQ(Failures(bench.Run("([]), (['a', 'a']), (['a', 'b', 'c', 'd']), (['long', NULL])")),
            "tags.minItems=failed:1 tags.maxItems=failed:1 tags.uniqueItems=failed:1 tags[].maxLength=failed:1");
}

TEST(Evaluate, FieldsOfAMissingObjectAreNotMissing) {
  Bench bench;
  model::Field kind;
  kind.name = "kind";
  Property& device = bench.Add("device", {Type::Kind::kStruct, 0, 0, {kind}});
  device.properties.emplace_back();
  device.properties[0].name = "kind";
  device.properties[0].required = true;
  EXPECT_EQ(Failures(bench.Run("({'kind': 'tv'}), (NULL)")), "");
  EXPECT_EQ(Failures(bench.Run("({'kind': NULL}), (NULL)")), "device.kind.required=failed:1");
}

TEST(Evaluate, PrimaryKeysSpanParentAndStaged) {
  Bench bench;
  bench.Long("a").primary_key = true;
  Property& b = bench.Text("b");
  b.primary_key = true;
  b.primary_key_position = 2;
  EXPECT_EQ(Failures(bench.Run("(1, 'x'), (1, 'y')", "(2, 'x')")), "");
  auto verdict = bench.Run("(1, 'x'), (2, 'x'), (2, 'x')", "(1, 'x')");
  EXPECT_EQ(Failures(verdict), "primaryKey=failed:4");
  EXPECT_EQ(*verdict->results.back().value, 2);
  EXPECT_EQ(verdict->results.back().sample.size(), 2u);
  EXPECT_EQ(Failures(bench.Run("(1, NULL), (1, NULL)")), "b.required=failed:2");
}

TEST(Evaluate, ForeignKeysPassNullsAndNameStrangers) {
  Bench bench;
  model::Relationship planes{"foreignKey", {}, {"planes.tailnum"}, {4, 5, ""}};
  bench.Text("tailnum").relationships = {planes};
  EXPECT_EQ(Failures(bench.Run("('N1'), (NULL)")), "");
  auto verdict = bench.Run("('N1'), ('N9'), ('N8')");
  EXPECT_EQ(Failures(verdict), "tailnum.foreignKey=failed:2");
  EXPECT_NE(verdict->results[0].sample.Dump().find("N9"), std::string::npos);
  bench.contract.schema[0].properties[0].relationships[0].to = {"boats.name"};
  EXPECT_EQ(Failures(bench.Run("('N1')")),
            "t.odcs.yaml:4:5: the check 'tailnum.foreignKey' cannot run: there is no table 'boats'");
}

TEST(Evaluate, ForeignKeyToItself) {
  Bench bench;
  bench.Long("id");
  model::Relationship own{"foreignKey", {}, {"t.id"}, {}};
  bench.Long("boss").relationships = {own};
  EXPECT_EQ(Failures(bench.Run("(2, 1), (1, NULL)")), "");
  EXPECT_EQ(Failures(bench.Run("(2, 3), (1, NULL)")), "boss.foreignKey=failed:1");
}

TEST(Evaluate, LibraryMetrics) {
  Bench bench;
  QualityRule missing = Library("missingValues", "mustBeLessOrEqualTo", 50);
  missing.unit = "percent";
  missing.arguments = Json::Map({{"missingValues", Json::Array{Json(), Json(""), Json("N/A")}}});
  QualityRule valid = Library("invalidValues", "mustBe", 0);
  valid.arguments = Json::Map({{"validValues", Json::Array{Json("a"), Json("N/A"), Json("")}}});
  valid.severity = "Warning";
  bench.Text("x").quality = {missing, valid, Library("nullValues", "mustBe", 1),
                             Library("duplicateValues", "mustBe", 0)};
  bench.contract.schema[0].quality = {Library("rowCount", "mustBeBetween", Json::Array{Json(2), Json(4)})};
  EXPECT_EQ(Failures(bench.Run("('a'), (NULL), ('N/A'), ('b')")), "x.invalidValues[1]=warned:1");
  auto verdict = bench.Run("('a'), (''), ('N/A'), ('N/A'), ('N/A')");
  EXPECT_EQ(
      Failures(verdict),
      "x.missingValues[0]=failed:4 x.nullValues[2]=failed:0 x.duplicateValues[3]=failed:3 t.rowCount[0]=failed:0");
  EXPECT_EQ(*verdict->results[0].value, 80);
  EXPECT_EQ(verdict->results[0].expected, "at most 50 %");
  EXPECT_EQ(verdict->summary,
            "4 of 5 checks failed: x.missingValues[0] (4 rows); x.nullValues[2] (0 rows); "
            "x.duplicateValues[3] (3 rows); …");
}

TEST(Evaluate, SqlRulesGiveOneNumber) {
  Bench bench;
  bench.Long("x");
  auto& rules = bench.contract.schema[0].quality;
  rules = {Sql("SELECT max(x) FROM ${object} WHERE x > 0;", "mustBeLessThan", 5)};
  EXPECT_EQ(Failures(bench.Run("(1), (4)", "(2)")), "");
  EXPECT_EQ(Failures(bench.Run("(1), (4)", "(7)")), "q=failed:0");
  auto verdict = bench.Run("(-1)");
  EXPECT_EQ(Failures(verdict), "q=failed:0");
  EXPECT_NE(verdict->summary.find("gave NULL"), std::string::npos);
  rules = {Sql("WITH a AS (SELECT * FROM t) SELECT count(*) FROM a", "mustBe", 1)};
  EXPECT_EQ(Failures(bench.Run("(1)")), "");
  rules = {Sql("SELECT x FROM {table}", "mustBe", 1)};
  EXPECT_NE(Failures(bench.Run("(1), (2)")).find("must give one number, and gave 2 rows"), std::string::npos);
  rules = {Sql("SELECT 'nan'::DOUBLE FROM t LIMIT 1", "mustNotBe", 1)};
  EXPECT_EQ(Failures(bench.Run("(1), (2)")), "q=failed:0");
}

TEST(Evaluate, WhatCannotRunIsAnErrorWithItsPlace) {
  Bench bench;
  bench.Long("x");
  auto& rules = bench.contract.schema[0].quality;
  for (const char* query :
       {"SELECT count(*) FROM other", "DELETE FROM t", "SELECT count(*) FROM read_csv('/etc/passwd')",
        "SELECT count(nope) FROM t", "SELECT 1); DROP TABLE t; SELECT (1"}) {
    rules = {Sql(query, "mustBe", 0)};
    rules[0].place = {7, 9, "schema[0].quality[0]"};
    auto verdict = bench.Run("(1)");
    ASSERT_FALSE(verdict) << query;
    EXPECT_EQ(verdict.error().code, Code::kInvalid) << query;
    EXPECT_TRUE(verdict.error().message.starts_with("t.odcs.yaml:7:9: the check 'q' cannot run: "))
        << verdict.error().message;
    EXPECT_EQ(verdict.error().problems.at(0).line, 7);
  }
}

TEST(Evaluate, TextRulesAreListed) {
  Bench bench;
  bench.Long("x");
  QualityRule rule;
  rule.type = "text";
  rule.id = "human";
  rule.description = "Releases are announced.";
  bench.contract.schema[0].quality = {rule};
  EXPECT_EQ(Failures(bench.Run("(1)")), "human=listed:0");
}

TEST(CompileChecks, WhatIsMisspeltIsSaid) {
  auto problem = [](QualityRule rule) {
    Bench bench;
    bench.Text("x").quality = {std::move(rule)};
    auto checks = model::CompileChecks(bench.contract, bench.schema, kNoEntities);
    return checks ? std::string("compiled") : checks.error().problems.at(0).message;
  };
  EXPECT_EQ(problem(Library("nullValue", "mustBe", 0)), "'nullValue' is no metric; did you mean 'nullValues'?");
  EXPECT_EQ(problem(Library("nullValues", "mustbe", 0)), "'mustbe' is no operator; did you mean 'mustBe'?");
  EXPECT_EQ(problem(Library("nullValues", "mustBeBetween", Json::Array{Json(3), Json(1)})),
            "mustBeBetween takes two numbers, the smaller first, not [3,1]");
  EXPECT_EQ(problem(Library("rowCount", "mustBe", 0)),
            "rowCount speaks of the table: move the rule to the schema object");
  QualityRule custom;
  custom.type = "custom";
  custom.engine = "soda";
  EXPECT_EQ(problem(custom), "the engine 'soda' of this custom rule is not known here; write it as type: sql");
  QualityRule look = Library("invalidValues", "mustBe", 0);
  look.arguments = Json::Map({{"pattern", "(?=a)b"}});
  EXPECT_NE(problem(look).find("look-around"), std::string::npos);
  for (const char* metric : {"nullValues", "missingValues"}) {
    QualityRule unit = Library(metric, "mustBeLessThan", 5);
    unit.unit = "procent";
    EXPECT_EQ(problem(unit), "'procent' is no unit: rows and percent (or %) are; did you mean 'percent'?");
  }
  auto with = [&](const std::string& metric, Json arguments) {
    QualityRule rule = Library(metric, "mustBe", 0);
    rule.arguments = std::move(arguments);
    return problem(rule);
  };
  const Json words(Json::Array{Json("N/A")});
  EXPECT_EQ(with("missingValues", Json::Map({{"missingValue", words}})),
            "'missingValue' is no argument of missingValues; did you mean 'missingValues'?");
  EXPECT_EQ(with("missingValues", Json::Map({{"missingValues", "N/A"}})), "missingValues takes a list, not \"N/A\"");
  EXPECT_EQ(with("nullValues", Json::Map({{"missingValues", words}})),
            "'missingValues' is no argument of nullValues, which takes none");
  EXPECT_EQ(with("duplicateValues", Json::Map({{"property", words}})),
            "'property' is no argument of duplicateValues, which takes none");
  EXPECT_EQ(with("invalidValues", Json::Map({{"minLength", "3"}})), "minLength takes a whole number from 0, not \"3\"");
  EXPECT_EQ(with("invalidValues", Json::Map({{"pattern", 5}})), "pattern takes a text, not 5");
  QualityRule old;
  old.document = Json::Map({{"rule", "missingCount"}, {"missingVaules", words}});
  EXPECT_EQ(problem(old), "'missingVaules' is no key of a rule; did you mean 'missingValues'?");
}

TEST(CompileChecks, UnitsAreReadAlikeByEveryMetric) {
  for (const char* unit : {"percent", "%", "Percentage"}) {
    Bench bench;
    QualityRule nulls = Library("nullValues", "mustBeLessThan", 30);
    nulls.unit = unit;
    QualityRule missing = Library("missingValues", "mustBeLessThan", 20);
    missing.unit = unit;
    bench.Text("x").quality = {nulls, missing};
    EXPECT_EQ(Failures(bench.Run("('a'), ('b'), ('b'), (NULL)")), "x.missingValues[1]=failed:1") << unit;
  }
}

TEST(CompileChecks, AFormatThatNearlyIsOneIsMisspelt) {
  auto problem = [](const char* format) {
    Bench bench;
    bench.Text("x").options = Json::Map({{"format", format}});
    auto checks = model::CompileChecks(bench.contract, bench.schema, kNoEntities);
    return checks ? std::to_string(checks->size()) : checks.error().problems.at(0).message;
  };
  EXPECT_EQ(problem("email"), "1");
  EXPECT_EQ(problem("emial"), "'emial' is no format that is checked; did you mean 'email'?");
  EXPECT_EQ(problem("password"), "0");
  EXPECT_EQ(problem("licence-plate"), "0");
}

TEST(CompileChecks, RequiredFieldsOfAnObject) {
  Bench bench;
  const Type text{Type::Kind::kString, 0, 0, {}};
  Property& place =
      bench.Add("place", {Type::Kind::kStruct, 0, 0, {{1, "a", "a", text, false}, {2, "b", "b", text, false}}});
  place.options = Json::Map({{"required", Json::Array{Json("b")}}});
  EXPECT_EQ(Failures(bench.Run("({'a': 'x', 'b': NULL}), (NULL), ({'a': NULL, 'b': 'y'})")),
            "place.b.required=failed:1");
  place.options = Json::Map({{"required", Json::Array{Json("c")}}});
  EXPECT_NE(Failures(bench.Run("(NULL)")).find("1 check cannot run"), std::string::npos);
}

TEST(CompileChecks, ReadsTheRulesOfOlderContracts) {
  Bench bench;
  QualityRule valid;
  valid.document = Json::Map({{"rule", "validValues"}, {"validValues", Json::Array{Json("a")}}});
  QualityRule duplicates;
  duplicates.document = Json::Map({{"rule", "duplicateCount"}});
  duplicates.op = "mustBeLessThan";
  duplicates.bound = 1;
  bench.Text("x").quality = {valid, duplicates};
  EXPECT_EQ(Failures(bench.Run("('a'), ('b'), ('b')")), "x.invalidValues[0]=failed:2 x.duplicateValues[1]=failed:2");
}

TEST(Meets, NaNMeetsNothing) {
  EXPECT_FALSE(model::Meets("mustNotBe", 0, std::nan("")));
  EXPECT_FALSE(model::Meets("mustNotBeBetween", Json::Array{Json(0), Json(1)}, std::nan("")));
  EXPECT_TRUE(model::Meets("mustBeBetween", Json::Array{Json(0), Json(1)}, 1));
  EXPECT_FALSE(model::Meets("mustBe", "0", 0));
}

}  // namespace
}  // namespace weft::quality
