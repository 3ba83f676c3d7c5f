#include "model/cel/evaluation.h"
#include "model/cel/words.h"

namespace weft::cel {

using Kind = Value::Kind;
using Op = Node::Op;

const Value* Evaluation::RangeOf(const Node& node, Value& own) {
  const Value* range = Run(node.children[0], own);
  if (!range || range->is(Kind::kList) || range->is(Kind::kMap)) return range;
  return Fault(node, words::NoRange, *range);
}

template <class Visit>
bool Evaluation::Each(const Node& node, const Value& range, Visit visit) {
  const bool two = node.source->variables.size() == 2;
  if (range.is(Kind::kMap)) {
    for (const auto& [key, value] : range.AsMap().entries()) {
      locals_[node.place] = &key;
      if (two) locals_[node.place + 1] = &value;
      if (!visit(key)) return false;
    }
    return true;
  }
  Value index(int64_t{0});
  for (const Value& item : range.AsList()) {
    locals_[node.place + (two ? 1 : 0)] = &item;
    if (two) locals_[node.place] = &index;
    if (!visit(two ? index : item)) return false;
    if (two) index = Value(index.AsInt() + 1);
  }
  return true;
}

const Value* Evaluation::Quantify(const Node& node) {
  static const Value kYes(true), kNo(false);
  const bool decisive = node.is(Op::kExists);
  Value held;
  const Value* range = RangeOf(node, held);
  if (!range) return nullptr;
  bool decided = false;
  Failure first;
  Each(node, *range, [&](const Value&) {
    Value own;
    const Value* term = Run(node.children[1], own);
    if (term && !term->is(Kind::kBool)) term = Fault(node.children[1], words::NotBool, *term);
    decided = term && term->AsBool() == decisive;
    if (!term && !first.at && !exhausted()) first = TakeFailure();
    return !decided && !exhausted();
  });
  if (decided) return decisive ? &kYes : &kNo;
  if (exhausted()) return nullptr;
  if (!first.at) return decisive ? &kNo : &kYes;
  failure_ = std::move(first);
  return nullptr;
}

const Value* Evaluation::CountOne(const Node& node) {
  static const Value kYes(true), kNo(false);
  Value held;
  const Value* range = RangeOf(node, held);
  if (!range) return nullptr;
  size_t found = 0;
  const bool through = Each(node, *range, [&](const Value&) {
    Value own;
    const Value* term = Run(node.children[1], own);
    if (term && !term->is(Kind::kBool)) term = Fault(node.children[1], words::NotBool, *term);
    if (term && term->AsBool()) ++found;
    return term != nullptr;
  });
  if (!through) return nullptr;
  return found == 1 ? &kYes : &kNo;
}

// filter, map, transformList and transformMap, each with or without a condition.
const Value* Evaluation::Transform(const Node& node, Value& own) {
  Value held;
  const Value* range = RangeOf(node, held);
  if (!range) return nullptr;
  const bool filter = node.is(Op::kFilter);
  const Node* condition = filter || node.children.size() == 3 ? &node.children[1] : nullptr;
  Value::List items;
  std::vector<Map::Entry> entries;
  const bool through = Each(node, *range, [&](const Value& first) {
    if (condition) {
      Value verdict;
      const Value* term = Run(*condition, verdict);
      if (term && !term->is(Kind::kBool)) term = Fault(*condition, words::NotBool, *term);
      if (!term) return false;
      if (!term->AsBool()) return true;
    }
    calling_ = node.source;
    if (!Grow(sizeof(Map::Entry))) return false;
    Value made;
    const Value* item = filter ? &first : Run(node.children.back(), made);
    if (!item) return false;
    if (node.is(Op::kTransformMap)) {
      entries.emplace_back(first, *item);
    } else {
      items.push_back(*item);
    }
    return true;
  });
  if (!through) return nullptr;
  own = node.is(Op::kTransformMap) ? Value(Map::Of(std::move(entries))) : Value::Of(std::move(items));
  return &own;
}

const Value* Evaluation::Bind(const Node& node, Value& own) {
  Value held;
  const Value* value = Run(node.children[0], held);
  if (!value) return nullptr;
  locals_[node.place] = value;
  const Value* result = Run(node.children[1], own);
  // It may be the bound value, which ends here.
  if (result && result != &own) own = Value(*result);
  return result ? &own : nullptr;
}

}  // namespace weft::cel
