#include "model/schema.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"

namespace weft::model {
namespace {

Property Column(std::string name, std::string logical, std::string physical = "", Json options = {}) {
  Property property;
  property.name = std::move(name);
  property.logical_type = std::move(logical);
  property.physical_type = std::move(physical);
  property.options = std::move(options);
  return property;
}

std::string Shown(const Property& property) {
  auto type = TypeOf(property);
  if (!type) return "! " + type.error().message;
  const Json iceberg = type->Iceberg();
  return type->DuckDb() + " / " + (iceberg.is_text() ? iceberg.Text() : iceberg.Dump());
}
std::string Shown(std::string logical, std::string physical = "", Json options = {}) {
  return Shown(Column("c", std::move(logical), std::move(physical), std::move(options)));
}

TEST(TypeOf, PhysicalTypesRefineLogicalOnes) {
  EXPECT_EQ(Shown("integer"), "BIGINT / long");
  EXPECT_EQ(Shown("integer", "int"), "INTEGER / int");
  EXPECT_EQ(Shown("integer", "SMALLINT"), "INTEGER / int");
  EXPECT_EQ(Shown("integer", "bigint"), "BIGINT / long");
  EXPECT_EQ(Shown("integer", "", Json::Map({{"format", "i32"}})), "INTEGER / int");
  EXPECT_EQ(Shown("integer", "number(10,0)"), "BIGINT / long");
  EXPECT_EQ(Shown("number"), "DOUBLE / double");
  EXPECT_EQ(Shown("number", "double  precision"), "DOUBLE / double");
  EXPECT_EQ(Shown("number", "real"), "FLOAT / float");
  EXPECT_EQ(Shown("number", "Decimal(18, 2)"), "DECIMAL(18,2) / decimal(18, 2)");
  EXPECT_EQ(Shown("number", "numeric(38)"), "DECIMAL(38,0) / decimal(38, 0)");
  EXPECT_EQ(Shown("number", "bigint"), "BIGINT / long");
  EXPECT_EQ(Shown("string", "varchar(3)"), "VARCHAR / string");
  EXPECT_EQ(Shown("string", "uuid"), "VARCHAR / string");
  EXPECT_EQ(Shown("string", "bytea"), "BLOB / binary");
  EXPECT_EQ(Shown("boolean", "bool"), "BOOLEAN / boolean");
  EXPECT_EQ(Shown("date", "", Json::Map({{"format", "yyyy-MM-dd HH:mm:ss"}})), "DATE / date");
  EXPECT_EQ(Shown("time"), "TIME / time");
  EXPECT_EQ(Shown("timestamp"), "TIMESTAMP / timestamp");
  EXPECT_EQ(Shown("timestamp", "timestamp(6) with time zone"), "TIMESTAMP WITH TIME ZONE / timestamptz");
  EXPECT_EQ(Shown("timestamp", "timestamp", Json::Map({{"timezone", true}})), "TIMESTAMP WITH TIME ZONE / timestamptz");
  EXPECT_EQ(Shown("date", "timestamptz"), "TIMESTAMP WITH TIME ZONE / timestamptz");
  EXPECT_EQ(Shown("", "decimal(9,2)"), "DECIMAL(9,2) / decimal(9, 2)");
  EXPECT_EQ(Shown("", "varchar"), "VARCHAR / string");
}

TEST(TypeOf, WhatIsWrongSaysWhatWouldBeRight) {
  EXPECT_EQ(
      Shown("strin"),
      "! logicalType 'strin' is not supported: write one of boolean, integer, number, string, date, time, timestamp, "
      "array, object, map; did you mean 'string'?");
  EXPECT_EQ(
      Shown("boolean", "bigint"),
      "! physicalType 'bigint' does not go with logicalType 'boolean': write logicalType integer, or one of boolean, "
      "bool, bit");
  EXPECT_EQ(Shown("time", "timetz"),
            "! physicalType 'timetz' does not go with logicalType 'time': write one of time, time without time zone");
  EXPECT_EQ(Shown("number", "decimal(39,2)"),
            "! physicalType 'decimal(39,2)' needs a precision of 1 to 38 and a scale up to it: write decimal(18,2)");
  EXPECT_TRUE(Shown("number", "decimal").starts_with("! "));
  EXPECT_TRUE(Shown("number", "decimal(2,3)").starts_with("! "));
  EXPECT_TRUE(Shown("number", "decimal(2,x)").starts_with("! "));
  EXPECT_TRUE(Shown("integer", "decimal(10,2)").starts_with("! "));
  EXPECT_TRUE(Shown("integer", "ubigint").starts_with("! "));
  EXPECT_TRUE(Shown("timestamp", "timestamp_ns").starts_with("! "));
  EXPECT_TRUE(Shown("timestamp", "timestamptz", Json::Map({{"timezone", false}})).starts_with("! "));
  EXPECT_TRUE(Shown("", "").starts_with("! a logicalType is missing"));
  EXPECT_TRUE(Shown("", "geography").starts_with("! physicalType 'geography' is not known"));
  EXPECT_TRUE(Shown("array").starts_with("! an array needs `items`"));
  EXPECT_TRUE(Shown("object").starts_with("! an object needs `properties`"));
  EXPECT_TRUE(Shown("map").starts_with("! a map needs `map`"));
  EXPECT_TRUE(Shown("vector").find("array of numbers") != std::string::npos);
}

SchemaObject Table(std::vector<Property> columns) {
  SchemaObject object;
  object.name = "t";
  object.properties = std::move(columns);
  return object;
}

Property Nested() {
  Property device = Column("device", "object", "struct");
  device.properties = {Column("kind", "string"), Column("o\"s", "integer", "int")};
  Property list = Column("list", "array", "array<struct>");
  list.items = {device};
  Property props = Column("props", "map", "map<string,array>");
  props.map = {Column("key", "string"), list};
  return props;
}

TEST(TypeOf, TypesNest) {
  EXPECT_EQ(TypeOf(Nested())->DuckDb(), "MAP(VARCHAR, STRUCT(\"kind\" VARCHAR, \"o\"\"s\" INTEGER)[])");
  TableSchema schema = SchemaOf(Table({Nested(), Column("x", "date")}), nullptr).value();
  EXPECT_EQ(schema.Iceberg().Dump(),
            R"({"type":"struct","schema-id":0,"fields":[{"id":1,"name":"props","required":false,"type":{"type":"map",)"
            R"("key-id":3,"key":"string","value-id":4,"value-required":false,"value":{"type":"list","element-id":5,)"
            R"("element-required":false,"element":{"type":"struct","fields":[{"id":6,"name":"kind","required":false,)"
            R"("type":"string"},{"id":7,"name":"o\"s","required":false,"type":"int"}]}}}},{"id":2,"name":"x",)"
            R"("required":false,"type":"date"}]})");
  EXPECT_EQ(schema.last_field_id, 7);
}

