#include "model/policy/predicate.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "model/cel/program.h"
#include "model/cel/regex.h"

namespace weft::model {
namespace {

using cel::Expr;
using cel::Operator;
using cel::Value;
using Kind = Predicate::Kind;

constexpr std::string_view kRow = "row";
constexpr int64_t kExact = int64_t{1} << 53;  // Whole numbers up to this are doubles too.

bool IsNumber(const Type& type) {
  return type.kind == Type::Kind::kFloat || type.kind == Type::Kind::kDouble || type.kind == Type::Kind::kDecimal;
}
bool IsWhole(const Type& type) { return type.kind == Type::Kind::kInt || type.kind == Type::Kind::kLong; }
bool IsTime(const Type& type) {
  return type.kind == Type::Kind::kDate || type.kind == Type::Kind::kTimestamp || type.kind == Type::Kind::kTimestampTz;
}
bool IsText(const Type& type) { return type.kind == Type::Kind::kString; }

cel::Type CelType(const Type& type) {
  using K = cel::Type::Kind;
  if (IsWhole(type)) return K::kInt;
  if (IsNumber(type)) return K::kDouble;
  if (IsTime(type)) return K::kTimestamp;
  if (IsText(type)) return K::kString;
  if (type.kind == Type::Kind::kBoolean) return K::kBool;
  if (type.kind == Type::Kind::kList && (IsText(type.fields[0].type) || IsWhole(type.fields[0].type))) {
    return cel::Type::List(CelType(type.fields[0].type));
  }
  return K::kOpen;
}

Predicate Constant(bool value) {
  Predicate predicate;
  predicate.kind = value ? Kind::kTrue : Kind::kFalse;
  return predicate;
}

Predicate Of(Kind kind, std::vector<Predicate> parts) {
  const Kind neutral = kind == Kind::kAnd ? Kind::kTrue : Kind::kFalse;
  Predicate all;
  all.kind = kind;
  for (Predicate& part : parts) {
    if (part.kind == neutral) continue;
    if (part.kind == Kind::kTrue || part.kind == Kind::kFalse) return part;
    all.parts.push_back(std::move(part));
  }
  if (all.parts.empty()) return Constant(kind == Kind::kAnd);
  if (all.parts.size() == 1) return Predicate(std::move(all.parts[0]));
  return all;
}

Predicate Test(Kind kind, Operand operand, std::vector<Value> values = {}) {
  Predicate predicate;
  predicate.kind = kind;
  predicate.operand = std::move(operand);
  predicate.values = std::move(values);
  return predicate;
}

Kind Opposite(Kind kind) {
  switch (kind) {
    case Kind::kEqual:
      return Kind::kNotEqual;
    case Kind::kNotEqual:
      return Kind::kEqual;
    case Kind::kLess:
      return Kind::kGreaterEqual;
    case Kind::kLessEqual:
      return Kind::kGreater;
    case Kind::kGreater:
      return Kind::kLessEqual;
    default:
      return Kind::kLess;
  }
}

// What `a op b` is as `b op a`.
Kind Mirrored(Kind kind) {
  switch (kind) {
    case Kind::kLess:
      return Kind::kGreater;
    case Kind::kLessEqual:
      return Kind::kGreaterEqual;
    case Kind::kGreater:
      return Kind::kLess;
    case Kind::kGreaterEqual:
      return Kind::kLessEqual;
    default:
      return kind;
  }
}

std::optional<Kind> ComparisonOf(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return Kind::kEqual;
    case Operator::kNotEqual:
      return Kind::kNotEqual;
    case Operator::kLess:
      return Kind::kLess;
    case Operator::kLessEqual:
      return Kind::kLessEqual;
    case Operator::kGreater:
      return Kind::kGreater;
    case Operator::kGreaterEqual:
      return Kind::kGreaterEqual;
    default:
      return std::nullopt;
  }
}

// Walks the tree once. When checking, what does not depend on the row has no value yet, and any value will do.
class Lowering {
 public:
  Lowering(const TableSchema& schema, bool checking) : schema_(schema), checking_(checking) {}

