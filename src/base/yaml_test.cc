#include "base/yaml.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weft::yaml {
namespace {

Node Read(std::string_view text) {
  auto node = Parse(text, "f.yaml");
  EXPECT_TRUE(node) << (node ? "" : node.error().message);
  return node ? node.TakeValue() : Node();
}

Problem Fault(std::string_view text) {
  auto node = Parse(text, "f.yaml");
  EXPECT_FALSE(node) << text;
  if (node) return {};
  EXPECT_EQ(node.error().code, Code::kInvalid);
  EXPECT_EQ(node.error().problems.size(), 1u);
  return node.error().problems.at(0);
}

TEST(YamlTest, ScalarsFollowTheCoreSchema) {
  using Kind = Node::Kind;
  const std::pair<const char*, Kind> kCases[] = {
      {"yes", Kind::kText},   {"on", Kind::kText},         {"No", Kind::kText},     {"tRue", Kind::kText},
      {"true", Kind::kBool},  {"TRUE", Kind::kBool},       {"False", Kind::kBool},  {"~", Kind::kNull},
      {"null", Kind::kNull},  {"nUll", Kind::kText},       {"012", Kind::kInt},     {"-7", Kind::kInt},
      {"+7", Kind::kInt},     {"0x1F", Kind::kInt},        {"0o17", Kind::kInt},    {"0o18", Kind::kText},
      {"-0x1F", Kind::kText}, {"1_000", Kind::kText},      {"1.5", Kind::kDouble},  {"1e3", Kind::kDouble},
      {".5", Kind::kDouble},  {"1.", Kind::kDouble},       {".", Kind::kText},      {"e3", Kind::kText},
      {"1e", Kind::kText},    {"-.inf", Kind::kDouble},    {".NaN", Kind::kDouble}, {".nAn", Kind::kText},
      {"1:30", Kind::kText},  {"2013-01-01", Kind::kText}, {"1.2.3", Kind::kText},  {"-", Kind::kList},
      {"'5'", Kind::kText},   {"\"true\"", Kind::kText}};
  for (const auto& [text, kind] : kCases) EXPECT_EQ(Read(text).kind, kind) << text;
}

TEST(YamlTest, NumbersBecomeJson) {
  EXPECT_EQ(Read("012").ToJson(), Json(12));
  EXPECT_EQ(Read("+12").ToJson(), Json(12));
  EXPECT_EQ(Read("0xff").ToJson(), Json(255));
  EXPECT_EQ(Read("0o17").ToJson(), Json(15));
  EXPECT_EQ(Read("-9223372036854775808").ToJson(), Json(INT64_MIN));
  EXPECT_EQ(Read("9223372036854775808").ToJson(), Json(9223372036854775808.0));
  EXPECT_EQ(Read("-2.5e2").ToJson(), Json(-250.0));
  EXPECT_EQ(Read("-.inf").ToJson().Double(), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(Read(".nan").ToJson().Double()));
}

TEST(YamlTest, NumbersBeyondADoubleAreRefusedAtTheirPlace) {
  const std::string long_one(400, '9');
  for (const std::string& number : {std::string("1e400"), std::string("-2.5E+999"), long_one}) {
    Problem problem = Fault("a: 1\nb: " + number + "\n");
    EXPECT_EQ(problem.line, 2);
    EXPECT_EQ(problem.column, 4);
    EXPECT_NE(problem.message.find("the number " + number + " is larger"), std::string::npos) << problem.message;
  }
  EXPECT_EQ(Read("'1e400'").ToJson(), Json("1e400"));
  EXPECT_EQ(Read("1e-400").ToJson(), Json(0.0));
}

TEST(YamlTest, NodesKnowTheirPlacesInCharacters) {
  Node node = Read("größe: {länge: 5, b: x}\nlist:\n  - a\n  - k: v\n");
  EXPECT_EQ(node["größe"].line, 1);
  EXPECT_EQ(node["größe"]["b"].column, 22);
  EXPECT_EQ(node.entries[0].value.entries[1].column, 19);
  EXPECT_EQ(node["list"].line, 3);
  EXPECT_EQ(node["list"][1]["k"].line, 4);
  EXPECT_EQ(node["list"][1]["k"].column, 8);
  EXPECT_EQ(node["none"]["at all"][7].kind, Node::Kind::kMissing);
}

TEST(YamlTest, KeepsOrderAndText) {
  EXPECT_EQ(Read("b: 1\na: [x, 'it''s', \"\\u00e9\"]\nc: |\n  two\n  lines\n").ToJson().Dump(),
            R"({"b":1,"a":["x","it's","é"],"c":"two\nlines\n"})");
  EXPECT_EQ(Read("\xEF\xBB\xBFk: v").ToJson().Dump(), R"({"k":"v"})");
  EXPECT_EQ(Read(R"({"a": [1, 2.5, null, true], "b": {"c": "d"}})").ToJson().Dump(),
            R"({"a":[1,2.5,null,true],"b":{"c":"d"}})");
  EXPECT_EQ(Read("").kind, Node::Kind::kNull);
  EXPECT_EQ(Read("# nothing\n").kind, Node::Kind::kNull);
  EXPECT_EQ(Read("---\na: 1\n...\n")["a"].scalar, "1");
}

TEST(YamlTest, RefusesWhatADescriptorDoesNotNeed) {
  struct {
    const char* text;
    int line, column;
    const char* says;
  } const kCases[] = {
      {"a: &x 1", 1, 4, "anchors"},
      {"a: 1\nb: *x", 2, 4, "aliases"},
      {"a: !!str 1", 1, 4, "tags"},
      {"a: ! 1", 1, 4, "tags"},
      {"a: 1\nb: 2\na: 3", 3, 1, "'a' stands twice"},
      {"a: 1\n'a': 3", 2, 1, "'a' stands twice"},
      {"? [a]\n: 1", 1, 3, "a key must be one text"},
      {"a: 1\n---\nb: 1", 2, 1, "a second document"},
      {"a:\n\tb: 1", 2, 1, "a tab cannot indent"},
      {"a: b: c", 1, 5, "in quotes"},
      {"a: [1, 2", 2, 1, "never closed by ']' (it begins in line 1)"},
      {"a: \"x", 1, 6, "close the quote"},
      {"a: @x", 1, 4, "'@' cannot begin a value"},
      {"a: \"\\q\"", 1, 5, "unknown escape"},
      {"a:\n  - 1\n b: 2", 3, 2, "indentation"},
      {"a: {b: 1", 2, 1, "never closed by '}' (it begins in line 1)"},
      {"just text\nkey: 1", 2, 4, "':'"},
  };
  for (const auto& c : kCases) {
    Problem problem = Fault(c.text);
    EXPECT_EQ(problem.line, c.line) << c.text << "\n" << problem.Text();
    EXPECT_EQ(problem.column, c.column) << c.text << "\n" << problem.Text();
    EXPECT_NE(problem.message.find(c.says), std::string::npos) << c.text << "\n" << problem.Text();
    EXPECT_EQ(problem.rule, "yaml");
    EXPECT_EQ(problem.file, "f.yaml");
  }
}

TEST(YamlTest, HostileTextsAreErrorsAndQuick) {
  EXPECT_NE(Fault(std::string(size_t{16} << 20, '[')).message.find("64 levels"), std::string::npos);
  EXPECT_NE(Fault(std::string((size_t{16} << 20) + 1, ' ')).message.find("16 MiB"), std::string::npos);
  EXPECT_NE(Fault(std::string(100000, '{')).message.find("a key must be one text"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += std::string(i, ' ') + "k:\n";
  EXPECT_NE(Fault(deep).message.find("64 levels"), std::string::npos);
  std::string many = "[";
  for (int i = 0; i < 1'000'001; ++i) many += "1,";
  EXPECT_NE(Fault(many + "]").message.find("1,000,000"), std::string::npos);
  EXPECT_NE(Fault(std::string("a: \0b", 5)).message.find("control character"), std::string::npos);
  EXPECT_EQ(Fault(std::string("ä: 1\nb: \0", 10)).column, 4);
  EXPECT_NE(Fault("a: \xff").message.find("UTF-8"), std::string::npos);
  EXPECT_NE(Fault(std::string("\xff\xfe a", 4)).message.find("UTF-8"), std::string::npos);
  EXPECT_FALSE(Parse(std::string(1 << 20, 'k') + ": 1", "f.yaml"));
  EXPECT_FALSE(Parse("? " + std::string(1 << 20, 'k') + "\n: 1", "f.yaml"));
}

TEST(YamlTest, DepthUpToTheLimitIsRead) {
  std::string text = std::string(64, '[') + std::string(64, ']');
  Node node = Read(text);
  EXPECT_EQ(node.ToJson().Dump(), text);
}

}  // namespace
}  // namespace weft::yaml
