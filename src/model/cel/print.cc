#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "model/cel/ast.h"
#include "model/cel/lexer.h"
#include "model/cel/utf8.h"

namespace weft::cel {
namespace {

// How tightly an expression holds together, as the grammar ranks it.
enum Level { kConditional, kOr, kAnd, kRelation, kAddition, kMultiplication, kUnary, kMember };

Level LevelOf(const Expr& expr) {
  if (expr.is(Expr::Kind::kLiteral)) {
    const Value& value = expr.literal;
    const bool negative = (value.is(Value::Kind::kInt) && value.AsInt() < 0) ||
                          (value.is(Value::Kind::kDouble) && std::signbit(value.AsDouble()));
    return negative ? kUnary : kMember;
  }
  if (!expr.is(Expr::Kind::kOperator)) return kMember;
  switch (expr.op) {
    case Operator::kConditional:
      return kConditional;
    case Operator::kOr:
      return kOr;
    case Operator::kAnd:
      return kAnd;
    case Operator::kAdd:
    case Operator::kSubtract:
      return kAddition;
    case Operator::kMultiply:
    case Operator::kDivide:
    case Operator::kModulo:
      return kMultiplication;
    case Operator::kNot:
    case Operator::kNegate:
      return kUnary;
    case Operator::kIndex:
      return kMember;
    default:
      return kRelation;
  }
}

void PutQuoted(std::string& out, std::string_view text, bool bytes) {
  out += bytes ? "b\"" : "\"";
  for (char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (octet < 0x20 || octet == 0x7f || (bytes && octet > 0x7f)) {
      out += fmt::format("\\x{:02x}", octet);
    } else {
      out += c;
    }
  }
  out += '"';
}

void PutDouble(std::string& out, double value) {
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const std::string_view text(digits, static_cast<size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == text.npos) out += ".0";
}

class Printer {
 public:
  void Put(const Expr& expr, Level least) {
    const bool wrapped = LevelOf(expr) < least;
    if (wrapped) out_ += '(';
    switch (expr.kind) {
      case Expr::Kind::kLiteral:
        PutLiteral(expr.literal);
        break;
      case Expr::Kind::kVariable:
        out_ += expr.name;
        break;
      case Expr::Kind::kSelect:
        PutSelect(expr);
        break;
      case Expr::Kind::kHas:
        out_ += "has(";
        PutSelect(expr);
        out_ += ')';
        break;
      case Expr::Kind::kOperator:
        PutOperator(expr);
        break;
      case Expr::Kind::kCall:
        PutCall(expr);
        break;
      case Expr::Kind::kMacro:
        PutMacro(expr);
        break;
      case Expr::Kind::kList:
        out_ += '[';
        PutItems(expr, 0);
        out_ += ']';
        break;
      case Expr::Kind::kMap:
        out_ += '{';
        for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
          if (i > 0) out_ += ", ";
          Put(expr.children[i], kConditional);
          out_ += ": ";
          Put(expr.children[i + 1], kConditional);
        }
        out_ += '}';
        break;
    }
    if (wrapped) out_ += ')';
  }

  std::string Take() { return std::move(out_); }

 private:
  void PutLiteral(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::kNull:
        out_ += "null";
        break;
      case Value::Kind::kBool:
        out_ += value.AsBool() ? "true" : "false";
        break;
      case Value::Kind::kInt:
        out_ += std::to_string(value.AsInt());
        break;
      case Value::Kind::kUint:
        out_ += std::to_string(value.AsUint()) + "u";
        break;
      case Value::Kind::kDouble:
        PutDouble(out_, value.AsDouble());
        break;
      case Value::Kind::kString:
        PutQuoted(out_, value.AsText(), false);
        break;
      case Value::Kind::kBytes:
        PutQuoted(out_, value.AsBytes(), true);
        break;
      default:
        Put(Expr::OfValue(value), kConditional);
        break;
    }
  }