  // The rows for which `expr` is `wanted`: true, or false. For the others it is the opposite, null or an error.
  Result<Predicate> When(const Expr& expr, bool wanted) {
    if (!Mentions(expr, kRow)) return WhenConstant(expr, wanted);
    if (expr.is(Operator::kAnd) || expr.is(Operator::kOr)) {
      std::vector<Predicate> parts;
      for (const Expr& child : expr.children) parts.push_back(TRY(When(child, wanted)));
      return Of(expr.is(Operator::kAnd) == wanted ? Kind::kAnd : Kind::kOr, std::move(parts));
    }
    if (expr.is(Operator::kNot)) return When(expr.children[0], !wanted);
    if (expr.is(Operator::kConditional)) {
      Predicate then = Of(Kind::kAnd, {TRY(When(expr.children[0], true)), TRY(When(expr.children[1], wanted))});
      Predicate otherwise = Of(Kind::kAnd, {TRY(When(expr.children[0], false)), TRY(When(expr.children[2], wanted))});
      return Of(Kind::kOr, {std::move(then), std::move(otherwise)});
    }
    if (expr.is(Operator::kIn)) return In(expr, wanted);
    if (expr.is(Expr::Kind::kOperator) && ComparisonOf(expr.op)) return Comparison(expr, wanted);
    if (expr.is(Expr::Kind::kCall)) return Call(expr, wanted);
    if (expr.is(Expr::Kind::kMacro) && checking_) return Macro(expr);
    if (expr.is(Expr::Kind::kSelect)) {
      Operand operand = TRY(OperandOf(expr));
      if (operand.type.kind != Type::Kind::kBoolean) return Refused(expr, "a condition must be true or false");
      return Test(wanted ? Kind::kIsTrue : Kind::kIsFalse, std::move(operand));
    }
    return Refused(expr, "this cannot be asked of a row where the data is");
  }

 private:
  Error Refused(const Expr& expr, std::string_view why) const {
    return cel::Fault(
        expr.at,
        fmt::format("{}: a filter compares columns with ==, !=, <, <=, >, >= and in, and joins tests of startsWith, "
                    "endsWith, contains, matches, size, lowerAscii and upperAscii by &&, ||, ! and ?:",
                    why));
  }

  Result<Predicate> WhenConstant(const Expr& expr, bool wanted) const {
    if (checking_) return Constant(true);
    const std::optional<Value> value = ValueOf(expr);
    return Constant(value && value->is(Value::Kind::kBool) && value->AsBool() == wanted);
  }

  // The value of what does not depend on the row; when checking, none. Nothing where it has none: an error in CEL.
  std::optional<Value> ValueOf(const Expr& expr) const {
    if (checking_ || expr.is(Expr::Kind::kLiteral)) return expr.literal;
    auto program = cel::Program::Compile(expr, {}, false);
    if (!program) return std::nullopt;
    auto value = program->Evaluate({});
    return value ? std::optional(value.TakeValue()) : std::nullopt;
  }

  Result<Predicate> Comparison(const Expr& expr, bool wanted) {
    Kind kind = *ComparisonOf(expr.op);
    const Expr* left = &expr.children[0];
    const Expr* right = &expr.children[1];
    if (!Mentions(*left, kRow)) {
      std::swap(left, right);
      kind = Mirrored(kind);
    }
    Operand operand = TRY(OperandOf(*left));
    if (Mentions(*right, kRow)) return Columns(expr, kind, std::move(operand), TRY(OperandOf(*right)), wanted);
    const std::optional<Value> value = ValueOf(*right);
    if (checking_) return Constant(true);
    if (!value) return Constant(false);
    return Against(expr, kind, std::move(operand), *value, wanted);
  }

