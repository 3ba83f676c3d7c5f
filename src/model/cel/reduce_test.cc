#include <gtest/gtest.h>

#include "model/cel/testing.h"

namespace weft::cel {
namespace {

// With `row` unknown.
std::string Residual(const std::string& text, bool check = true, const Limits& limits = {}) {
  auto expr = Parse(text);
  if (!expr) return "error " + expr.error().message;
  auto program = Program::Compile(*expr, TestEnvironment(), check);
  if (!program) return "error " + program.error().message;
  constexpr std::string_view kUnknown[] = {"row"};
  auto reduced = program->Reduce(TestBindings(), kUnknown, limits);
  if (!reduced) return "error " + reduced.error().message;
  if (reduced->value) return "value " + reduced->value->Print();
  const std::string printed = Print(reduced->residual);
  auto again = Parse(printed);
  EXPECT_TRUE(again && *again == reduced->residual) << printed;
  // What is left evaluates to what the whole does.
  auto rest = Program::Compile(reduced->residual, TestEnvironment(), false);
  auto whole = program->Evaluate(TestBindings()), part = rest->Evaluate(TestBindings());
  EXPECT_EQ(whole.has_value(), part.has_value()) << text << " → " << printed;
  if (whole && part) {
    EXPECT_EQ(whole->Print(), part->Print()) << text << " → " << printed;
  }
  return printed;
}

void Leaves(const Table& table) {
  for (const auto& [text, wanted] : table) EXPECT_EQ(Residual(text), wanted) << text;
}

TEST(CelReduce, WhatIsKnownIsComputed) {
  Leaves({
      {"x + 1 == 6", "value true"},
      {"row.country == 'FR'", "row.country == \"FR\""},
      {"row.country in principal.attributes.countries", "row.country in [\"FR\", \"DE\"]"},
      {"row.id == x + principal.level * 2", "row.id == 11"},
      {"row.at > now - duration('24h')", "row.at > timestamp(\"2026-01-31T00:00:00Z\")"},
      {"row.country.startsWith(principal.id.upperAscii())", "row.country.startsWith(\"ANA\")"},
      {"[row.id, x]", "[row.id, 5]"},
      {"{'a': row.id, 'b': x}", "{\"a\": row.id, \"b\": 5}"},
      {"row['country'] == principal.id", "row[\"country\"] == \"ana\""},
      {"has(row.country) && has(principal.id)", "has(row.country)"},
      {"-(row.id)", "-row.id"},
      {"size(row.parts) > size(resource.tags)", "size(row.parts) > 2"},
      {"row", "row"},
      {"row.amount > double(x) / 0.0", "row.amount > double(\"Infinity\")"},
      {"type(row) == map", "type(row) == map"},
  });
}

TEST(CelReduce, LogicDropsWhatIsDecided) {
  Leaves({
      {"x == 5 && row.vip", "row.vip"},
      {"x == 4 && row.vip", "value false"},
      {"row.vip && x == 4", "value false"},
      {"x == 4 || row.vip", "row.vip"},
      {"row.vip || x == 5", "value true"},
      {"row.vip && x == 5 && row.id == 1", "row.vip && row.id == 1"},
      {"row.vip && (x == 5 && row.id == 1)", "row.vip && row.id == 1"},
      {"!(x == 4 || row.vip)", "!row.vip"},
      {"x == 5 ? row.vip : row.id == 1", "row.vip"},
      {"row.vip ? x == 5 : x == 4", "row.vip ? true : false"},
      {"row.vip ? 1 / 0 : x",
       "row.vip ? cel.error(\"1:13: division by zero: test the divisor first, as in y != 0 && x / y > 1\") : 5"},
      {"'admin' in principal.groups || row.country == 'FR'", "row.country == \"FR\""},
      {"'finance' in principal.groups || row.country == 'FR'", "value true"},
      {"row.vip && any.n", "row.vip && cel.error(\"1:16: a bool is wanted here, and this is int 1\")"},
  });
}

TEST(CelReduce, FailuresThatMightNotMatterAreKept) {
  Leaves({
      {"any.missing == 1 || row.vip", "row.vip || cel.error(\"1:5: there is no field 'missing'; there are a, n\")"},
      {"any.missing == 1 || x == 5 || row.vip", "value true"},
      {"any.missing == row.id", "error 1:5: there is no field 'missing'; there are a, n"},
      {"any.missing == 1 && x == 5", "error 1:5: there is no field 'missing'; there are a, n"},
      {"(row.vip || any.missing) && x == 4", "value false"},
  });
}

TEST(CelReduce, MacrosOverKnownListsUnroll) {
  Leaves({
      {"principal.groups.exists(g, g == row.country)", "\"finance\" == row.country || \"privacy\" == row.country"},
      {"principal.groups.all(g, g != row.country)", "\"finance\" != row.country && \"privacy\" != row.country"},
      {"principal.groups.exists(g, g == 'finance' && row.vip)", "row.vip"},
      {"principal.groups.exists(g, g == 'finance' || row.vip)", "value true"},
      {"[].exists(g, row.vip)", "value false"},
      {"[].all(g, row.vip)", "value true"},
      {"[1, 2].map(i, i + row.id)", "[1 + row.id, 2 + row.id]"},
      {"[1, 2].map(i, i * 2).exists(j, j == row.id)", "2 == row.id || 4 == row.id"},
      {"[1, 2].exists(i, v, i == row.id && v == 2)", "1 == row.id"},
      {"resource.columns.exists(c, c == row.country)", "\"a\" == row.country || \"b\" == row.country"},
      {"[1, 2].filter(i, i == row.id)", "[1, 2].filter(i, i == row.id)"},
      {"[1, 2].exists_one(i, i == row.id)", "[1, 2].exists_one(i, i == row.id)"},
      {"[1, 2].exists(i, [3, 4].exists(j, i + j == row.id))",
       "4 == row.id || 5 == row.id || 5 == row.id || 6 == row.id"},
      {"row.parts.exists(p, p == principal.id)", "row.parts.exists(p, p == \"ana\")"},
      {"row.parts.exists(p, p == principal.id && x == 4)", "row.parts.exists(p, false)"},
      {"row.parts.map(p, [1, 2].map(i, i + size(p)))", "row.parts.map(p, [1 + size(p), 2 + size(p)])"},
      {"cel.bind(a, x + 1, a == row.id)", "6 == row.id"},
      {"cel.bind(a, row.id, a == x)", "cel.bind(a, row.id, a == 5)"},
      {"cel.bind(a, x == 4 && row.vip, a ? 1 : row.id)", "row.id"},
  });
}

TEST(CelReduce, KeepsWhatAnUnknownTypeCouldBreak) {
  EXPECT_EQ(Residual("row.vip && x == 5", true), "row.vip");
  // Unchecked, `row.vip` may be no bool, and "&& true" would make that an error.
  EXPECT_EQ(Residual("row.vip && x == 5", false), "row.vip && true");
}

TEST(CelReduce, StaysWithinLimits) {
  EXPECT_NE(Residual("[1, 2, 3, 4, 5, 6].exists(i, [1, 2, 3, 4, 5, 6].exists(j, i + j == row.id))", true, {.steps = 60})
                .find("too costly"),
            std::string::npos);
  EXPECT_NE(Residual("[1, 2, 3, 4, 5, 6].exists(i, i == row.id)", true, {.bytes = 1000}).find("too costly"),
            std::string::npos);
  constexpr std::string_view kNone[] = {"rwo"};
  EXPECT_EQ(Program::Compile("true", TestEnvironment())->Reduce({}, kNone).error().message,
            "there is no variable 'rwo' to be unknown");
}

}  // namespace
}  // namespace weft::cel
