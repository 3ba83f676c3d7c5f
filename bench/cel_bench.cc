// How long decisions in CEL take: prints "name ns value" lines, each the median of several rounds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "model/cel/program.h"

namespace {

using namespace weft::cel;
using Clock = std::chrono::steady_clock;

template <class Work>
void Measure(std::string_view name, int times, Work work) {
  std::vector<double> rounds;
  for (int round = 0; round < 9; ++round) {
    const auto began = Clock::now();
    for (int i = 0; i < times; ++i) work();
    rounds.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / times);
  }
  std::sort(rounds.begin(), rounds.end());
  fmt::print("cel.{} ns {:.4g}\n", name, rounds[rounds.size() / 2]);
}

}  // namespace

int main() {
  const weft::Json types =
      *weft::Json::Parse(R"({"principal": {"id": "string", "groups": "list<string>", "level": "int"},
      "resource": {"tags": "list<string>", "owner": {"name": "string"}, "columns": "list<string>"},
      "row": {"country": "string", "amount": "double"}})");
  Environment environment;
  for (const auto& [name, type] : types.Members()) environment.Add(name, Type::FromJson(type).TakeValue());
  const Bindings bindings =
      environment
          .Bind(
              *weft::Json::Parse(R"({"principal": {"id": "ana", "groups": ["finance", "analysts", "emea"], "level": 3},
              "resource": {"tags": ["gold", "finance", "pii"], "owner": {"name": "sales"}, "columns": ["a", "b", "c"]},
              "row": {"country": "FR", "amount": 12.5}})"))
          .TakeValue();
  const struct {
    std::string_view name, text;
  } decisions[] = {
      {"field", "principal.level >= 3"},
      {"tags", "resource.tags.exists(t, t == \"pii\") && !(\"privacy\" in principal.groups)"},
      {"row", "row.country in [\"DE\", \"FR\"] && row.amount < 100.0"},
      {"text", "principal.id + \"@\" + resource.owner.name == \"ana@sales\""},
      {"matches", "resource.owner.name.matches(\"^sa[a-z]+$\")"},
      {"nested", "resource.columns.all(c, resource.tags.exists(t, t != c))"},
  };
  for (const auto& [name, text] : decisions) {
    const Program program = Program::Compile(text, environment).TakeValue();
    Measure(name, 200'000, [&] {
      if (!program.Evaluate(bindings)) std::abort();
    });
  }
  Measure("compile", 2'000, [&] {
    if (!Program::Compile(decisions[1].text, environment)) std::abort();
  });
  constexpr std::string_view kUnknown[] = {"row"};
  const Program filter =
      Program::Compile("row.country in principal.groups || row.amount < 10.0 && principal.level > 2", environment)
          .TakeValue();
  Measure("reduce", 20'000, [&] {
    if (!filter.Reduce(bindings, kUnknown)) std::abort();
  });
}