  Result<Predicate> Columns(const Expr& expr, Kind kind, Operand left, Operand right, bool wanted) const {
    const Type& one = TypeOf(left);
    const Type& two = TypeOf(right);
    const bool alike = (IsText(one) && IsText(two)) || (IsWhole(one) && IsWhole(two)) || (one == two && !IsNumber(one));
    if (!alike) return Refused(expr, "two columns are compared where both are texts, whole numbers or the same type");
    Predicate test = Test(wanted ? kind : Opposite(kind), std::move(left));
    test.other.push_back(std::move(right));
    // Two nulls are equal, one is not: only where nothing else was done with them.
    test.null_is_true = false;
    if (kind != Kind::kEqual && kind != Kind::kNotEqual) return test;
    if (!IsBare(test.operand) || !IsBare(test.other[0])) return test;
    const bool equal = (kind == Kind::kEqual) == wanted;
    Predicate first = Test(Kind::kIsNull, test.operand), second = Test(Kind::kIsNull, test.other[0]);
    Predicate has_first = Test(Kind::kNotNull, test.operand), has_second = Test(Kind::kNotNull, test.other[0]);
    if (equal) return Of(Kind::kOr, {std::move(test), Of(Kind::kAnd, {std::move(first), std::move(second)})});
    return Of(Kind::kOr, {std::move(test), Of(Kind::kAnd, {std::move(first), std::move(has_second)}),
                          Of(Kind::kAnd, {std::move(has_first), std::move(second)})});
  }

  static bool IsBare(const Operand& operand) { return operand.kind == Operand::Kind::kColumn; }
  // What a test of the operand compares: a column's own type, or what the text or its size is.
  static const Type& TypeOf(const Operand& operand) {
    static const Type kText{};
    static const Type kSize = [] {
      Type type;
      type.kind = Type::Kind::kLong;
      return type;
    }();
    if (IsBare(operand)) return operand.type;
    return operand.kind == Operand::Kind::kSize ? kSize : kText;
  }

  // `operand kind value` is `wanted`.
  Result<Predicate> Against(const Expr& expr, Kind kind, Operand operand, const Value& value, bool wanted) const {
    const bool equality = kind == Kind::kEqual || kind == Kind::kNotEqual;
    const bool bare = IsBare(operand);
    if (value.is(Value::Kind::kNull)) {
      if (!equality) return Constant(false);
      const bool null = (kind == Kind::kEqual) == wanted;
      if (bare) return Test(null ? Kind::kIsNull : Kind::kNotNull, std::move(operand));
      return null ? Constant(false) : Test(Kind::kNotNull, std::move(operand));
    }
    Kind test = wanted ? kind : Opposite(kind);
    // Of what is not there, CEL knows that it differs, and no order.
    const bool null_is_true = equality && test == Kind::kNotEqual && bare;
    const Type& type = TypeOf(operand);
    auto differs = [&]() -> Predicate {  // Values of different kinds are unequal and have no order.
      if (!equality || test == Kind::kEqual) return Constant(false);
      return null_is_true ? Constant(true) : Test(Kind::kNotNull, std::move(operand));
    };
    Value literal = value;
    if (IsWhole(type)) {
      if (!value.is_number()) return differs();
      if (value.is(Value::Kind::kDouble))
        return WholeAgainst(test, std::move(operand), value.AsDouble(), null_is_true, wanted);
      if (value.is(Value::Kind::kUint) && value.AsUint() > static_cast<uint64_t>(INT64_MAX)) {
        return WholeAgainst(test, std::move(operand), 1e300, null_is_true, wanted);
      }
      if (value.is(Value::Kind::kUint)) literal = Value(static_cast<int64_t>(value.AsUint()));
    } else if (IsNumber(type)) {
      if (!value.is_number()) return differs();
      if (value.is(Value::Kind::kInt) && std::abs(value.AsInt() / 2) > kExact / 2) {
        return Refused(expr, "the number is too large to be compared with a number that is not whole");
      }
      if (value.is(Value::Kind::kUint) && value.AsUint() > static_cast<uint64_t>(kExact)) {
        return Refused(expr, "the number is too large to be compared with a number that is not whole");
      }
      if (value.is(Value::Kind::kInt)) literal = Value(static_cast<double>(value.AsInt()));
      if (value.is(Value::Kind::kUint)) literal = Value(static_cast<double>(value.AsUint()));
      if (std::isnan(literal.AsDouble())) {  // Unequal to all, in no order with any.
        const bool holds = (kind == Kind::kNotEqual) == wanted;
        if (!holds) return Constant(false);
        return null_is_true ? Constant(true) : Test(Kind::kNotNull, std::move(operand));
      }
      return NumberAgainst(kind, std::move(operand), literal, null_is_true, wanted);
    } else if (IsTime(type)) {
      if (!value.is(Value::Kind::kTimestamp)) return differs();
      if (value.AsTimestamp().nanos % 1000 != 0) {  // Between two of the column's microseconds.
        if (equality) return differs();
        test = test == Kind::kLess ? Kind::kLessEqual : test == Kind::kGreaterEqual ? Kind::kGreater : test;
      }
    } else if (IsText(type)) {
      if (!value.is(Value::Kind::kString)) return differs();
    } else if (type.kind == Type::Kind::kBoolean) {
      if (!value.is(Value::Kind::kBool)) return differs();
    } else {
      return Refused(expr, "a list is asked with in");
    }
    Predicate predicate = Test(test, std::move(operand), {std::move(literal)});
    predicate.null_is_true = null_is_true;
    return predicate;
  }

