// Reads JSON lines on standard input, {"expr", "vars", "types", "unchecked", "unknown"}, and prints one for each:
// {"value", "type", "text", "deduced"}, {"residual"}, or {"error", "stage"}, where a stage is parse, check or run.
// A value is {KIND: what it holds}, so that 1, 1u and 1.0 differ.
#include <iostream>

#include "base/json.h"
#include "model/cel/program.h"

namespace {

using weft::Json;
using namespace weft::cel;

Json Failed(std::string_view stage, const weft::Error& error) {
  return Json::Map({{"stage", stage}, {"error", error.message}});
}

Json Tagged(const Value& value) {
  Json held = value.ToJson();
  if (value.is(Value::Kind::kDouble)) held = value.Print();
  if (value.is(Value::Kind::kDuration)) held = value.AsDuration().nanos;
  if (value.is(Value::Kind::kList)) {
    held = Json(Json::Array{});
    for (const Value& item : value.AsList()) held.Push(Tagged(item));
  } else if (value.is(Value::Kind::kMap)) {
    held = Json(Json::Array{});
    for (const auto& [key, item] : value.AsMap().entries()) held.Push(Json(Json::Array{Tagged(key), Tagged(item)}));
  }
  return Json::Map({{std::string(NameOf(value.type())), held}});
}

Json Evaluate(const Json& line) {
  Environment environment;
  for (const auto& [name, type] : line["types"].Members()) {
    auto read = Type::FromJson(type);
    if (!read) return Failed("types", read.error());
    environment.Add(name, *read);
  }
  for (const auto& [name, value] : line["vars"].Members()) {
    if (!environment.Find(name)) environment.Add(name);
  }
  auto bindings = environment.Bind(line["vars"]);
  if (!bindings) return Failed("vars", bindings.error());
  auto expr = Parse(line["expr"].Text());
  if (!expr) return Failed("parse", expr.error());
  if (auto again = Parse(Print(*expr)); !again || *again != *expr) {
    return Failed("print", {weft::Code::kInternal, Print(*expr)});
  }
  auto program = Program::Compile(*expr, environment, !line["unchecked"].Bool());
  if (!program) return Failed("check", program.error());
  if (line.Has("unknown")) {
    const std::vector<std::string> names = line["unknown"].Texts();
    auto reduced = program->Reduce(*bindings, std::vector<std::string_view>(names.begin(), names.end()));
    if (!reduced) return Failed("run", reduced.error());
    if (!reduced->value) return Json::Map({{"residual", Print(reduced->residual)}});
    return Json::Map({{"type", NameOf(reduced->value->type())}, {"text", reduced->value->Print()}});
  }
  auto value = program->Evaluate(*bindings);
  if (!value) return Failed("run", value.error());
  return Json::Map({{"value", Tagged(*value)},
                    {"type", NameOf(value->type())},
                    {"text", value->Print()},
                    {"deduced", program->type().Text()}});
}

}  // namespace

int main() {
  for (std::string text; std::getline(std::cin, text);) {
    auto line = Json::Parse(text);
    std::cout << (line ? Evaluate(*line) : Failed("line", line.error())).Dump() << '\n';
  }
}
