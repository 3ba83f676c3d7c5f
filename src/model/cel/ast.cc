#include "model/cel/ast.h"

#include <fmt/format.h>

#include <cmath>

#include "model/cel/time.h"

namespace weft::cel {

std::string_view Sign(Operator op) {
  constexpr std::string_view kSigns[] = {
      "?:", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "!", "-", "[]"};
  return kSigns[static_cast<size_t>(op)];
}

Expr Expr::Literal(Value value, Position at) {
  Expr expr;
  expr.type = Type(value.type());
  expr.literal = std::move(value);
  expr.at = at;
  return expr;
}

Expr Expr::Of(Operator op, std::vector<Expr> children, Position at) {
  Expr expr;
  expr.kind = Kind::kOperator;
  expr.op = op;
  expr.at = at;
  if (op != Operator::kAnd && op != Operator::kOr) {
    expr.children = std::move(children);
    return expr;
  }
  for (Expr& child : children) {
    if (child.is(op)) {
      std::move(child.children.begin(), child.children.end(), std::back_inserter(expr.children));
    } else {
      expr.children.push_back(std::move(child));
    }
  }
  return expr;
}

Expr Expr::Call(std::string name, std::vector<Expr> children, Position at) {
  Expr expr;
  expr.kind = Kind::kCall;
  expr.name = std::move(name);
  expr.children = std::move(children);
  expr.at = at;
  return expr;
}

Expr Expr::OfValue(const Value& value, Position at) {
  Expr expr;
  expr.at = at;
  auto call = [&](std::string function, std::string text) {
    return Call(std::move(function), {Literal(Value::Text(std::move(text)), at)}, at);
  };
  switch (value.kind()) {
    case Value::Kind::kTimestamp:
      return call("timestamp", TextOf(value.AsTimestamp()));
    case Value::Kind::kDuration:
      return call("duration", TextOf(value.AsDuration()));
    case Value::Kind::kDouble:
      if (std::isfinite(value.AsDouble())) break;
      return call("double", std::isnan(value.AsDouble()) ? "NaN" : value.AsDouble() > 0 ? "Infinity" : "-Infinity");
    case Value::Kind::kType:
      expr.kind = Kind::kVariable;
      expr.name = NameOf(value.AsType());
      return expr;
    case Value::Kind::kList:
      expr.kind = Kind::kList;
      for (const Value& item : value.AsList()) expr.children.push_back(OfValue(item, at));
      return expr;
    case Value::Kind::kMap:
      expr.kind = Kind::kMap;
      for (const auto& [key, item] : value.AsMap().entries()) {
        expr.children.push_back(OfValue(key, at));
        expr.children.push_back(OfValue(item, at));
      }
      return expr;
    default:
      break;
  }
  return Literal(value, at);
}

bool Expr::operator==(const Expr& other) const {
  if (kind != other.kind || name != other.name || variables != other.variables || children != other.children)
    return false;
  if (kind == Kind::kOperator) return op == other.op;
  if (kind == Kind::kCall) return member == other.member;
  if (kind != Kind::kLiteral) return true;
  if (literal.kind() != other.literal.kind()) return false;
  if (literal.is(Value::Kind::kDouble) && std::signbit(literal.AsDouble()) != std::signbit(other.literal.AsDouble())) {
    return false;
  }
  return Equal(literal, other.literal);
}

Error Fault(Position at, std::string message) {
  std::string whole = fmt::format("{}:{}: {}", at.line, at.column, message);
  return {Code::kInvalid, std::move(whole), {Problem{"", at.line, at.column, "", "cel", std::move(message)}}};
}

}  // namespace weft::cel