  // A column of doubles may hold NaN, which CEL puts in no order and the engine above all numbers.
  static Predicate NumberAgainst(Kind kind, Operand operand, const Value& literal, bool null_is_true, bool wanted) {
    Predicate test = Test(wanted ? kind : Opposite(kind), operand, {literal});
    test.null_is_true = null_is_true;
    if (operand.type.kind == Type::Kind::kDecimal || (kind != Kind::kGreater && kind != Kind::kGreaterEqual))
      return test;
    if (wanted) return Of(Kind::kAnd, {std::move(test), Test(Kind::kNotNan, std::move(operand))});
    return Of(Kind::kOr, {std::move(test), Test(Kind::kIsNan, std::move(operand))});
  }

  // Whole numbers against one that is not, or lies beyond them.
  static Predicate WholeAgainst(Kind test, Operand operand, double value, bool null_is_true, bool wanted) {
    auto all = [&](bool holds) -> Predicate {
      if (!holds) return Constant(false);
      return null_is_true ? Constant(true) : Test(Kind::kNotNull, std::move(operand));
    };
    if (std::isnan(value)) {
      // As written the test is false, but !=; `test` is the opposite where false is wanted.
      const Kind written = wanted ? test : Opposite(test);
      return all((written == Kind::kNotEqual) == wanted);
    }
    if (value >= 9223372036854775808.0) {
      return all(test == Kind::kLess || test == Kind::kLessEqual || test == Kind::kNotEqual);
    }
    if (value < -9223372036854775808.0) {
      return all(test == Kind::kGreater || test == Kind::kGreaterEqual || test == Kind::kNotEqual);
    }
    const double floor = std::floor(value);
    if (floor != value) {
      if (test == Kind::kEqual || test == Kind::kNotEqual) return all(test == Kind::kNotEqual);
      test = test == Kind::kLess ? Kind::kLessEqual : test == Kind::kGreaterEqual ? Kind::kGreater : test;
    }
    Predicate predicate = Test(test, std::move(operand), {Value(static_cast<int64_t>(floor))});
    predicate.null_is_true = null_is_true;
    return predicate;
  }

