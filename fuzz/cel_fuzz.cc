// Foreign bytes as an expression: parsed, printed, checked, evaluated and reduced. What is printed parses to the same
// tree, and what is left of an expression that knows no `row` gives what the whole gives.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "model/cel/program.h"

namespace {

using namespace weft::cel;

const Environment& Variables() {
  static const Environment kVariables =
      Environment()
          .Add("principal",
               Type::FromJson(*weft::Json::Parse(R"({"id": "string", "groups": "list<string>"})")).TakeValue())
          .Add("row",
               Type::FromJson(*weft::Json::Parse(R"({"a": "int", "b": "string", "c": "list<string>", "d": "bool"})"))
                   .TakeValue())
          .Add("x", Type::Kind::kInt)
          .Add("any");
  return kVariables;
}

bool TooCostly(const weft::Error& error) {
  return error.message.find("too costly") != std::string::npos ||
         error.message.find("nest too deeply") != std::string::npos;
}

void Run(const Expr& expr, const Bindings& bindings, bool check) {
  constexpr Limits kLimits = {.steps = 20'000, .bytes = 1 << 20};
  auto program = Program::Compile(expr, Variables(), check);
  if (!program) {
    Check(check && !program.error().problems.empty());
    return;
  }
  auto whole = program->Evaluate(bindings, kLimits);
  Check(whole || whole.error().problems.size() == 1);
  constexpr std::string_view kUnknown[] = {"row"};
  auto reduced = program->Reduce(bindings, kUnknown, kLimits);
  if ((!whole && TooCostly(whole.error())) || (!reduced && TooCostly(reduced.error()))) return;
  if (!reduced || reduced->value) {
    Check(reduced.has_value() == whole.has_value() && (!whole || whole->Print() == reduced->value->Print()));
    return;
  }
  auto again = Parse(Print(reduced->residual));
  Check(again ? *again == reduced->residual : Print(reduced->residual).size() > kMaxText);
  auto rest = Program::Compile(reduced->residual, Variables(), false);
  Check(rest.has_value());
  auto part = rest->Evaluate(bindings, kLimits);
  if (!part && TooCostly(part.error())) return;
  Check(part.has_value() == whole.has_value() && (!whole || whole->Print() == part->Print()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Bindings kBindings =
      Variables()
          .Bind(*weft::Json::Parse(
              R"({"principal": {"id": "ana", "groups": ["a", "b"]}, "x": 3, "any": {"a": [1, 2.5, "t"]},
                                       "row": {"a": 1, "b": "a", "c": ["b"], "d": true}})"))
          .TakeValue();
  auto expr = Parse({reinterpret_cast<const char*>(data), size});
  if (!expr) {
    Check(expr.error().problems.size() == 1);
    return 0;
  }
  const std::string printed = Print(*expr);
  auto again = Parse(printed);
  Check(again ? *again == *expr : printed.size() > kMaxText);
  Run(*expr, kBindings, true);
  Run(*expr, kBindings, false);
  return 0;
}
