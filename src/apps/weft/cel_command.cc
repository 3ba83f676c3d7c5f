#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/weft/command.h"
#include "apps/weft/completion.h"
#include "apps/weft/typing.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"
#include "model/cel/program.h"

namespace weft::app {
namespace {

constexpr size_t kMaxVariables = 16 << 20;

// A file of JSON or YAML, which JSON is too.
Result<Json> ReadDocument(const std::string& path) {
  const std::string text = TRY(ReadFile(path, kMaxVariables));
  const yaml::Node node = TRY(yaml::Parse(text, path));
  if (node.kind != yaml::Node::Kind::kMap && node.kind != yaml::Node::Kind::kNull) {
    return Error{Code::kInvalid, fmt::format("{} is no object: write NAME: VALUE for each variable", Safe(path))};
  }
  return node.ToJson();
}

class CelCommand : public Command {
 public:
  explicit CelCommand(CLI::App& app) {
    app.add_option("expression", text_, "The expression, or - to read it from standard input")->required();
    app.add_option("--vars", vars_, "A file of the variables' values, JSON or YAML")->type_name(kFile);
    app.add_option("--types", types_,
                   "A file of the variables' types, such as {tags: list<string>}; without, they are dyn")
        ->type_name(kFile);
    app.add_option("--unknown", unknown_, "A variable that is not known yet: what is left for it to decide is printed");
  }

  Result<int> Run(Session& session) override {
    if (text_ == "-") text_ = TRY(ReadAll(cel::kMaxText));
    auto outcome = Answer();
    if (!outcome) return Told(session, outcome.TakeError());
    session.json() ? session.PrintJson(*outcome) : session.Print(Safe((*outcome)["text"].Text(), true) + "\n");
    return 0;
  }

 private:
  Result<Json> Answer() const {
    cel::Environment environment;
    const Json types = types_.empty() ? Json() : TRY(ReadDocument(types_));
    for (const auto& [name, type] : types.Members()) {
      auto read = cel::Type::FromJson(type);
      if (!read) return read.TakeError().With(fmt::format("{}: {}", types_, name));
      environment.Add(name, *read);
    }
    Json values = vars_.empty() ? Json() : TRY(ReadDocument(vars_));
    for (const auto& [name, value] : values.Members()) {
      if (types_.empty()) environment.Add(name);
    }
    for (const std::string& name : unknown_) {
      if (!environment.Find(name)) environment.Add(name);
    }
    auto bindings = environment.Bind(values);
    if (!bindings) return bindings.TakeError().With(vars_);
    const cel::Program program = TRY(cel::Program::Compile(text_, environment));
    if (unknown_.empty()) return Shown(TRY(program.Evaluate(*bindings)));
    const cel::Reduced reduced =
        TRY(program.Reduce(*bindings, std::vector<std::string_view>(unknown_.begin(), unknown_.end())));
    if (reduced.value) return Shown(*reduced.value);
    return Json::Map({{"type", program.type().Text()}, {"residual", true}, {"text", cel::Print(reduced.residual)}});
  }

  static Json Shown(const cel::Value& value) {
    return Json::Map({{"type", cel::NameOf(value.type())}, {"value", value.ToJson()}, {"text", value.Print()}});
  }

  // A problem says all that there is to say: it is not told twice.
  static Error Told(const Session& session, Error error) {
    if (session.json() || error.problems.empty()) return error;
    if (error.problems.size() == 1) {
      error.problems.clear();
    } else {
      error.message = fmt::format("the expression has {}", Count(error.problems.size(), "problem"));
      for (Problem& problem : error.problems) problem.file = "expression";
    }
    return error;
  }

  std::string text_, vars_, types_;
  std::vector<std::string> unknown_;
};

constexpr CommandEntry kCommands[] = {
    {"cel", "Publish", "Evaluate an expression of a policy, without a node",
     "weft cel '\"pii\" in resource.tags' --vars vars.yaml\n"
     "weft cel 'row.country in principal.countries' --vars vars.yaml --unknown row",
     kAlone, Make<CelCommand>},
};

}  // namespace

std::span<const CommandEntry> ExpressionCommands() { return kCommands; }

}  // namespace weft::app
