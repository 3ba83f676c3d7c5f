#include "model/cel/words.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/cel/utf8.h"

namespace weft::cel::words {
namespace {

constexpr size_t kShown = 120;

std::string_view KindOf(const Value& value) { return NameOf(value.type()); }

// "; did you mean 'x'?", or the few keys that there are.
std::string Hint(std::string_view name, const Value& map) {
  std::vector<std::string_view> names;
  for (const auto& [key, value] : map.AsMap().entries()) {
    if (key.is(Value::Kind::kString)) names.push_back(key.AsText());
  }
  std::string near = DidYouMean(name, names);
  if (!near.empty() || names.empty() || names.size() > 12) return near;
  return fmt::format("; there are {}", fmt::join(names, ", "));
}

}  // namespace

std::string Shown(const Value& value) {
  // A large list or map is cut before it is written out.
  if (value.is(Value::Kind::kList) && value.AsList().size() > kShown) {
    return fmt::format("a list of {}", Count(value.AsList().size(), "item"));
  }
  if (value.is(Value::Kind::kMap) && value.AsMap().size() > kShown) {
    return fmt::format("a map of {} keys", value.AsMap().size());
  }
  std::string text = value.Print();
  if (text.size() <= kShown) return text;
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string TooCostly(const Expr&, const Value&, const Value&) {
  return "too costly: the evaluation takes more steps than it may; go through fewer items";
}
std::string TooLarge(const Expr&, const Value&, const Value&) {
  return "too costly: the evaluation makes more text and lists than it may; make less of them";
}
std::string NoValue(const Expr& at, const Value&, const Value&) {
  return fmt::format("the variable '{}' has no value", at.name);
}
std::string Missing(const Expr& at, const Value&, const Value&) {
  if (at.is(Expr::Kind::kVariable)) return fmt::format("there is no variable '{}'", at.name);
  return fmt::format("there is no function '{}' of {}", at.name, Count(at.children.size(), "argument"));
}
std::string NoFields(const Expr& at, const Value& from, const Value&) {
  return fmt::format("{} has no fields: '.{}' wants a map", KindOf(from), at.name);
}
std::string NoField(const Expr& at, const Value& from, const Value&) {
  return fmt::format("there is no field '{}'{}", at.name, Hint(at.name, from));
}
std::string NotBool(const Expr&, const Value& term, const Value&) {
  return fmt::format("a bool is wanted here, and this is {} {}", KindOf(term), Shown(term));
}
std::string NoOperator(const Expr& at, const Value& one, const Value& other) {
  return fmt::format("{} does not take ({}, {})", Sign(at.op), KindOf(one), KindOf(other));
}
std::string NoNegative(const Expr&, const Value& one, const Value&) {
  return fmt::format("- does not take {}: only int and double have negatives", KindOf(one));
}
std::string NoOverload(const Expr& at, const Value& types, const Value&) {
  std::string text;
  for (const Value& type : types.AsList()) text += (text.empty() ? "" : ", ") + std::string(NameOf(type.AsType()));
  return fmt::format("{} does not take ({})", at.name, text);
}
std::string NoKey(const Expr&, const Value& from, const Value& key) {
  return fmt::format("there is no key {}{}", Shown(key), key.is(Value::Kind::kString) ? Hint(key.AsText(), from) : "");
}
std::string NoIndex(const Expr&, const Value&, const Value& index) {
  return fmt::format("a list is indexed by a whole number, not by {}", Shown(index));
}
std::string Outside(const Expr&, const Value& from, const Value& index) {
  return fmt::format("index {} is outside the list, which has {}", Shown(index), Count(from.AsList().size(), "item"));
}
std::string NotAKey(const Expr&, const Value& key, const Value&) {
  return fmt::format("{} is no key: a map's keys are bool, int, uint or string", Shown(key));
}
std::string RepeatedKey(const Expr&, const Value&, const Value&) { return "this map has a key twice"; }
std::string NoRange(const Expr& at, const Value& range, const Value&) {
  return fmt::format("{} goes through a list or the keys of a map, not through {}", at.name, KindOf(range));
}
std::string Overflow(const Expr& at, const Value&, const Value&) {
  return fmt::format("the result of {} is out of range", Sign(at.op));
}
std::string ByZero(const Expr&, const Value&, const Value&) {
  return "division by zero: test the divisor first, as in y != 0 && x / y > 1";
}

}  // namespace weft::cel::words
