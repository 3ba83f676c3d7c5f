#include <fmt/format.h>

#include <algorithm>

#include "model/cel/evaluation.h"
#include "model/cel/words.h"

namespace weft::cel {
namespace {

using Kind = Value::Kind;
using Op = Node::Op;

// What became of a node: a value, a failure, or an expression that waits for the unknown.
struct Outcome {
  std::optional<Value> value;
  std::optional<Failure> failure;
  Expr residual;

  bool waits() const { return !value && !failure; }
};

int HeightOf(const Expr& expr) {
  int height = 0;
  for (const Expr& child : expr.children) height = std::max(height, HeightOf(child));
  return height + 1;
}

class Reducer {
 public:
  Reducer(const Bindings& bindings, const Limits& limits, std::vector<bool> unknown)
      : evaluation_(bindings, limits), unknown_(std::move(unknown)) {}

  Result<Reduced> Whole(const Node& root) {
    Outcome outcome = Visit(root);
    if (evaluation_.exhausted()) return evaluation_.TakeError();
    if (outcome.failure) return outcome.failure->Told();
    if (outcome.value) return Reduced{std::move(outcome.value), {}};
    if (HeightOf(outcome.residual) > kMaxDepth) {
      return Fault(root.source->at, "the values that stand in this expression nest too deeply to write them out");
    }
    return Reduced{std::nullopt, std::move(outcome.residual)};
  }

 private:
  // Whether the node may hang on something unknown; those that do not are evaluated as ever.
  bool Hangs(const Node& node) const {
    if (node.is(Op::kVariable)) return unknown_[node.place];
    if (node.is(Op::kLocal)) return node.place < known_.size() && !known_[node.place];
    return std::ranges::any_of(node.children, [&](const Node& child) { return Hangs(child); });
  }

  Outcome Visit(const Node& node) {
    if (!evaluation_.Pay(node, 1, 0)) return Failed();
    if (!Hangs(node)) return Evaluated(node);
    switch (node.op) {
      case Op::kVariable:
      case Op::kLocal:
        return Waiting(node, {});
      case Op::kOperator:
        if (node.sign == Operator::kAnd || node.sign == Operator::kOr) return Logic(node);
        return node.sign == Operator::kConditional ? Conditional(node) : Strict(node);
      case Op::kAll:
      case Op::kExists:
      case Op::kExistsOne:
      case Op::kFilter:
      case Op::kTransform:
      case Op::kTransformMap:
        return Macro(node);
      case Op::kBind:
        return Bind(node);
      default:
        return Strict(node);
    }
  }

  bool Paid(const Node& node, size_t exprs) {
    return evaluation_.Pay(node, static_cast<int64_t>(exprs), exprs * sizeof(Expr));
  }

  Outcome Failed() { return {std::nullopt, evaluation_.TakeFailure(), {}}; }

  Outcome Evaluated(const Node& node) {
    Value own;
    const Value* value = evaluation_.Run(node, own);
    return value ? Outcome{*value, std::nullopt, {}} : Failed();
  }

  // The node's own expression with other children.
  Outcome Waiting(const Node& node, std::vector<Expr> children) {
    if (!Paid(node, 1)) return Failed();
    const Expr& source = *node.source;
    Expr expr;
    expr.kind = source.kind;
    expr.op = source.op;
    expr.member = source.member;
    expr.at = source.at;
    expr.type = source.type;
    expr.name = source.name;
    expr.variables = source.variables;
    expr.children = std::move(children);
    return {std::nullopt, std::nullopt, std::move(expr)};
  }

  static size_t SizeOf(const Value& value) {
    size_t size = 1;
    if (value.is(Kind::kList)) {
      for (const Value& item : value.AsList()) size += SizeOf(item);
    } else if (value.is(Kind::kMap)) {
      for (const auto& [key, item] : value.AsMap().entries()) size += 1 + SizeOf(item);
    }
    return size;
  }

  // The outcome as an expression: a failure as one that fails so.
  Expr Written(const Node& node, Outcome outcome) {
    if (outcome.waits()) return std::move(outcome.residual);
    Expr expr;
    if (outcome.failure) {
      expr = Expr::Call("cel.error", {Expr::Literal(Value::Text(outcome.failure->Told().message))}, node.source->at);
    } else if (Paid(node, SizeOf(*outcome.value))) {
      expr = Expr::OfValue(*outcome.value, node.source->at);
    }
    expr.type = node.source->type;
    return expr;
  }