  Result<Predicate> In(const Expr& expr, bool wanted) {
    const Expr& item = expr.children[0];
    const Expr& list = expr.children[1];
    if (Mentions(list, kRow)) return HasItem(expr, wanted);
    Operand operand = TRY(OperandOf(item));
    const std::optional<Value> values = ValueOf(list);
    if (checking_) return Constant(true);
    if (values && values->is(Value::Kind::kMap)) return Refused(expr, "in asks a list here");
    if (!values || !values->is(Value::Kind::kList)) return Constant(false);
    // Texts, by far the most, go as one test; each other value as a comparison of its own.
    std::vector<Value> texts;
    std::vector<Predicate> tests;
    for (const Value& value : values->AsList()) {
      if (IsText(TypeOf(operand)) && value.is(Value::Kind::kString)) {
        texts.push_back(value);
      } else {
        tests.push_back(TRY(Against(expr, Kind::kEqual, operand, value, wanted)));
      }
    }
    if (!texts.empty()) {
      Predicate test = Test(wanted ? Kind::kIn : Kind::kNotIn, operand, std::move(texts));
      test.null_is_true = !wanted && IsBare(operand);
      tests.push_back(std::move(test));
    }
    if (tests.empty() && !wanted && !IsBare(operand)) return Test(Kind::kNotNull, std::move(operand));
    return Of(wanted ? Kind::kOr : Kind::kAnd, std::move(tests));
  }

  // The value as one of a list's: a text, or the whole number that any number may be. None: no item equals it.
  static std::optional<Value> ItemOf(const Value& value, const Type& type) {
    if (IsText(type)) return value.is(Value::Kind::kString) ? std::optional(value) : std::nullopt;
    if (value.is(Value::Kind::kInt)) return value;
    if (value.is(Value::Kind::kUint) && value.AsUint() <= static_cast<uint64_t>(INT64_MAX)) {
      return Value(static_cast<int64_t>(value.AsUint()));
    }
    if (!value.is(Value::Kind::kDouble)) return std::nullopt;
    const double number = value.AsDouble();
    const bool whole = std::trunc(number) == number && number >= -0x1p63 && number < 0x1p63;
    return whole ? std::optional(Value(static_cast<int64_t>(number))) : std::nullopt;
  }

  Result<Predicate> HasItem(const Expr& expr, bool wanted) {
    Operand list = TRY(OperandOf(expr.children[1]));
    if (!IsBare(list) || list.type.kind != Type::Kind::kList || Mentions(expr.children[0], kRow)) {
      return Refused(expr, "in asks a list column for a value, or a list for a column");
    }
    const std::optional<Value> value = ValueOf(expr.children[0]);
    if (checking_) return Constant(true);
    if (!value) return Constant(false);
    // A list may have nulls in it, and that it has none the engine cannot say.
    if (value->is(Value::Kind::kNull)) return Refused(expr, "a list column is asked for a value, and null is none");
    const std::optional<Value> item = ItemOf(*value, list.type.fields[0].type);
    if (!item) return wanted ? Constant(false) : Test(Kind::kNotNull, std::move(list));
    Predicate test = Test(Kind::kHasItem, std::move(list), {*item});
    test.negated = !wanted;
    return test;
  }

  Result<Predicate> Call(const Expr& expr, bool wanted) {
    if (expr.name == "cel.error") return Constant(false);
    static constexpr std::pair<std::string_view, Kind> kTests[] = {{"startsWith", Kind::kStartsWith},
                                                                   {"endsWith", Kind::kEndsWith},
                                                                   {"contains", Kind::kContains},
                                                                   {"matches", Kind::kMatches}};
    for (const auto& [name, kind] : kTests) {
      if (expr.name != name || expr.children.size() != 2) continue;
      if (Mentions(expr.children[1], kRow)) return Refused(expr, fmt::format("{} takes a text, no column", name));
      Operand operand = TRY(OperandOf(expr.children[0]));
      if (!IsText(TypeOf(operand))) return Refused(expr, fmt::format("{} is of texts", name));
      const std::optional<Value> value = ValueOf(expr.children[1]);
      if (checking_) return Constant(true);
      if (!value || !value->is(Value::Kind::kString)) return Constant(false);
      if (kind == Kind::kMatches && !cel::Regex::Compile(value->AsText())) return Constant(false);
      Predicate test = Test(kind, std::move(operand), {*value});
      test.negated = !wanted;
      return test;
    }
    return Refused(expr, fmt::format("{} cannot be asked of a row where the data is", expr.name));
  }

