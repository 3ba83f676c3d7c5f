#include <gtest/gtest.h>

#include "model/cel/testing.h"

namespace weft::cel {
namespace {

// The deduced type, or everything that is wrong.
std::string Checked(const std::string& text) {
  auto expr = Parse(text);
  if (!expr) return expr.error().message;
  auto status = Check(*expr, TestEnvironment());
  if (status) return expr->type.Text();
  std::string all;
  for (const Problem& problem : status.error().problems) {
    all += (all.empty() ? "" : "\n") + std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": " +
           problem.message;
  }
  return all;
}

void Deduces(const Table& table) {
  for (const auto& [text, wanted] : table) EXPECT_EQ(Checked(text), wanted) << text;
}

TEST(CelCheck, DeducesTypes) {
  Deduces({
      {"1", "int"},
      {"[1]", "list<int>"},
      {"[1, 2.0]", "list<dyn>"},
      {"[]", "list<dyn>"},
      {"[[], [1]]", "list<list<int>>"},
      {"[] + [1u]", "list<uint>"},
      {"{'a': 1}", "map<string, int>"},
      {"{'a': 1, 2: 'b'}", "map<dyn, dyn>"},
      {"principal", "{attributes: dyn, groups: list<string>, id: string, level: int}"},
      {"resource.owner.name", "string"},
      {"resource.columns.a", "int"},
      {"principal['level']", "int"},
      {"principal.attributes.anything.at.all", "dyn"},
      {"any + 1", "int"},
      {"any + any", "dyn"},
      {"any < 1 && any", "bool"},
      {"x > 1 ? [1] : []", "list<int>"},
      {"x > 1 ? 'a' : null", "dyn"},
      {"resource.tags.map(t, size(t))", "list<int>"},
      {"resource.columns.map(c, c)", "list<string>"},
      {"resource.columns.transformMap(k, v, v > 1)", "map<string, bool>"},
      {"resource.tags.filter(t, t != '')", "list<string>"},
      {"cel.bind(t, resource.tags, t[0])", "string"},
      {"now - row.at", "duration"},
      {"now + duration('1h')", "timestamp"},
      {"row.country == null", "bool"},
      {"type(1)", "type"},
      {"int", "type"},
      {"-x", "int"},
      {"size(any)", "int"},
      {"int(any)", "int"},
      {"dyn(1) == 'a'", "bool"},
  });
}

TEST(CelCheck, SaysWhatIsWrongAndWhatWouldBeRight) {
  Deduces({
      {"resource.tagz", "1:10: 'resource' has no field 'tagz'; did you mean 'tags'?"},
      {"resource.owner.zip", "1:16: 'resource.owner' has no field 'zip'; there are name"},
      {"has(row.contry)", "1:9: 'row' has no field 'contry'; did you mean 'country'?"},
      {"row['contry']", "1:5: 'row' has no field 'contry'; did you mean 'country'?"},
      {"principle.id", "1:1: there is no variable 'principle'; did you mean 'principal'?"},
      {"zzzzz", "1:1: there is no variable 'zzzzz'; there are principal, resource, row, now, x, any"},
      {"x.y", "1:3: int has no fields: '.y' wants a map or a record"},
      {"{1: 2}.a", "1:8: the keys of this map are int: write [key] for .a"},
      {"x == 'a'", "1:3: == compares int with string: both sides must be of one type"},
      {"x == 1.5", "1:3: == compares int with double: convert one, as in double(x) or int(x)"},
      {"x < 1.5", "1:3: < compares int with double: convert one, as in double(x) or int(x)"},
      {"[1] < [2]", "1:5: < has no order for (list<int>, list<int>)"},
      {"x + 1.5", "1:3: + does not take (int, double): convert one, as in double(x) or int(x)"},
      {"x + 'a'", "1:3: + does not take (int, string)"},
      {"[1] + ['a']", "1:5: + joins lists of one type, not (list<int>, list<string>)"},
      {"x && true", "1:1: && wants a bool, and this is int: compare it with something"},
      {"!x", "1:2: ! wants a bool, and this is int: compare it with something"},
      {"x ? 1 : 2", "1:1: the condition before '?' wants a bool, and this is int: compare it with something"},
      {"true ? 1 : 'a'", "1:6: both sides of ':' must be of one type, not int and string"},
      {"1 in ['a']", "1:3: 'in' looks for int among string: it is never there"},
      {"'a' in 'abc'", "1:5: 'in' looks into a list or a map, not into string"},
      {"[1]['a']", "1:4: a list is indexed by int, not by string"},
      {"resource.columns[1]", "1:17: the keys of this map are string, not int"},
      {"x[0]", "1:2: [] takes a list or a map, not int"},
      {"{1.5: 2}", "1:2: a key is bool, int, uint or string, not double"},
      {"'a'.size", "1:5: string has no fields: '.size' wants a map or a record"},
      {"'a'.startswith('b')", "1:5: there is no function 'startswith'; did you mean 'startsWith'?"},
      {"startsWith('a', 'b')", "1:1: startsWith is written x.startsWith(…)"},
      {"'a'.startsWith()", "1:5: startsWith() takes 1 argument, not 0"},
      {"'a'.startsWith(1)", "1:5: there is no string.startsWith(int); there is string.startsWith(string)"},
      {"bool(1)", "1:1: there is no bool(int); there is bool(bool) or bool(string)"},
      {"[1].exists(x == 1)", "1:5: exists is written list.exists(x, …)"},
      {"x.all(i, true)", "1:3: all goes through a list or the keys of a map, not through int"},
      {"[1].all(i, i)", "1:12: all wants a bool, and this is int: compare it with something"},
      {"'a'.matches('[')", "1:13: '[' is no regular expression of RE2: missing ]: ["},
      {"resource.tagz == 1 || x == 'a'",
       "1:10: 'resource' has no field 'tagz'; did you mean 'tags'?\n1:25: == compares int with string: both sides must "
       "be of one type"},
  });
  EXPECT_EQ(Program::Compile("x == 'a' && y", TestEnvironment()).error().message,
            "1:3: == compares int with string: both sides must be of one type (and 1 more)");
}

TEST(CelTypes, ReadAndWritten) {
  for (const char* text : {"dyn", "list<map<string, list<int>>>", "map<dyn, timestamp>", "null", "type", "list<dyn>"}) {
    EXPECT_EQ(Type::Parse(text)->Text(), text);
  }
  EXPECT_EQ(Type::Parse("list")->Text(), "list<dyn>");
  EXPECT_EQ(Type::Parse("map")->Text(), "map<dyn, dyn>");
  for (const char* text :
       {"", "lists", "list<", "list<int", "list<int>>", "map<int>", "map<double, int>", "int string"}) {
    EXPECT_FALSE(Type::Parse(text)) << text;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "list<";
  EXPECT_FALSE(Type::Parse(deep));
  EXPECT_EQ(Type::FromJson(*Json::Parse(R"({"b": "int", "a": {"c": "list<string>"}})"))->Text(),
            "{a: {c: list<string>}, b: int}");
  EXPECT_EQ(Type::FromJson(*Json::Parse(R"({"a": {"b": "itn"}})")).error().message.substr(0, 25),
            "a: b: 'itn' is not a type");
  EXPECT_FALSE(Type::FromJson(Json(1)));
}

TEST(CelValues, ComeFromJsonAsDeclared) {
  auto read = [](std::string_view json, std::string_view type) -> std::string {
    auto value = Value::FromJson(*Json::Parse(json), *Type::Parse(type));
    return value ? value->Print() : "error " + value.error().message;
  };
  EXPECT_EQ(read("[1, 1.5, \"a\", null, true, {\"b\": 1}]", "dyn"), "[1, 1.5, \"a\", null, true, {\"b\": 1}]");
  EXPECT_EQ(read("1", "double"), "1.0");
  EXPECT_EQ(read("1", "uint"), "1u");
  EXPECT_EQ(read("null", "int"), "null");
  EXPECT_EQ(read("\"/w==\"", "bytes"), "b\"\\xff\"");
  EXPECT_EQ(read("\"90m\"", "duration"), "duration(\"5400s\")");
  EXPECT_EQ(read("[\"2026-01-31T09:00:00Z\"]", "list<timestamp>"), "[timestamp(\"2026-01-31T09:00:00Z\")]");
  EXPECT_EQ(read("{\"a\": {\"b\": [1]}}", "map<string, map<string, list<double>>>"), "{\"a\": {\"b\": [1.0]}}");
  EXPECT_EQ(read("{\"a\": {\"b\": [1, \"x\"]}}", "map<string, map<string, list<double>>>"),
            "error a: b: [1]: \"x\" is no double");
  EXPECT_EQ(read("-1", "uint"), "error -1 is no uint");
  EXPECT_EQ(read("1.5", "int"), "error 1.5 is no int");
  EXPECT_EQ(read("\"yesterday\"", "timestamp"), "error \"yesterday\" is no timestamp");
  EXPECT_EQ(read("{}", "list<int>"), "error {} is no list<int>");
  EXPECT_EQ(read("true", "string"), "error true is no string");
  EXPECT_EQ(TestEnvironment().Bind(*Json::Parse(R"({"principl": 1})")).error().message,
            "there is no variable 'principl'; did you mean 'principal'?");
}

TEST(CelValues, GoToJson) {
  auto json = [](const std::string& text) {
    return Program::Compile(text, TestEnvironment())->Evaluate(TestBindings())->ToJson().Dump();
  };
  EXPECT_EQ(json("[1, 1.5, 18446744073709551615u, 'a', b'\\xff', null, true]"),
            R"([1,1.5,"18446744073709551615","a","/w==",null,true])");
  EXPECT_EQ(json("{1: now, '2': duration('1m'), true: int}"), R"({"true":"int","1":"2026-02-01T00:00:00Z","2":"60s"})");
  EXPECT_EQ(json("[double('nan'), double('-inf')]"), R"(["NaN","-Infinity"])");
}

}  // namespace
}  // namespace weft::cel
