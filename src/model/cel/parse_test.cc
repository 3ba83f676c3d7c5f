#include <gtest/gtest.h>

#include "model/cel/testing.h"

namespace weft::cel {
namespace {

// What the text is printed as; it must parse to the same tree again.
std::string Printed(const std::string& text) {
  auto expr = Parse(text);
  if (!expr) return "error " + expr.error().message;
  const std::string printed = Print(*expr);
  auto again = Parse(printed);
  EXPECT_TRUE(again && *again == *expr) << text << " → " << printed;
  EXPECT_EQ(Print(*again), printed);
  return printed;
}

void Prints(const Table& table) {
  for (const auto& [text, wanted] : table) EXPECT_EQ(Printed(text), wanted) << text;
}

TEST(CelParse, PrecedenceAndParentheses) {
  Prints({
      {"a||b&&c", "a || b && c"},
      {"(a||b)&&c", "(a || b) && c"},
      {"(a && b) && (c && d)", "a && b && c && d"},
      {"a || (b || c)", "a || b || c"},
      {"a == b < c", "a == b < c"},
      {"a == (b < c)", "a == (b < c)"},
      {"a - (b - c) - d", "a - (b - c) - d"},
      {"a*(b+c)/d%e", "a * (b + c) / d % e"},
      {"a ? b : c ? d : e", "a ? b : c ? d : e"},
      {"(a ? b : c) ? d : e", "(a ? b : c) ? d : e"},
      {"a ? (b ? c : d) : e", "a ? (b ? c : d) : e"},
      {"!(a || b)", "!(a || b)"},
      {"!!a", "!!a"},
      {"!a.b[0].c()", "!a.b[0].c()"},
      {"(!a).b", "(!a).b"},
      {"--a", "--a"},
      {"-(1)", "-(1)"},
      {"-1", "-1"},
      {"--1", "--1"},
      {"-(-(1))", "--(1)"},
      {"-(!a)", "-(!a)"},
      {"!(-1)", "!(-1)"},
      {"-1.f()", "(-1).f()"},
      {"-(1.f())", "-(1.f())"},
      {"-a.b", "-a.b"},
      {"1u + -2", "1u + -2"},
      {"a in [1, 2,]", "a in [1, 2]"},
      {"{'a': 1, 2: [],}", "{\"a\": 1, 2: []}"},
      {"(a ? b : c).d", "(a ? b : c).d"},
      {".a.b", ".a.b"},
      {"a.`b-c`.`d e`", "a.`b-c`.`d e`"},
      {"a.package.`plain`", "a.package.plain"},
      {"a // to the end\n + b", "a + b"},
  });
}

TEST(CelParse, Literals) {
  Prints({
      {"0x1F", "31"},
      {"-0x10", "-16"},
      {"0XffU", "255u"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615u", "18446744073709551615u"},
      {"1.", "error 1:3: the end of the expression stands where the name of a field or function should"},
      {".5", "0.5"},
      {"1e3", "1000.0"},
      {"1E-7", "1e-07"},
      {"-0.0", "-0.0"},
      {"1e-400", "0.0"},
      {"1e400", "error 1:1: 1e400 is out of range: a double reaches 1.7976931348623157e308"},
      {"'it\\'s'", "\"it's\""},
      {"\"a\\\"\\\\\"", "\"a\\\"\\\\\""},
      {"r'\\d+'", "\"\\\\d+\""},
      {"'''a'b\nc'''", "\"a'b\\nc\""},
      {"\"\"\"\"\"\"", "\"\""},
      {"'\\a\\b\\f\\n\\r\\t\\v\\?\\`'", "\"\\x07\\x08\\x0c\\n\\r\\t\\x0b?`\""},
      {"'\\x41\\u00e9\\U0001F600\\101'", "\"Aé😀A\""},
      {"b'\\xff\\377é'", "b\"\\xff\\xff\\xc3\\xa9\""},
      {"bR'\\x'", "b\"\\\\x\""},
      {"null == true", "null == true"},
      {"google.protobuf.Timestamp", "google.protobuf.Timestamp"},
  });
}

TEST(CelParse, Macros) {
  Prints({
      {"has(a.b.c)", "has(a.b.c)"},
      {"a.all(x, x > 1)", "a.all(x, x > 1)"},
      {"a.existsOne(x, x)", "a.exists_one(x, x)"},
      {"a.map(x, x > 1, x * 2).filter(y, true)", "a.map(x, x > 1, x * 2).filter(y, true)"},
      {"a.exists(i, v, i == v)", "a.exists(i, v, i == v)"},
      {"cel.bind(x, 1 + 2, x * x)", "cel.bind(x, 1 + 2, x * x)"},
      {"a.transformMap(k, v, v + 1)", "a.transformMap(k, v, v + 1)"},
      {"has(a)", "error 1:1: has() takes one field, as in has(a.b); for a key write \"b\" in a"},
      {"a.all(x.y, true)", "error 1:9: all wants a variable's name here, as in list.all(x, …)"},
      {"cel.bind(1, 2, 3)", "error 1:10: bind wants a variable's name here, as in cel.bind(x, value, x + x)"},
      {"a.exists(i, i, true)", "error 1:13: 'i' names both variables: give each a name of its own"},
  });
  EXPECT_EQ(Parse("a.map(x, x)")->variables, std::vector<std::string>{"x"});
}

TEST(CelParse, Refusals) {
  Prints({
      {"", "error 1:1: an expression is missing"},
      {"  // nothing", "error 1:13: an expression is missing"},
      {"a +", "error 1:4: the end of the expression stands where an operand should"},
      {"a b", "error 1:3: 'b' stands where the end, or an operator such as && before it should"},
      {"a = b", "error 1:3: '=' means nothing here; write == to compare"},
      {"a & b", "error 1:3: '&' means nothing here; write &&"},
      {"(a", "error 1:3: the end of the expression stands where ')' should"},
      {"[a, b", "error 1:6: the end of the expression stands where ',' or ']' should"},
      {"{a}", "error 1:3: '}' stands where ':' should"},
      {"a\n  .b..c", "error 2:6: '.' stands where the name of a field or function should"},
      {"é", "error 1:1: 'é' means nothing here"},
      {"'é' é", "error 1:5: 'é' means nothing here"},
      {"'open", "error 1:1: this text has no end: close it with ' on the same line, or write '''…'''"},
      {"'a\nb'", "error 1:1: this text has no end: close it with ' on the same line, or write '''…'''"},
      {"'\\q'", "error 1:2: '\\q' is no escape; write \\\\ for a backslash, or r\"…\" for a text without escapes"},
      {"'\\x4'", "error 1:2: \\x takes 2 hexadecimal digits"},
      {"'\\ud83d'", "error 1:2: \\ud83d is no character of Unicode"},
      {"'\\U00110000'", "error 1:2: \\U110000 is no character of Unicode"},
      {"b'\\u0041'",
       "error 1:3: '\\u' is no escape in bytes; write \\\\ for a backslash, or r\"…\" for a text without escapes"},
      {"9223372036854775808",
       "error 1:1: 9223372036854775808 is out of range: an int is between -9223372036854775808 and "
       "9223372036854775807"},
      {"18446744073709551616u",
       "error 1:1: 18446744073709551616u is out of range: a uint reaches 18446744073709551615"},
      {"1abc", "error 1:1: '1abc' is not a number: write 12, 0x1F, 12u, 1.5 or 1e6"},
      {"for + 1", "error 1:1: 'for' is a reserved word: give it another name"},
      {"a.in", "error 1:3: 'in' is a word of the language: write [\"in\"]"},
      {"Money{units: 1}", "error 1:6: messages such as Name{field: 1} are not supported: write a map, {\"field\": 1}"},
      {"!-a", "error 1:2: '-' stands where an operand should"},
      {"a.`b", "error 1:3: a quoted field is `letters, digits, _ . - / and blanks`; for others write map[\"key\"]"},
      {"f(a, )", "error 1:6: ')' stands where an operand should"},
  });
  EXPECT_EQ(Printed("'\xff'"), "error 1:1: this expression is not UTF-8");
}

TEST(CelParse, Limits) {
  auto nest = [](const std::string& open, const std::string& close, int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(Parse(nest("(", ")", 190)));
  for (const std::string& text :
       {nest("(", ")", 60'000 / 2), nest("[", "]", 30'000), nest("!", "", 60'000), nest("-", "", 60'000),
        nest("1+", "", 30'000), nest("a?1:", "", 15'000), nest("f(", ")", 20'000), nest("{1:", "}", 15'000),
        nest("", ".a", 30'000), nest("", "[0]", 20'000), nest("1-(", ")", 15'000)}) {
    auto expr = Parse(text);
    ASSERT_FALSE(expr) << text.substr(0, 20);
    EXPECT_NE(expr.error().message.find("deeper than 200 levels"), std::string::npos) << expr.error().message;
  }
  // Any number of terms may stand in a row.
  EXPECT_EQ(Parse(nest("a||", "", 20'000))->children.size(), 20'001U);
  EXPECT_EQ(Parse(std::string(65'537, ' ')).error().message,
            "1:1: this expression has 65537 bytes; at most 65536 are read");
}

TEST(CelParse, PositionsCountCharacters) {
  auto expr = Parse("'é' ==\n  a.b");
  ASSERT_TRUE(expr);
  EXPECT_EQ(expr->at.column, 5);
  EXPECT_EQ(expr->at.offset, 5);
  const Expr& select = expr->children[1];
  EXPECT_EQ(select.at.line, 2);
  EXPECT_EQ(select.at.column, 5);
}

}  // namespace
}  // namespace weft::cel
