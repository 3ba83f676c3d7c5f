#include <cmath>

#include "model/cel/evaluation.h"
#include "model/cel/time.h"
#include "model/cel/words.h"

namespace weft::cel {
namespace {

using Kind = Value::Kind;

// Which way it went wrong, if it did.
enum class Outcome { kGood, kOverflow, kByZero };

template <class Whole>
Outcome Calculate(Operator op, Whole one, Whole other, Whole& result) {
  bool over = false;
  switch (op) {
    case Operator::kAdd:
      over = __builtin_add_overflow(one, other, &result);
      break;
    case Operator::kSubtract:
      over = __builtin_sub_overflow(one, other, &result);
      break;
    case Operator::kMultiply:
      over = __builtin_mul_overflow(one, other, &result);
      break;
    default:
      if (other == 0) return Outcome::kByZero;
      if (std::is_signed_v<Whole> && other == static_cast<Whole>(-1)) {
        // The least int has no positive twin: both / and % overflow there.
        over = __builtin_sub_overflow(Whole{0}, one, &result);
        if (op == Operator::kModulo) result = 0;
        break;
      }
      result = op == Operator::kDivide ? one / other : one % other;
  }
  return over ? Outcome::kOverflow : Outcome::kGood;
}

double Calculate(Operator op, double one, double other) {
  switch (op) {
    case Operator::kAdd:
      return one + other;
    case Operator::kSubtract:
      return one - other;
    case Operator::kMultiply:
      return one * other;
    default:
      return one / other;
  }
}

}  // namespace

const Value* Evaluation::Arithmetic(const Node& node, const Value& one, const Value& other, Value& own) {
  if (one.kind() == other.kind()) {
    Outcome outcome = Outcome::kGood;
    switch (one.kind()) {
      case Kind::kInt: {
        int64_t result = 0;
        outcome = Calculate(node.sign, one.AsInt(), other.AsInt(), result);
        own = Value(result);
        break;
      }
      case Kind::kUint: {
        uint64_t result = 0;
        outcome = Calculate(node.sign, one.AsUint(), other.AsUint(), result);
        own = Value(result);
        break;
      }
      case Kind::kDouble:
        if (node.sign == Operator::kModulo) return Fault(node, words::NoOperator, one, other);
        own = Value(Calculate(node.sign, one.AsDouble(), other.AsDouble()));
        break;
      case Kind::kDuration: {
        if (node.sign != Operator::kAdd && node.sign != Operator::kSubtract) {
          return Fault(node, words::NoOperator, one, other);
        }
        int64_t result = 0;
        outcome = Calculate(node.sign, one.AsDuration().nanos, other.AsDuration().nanos, result);
        own = Value(Duration{result});
        break;
      }
      default:
        return Sum(node, one, other, own);
    }
    if (outcome == Outcome::kGood) return &own;
    return Fault(node, outcome == Outcome::kByZero ? words::ByZero : words::Overflow);
  }
  return Sum(node, one, other, own);
}

const Value* Evaluation::Sum(const Node& node, const Value& one, const Value& other, Value& own) {
  calling_ = node.source;
  const bool add = node.sign == Operator::kAdd;
  std::optional<Timestamp> time;
  if (one.is(Kind::kTimestamp) && other.is(Kind::kDuration) && (add || node.sign == Operator::kSubtract)) {
    const int64_t nanos = other.AsDuration().nanos;
    if (!add && nanos == INT64_MIN) return Fault(node, words::Overflow);
    time = Plus(one.AsTimestamp(), {add ? nanos : -nanos});
  } else if (add && one.is(Kind::kDuration) && other.is(Kind::kTimestamp)) {
    time = Plus(other.AsTimestamp(), one.AsDuration());
  } else if (node.sign == Operator::kSubtract && one.is(Kind::kTimestamp) && other.is(Kind::kTimestamp)) {
    auto duration = Minus(one.AsTimestamp(), other.AsTimestamp());
    if (!duration) return Fault(node, words::Overflow);
    own = Value(*duration);
    return &own;
  } else if (add && one.is(Kind::kString) && other.is(Kind::kString)) {
    const size_t size = one.AsText().size() + other.AsText().size();
    if (!Grow(size) || !Spend(static_cast<int64_t>(size / 16))) return nullptr;
    own = Value::Text(one.AsText() + other.AsText());
    return &own;
  } else if (add && one.is(Kind::kBytes) && other.is(Kind::kBytes)) {
    const size_t size = one.AsBytes().size() + other.AsBytes().size();
    if (!Grow(size) || !Spend(static_cast<int64_t>(size / 16))) return nullptr;
    own = Value::Bytes(one.AsBytes() + other.AsBytes());
    return &own;
  } else if (add && one.is(Kind::kList) && other.is(Kind::kList)) {
    const size_t size = one.AsList().size() + other.AsList().size();
    if (!Grow(size * sizeof(Value)) || !Spend(static_cast<int64_t>(size / 4))) return nullptr;
    Value::List items = one.AsList();
    items.insert(items.end(), other.AsList().begin(), other.AsList().end());
    own = Value::Of(std::move(items));
    return &own;
  } else {
    return Fault(node, words::NoOperator, one, other);
  }
  if (!time) return Fault(node, words::Overflow);
  own = Value(*time);
  return &own;
}

}  // namespace weft::cel