  // A macro over what is known is gone when the principal is: here its body is looked at once.
  Result<Predicate> Macro(const Expr& expr) {
    const bool known = expr.name == "exists" || expr.name == "all";
    if (!known || Mentions(expr.children[0], kRow)) {
      return Refused(expr, fmt::format("{} cannot be asked of a row where the data is", expr.name));
    }
    for (size_t i = 1; i < expr.children.size(); ++i) TRY(When(expr.children[i], true));
    return Constant(true);
  }

  Result<Operand> OperandOf(const Expr& expr) {
    if (expr.is(Expr::Kind::kSelect) && expr.children[0].is(Expr::Kind::kVariable) && expr.children[0].name == kRow) {
      Operand column;
      column.text = expr.name;
      const Field* field = schema_.Find(expr.name);
      if (!field) return Refused(expr, fmt::format("there is no column '{}'", expr.name));
      column.type = field->type;
      return column;
    }
    if (expr.is(Expr::Kind::kCall) && expr.children.size() == 1) {
      Operand made;
      if (expr.name == "lowerAscii")
        made.kind = Operand::Kind::kLower;
      else if (expr.name == "upperAscii")
        made.kind = Operand::Kind::kUpper;
      else if (expr.name == "size")
        made.kind = Operand::Kind::kSize;
      else
        return Refused(expr, fmt::format("{} cannot be asked of a row where the data is", expr.name));
      made.of.push_back(TRY(OperandOf(expr.children[0])));
      if (!IsText(TypeOf(made.of[0]))) return Refused(expr, fmt::format("{} is of texts here", expr.name));
      return made;
    }
    if (expr.is(Operator::kAdd)) {
      Operand joined;
      joined.kind = Operand::Kind::kConcat;
      for (const Expr& child : expr.children) {
        if (Mentions(child, kRow)) {
          joined.of.push_back(TRY(OperandOf(child)));
          if (!IsText(TypeOf(joined.of.back()))) return Refused(expr, "only texts are joined here");
          continue;
        }
        const std::optional<Value> value = ValueOf(child);
        if (!checking_ && !(value && value->is(Value::Kind::kString))) {
          return Refused(expr, "only texts are joined here");
        }
        Operand text;
        text.kind = Operand::Kind::kText;
        if (!checking_) text.text = value->AsText();
        joined.of.push_back(std::move(text));
      }
      return joined;
    }
    return Refused(expr, "this cannot be asked of a row where the data is");
  }

  const TableSchema& schema_;
  const bool checking_;
};

}  // namespace

bool Mentions(const Expr& expr, std::string_view variable) {
  if (expr.is(Expr::Kind::kVariable) && expr.name == variable) return true;
  return std::ranges::any_of(expr.children, [&](const Expr& child) { return Mentions(child, variable); });
}

cel::Type RowType(const TableSchema& schema) {
  std::vector<cel::Type::Field> fields;
  for (const Field& field : schema.fields) {
    cel::Type type = CelType(field.type);
    if (type.kind() != cel::Type::Kind::kOpen) fields.push_back({field.name, std::move(type)});
  }
  return cel::Type::Record(std::move(fields));
}

Status CheckLowering(const cel::Expr& filter, const TableSchema& schema) {
  TRY(Lowering(schema, true).When(filter, true));
  return {};
}

Result<Predicate> Lower(const cel::Expr& residual, const TableSchema& schema) {
  return Lowering(schema, false).When(residual, true);
}

}  // namespace weft::model
