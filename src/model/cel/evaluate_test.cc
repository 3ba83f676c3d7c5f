#include <gtest/gtest.h>

#include "model/cel/testing.h"

namespace weft::cel {
namespace {

void Hold(const Table& table) {
  for (const auto& [text, wanted] : table) EXPECT_EQ(Outcome(text), wanted) << text;
}

// Each fails as an evaluation, and its message begins so; types are not checked first.
void Fail(const Table& table) {
  for (const auto& [text, wanted] : table) {
    EXPECT_EQ(Outcome(text, false).substr(0, wanted.size() + 6), "error " + wanted) << text;
  }
}

TEST(CelEvaluate, IntegersOverflowAsErrors) {
  Hold({
      {"1 + 2 * 3 - 4 / 2 % 3", "5"},
      {"-7 / 2", "-3"},
      {"-7 % 2", "-1"},
      {"7u - 2u", "5u"},
      {"9223372036854775807 + 0", "9223372036854775807"},
      {"-9223372036854775808 % -1", "error 1:22: the result of % is out of range"},
      {"--5", "5"},
      {"-x", "-5"},
  });
  Fail({
      {"9223372036854775807 + 1", "1:21: the result of + is out of range"},
      {"-9223372036854775808 - 1", "1:22: the result of - is out of range"},
      {"5000000000 * 5000000000", "1:12: the result of * is out of range"},
      {"-9223372036854775808 / -1", "1:22: the result of / is out of range"},
      {"-(-9223372036854775808)", "1:1: the result of - is out of range"},
      {"0u - 1u", "1:4: the result of - is out of range"},
      {"18446744073709551615u + 1u", "1:23: the result of + is out of range"},
      {"1 / 0", "1:3: division by zero"},
      {"1 % 0", "1:3: division by zero"},
      {"1u / 0u", "1:4: division by zero"},
      {"1 + 1u", "1:3: + does not take (int, uint)"},
      {"1.0 % 2.0", "1:5: % does not take (double, double)"},
      {"-1u", "1:1: - does not take uint"},
      {"true + true", "1:6: + does not take (bool, bool)"},
  });
}

TEST(CelEvaluate, DoublesFollowIeee) {
  Hold({
      {"1.5 + 2.25", "3.75"},
      {"1.0 / 0.0", "double(\"Infinity\")"},
      {"-1.0 / 0.0", "double(\"-Infinity\")"},
      {"0.0 / 0.0 == 0.0 / 0.0", "false"},
      {"0.0 / 0.0 != 0.0 / 0.0", "true"},
      {"0.0 == -0.0", "true"},
      {"-(0.0)", "-0.0"},
      {"0.1 + 0.2", "0.30000000000000004"},
  });
}

TEST(CelEvaluate, EqualityKnowsNoTypesButNumbers) {
  Hold({
      {"dyn(1) == 1.0", "true"},
      {"dyn(1u) == 1", "true"},
      {"dyn(18446744073709551615u) == -1", "false"},
      {"dyn(1) == \"1\"", "false"},
      {"dyn(1) != true", "true"},
      {"null == null", "true"},
      {"x == null", "false"},
      {"[1, 2.0] == [1u, 2]", "true"},
      {"[1] == [1, 2]", "false"},
      {"dyn({1: 2.0}) == {1u: 2}", "true"},
      {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "true"},
      {"b'a' == b'a'", "true"},
      {"type(1) == int", "true"},
      {"dyn(double('NaN')) == 1", "false"},
      {"timestamp('2026-01-31T09:00:00Z') == row.at", "true"},
  });
}

TEST(CelEvaluate, Ordering) {
  Hold({
      {"1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true"},
      {"dyn(1) < 2u && dyn(1u) < 2.5 && dyn(-1) < 0u", "true"},
      {"dyn(18446744073709551615u) > 9223372036854775807", "true"},
      {"'a' < 'b' && 'a' < 'é' && 'Z' < 'a'", "true"},
      {"b'a' < b'aa'", "true"},
      {"false < true", "true"},
      {"double('NaN') < 1.0 || double('NaN') >= 1.0", "false"},
      {"duration('1h') > duration('59m')", "true"},
      {"now > row.at", "true"},
  });
  Fail({{"'a' < 1", "1:5: < does not take (string, int)"},
        {"[1] < [2]", "1:5: < does not take (list, list)"},
        {"null < null", "1:6: < does not take (null_type, null_type)"}});
}

TEST(CelEvaluate, LogicAbsorbsErrors) {
  Hold({
      {"false && 1 / 0 == 1", "false"},
      {"1 / 0 == 1 && false", "false"},
      {"1 / 0 == 1 || true", "true"},
      {"true ? 1 : 1 / 0", "1"},
      {"false ? 1 / 0 : 2", "2"},
      {"!(x == 5)", "false"},
      {"true && true && true", "true"},
      {"false || false || x == 5", "true"},
  });
  Fail({
      {"1 / 0 == 1 && true", "1:3: division by zero"},
      {"true && 1 / 0 == 1", "1:11: division by zero"},
      {"1 / 0 == 1 || false || 2 % 0 == 1", "1:3: division by zero"},
      {"'a' && true", "1:1: a bool is wanted here, and this is string \"a\""},
      {"!1", "1:2: a bool is wanted here"},
      {"1 ? 2 : 3", "1:1: a bool is wanted here"},
      {"1 / 0 == 1 ? 2 : 3", "1:3: division by zero"},
  });
  EXPECT_EQ(Outcome("'a' && false", false), "false");
  EXPECT_EQ(Outcome("nowhere || true", false), "true");
  EXPECT_EQ(Outcome("nothing(1) || true", false), "true");
}

TEST(CelEvaluate, FieldsAndKeys) {
  Hold({
      {"principal.id", "\"ana\""},
      {"resource.owner.name", "\"sales\""},
      {"principal[\"id\"]", "\"ana\""},
      {"resource.columns.b", "2"},
      {"resource.columns['a']", "1"},
      {"any.a[1]", "2.5"},
      {"{'a': {'b': [1, 2]}}.a.b[1]", "2"},
      {"{1: 'one', 2u: 'two'}[dyn(2)]", "\"two\""},
      {"{1: 'one'}[dyn(1.0)]", "\"one\""},
      {"{true: 1}[true]", "1"},
      {"[1, 2, 3][dyn(2.0)]", "3"},
      {"[1, 2, 3][dyn(1u)]", "2"},
      {"has(principal.id)", "true"},
      {"has(any.missing)", "false"},
      {"has(principal.attributes.manager)", "true"},
      {"principal.attributes.manager == null", "true"},
      {"{'a-b': 1}.`a-b`", "1"},
      {"row.at", "timestamp(\"2026-01-31T09:00:00Z\")"},
  });
  Fail({
      {"any.aa", "1:5: there is no field 'aa'; did you mean 'a'?"},
      {"any.zzzz", "1:5: there is no field 'zzzz'; there are a, n"},
      {"any['zzzz']", "1:4: there is no key \"zzzz\"; there are a, n"},
      {"x.y", "1:3: int has no fields: '.y' wants a map"},
      {"has(x.y)", "1:7: int has no fields"},
      {"[1, 2][2]", "1:7: index 2 is outside the list, which has 2 items"},
      {"[1, 2][-1]", "1:7: index -1 is outside the list"},
      {"[1][0.5]", "1:4: a list is indexed by a whole number, not by 0.5"},
      {"[1]['a']", "1:4: a list is indexed by a whole number"},
      {"{1: 2}[1.5]", "1:7: there is no key 1.5"},
      {"{1.5: 2}", "1:2: 1.5 is no key"},
      {"{1: 2, 1u: 3}", "1:1: this map has a key twice"},
      {"1[0]", "1:2: [] does not take (int, int)"},
  });
}

TEST(CelEvaluate, In) {
  Hold({
      {"'pii' in resource.tags", "true"},
      {"'a' in resource.columns", "true"},
      {"dyn(1) in [2.0, 1.0]", "true"},
      {"dyn(1.0) in {1: 2}", "true"},
      {"dyn([1]) in {1: 2}", "false"},
      {"1 in []", "false"},
      {"null in [1, null]", "true"},
  });
  Fail({{"1 in 2", "1:3: in does not take (int, int)"}});
}

TEST(CelEvaluate, Macros) {
  Hold({
      {"resource.tags.exists(t, t == 'pii') && !('privacy' in principal.groups)", "false"},
      {"[1, 2].all(i, i > 0)", "true"},
      {"[].all(i, i > 0)", "true"},
      {"[1, 0].all(i, 1 / i > 5)", "false"},
      {"[0, 1].exists(i, 1 / i == 1)", "true"},
      {"[1, 2, 2].exists_one(i, i == 1)", "true"},
      {"[1, 2, 2].exists_one(i, i == 2)", "false"},
      {"[1, 2, 3].map(i, i * i)", "[1, 4, 9]"},
      {"[1, 2, 3].map(i, i > 1, i * i)", "[4, 9]"},
      {"[1, 2, 3].filter(i, i != 2)", "[1, 3]"},
      {"{'b': 1, 'a': 2}.map(k, k)", "[\"a\", \"b\"]"},
      {"{'b': 1, 'a': 2}.exists(k, v, k == 'b' && v == 1)", "true"},
      {"[5, 6].map(i, [i].map(i, i + 1))", "[[6], [7]]"},
      {"[5, 6].transformList(i, v, v * 10 + i)", "[50, 61]"},
      {"{'a': 1}.transformMap(k, v, k + string(v))", "{\"a\": \"a1\"}"},
      {"['a', 'b'].transformMap(i, v, i > 0, v)", "{1: \"b\"}"},
      {"cel.bind(y, x + 1, y * y)", "36"},
      {"cel.bind(y, [1, [2, 3]], y[1])", "[2, 3]"},
      {"[1].exists(x, x == 1 && .x == 5)", "true"},
      {"[[1, 2], [3]].map(l, l.map(i, i))", "[[1, 2], [3]]"},
  });
  Fail({
      {"[0, 1].all(i, 1 / i > 0)", "1:17: division by zero"},
      {"[0].exists(i, 1 / i == 1)", "1:17: division by zero"},
      {"[1, 0].exists_one(i, 1 / i == 1)", "1:24: division by zero"},
      {"[1].all(i, i)", "1:12: a bool is wanted here"},
      {"x.all(i, true)", "1:3: all goes through a list or the keys of a map, not through int"},
      {"[1].map(i, j)", "1:12: there is no variable 'j'"},
  });
}

TEST(CelEvaluate, SumsOfTextListsAndTime) {
  Hold({
      {"'a' + 'b'", "\"ab\""},
      {"b'a' + b'\\xff'", "b\"a\\xff\""},
      {"[1] + [2] + []", "[1, 2]"},
      {"timestamp('2026-01-31T23:00:00Z') + duration('1h30m')", "timestamp(\"2026-02-01T00:30:00Z\")"},
      {"duration('90m') + timestamp('2026-01-31T23:00:00Z')", "timestamp(\"2026-02-01T00:30:00Z\")"},
      {"now - row.at", "duration(\"54000s\")"},
      {"now - duration('0.5s')", "timestamp(\"2026-01-31T23:59:59.5Z\")"},
      {"duration('1h') - duration('90m')", "duration(\"-1800s\")"},
  });
  Fail({
      {"timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')", "1:45: the result of + is out of range"},
      {"timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "1:35: the result of - is out of range"},
      {"timestamp('9999-01-01T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')",
       "1:35: the result of - is out of range"},
      {"duration('9000000000s') + duration('9000000000s')", "1:25: the result of + is out of range"},
      {"duration('1s') * duration('1s')", "1:16: * does not take"},
      {"duration('1s') - now", "1:16: - does not take"},
  });
}

TEST(CelEvaluate, MissingValuesAreErrors) {
  auto program = Program::Compile("x > 1 || principal.level > 2", TestEnvironment());
  ASSERT_TRUE(program);
  Bindings bindings = TestBindings();
  bindings[4] = std::nullopt;
  EXPECT_EQ(program->Evaluate(bindings)->Print(), "true");
  bindings[0] = std::nullopt;
  EXPECT_EQ(program->Evaluate(bindings).error().message, "1:1: the variable 'x' has no value");
  EXPECT_EQ(program->Evaluate({}).error().problems[0].column, 1);
}

TEST(CelEvaluate, LimitsStopIt) {
  const std::string ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
  std::string all;
  for (int i = 0; i < 8; ++i) all += ten + ".all(i" + std::to_string(i) + ", ";
  all += "x == 5" + std::string(8, ')');
  EXPECT_NE(Outcome(all).find("too costly: the evaluation takes more steps than it may"), std::string::npos);
  // Nothing absorbs it.
  EXPECT_NE(Outcome(all + " || true").find("too costly"), std::string::npos);
  EXPECT_NE(Outcome("[1].exists(i, " + all + ") || true").find("too costly"), std::string::npos);
  std::string grown = "'0123456789'";
  for (int i = 0; i < 30; ++i) grown = "cel.bind(s, " + grown + ", s + s)";
  EXPECT_NE(Outcome(grown).find("too costly: the evaluation makes more text"), std::string::npos);
  std::string lists = ten;
  for (int i = 0; i < 12; ++i) lists = "cel.bind(s, " + lists + ", s + s + s + s)";
  EXPECT_NE(Outcome(lists).find("too costly"), std::string::npos);
  EXPECT_EQ(Outcome("x == 5", true, {.steps = 3}), "true");
  EXPECT_NE(Outcome("x == 5", true, {.steps = 2}).find("1:6: too costly"), std::string::npos);
  EXPECT_NE(
      Outcome("('0123456789' + principal.id).replace('', principal.id).replace('', 'abcdefgh')", true, {.bytes = 300})
          .find("too costly"),
      std::string::npos);
}

}  // namespace
}  // namespace weft::cel