  Outcome Strict(const Node& node) {
    std::vector<Outcome> parts;
    for (const Node& child : node.children) {
      parts.push_back(Visit(child));
      if (parts.back().failure) return std::move(parts.back());
    }
    if (std::ranges::any_of(parts, &Outcome::waits)) {
      std::vector<Expr> children;
      for (size_t i = 0; i < parts.size(); ++i) children.push_back(Written(node.children[i], std::move(parts[i])));
      return Waiting(node, std::move(children));
    }
    Node known;
    known.op = node.op;
    known.sign = node.sign;
    known.hint = node.hint;
    known.source = node.source;
    known.overloads = node.overloads;
    known.regex = node.regex;
    for (size_t i = 0; i < parts.size(); ++i) {
      Node& child = known.children.emplace_back();
      child.source = node.children[i].source;
      child.constant = std::move(*parts[i].value);
    }
    return Evaluated(known);
  }

  Outcome Conditional(const Node& node) {
    Outcome condition = Visit(node.children[0]);
    if (condition.failure) return condition;
    if (condition.value) {
      if (!condition.value->is(Kind::kBool)) return NotBool(node.children[0], *condition.value);
      return Visit(node.children[condition.value->AsBool() ? 1 : 2]);
    }
    std::vector<Expr> children;
    children.push_back(std::move(condition.residual));
    for (size_t i = 1; i < 3; ++i) children.push_back(Written(node.children[i], Visit(node.children[i])));
    return Waiting(node, std::move(children));
  }

  static Outcome NotBool(const Node& node, const Value& value) {
    return {std::nullopt, Failure{node.source, words::NotBool, {}, value, {}}, {}};
  }

  // Collects the terms of an && or ||.
  class Terms {
   public:
    Terms(Reducer& reducer, bool decisive) : reducer_(reducer), decisive_(decisive) {}

    // False once the term decides it all.
    bool Add(const Node& node, Outcome outcome) {
      if (outcome.value && !outcome.value->is(Kind::kBool)) outcome = NotBool(node, *outcome.value);
      if (outcome.value) return !(decided_ = outcome.value->AsBool() == decisive_);
      if (outcome.waits()) {
        waiting_.push_back(std::move(outcome.residual));
      } else if (!failed_) {
        failed_ = &node;
        failure_ = std::move(outcome);
      }
      return true;
    }

    Outcome Take(const Node& node) {
      if (decided_) return {Value(decisive_), std::nullopt, {}};
      if (waiting_.empty()) return failed_ ? std::move(failure_) : Outcome{Value(!decisive_), std::nullopt, {}};
      if (failed_) waiting_.push_back(reducer_.Written(*failed_, std::move(failure_)));
      // A lone term of unknown type keeps its company: && makes anything but a bool an error.
      if (waiting_.size() == 1 && waiting_[0].type.kind() == Type::Kind::kBool) {
        return {std::nullopt, std::nullopt, std::move(waiting_[0])};
      }
      if (waiting_.size() == 1) waiting_.push_back(Expr::Literal(Value(!decisive_), node.source->at));
      Expr expr = Expr::Of(decisive_ ? Operator::kOr : Operator::kAnd, std::move(waiting_), node.source->at);
      expr.type = Type::Kind::kBool;
      return {std::nullopt, std::nullopt, std::move(expr)};
    }

   private:
    Reducer& reducer_;
    bool decisive_, decided_ = false;
    std::vector<Expr> waiting_;
    const Node* failed_ = nullptr;
    Outcome failure_;
  };

  Outcome Logic(const Node& node) {
    Terms terms(*this, node.sign == Operator::kOr);
    for (const Node& child : node.children) {
      if (!terms.Add(child, Visit(child)) || evaluation_.exhausted()) break;
    }
    return terms.Take(node);
  }