  void PutSelect(const Expr& expr) {
    Put(expr.children[0], kMember);
    out_ += '.';
    const bool plain = expr.name.find_first_of(".-/ ") == std::string::npos &&
                       !(expr.name[0] >= '0' && expr.name[0] <= '9') && !IsKeyword(expr.name);
    out_ += plain ? expr.name : "`" + expr.name + "`";
  }

  void PutOperator(const Expr& expr) {
    const Level level = LevelOf(expr);
    const std::vector<Expr>& terms = expr.children;
    switch (expr.op) {
      case Operator::kConditional:
        Put(terms[0], kOr);
        out_ += " ? ";
        Put(terms[1], kOr);
        out_ += " : ";
        Put(terms[2], kConditional);
        return;
      case Operator::kIndex:
        Put(terms[0], kMember);
        out_ += '[';
        Put(terms[1], kConditional);
        out_ += ']';
        return;
      case Operator::kNot:
      case Operator::kNegate:
        PutUnary(expr);
        return;
      default:
        break;
    }
    // Of && and || every term holds tighter; of the others the left one may be of the same rank.
    const bool wide = expr.op == Operator::kAnd || expr.op == Operator::kOr;
    for (size_t i = 0; i < terms.size(); ++i) {
      if (i > 0) out_ += fmt::format(" {} ", Sign(expr.op));
      Put(terms[i], i == 0 && !wide ? level : static_cast<Level>(level + 1));
    }
  }

  void PutUnary(const Expr& expr) {
    const Expr& operand = expr.children[0];
    const bool bare = StandsBare(operand, expr.op);
    out_ += Sign(expr.op);
    if (!bare) out_ += '(';
    Put(operand, bare ? kUnary : kConditional);
    if (!bare) out_ += ')';
  }

  // Whether the sign means all of the operand when written right before it.
  static bool StandsBare(const Expr& operand, Operator sign) {
    if (operand.is(sign)) return true;
    // "-" before digits is the number's own sign, also where the number begins a chain: -1.f(x) is (-1).f(x).
    auto has_own_sign = [](const Expr& expr) {
      return expr.is(Expr::Kind::kLiteral) && LevelOf(expr) == kMember &&
             (expr.literal.is(Value::Kind::kInt) || expr.literal.is(Value::Kind::kDouble));
    };
    if (sign == Operator::kNegate && operand.is(Expr::Kind::kLiteral)) return !has_own_sign(operand);
    if (LevelOf(operand) != kMember) return false;
    const Expr* first = &operand;
    while (first->is(Expr::Kind::kSelect) || first->is(Operator::kIndex) || first->member ||
           (first->is(Expr::Kind::kMacro) && first->name != "bind")) {
      first = &first->children[0];
    }
    return sign == Operator::kNot || !has_own_sign(*first);
  }

  void PutCall(const Expr& expr) {
    if (expr.member) {
      Put(expr.children[0], kMember);
      out_ += '.';
    }
    out_ += expr.name;
    out_ += '(';
    PutItems(expr, expr.member ? 1 : 0);
    out_ += ')';
  }

  void PutMacro(const Expr& expr) {
    const bool bind = expr.name == "bind";
    if (bind) {
      out_ += "cel";
    } else {
      Put(expr.children[0], kMember);
    }
    out_ += '.' + expr.name + '(';
    for (const std::string& variable : expr.variables) out_ += variable + ", ";
    PutItems(expr, bind ? 0 : 1);
    out_ += ')';
  }

  void PutItems(const Expr& expr, size_t from) {
    for (size_t i = from; i < expr.children.size(); ++i) {
      if (i > from) out_ += ", ";
      Put(expr.children[i], kConditional);
    }
  }

  std::string out_;
};

}  // namespace

std::string Print(const Expr& expr) {
  Printer printer;
  printer.Put(expr, kConditional);
  return printer.Take();
}

std::string Value::Print() const { return cel::Print(Expr::OfValue(*this)); }

}  // namespace weft::cel
