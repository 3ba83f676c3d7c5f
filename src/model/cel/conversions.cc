#include <charconv>
#include <cmath>

#include "base/text.h"
#include "model/cel/functions.h"
#include "model/cel/numbers.h"
#include "model/cel/time.h"

namespace weft::cel {
namespace {

using Arguments = const Value* const*;

bool Same(Budget& /*budget*/, Arguments a, Value& result) {
  result = *a[0];
  return true;
}

template <class T>
bool Give(std::optional<T> value, Value& result) {
  if (value) result = Value(*value);
  return value.has_value();
}

template <class Whole>
bool ParseWhole(Budget& budget, const Value& text, std::string_view words, Value& result) {
  std::string_view digits = text.AsText();
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  Whole value = 0;
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
    return budget.Fail(words, text);
  result = Value(value);
  return true;
}

bool ToInt(Budget& budget, Arguments a, Value& result) {
  constexpr std::string_view kRange = "{} is out of the range of int";
  const Value& from = *a[0];
  switch (from.kind()) {
    case Value::Kind::kUint:
      if (from.AsUint() > static_cast<uint64_t>(INT64_MAX)) return budget.Fail(kRange, from);
      result = Value(static_cast<int64_t>(from.AsUint()));
      return true;
    case Value::Kind::kDouble:
      if (!(from.AsDouble() > -0x1p63 && from.AsDouble() < 0x1p63)) return budget.Fail(kRange, from);
      result = Value(static_cast<int64_t>(from.AsDouble()));
      return true;
    case Value::Kind::kTimestamp:
      result = Value(from.AsTimestamp().seconds);
      return true;
    default:
      return ParseWhole<int64_t>(budget, from, "{} is no int: write digits, as in \"-12\"", result);
  }
}

bool ToUint(Budget& budget, Arguments a, Value& result) {
  constexpr std::string_view kRange = "{} is out of the range of uint";
  const Value& from = *a[0];
  switch (from.kind()) {
    case Value::Kind::kInt:
      if (from.AsInt() < 0) return budget.Fail(kRange, from);
      result = Value(static_cast<uint64_t>(from.AsInt()));
      return true;
    case Value::Kind::kDouble:
      if (!(from.AsDouble() >= 0 && from.AsDouble() < 0x1p64)) return budget.Fail(kRange, from);
      result = Value(static_cast<uint64_t>(from.AsDouble()));
      return true;
    default:
      return ParseWhole<uint64_t>(budget, from, "{} is no uint: write digits, as in \"12\"", result);
  }
}

bool ToDouble(Budget& budget, Arguments a, Value& result) {
  const Value& from = *a[0];
  if (from.is(Value::Kind::kInt)) {
    result = Value(static_cast<double>(from.AsInt()));
  } else if (from.is(Value::Kind::kUint)) {
    result = Value(static_cast<double>(from.AsUint()));
  } else if (!Give(ParseDouble(from.AsText()), result)) {
    return budget.Fail("{} is no double: write digits, as in \"1.5\"", from);
  }
  return true;
}

bool ToBool(Budget& budget, Arguments a, Value& result) {
  const std::string& text = a[0]->AsText();
  for (std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return result = Value(true), true;
  }
  for (std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return result = Value(false), true;
  }
  return budget.Fail("{} is no bool: write \"true\" or \"false\"", *a[0]);
}

std::string TextOfAny(const Value& from) {
  switch (from.kind()) {
    case Value::Kind::kBool:
      return from.AsBool() ? "true" : "false";
    case Value::Kind::kInt:
      return std::to_string(from.AsInt());
    case Value::Kind::kUint:
      return std::to_string(from.AsUint());
    case Value::Kind::kDouble:
      return TextOf(from.AsDouble());
    case Value::Kind::kTimestamp:
      return TextOf(from.AsTimestamp());
    case Value::Kind::kDuration:
      return TextOf(from.AsDuration());
    default:
      return from.AsBytes();
  }
}

bool ToString(Budget& budget, Arguments a, Value& result) {
  std::string text = TextOfAny(*a[0]);
  if (!budget.Grow(text.size()) || !budget.Spend(static_cast<int64_t>(text.size() / 16))) return false;
  if (a[0]->is(Value::Kind::kBytes) && !IsUtf8(text)) return budget.Fail("{} is not UTF-8", *a[0]);
  result = Value::Text(std::move(text));
  return true;
}

bool ToBytes(Budget& budget, Arguments a, Value& result) {
  if (!budget.Grow(a[0]->AsText().size())) return false;
  result = Value::Bytes(a[0]->AsText());
  return true;
}

bool ToTimestamp(Budget& budget, Arguments a, Value& result) {
  if (a[0]->is(Value::Kind::kInt)) {
    if (Give(TimestampOf(a[0]->AsInt(), 0), result)) return true;
    return budget.Fail("timestamp({}) is out of range: the years 1 to 9999", *a[0]);
  }
  if (Give(ParseTimestamp(a[0]->AsText()), result)) return true;
  return budget.Fail("{} is no timestamp of the years 1 to 9999: write \"2026-01-31T09:00:00Z\"", *a[0]);
}

bool ToDuration(Budget& budget, Arguments a, Value& result) {
  if (Give(ParseDuration(a[0]->AsText()), result)) return true;
  return budget.Fail("{} is no duration within 292 years: write \"1h30m\", \"1.5s\" or \"250ms\"", *a[0]);
}

bool TypeOf(Budget& /*budget*/, Arguments a, Value& result) {
  result = Value(a[0]->type());
  return true;
}

constexpr Signature kTable[] = {
    {"int", "(int) -> int", Same},
    {"int", "(uint) -> int", ToInt},
    {"int", "(double) -> int", ToInt},
    {"int", "(string) -> int", ToInt},
    {"int", "(timestamp) -> int", ToInt},
    {"uint", "(uint) -> uint", Same},
    {"uint", "(int) -> uint", ToUint},
    {"uint", "(double) -> uint", ToUint},
    {"uint", "(string) -> uint", ToUint},
    {"double", "(double) -> double", Same},
    {"double", "(int) -> double", ToDouble},
    {"double", "(uint) -> double", ToDouble},
    {"double", "(string) -> double", ToDouble},
    {"bool", "(bool) -> bool", Same},
    {"bool", "(string) -> bool", ToBool},
    {"string", "(string) -> string", Same},
    {"string", "(bool) -> string", ToString},
    {"string", "(int) -> string", ToString},
    {"string", "(uint) -> string", ToString},
    {"string", "(double) -> string", ToString},
    {"string", "(bytes) -> string", ToString},
    {"string", "(timestamp) -> string", ToString},
    {"string", "(duration) -> string", ToString},
    {"bytes", "(bytes) -> bytes", Same},
    {"bytes", "(string) -> bytes", ToBytes},
    {"timestamp", "(timestamp) -> timestamp", Same},
    {"timestamp", "(string) -> timestamp", ToTimestamp},
    {"timestamp", "(int) -> timestamp", ToTimestamp},
    {"duration", "(duration) -> duration", Same},
    {"duration", "(string) -> duration", ToDuration},
    {"dyn", "(dyn) -> dyn", Same},
    {"type", "(dyn) -> type", TypeOf},
};

}  // namespace

std::span<const Signature> ConversionFunctions() { return kTable; }

}  // namespace weft::cel