  // Marks the macro's variables as known or not while its body is visited.
  class Scope {
   public:
    Scope(Reducer& reducer, const Node& node, bool known) : known_(reducer.known_), outer_(known_.size()) {
      known_.resize(node.place, true);
      known_.resize(node.place + node.source->variables.size(), known);
    }
    ~Scope() { known_.resize(outer_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    std::vector<bool>& known_;
    size_t outer_;
  };

  Outcome Bind(const Node& node) {
    Outcome value = Visit(node.children[0]);
    if (value.failure) return value;
    Scope scope(*this, node, value.value.has_value());
    if (!value.value) {
      std::vector<Expr> children;
      children.push_back(std::move(value.residual));
      Outcome body = Visit(node.children[1]);
      // The body may be decided whatever the value, but the value may still fail.
      children.push_back(Written(node.children[1], std::move(body)));
      return Waiting(node, std::move(children));
    }
    evaluation_.SetLocal(node.place, &*value.value);
    return Visit(node.children[1]);
  }

  Outcome Macro(const Node& node) {
    Outcome range = Visit(node.children[0]);
    if (range.failure) return range;
    if (range.value) {
      const Value& items = *range.value;
      if (!items.is(Kind::kList) && !items.is(Kind::kMap)) {
        return {std::nullopt, Failure{node.source, words::NoRange, {}, items, {}}, {}};
      }
      if (node.is(Op::kAll) || node.is(Op::kExists)) return Unrolled(node, items);
      if (node.is(Op::kTransform) && node.children.size() == 2) return Mapped(node, items);
    }
    Expr written = Written(node.children[0], std::move(range));
    Scope scope(*this, node, false);
    std::vector<Expr> children;
    children.push_back(std::move(written));
    for (size_t i = 1; i < node.children.size(); ++i) {
      children.push_back(Written(node.children[i], Visit(node.children[i])));
    }
    return Waiting(node, std::move(children));
  }

  // Calls `visit` for each item, with the macro's variables set, until it gives false.
  template <class Do>
  void ForEach(const Node& node, const Value& range, Do visit) {
    Scope scope(*this, node, true);
    const bool two = node.source->variables.size() == 2;
    auto one = [&](const Value& key, const Value& value) {
      evaluation_.SetLocal(node.place, &key);
      if (two) evaluation_.SetLocal(node.place + 1, &value);
      return visit() && !evaluation_.exhausted();
    };
    if (range.is(Kind::kMap)) {
      for (const auto& [key, value] : range.AsMap().entries()) {
        if (!one(key, value)) return;
      }
      return;
    }
    int64_t index = 0;
    for (const Value& item : range.AsList()) {
      const Value place(index++);
      if (!one(two ? place : item, item)) return;
    }
  }

  Outcome Unrolled(const Node& node, const Value& range) {
    Terms terms(*this, node.is(Op::kExists));
    ForEach(node, range, [&] { return terms.Add(node.children[1], Visit(node.children[1])); });
    return terms.Take(node);
  }

  Outcome Mapped(const Node& node, const Value& range) {
    std::vector<Outcome> items;
    ForEach(node, range, [&] {
      items.push_back(Visit(node.children[1]));
      return !items.back().failure;
    });
    if (!items.empty() && items.back().failure) return std::move(items.back());
    if (std::ranges::none_of(items, &Outcome::waits)) {
      Value::List values;
      for (Outcome& item : items) values.push_back(std::move(*item.value));
      return {Value::Of(std::move(values)), std::nullopt, {}};
    }
    Expr list;
    list.kind = Expr::Kind::kList;
    list.at = node.source->at;
    list.type = node.source->type;
    for (Outcome& item : items) list.children.push_back(Written(node.children[1], std::move(item)));
    return {std::nullopt, std::nullopt, std::move(list)};
  }

  Evaluation evaluation_;
  std::vector<bool> unknown_;  // By variable.
  std::vector<bool> known_;    // By the place of the macro variables around.
};

}  // namespace

Result<Reduced> Program::Reduce(const Bindings& bindings, std::span<const std::string_view> unknown,
                                const Limits& limits) const {
  std::vector<bool> marked(body_->environment.variables().size());
  for (std::string_view name : unknown) {
    auto place = body_->environment.Find(name);
    if (!place) return Error{Code::kInvalid, fmt::format("there is no variable '{}' to be unknown", name)};
    marked[*place] = true;
  }
  return Reducer(bindings, limits, std::move(marked)).Whole(body_->root);
}

}  // namespace weft::cel
