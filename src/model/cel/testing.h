// What the tests of CEL share: an expression's outcome as one text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/cel/program.h"

namespace weft::cel {

// The variables of the tests: declared, with values.
inline Environment TestEnvironment() {
  return Environment()
      .Add("principal", Type::FromJson(*Json::Parse(R"({"id": "string", "groups": "list<string>", "level": "int",
                                                        "attributes": "dyn"})"))
                            .TakeValue())
      .Add("resource", Type::FromJson(*Json::Parse(R"({"tags": "list<string>", "owner": {"name": "string"},
                                                       "columns": "map<string, int>"})"))
                           .TakeValue())
      .Add("row", Type::FromJson(*Json::Parse(R"({"country": "string", "amount": "double", "id": "int", "vip": "bool",
                                                  "at": "timestamp", "parts": "list<string>"})"))
                      .TakeValue())
      .Add("now", Type::Kind::kTimestamp)
      .Add("x", Type::Kind::kInt)
      .Add("any");
}

inline Bindings TestBindings() {
  return TestEnvironment()
      .Bind(*Json::Parse(R"({"principal": {"id": "ana", "groups": ["finance", "privacy"], "level": 3,
                                           "attributes": {"countries": ["FR", "DE"], "manager": null}},
                             "resource": {"tags": ["gold", "pii"], "owner": {"name": "sales"}, "columns": {"a": 1, "b": 2}},
                             "row": {"country": "FR", "amount": 2.5, "id": 7, "vip": true, "at": "2026-01-31T09:00:00Z",
                                     "parts": ["p"]},
                             "now": "2026-02-01T00:00:00Z", "x": 5, "any": {"a": [1, 2.5, "t", null, true], "n": 1}})"))
      .TakeValue();
}

// The value as text, or "error 1:5: …".
inline std::string Outcome(std::string_view text, bool check = true, const Limits& limits = {}) {
  auto expr = Parse(text);
  if (!expr) return "error " + expr.error().message;
  auto program = Program::Compile(*expr, TestEnvironment(), check);
  if (!program) return "error " + program.error().message;
  auto value = program->Evaluate(TestBindings(), limits);
  return value ? value->Print() : "error " + value.error().message;
}

using Table = std::vector<std::pair<std::string, std::string>>;

}  // namespace weft::cel
