#include "model/exchange/exchange.h"

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "model/compat.h"
#include "model/exchange/dbt.h"
#include "model/exchange/part.h"
#include "model/exchange/text.h"

namespace weft::model::exchange {
namespace {

TEST(Part, TellsWhatNobodyTook) {
  const yaml::Node node = *yaml::Parse("a: {b: 1, c: [x, y], d: }\ne: {f: {g: 2}}\nh: []\n", "");
  Document document(node);
  const Part root = document.Root();
  EXPECT_EQ(root["a"]["b"].TakeText(), "1");
  EXPECT_EQ(root["a"]["c"][std::string_view("x")].TakeText(), "");
  root["a"]["c"].Items()[0].Take();
  const std::vector<Told> told = document.Finish();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].path, "a.c[1]");
  EXPECT_EQ(told[0].value, "'y'");
  EXPECT_EQ(told[1].path, "e");
  EXPECT_EQ(told[1].line, 2);
}

TEST(Part, ATextIsCutBetweenCharacters) {
  for (size_t before = 70; before < 90; ++before) {
    std::string text(before, 'a');
    for (int i = 0; i < 30; ++i) text += "ü";
    EXPECT_EQ(Json::Parse(Json(Shown(Json(text))).Dump())->Text(), Shown(Json(text)));
  }
}

TEST(YamlText, EveryValueReadsBackAsItWas) {
  Json::Array values;
  for (const char* text : {"",
                           "a",
                           "yes",
                           "No",
                           "null",
                           "~",
                           "1",
                           "1.0",
                           "0x1f",
                           "1.2.3",
                           "a: b",
                           "a #b",
                           "- a",
                           "*a",
                           "&a",
                           "!a",
                           "|",
                           ">",
                           "%a",
                           "@a",
                           "`a`",
                           "'a'",
                           "\"a\"",
                           " a",
                           "a ",
                           "two\nlines",
                           "two\nlines\n",
                           "two\n\n lines",
                           "\nfirst",
                           "last\n\n",
                           "tab\tin\nit",
                           "\x7f",
                           "ü\nß",
                           "{a}",
                           "[a]",
                           "a, b",
                           "true",
                           "2024-01-01",
                           "=",
                           "<<",
                           "---",
                           "...",
                           "?",
                           "a\r\nb",
                           "\xE2\x80\xA8\nx",
                           "-",
                           "- ",
                           ":",
                           "a:"}) {
    values.emplace_back(text);
  }
  for (const Json& value : {Json(), Json(true), Json(1), Json(1.5), Json(1e300), Json(-0.25)}) values.push_back(value);
  Json map = Json::Object();
  for (const Json& value : values) map.Set(value.is_text() ? value.Text() : value.Dump(), value);
  const Json document =
      Json::Map({{"list", values},
                 {"map", map},
                 {"nested", Json::Array{Json::Array{Json::Array{1}, Json::Object{}}, map, Json::Array{}}},
                 {"empty", Json::Object{}}});
  const auto read = yaml::Parse(YamlText(document), "");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->ToJson(), document);
}

TEST(Names, AreSlugsAndVersions) {
  std::set<std::string> taken;
  EXPECT_EQ(SlugOf("Order Lines", taken), "order-lines");
  EXPECT_EQ(SlugOf("order_lines", taken), "order-lines-2");
  EXPECT_EQ(SlugOf("1st", taken), "x-1st");
  EXPECT_EQ(SlugOf("orders_v2"), "orders-v2-x");
  EXPECT_EQ(SlugOf("main"), "main-x");
  EXPECT_EQ(SlugOf("--"), "unnamed");
  EXPECT_EQ(SemverOf("v2"), "2.0.0");
  EXPECT_EQ(SemverOf("1.5"), "1.5.0");
  EXPECT_EQ(SemverOf("next"), "");
}

