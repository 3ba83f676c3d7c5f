// One evaluation: walks the nodes, counts what it spends, and knows why it failed.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "model/cel/node.h"

namespace weft::cel {

// Tells a failure in words, from what was written and the values that were at hand. Called only if someone reads it.
using Words = std::string (*)(const Expr& at, const Value& one, const Value& other);

struct Failure {
  const Expr* at = nullptr;
  Words words = nullptr;
  std::string_view text;  // A function's own words, where `words` is null.
  Value one, other;

  Error Told() const;
};

// Used by one thread, once. Recursion is as deep as the expression, which the parser bounds.
class Evaluation final : public Budget {
 public:
  Evaluation(const Bindings& bindings, const Limits& limits)
      : bindings_(bindings), steps_(limits.steps), bytes_(limits.bytes) {}

  // The value: either `own`, which the caller keeps, or one that lives as long as the bindings, the nodes or the loops
  // around. Null where it failed.
  const Value* Run(const Node& node, Value& own);

  bool exhausted() const { return steps_ < 0; }
  Failure TakeFailure() { return std::move(failure_); }
  Error TakeError() { return failure_.Told(); }
  // Spends for what is done outside of Run; false once exhausted.
  bool Pay(const Node& node, int64_t steps, size_t bytes);
  void SetLocal(size_t place, const Value* value) { locals_[place] = value; }

  bool Fail(std::string_view words, const Value& value) override;
  bool Spend(int64_t steps) override;
  bool Grow(size_t bytes) override;

 private:
  const Value* Fault(const Node& node, Words words, const Value& one = {}, const Value& other = {});
  const Value* Exhaust(const Expr* at, Words words);
  // For work that is done already: what runs next finds the evaluation over.
  void Charge(const Node& node, int64_t steps);
  // The range to go through, or null.
  const Value* RangeOf(const Node& node, Value& own);
  // Calls `visit(index)` with the macro's variables set for each item, until it gives false.
  template <class Visit>
  bool Each(const Node& node, const Value& range, Visit visit);

  const Value* Select(const Node& node, Value& own);
  const Value* Has(const Node& node);
  const Value* Operate(const Node& node, Value& own);
  const Value* Logic(const Node& node);
  const Value* Arithmetic(const Node& node, const Value& one, const Value& other, Value& own);
  const Value* Ordering(const Node& node, const Value& one, const Value& other);
  const Value* Sum(const Node& node, const Value& one, const Value& other, Value& own);
  const Value* In(const Node& node, const Value& item, const Value& range);
  const Value* Index(const Node& node, Value& own);
  const Value* Negate(const Node& node, Value& own);
  const Value* Call(const Node& node, Value& own);
  const Value* Match(const Node& node);
  const Value* MakeList(const Node& node, Value& own);
  const Value* MakeMap(const Node& node, Value& own);
  const Value* Quantify(const Node& node);
  const Value* CountOne(const Node& node);
  const Value* Transform(const Node& node, Value& own);
  const Value* Bind(const Node& node, Value& own);

  const Bindings& bindings_;
  int64_t steps_;  // What is left; negative once exhausted, and then nothing runs any more.
  int64_t bytes_;
  const Expr* calling_ = nullptr;
  Failure failure_;
  std::array<const Value*, 2 * kMaxDepth> locals_;  // By place; only those of the loops around are set.
};

}  // namespace weft::cel
