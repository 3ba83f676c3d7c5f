// An expression as the evaluator runs it: names resolved to places, constants computed, patterns compiled.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/cel/functions.h"
#include "model/cel/program.h"
#include "model/cel/regex.h"

namespace weft::cel {

struct Node {
  enum class Op : uint8_t {
    kConstant,
    kVariable,  // bindings[place]
    kLocal,     // The macro variable at this place.
    kMissing,   // A variable or function that there is not: unchecked code may name one.
    kSelect,
    kHas,
    kOperator,  // source->op
    kCall,
    kMatches,  // With a pattern that is known.
    kList,
    kMap,
    kAll,
    kExists,
    kExistsOne,
    kFilter,
    kTransform,
    kTransformMap,
    kBind,
  };

  Op op = Op::kConstant;
  Operator sign = Operator::kConditional;
  uint32_t place = 0;            // Of the variable; of a macro's first variable.
  uint32_t hint = 0;             // Where a record's field most likely stands.
  const Expr* source = nullptr;  // Owned by the program.
  Value constant;
  std::vector<Node> children;
  std::span<const Overload> overloads;
  std::optional<Regex> regex;

  bool is(Op o) const { return op == o; }
};

struct Program::Body {
  Expr expr;
  Environment environment;
  Node root;
};

// `expr` must outlive the node.
Result<Node> MakeNode(const Expr& expr, const Environment& environment);

}  // namespace weft::cel
