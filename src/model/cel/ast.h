// CEL expressions as trees: parsed from text, printed back, and walked by whoever lowers them to another language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cel/type.h"
#include "model/cel/value.h"

namespace weft::cel {

constexpr size_t kMaxText = 64 * 1024;
constexpr int kMaxDepth = 200;  // Of the tree, but any number of terms may stand between && or ||.

struct Position {
  int offset = 0;  // In bytes.
  int line = 1;
  int column = 1;  // In characters.
};

enum class Operator : uint8_t {
  kConditional,  // a ? b : c
  kOr,           // Two or more children, none of which is itself kOr; likewise kAnd.
  kAnd,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNot,
  kNegate,
  kIndex,  // a[b]
};
std::string_view Sign(Operator op);  // "&&"

struct Expr {
  enum class Kind : uint8_t {
    kLiteral,   // `literal`: null, bool, int, uint, double, string or bytes
    kVariable,  // `name`: a macro's variable, a variable of the environment or a type; ".x" skips the macros'
    kSelect,    // children[0] . `name`
    kHas,       // has(children[0] . `name`)
    kOperator,  // `op` over the children
    kCall,      // `name`(children…), or children[0].`name`(the other children…) with `member`
    kList,      // The children are its items.
    kMap,       // The children are key, value, key, value…
    kMacro,     // children[0] is the range, `variables` stand for each item in the other children
  };

  Kind kind = Kind::kLiteral;
  Operator op = Operator::kConditional;
  bool member = false;
  Position at;  // Of the operator, field or name where there is one.
  Type type;    // dyn until checked.
  Value literal;
  // A macro's: all, exists, exists_one, filter, map, transformList, transformMap (with two variables: index or key, and
  // value), or bind, whose children are the value and the body.
  std::string name;
  std::vector<std::string> variables;
  std::vector<Expr> children;

  bool is(Kind k) const { return kind == k; }
  bool is(Operator o) const { return kind == Kind::kOperator && op == o; }
  static Expr Literal(Value value, Position at = {});
  static Expr Of(Operator op, std::vector<Expr> children, Position at = {});
  static Expr Call(std::string name, std::vector<Expr> children, Position at = {});
  // The tree that evaluates to the value: literals, lists, maps, and calls of timestamp, duration and double.
  static Expr OfValue(const Value& value, Position at = {});

  // The same expression; positions and types do not count.
  bool operator==(const Expr& other) const;
};

// What is wrong with the syntax comes as kInvalid with one problem: line, column, what would be right.
Result<Expr> Parse(std::string_view text);
// Text that parses to the same tree, with no more parentheses than that needs.
std::string Print(const Expr& expr);

// "line:column: message", with the problem that says so.
Error Fault(Position at, std::string message);

}  // namespace weft::cel