TEST(SchemaOf, FieldIdsFollowTheKeyThroughRenamesDropsAndRetypes) {
  Property first = Column("a", "integer", "int"), second = Column("b", "string");
  first.id = "key_a";
  first.required = true;
  TableSchema one = SchemaOf(Table({first, second, Nested()}), nullptr).value();
  EXPECT_EQ(one.id, 0);
  EXPECT_TRUE(one.fields[0].required);
  EXPECT_EQ(SchemaOf(Table({first, second, Nested()}), &one)->id, 0) << "nothing changed";

  first.name = "a2";
  first.physical_type = "bigint";
  Property grown = Nested();
  grown.map[1].items[0].properties.push_back(Column("os", "string"));
  Property fresh = Column("c", "string");
  fresh.required = true;
  TableSchema two = SchemaOf(Table({fresh, grown, first}), &one).value();
  EXPECT_EQ(two.id, 1);
  EXPECT_EQ(two.Find("a2")->id, one.Find("a")->id) << "a rename and a promotion keep the column";
  EXPECT_TRUE(two.Find("a2")->required);
  EXPECT_EQ(two.Find("c")->id, one.last_field_id + 1);
  EXPECT_FALSE(two.Find("c")->required) << "older files lack it";
  EXPECT_EQ(two.Find("props")->id, one.Find("props")->id);
  const auto& struct_fields = two.Find("props")->type.fields[1].type.fields[0].type.fields;
  EXPECT_EQ(struct_fields[2].id, one.last_field_id + 2);
  EXPECT_EQ(struct_fields[0].id, 7);

  first.logical_type = "string";
  first.physical_type = "";
  TableSchema three = SchemaOf(Table({first, second}), &two).value();
  EXPECT_GT(three.Find("a2")->id, two.last_field_id) << "another type is another column";
  EXPECT_GT(three.Find("b")->id, two.last_field_id) << "a re-added column is a new one";
}

TEST(SchemaOf, TellsEveryProblemAtItsPlace) {
  Property bad = Column("a", "string", "bigint"), worse = Column("A", "number"), worst = Column("b", "float");
  bad.place = {3, 9, "schema[0].properties[0]"};
  auto schema = SchemaOf(Table({bad, worse, Column("a", "date"), worst}), nullptr);
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().code, Code::kInvalid);
  ASSERT_EQ(schema.error().problems.size(), 3u);
  EXPECT_EQ(schema.error().problems[0].line, 3);
  EXPECT_NE(schema.error().problems[2].message.find("both 'A' and 'a'"), std::string::npos);
  EXPECT_FALSE(SchemaOf(Table({}), nullptr));
}

TEST(TableSchema, JsonComesBackTheSame) {
  Property amount = Column("amount", "number", "decimal(18,2)");
  amount.required = true;
  TableSchema schema = SchemaOf(Table({Nested(), amount}), nullptr).value();
  schema.id = 4;
  TableSchema back = TableSchema::FromJson(Json::Parse(schema.ToJson().Dump()).value()).value();
  EXPECT_EQ(back.fields, schema.fields);
  EXPECT_EQ(back.id, 4);
  EXPECT_EQ(back.last_field_id, schema.last_field_id);
  EXPECT_EQ(schema.DuckDbColumns(),
            "\"props\" MAP(VARCHAR, STRUCT(\"kind\" VARCHAR, \"o\"\"s\" INTEGER)[]), \"amount\" DECIMAL(18,2)");
  EXPECT_FALSE(TableSchema::FromJson(Json::Parse(R"({"fields": [{"id": 1, "name": "x", "type": "blink"}]})").value()));
}

TEST(TypeTable, IsTheOneInTheDocs) {
  const fs::path page = fs::path(WEFT_SOURCE_DIR) / "docs/types.md";
  std::string text = ReadFile(page).value();
  const size_t begin = text.find("| logicalType"), end = text.find("\n\n", begin);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  if (std::getenv("UPDATE")) {
    text = text.substr(0, begin) + TypeTable() + text.substr(end + 1);
    ASSERT_TRUE(WriteFileAtomically(page, text));
  } else {
    EXPECT_EQ(text.substr(begin, end + 1 - begin), TypeTable());
  }
}

}  // namespace
}  // namespace weft::model