TEST(Dbt, TypesOfWarehouses) {
  EXPECT_EQ(dbt::TypeKeys("DECIMAL(18,2)")["physicalType"].Text(), "decimal(18,2)");
  EXPECT_EQ(dbt::TypeKeys("DECIMAL(18,2)")["logicalType"].Text(), "number");
  EXPECT_EQ(dbt::TypeKeys("HUGEINT")["physicalType"].Text(), "decimal(38,0)");
  EXPECT_EQ(dbt::TypeKeys("INTEGER[]").Dump(),
            R"({"logicalType":"array","items":{"logicalType":"integer","physicalType":"integer"}})");
  EXPECT_EQ(dbt::TypeKeys("STRUCT(a INTEGER, \"b, c\" MAP(VARCHAR, DATE))").Dump(),
            dbt::TypeKeys("struct<a: integer, \"b, c\": map<varchar, date>>").Dump());
  EXPECT_EQ(dbt::TypeKeys("timestamp with time zone")["logicalType"].Text(), "timestamp");
  for (const char* unknown : {"", "GEOGRAPHY", "STRUCT(a)", "MAP(VARCHAR)", "(((", "interval"}) {
    EXPECT_TRUE(dbt::TypeKeys(unknown).is_null()) << unknown;
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "array<";
  EXPECT_TRUE(dbt::TypeKeys(deep + "int" + std::string(100000, '>')).is_null());
}

TEST(Dbt, RelationsAreNamesOfTheirOwn) {
  EXPECT_EQ(dbt::Renamed(R"(from "d"."s"."t" join "d"."s"."t2")", R"("d"."s"."t")", "x"),
            R"(from x join "d"."s"."t2")");
  EXPECT_EQ(dbt::Renamed("from d.s.t join d.s.t2, xd.s.t", "d.s.t", "x"), "from x join d.s.t2, xd.s.t");
  EXPECT_TRUE(dbt::HasWord("With Orders AS (", "orders as"));
  EXPECT_FALSE(dbt::HasWord("my_orders as (", "orders as"));
}

// A model whose own text calls something else by the name of what it reads, as guides of dbt's style advise.
TEST(Dbt, ImportedNamesDoNotReferToThemselves) {
  const Json nodes = *Json::Parse(R"({
    "model.p.stg": {"name": "stg", "alias": "stg", "relation_name": "d.stg", "compiled_code": "with raw as (select * from d.raw) select * from raw;",
                    "depends_on": {"nodes": ["seed.p.raw"]}},
    "model.p.out": {"name": "out", "alias": "out", "relation_name": "d.out", "compiled_code": "with stg as (select * from d.stg) select * from stg",
                    "depends_on": {"nodes": ["model.p.stg"]}},
    "seed.p.raw": {"name": "raw", "relation_name": "d.raw"}})");
  const Json none = Json::Object();
  const dbt::Graph graph(nodes, none);
  EXPECT_EQ(graph.InputsOf("model.p.out"), (std::set<std::string>{"seed.p.raw"}));
  EXPECT_EQ(*graph.SqlOf("model.p.out", {{"seed.p.raw", "raw"}}, {"a", "B"}),
            "WITH raw_input AS (\nSELECT * FROM raw\n),\nstg_model AS (  -- stg\nwith raw as (select * from raw_input) "
            "select * from raw\n),\nout_rows AS (  -- out\nwith stg as (select * from stg_model) select * from stg\n)\n"
            "SELECT a,\n       \"B\"\nFROM out_rows\n");
}

Bundle BundleOf(const std::string& text) {
  Bundle bundle;
  bundle.contracts.push_back(*Contract::Parse(text, "orders.odcs.yaml"));
  OutputPort port;
  port.name = "orders";
  port.version = "1.0.0";
  port.contract_id = bundle.contracts[0].id;
  bundle.product.outputs.push_back(port);
  return bundle;
}

constexpr const char* kContract = R"yaml(apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1, description: Its number.}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
      - name: kind
        logicalType: string
        enum: [{value: a}, {value: b}]
        customProperties: [{property: entity, vendor: weft, value: kind}]
      - name: parts
        logicalType: array
        items:
          logicalType: object
          properties: [{name: x, logicalType: number, physicalType: "decimal(9,2)"}]
    quality:
      - {type: sql, query: "SELECT count(*) FROM ${object}", mustBeGreaterThan: 0}
slaProperties:
  - {property: latency, value: 4, unit: h}
  - {property: throughput, value: 4}
)yaml";

// The comparison that judges new versions sees nothing but what was told to be lost.
TEST(Datacontract, BackIsNoNewVersion) {
  const Bundle bundle = BundleOf(kContract);
  const auto exported = Export("datacontract", bundle, &bundle.product.outputs[0]);
  ASSERT_TRUE(exported) << exported.error().message;
  ASSERT_EQ(exported->told.size(), 1U);
  EXPECT_EQ(exported->told[0].path, "slaProperties[1]");
  EXPECT_EQ(exported->told[0].line, 23);
  EXPECT_EQ(FormatOf(exported->text), "datacontract");
  const auto back = Import("datacontract", exported->text, "", {"sales", "shop", {}, "", nullptr});
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(back->told.empty());
  const auto contract = Contract::Parse(back->files.at("orders.odcs.yaml"), "");
  ASSERT_TRUE(contract) << contract.error().message;
  const std::vector<Difference> differences = Differences(bundle.contracts[0], *contract);
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].kind, "slo-removed");
}

TEST(Formats, AreToldByTheirText) {
  EXPECT_EQ(FormatOf("dataContractSpecification: 1.1.0\n"), "datacontract");
  EXPECT_EQ(FormatOf(R"({"metadata": {"dbt_schema_version": "x"}})"), "dbt");
  EXPECT_EQ(FormatOf("schema: https://opendataproducts.org/x\nversion: 4.1\nproduct:\n"), "odps-lf");
  EXPECT_EQ(FormatOf("kind: DataProduct\n"), "");
  EXPECT_EQ(Import("datacontracts", "", "", {}).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace weft::model::exchange
