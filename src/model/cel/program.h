// CEL expressions made ready to be evaluated many times: checked against the variables that there are, and compiled.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/cel/ast.h"
#include "model/cel/type.h"
#include "model/cel/value.h"

namespace weft::cel {

// The values of an environment's variables, in its order; nothing where a variable has none: reading it is an error.
using Bindings = std::vector<std::optional<Value>>;

// The variables that expressions may name.
class Environment {
 public:
  Environment& Add(std::string name, Type type = {});
  std::optional<size_t> Find(std::string_view name) const;
  const std::vector<Type::Field>& variables() const { return variables_; }
  // Of a JSON object, each member as its variable's type; members that are no variables are refused.
  Result<Bindings> Bind(const Json& json) const;

 private:
  std::vector<Type::Field> variables_;
};

// Sets the type of every node. What is wrong comes all at once, as kInvalid with a problem for each.
Status Check(Expr& expr, const Environment& environment);

// One evaluation may use so much; beyond it fails as "too costly".
struct Limits {
  int64_t steps = 1'000'000;  // About 20 to 50 ns each.
  int64_t bytes = 16 << 20;   // Of texts, lists and maps that it makes.
};

// What is left of an expression when some variables are not known yet.
struct Reduced {
  std::optional<Value> value;  // Set where the rest decides alone.
  Expr residual;               // Otherwise: of the unknown variables, literals and operators, checked.
};

// Immutable and safe to share between threads; copies share the code.
class Program {
 public:
  static Result<Program> Compile(std::string_view text, const Environment& environment);
  // Without `check` nothing is refused: what does not fit fails when it is evaluated.
  static Result<Program> Compile(Expr expr, const Environment& environment, bool check = true);

  const Expr& expr() const;
  const Type& type() const { return expr().type; }

  // The error is kInvalid with the position of what failed.
  Result<Value> Evaluate(const Bindings& bindings, const Limits& limits = {}) const;
  // Evaluates all that does not hang on the unknown variables, whose values are not looked at. Macros over known lists
  // become && and ||, || and && drop what is decided. A part that fails, but might not matter, becomes cel.error("…").
  Result<Reduced> Reduce(const Bindings& bindings, std::span<const std::string_view> unknown,
                         const Limits& limits = {}) const;

 private:
  struct Body;
  explicit Program(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  std::shared_ptr<const Body> body_;  // Shared by copies: a program is kept with each cached decision.
};

}  // namespace weft::cel
