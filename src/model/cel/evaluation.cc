#include "model/cel/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "model/cel/time.h"
#include "model/cel/words.h"

namespace weft::cel {
namespace {

using Kind = Value::Kind;
using Op = Node::Op;

const Value kTrue(true), kFalse(false);
const Value* Truth(bool value) { return value ? &kTrue : &kFalse; }

// Keeps a value that lives within `holder` beyond it.
const Value* Keep(const Value* found, const Value* from, const Value& holder, Value& own) {
  if (from != &holder) return found;
  own = *found;
  return &own;
}

}  // namespace

const Value* Evaluation::Run(const Node& node, Value& own) {
  if (--steps_ < 0) return Exhaust(node.source, words::TooCostly);
  switch (node.op) {
    case Op::kConstant:
      return &node.constant;
    case Op::kVariable:
      if (node.place < bindings_.size() && bindings_[node.place]) return &*bindings_[node.place];
      return Fault(node, words::NoValue);
    case Op::kLocal:
      return locals_[node.place];
    case Op::kMissing:
      return Fault(node, words::Missing);
    case Op::kSelect:
      return Select(node, own);
    case Op::kHas:
      return Has(node);
    case Op::kOperator:
      return Operate(node, own);
    case Op::kCall:
      return Call(node, own);
    case Op::kMatches:
      return Match(node);
    case Op::kList:
      return MakeList(node, own);
    case Op::kMap:
      return MakeMap(node, own);
    case Op::kAll:
    case Op::kExists:
      return Quantify(node);
    case Op::kExistsOne:
      return CountOne(node);
    case Op::kBind:
      return Bind(node, own);
    default:
      return Transform(node, own);
  }
}

const Value* Evaluation::Fault(const Node& node, Words words, const Value& one, const Value& other) {
  if (!exhausted()) failure_ = {node.source, words, {}, one, other};
  return nullptr;
}

const Value* Evaluation::Exhaust(const Expr* at, Words words) {
  // The first one counts; whoever absorbs failures meets it again at once.
  if (steps_ > -(int64_t{1} << 60)) {
    failure_ = {at, words, {}, {}, {}};
    steps_ = -(int64_t{1} << 61);
  }
  return nullptr;
}

void Evaluation::Charge(const Node& node, int64_t steps) {
  steps_ -= steps;
  if (steps_ < 0) Exhaust(node.source, words::TooCostly);
}

bool Evaluation::Pay(const Node& node, int64_t steps, size_t bytes) {
  calling_ = node.source;
  return Spend(steps) && Grow(bytes);
}

bool Evaluation::Fail(std::string_view words, const Value& value) {
  if (!exhausted()) failure_ = {calling_, nullptr, words, value, {}};
  return false;
}

bool Evaluation::Spend(int64_t steps) {
  steps_ -= steps;
  if (steps_ < 0) Exhaust(calling_, words::TooCostly);
  return steps_ >= 0;
}

bool Evaluation::Grow(size_t bytes) {
  bytes_ -= static_cast<int64_t>(bytes);
  if (bytes_ < 0) Exhaust(calling_, words::TooLarge);
  return bytes_ >= 0;
}

const Value* Evaluation::Select(const Node& node, Value& own) {
  Value held;
  const Value* from = Run(node.children[0], held);
  if (!from) return nullptr;
  if (!from->is(Kind::kMap)) return Fault(node, words::NoFields, *from);
  const Value* found = from->AsMap().Find(node.source->name, node.hint);
  return found ? Keep(found, from, held, own) : Fault(node, words::NoField, *from);
}

const Value* Evaluation::Has(const Node& node) {
  Value held;
  const Value* from = Run(node.children[0], held);
  if (!from) return nullptr;
  if (!from->is(Kind::kMap)) return Fault(node, words::NoFields, *from);
  return Truth(from->AsMap().Find(node.source->name, node.hint) != nullptr);
}

const Value* Evaluation::Logic(const Node& node) {
  const bool decisive = node.sign == Operator::kOr;
  Failure first;
  for (const Node& child : node.children) {
    Value held;
    const Value* term = Run(child, held);
    if (term && !term->is(Kind::kBool)) term = Fault(child, words::NotBool, *term);
    if (term && term->AsBool() == decisive) return Truth(decisive);
    if (exhausted()) return nullptr;
    if (!term && !first.at) first = TakeFailure();
  }
  if (!first.at) return Truth(!decisive);
  failure_ = std::move(first);
  return nullptr;
}

const Value* Evaluation::Operate(const Node& node, Value& own) {
  switch (node.sign) {
    case Operator::kAnd:
    case Operator::kOr:
      return Logic(node);
    case Operator::kIndex:
      return Index(node, own);
    case Operator::kNegate:
      return Negate(node, own);
    case Operator::kNot:
    case Operator::kConditional: {
      Value held;
      const Value* condition = Run(node.children[0], held);
      if (!condition) return nullptr;
      if (!condition->is(Kind::kBool)) return Fault(node.children[0], words::NotBool, *condition);
      if (node.sign == Operator::kNot) return Truth(!condition->AsBool());
      return Run(node.children[condition->AsBool() ? 1 : 2], own);
    }
    default:
      break;
  }
  Value left, right;
  const Value* one = Run(node.children[0], left);
  const Value* other = one ? Run(node.children[1], right) : nullptr;
  if (!other) return nullptr;
  switch (node.sign) {
    case Operator::kEqual:
    case Operator::kNotEqual: {
      int64_t work = 0;
      const bool equal = Equal(*one, *other, &work);
      Charge(node, work - 1);
      return Truth(equal == (node.sign == Operator::kEqual));
    }
    case Operator::kIn:
      return In(node, *one, *other);
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual:
      return Ordering(node, *one, *other);
    default:
      return Arithmetic(node, *one, *other, own);
  }
}

const Value* Evaluation::Ordering(const Node& node, const Value& one, const Value& other) {
  auto order = Compare(one, other);
  if (!order) return Fault(node, words::NoOperator, one, other);
  switch (node.sign) {
    case Operator::kLess:
      return Truth(std::is_lt(*order));
    case Operator::kLessEqual:
      return Truth(std::is_lteq(*order));
    case Operator::kGreater:
      return Truth(std::is_gt(*order));
    default:
      return Truth(std::is_gteq(*order));
  }
}

const Value* Evaluation::In(const Node& node, const Value& item, const Value& range) {
  if (range.is(Kind::kMap)) return Truth(range.AsMap().Find(item) != nullptr);
  if (!range.is(Kind::kList)) return Fault(node, words::NoOperator, item, range);
  int64_t work = 0;
  const bool found = std::ranges::any_of(range.AsList(), [&](const Value& each) { return Equal(item, each, &work); });
  Charge(node, work);
  return Truth(found);
}

const Value* Evaluation::Index(const Node& node, Value& own) {
  Value held, place;
  const Value* from = Run(node.children[0], held);
  const Value* index = from ? Run(node.children[1], place) : nullptr;
  if (!index) return nullptr;
  if (from->is(Kind::kMap)) {
    const Value* found = from->AsMap().Find(*index);
    return found ? Keep(found, from, held, own) : Fault(node, words::NoKey, *from, *index);
  }
  if (!from->is(Kind::kList)) return Fault(node, words::NoOperator, *from, *index);
  const Value::List& items = from->AsList();
  if (!index->is_number()) return Fault(node, words::NoIndex, *from, *index);
  if (index->is(Kind::kDouble) && std::trunc(index->AsDouble()) != index->AsDouble()) {
    return Fault(node, words::NoIndex, *from, *index);
  }
  // Compared as CEL compares numbers, so that no index wraps around.
  const Value size(static_cast<int64_t>(items.size()));
  const bool inside = std::is_gteq(*Compare(*index, Value(int64_t{0}))) && std::is_lt(*Compare(*index, size));
  if (!inside) return Fault(node, words::Outside, *from, *index);
  const auto at = index->is(Kind::kInt)    ? static_cast<size_t>(index->AsInt())
                  : index->is(Kind::kUint) ? static_cast<size_t>(index->AsUint())
                                           : static_cast<size_t>(index->AsDouble());
  return Keep(&items[at], from, held, own);
}

const Value* Evaluation::Negate(const Node& node, Value& own) {
  Value held;
  const Value* of = Run(node.children[0], held);
  if (!of) return nullptr;
  if (of->is(Kind::kDouble)) {
    own = Value(-of->AsDouble());
    return &own;
  }
  if (!of->is(Kind::kInt)) return Fault(node, words::NoNegative, *of);
  if (of->AsInt() == INT64_MIN) return Fault(node, words::Overflow);
  own = Value(-of->AsInt());
  return &own;
}

const Value* Evaluation::Call(const Node& node, Value& own) {
  Value held[kMaxArguments];
  const Value* arguments[kMaxArguments];
  const size_t count = node.children.size();
  for (size_t i = 0; i < count; ++i) {
    arguments[i] = Run(node.children[i], held[i]);
    if (!arguments[i]) return nullptr;
  }
  for (const Overload& each : node.overloads) {
    bool fits = true;
    for (size_t i = 0; i < count && fits; ++i) {
      fits = each.parameters[i].is_dyn() || each.parameters[i].kind() == arguments[i]->type();
    }
    if (!fits) continue;
    calling_ = node.source;
    return each.run(*this, arguments, own) ? &own : nullptr;
  }
  Value::List kinds;
  for (size_t i = 0; i < count; ++i) kinds.emplace_back(arguments[i]->type());
  return Fault(node, words::NoOverload, Value::Of(std::move(kinds)));
}

const Value* Evaluation::Match(const Node& node) {
  Value held;
  const Value* text = Run(node.children[0], held);
  if (!text) return nullptr;
  if (!text->is(Kind::kString)) {
    return Fault(node, words::NoOverload, Value::Of({Value(text->type()), Value(Type::Kind::kString)}));
  }
  calling_ = node.source;
  if (!Spend(static_cast<int64_t>(text->AsText().size() / 8))) return nullptr;
  return Truth(node.regex->Finds(text->AsText()));
}

const Value* Evaluation::MakeList(const Node& node, Value& own) {
  calling_ = node.source;
  if (!Grow(node.children.size() * sizeof(Value))) return nullptr;
  Value::List items;
  items.reserve(node.children.size());
  for (const Node& child : node.children) {
    Value held;
    const Value* item = Run(child, held);
    if (!item) return nullptr;
    items.push_back(*item);
  }
  own = Value::Of(std::move(items));
  return &own;
}

const Value* Evaluation::MakeMap(const Node& node, Value& own) {
  calling_ = node.source;
  if (!Grow(node.children.size() * sizeof(Value))) return nullptr;
  std::vector<Map::Entry> entries;
  for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
    Value key_held, value_held;
    const Value* key = Run(node.children[i], key_held);
    if (!key) return nullptr;
    if (!Map::IsKey(*key)) return Fault(node.children[i], words::NotAKey, *key);
    const Value* value = Run(node.children[i + 1], value_held);
    if (!value) return nullptr;
    entries.emplace_back(*key, *value);
  }
  bool repeated = false;
  Map map = Map::Of(std::move(entries), &repeated);
  if (repeated) return Fault(node, words::RepeatedKey);
  own = Value(std::move(map));
  return &own;
}

Error Failure::Told() const {
  std::string message;
  if (words) {
    message = words(*at, one, other);
  } else {
    message = ReplaceAll(text, "{}", one.is(Kind::kString) && text == "{}" ? one.AsText() : words::Shown(one));
  }
  return cel::Fault(at->at, std::move(message));
}

}  // namespace weft::cel
