#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "model/cel/functions.h"
#include "model/cel/numbers.h"
#include "model/cel/time.h"
#include "model/cel/utf8.h"

namespace weft::cel {
namespace {

using Kind = Value::Kind;

constexpr int kMaxPrecision = 1000;

// Bytes as text: runs of what is no UTF-8 become one U+FFFD each.
std::string Decoded(const std::string& bytes) {
  std::string text;
  bool broken = false;
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = LengthAt(bytes, at);
    const std::string_view point(bytes.data() + at, length);
    if (IsUtf8(point)) {
      text += point;
      at += length;
      broken = false;
    } else {
      if (!broken) text += "\uFFFD";
      broken = true;
      ++at;
    }
  }
  return text;
}

// Of %s. Stops where `room` is used up: the caller's budget says so.
std::string Plain(const Value& value, int64_t& room) {
  std::string text;
  switch (value.kind()) {
    case Kind::kNull:
      text = "null";
      break;
    case Kind::kBool:
      text = value.AsBool() ? "true" : "false";
      break;
    case Kind::kInt:
      text = std::to_string(value.AsInt());
      break;
    case Kind::kUint:
      text = std::to_string(value.AsUint());
      break;
    case Kind::kDouble:
      text = TextOf(value.AsDouble());
      break;
    case Kind::kString:
      text = value.AsText();
      break;
    case Kind::kBytes:
      text = Decoded(value.AsBytes());
      break;
    case Kind::kTimestamp:
      text = TextOf(value.AsTimestamp());
      break;
    case Kind::kDuration:
      text = TextOf(value.AsDuration());
      break;
    case Kind::kType:
      text = NameOf(value.AsType());
      break;
    case Kind::kList:
      for (const Value& item : value.AsList()) {
        if (room < 0) break;
        text += (&item == &value.AsList().front() ? "" : ", ") + Plain(item, room);
      }
      return "[" + text + "]";
    case Kind::kMap: {
      std::vector<std::pair<std::string, std::string>> entries;
      for (const auto& [key, item] : value.AsMap().entries()) {
        if (room < 0) break;
        std::string name = Plain(key, room);
        entries.emplace_back(std::move(name), Plain(item, room));
      }
      std::sort(entries.begin(), entries.end());
      for (const auto& [key, item] : entries) text += (text.empty() ? "" : ", ") + key + ": " + item;
      return "{" + text + "}";
    }
  }
  room -= static_cast<int64_t>(text.size()) + 1;
  return text;
}

// A whole number in a base; nothing for other kinds.
std::optional<std::string> InBase(const Value& value, char conversion) {
  const bool negative = value.is(Kind::kInt) && value.AsInt() < 0;
  uint64_t size = 0;
  if (value.is(Kind::kInt)) {
    size = negative ? 0 - static_cast<uint64_t>(value.AsInt()) : static_cast<uint64_t>(value.AsInt());
  } else if (value.is(Kind::kUint)) {
    size = value.AsUint();
  } else if (value.is(Kind::kBool) && conversion == 'b') {
    size = value.AsBool() ? 1 : 0;
  } else {
    return std::nullopt;
  }
  std::string digits = conversion == 'd'   ? fmt::format("{}", size)
                       : conversion == 'b' ? fmt::format("{:b}", size)
                       : conversion == 'o' ? fmt::format("{:o}", size)
                       : conversion == 'x' ? fmt::format("{:x}", size)
                                           : fmt::format("{:X}", size);
  return (negative ? "-" : "") + digits;
}

std::optional<std::string> InHex(const Value& value, char conversion) {
  if (!value.is(Kind::kString) && !value.is(Kind::kBytes)) return InBase(value, conversion);
  std::string text;
  for (char c : value.is(Kind::kString) ? value.AsText() : value.AsBytes()) {
    const auto octet = static_cast<unsigned char>(c);
    text += conversion == 'x' ? fmt::format("{:02x}", octet) : fmt::format("{:02X}", octet);
  }
  return text;
}

std::optional<std::string> AsDecimal(const Value& value, char conversion, int precision) {
  double number = 0;
  if (value.is(Kind::kDouble)) {
    number = value.AsDouble();
  } else if (value.is(Kind::kInt)) {
    number = static_cast<double>(value.AsInt());
  } else if (value.is(Kind::kUint)) {
    number = static_cast<double>(value.AsUint());
  } else {
    return std::nullopt;
  }
  if (!std::isfinite(number)) return TextOf(number);
  return conversion == 'f' ? fmt::format("{:.{}f}", number, precision) : fmt::format("{:.{}e}", number, precision);
}

std::optional<std::string> Converted(const Value& value, char conversion, int precision, int64_t& room) {
  switch (conversion) {
    case 's':
      return Plain(value, room);
    case 'd':
      if (value.is(Kind::kDouble)) return TextOf(value.AsDouble());
      return InBase(value, 'd');
    case 'b':
    case 'o':
      return InBase(value, conversion);
    case 'x':
    case 'X':
      return InHex(value, conversion);
    default:
      return AsDecimal(value, conversion, precision);
  }
}

// Reads ".3" from the front; 6 where it is not there, -1 where it is wrong.
int TakePrecision(std::string_view& pattern) {
  if (!pattern.starts_with('.')) return 6;
  pattern.remove_prefix(1);
  int precision = -1;
  while (!pattern.empty() && pattern[0] >= '0' && pattern[0] <= '9') {
    precision = std::max(precision, 0) * 10 + (pattern[0] - '0');
    if (precision > kMaxPrecision) return -1;
    pattern.remove_prefix(1);
  }
  return precision;
}

}  // namespace

bool Format(Budget& budget, const Value* const* arguments, Value& result) {
  std::string_view pattern = arguments[0]->AsText();
  const Value::List& values = arguments[1]->AsList();
  std::string text;
  size_t next = 0;
  while (!pattern.empty()) {
    const size_t plain = std::min(pattern.find('%'), pattern.size());
    text += pattern.substr(0, plain);
    pattern.remove_prefix(plain);
    if (!budget.Spend(1 + static_cast<int64_t>(plain / 16)) || !budget.Grow(plain)) return false;
    if (pattern.empty()) break;
    pattern.remove_prefix(1);
    if (pattern.starts_with('%')) {
      text += '%';
      pattern.remove_prefix(1);
      continue;
    }
    const int precision = TakePrecision(pattern);
    constexpr std::string_view kConversions = "sdfexXob";
    if (precision < 0 || pattern.empty() || kConversions.find(pattern[0]) == kConversions.npos) {
      return budget.Fail("{} has a conversion that there is not: write %s, %d, %f, %.3f, %e, %x, %X, %o, %b or %%",
                         *arguments[0]);
    }
    if (next >= values.size())
      return budget.Fail("format() has {} values, and the text has more conversions",
                         Value(static_cast<int64_t>(next)));
    int64_t room = 1 << 20;
    auto converted = Converted(values[next], pattern[0], precision, room);
    if (!converted) return budget.Fail("format() cannot write {} with that conversion", values[next]);
    if (room < 0) return budget.Fail("format() of so large a value makes too much text");
    if (!budget.Grow(converted->size()) || !budget.Spend(static_cast<int64_t>(converted->size() / 16))) return false;
    text += *converted;
    pattern.remove_prefix(1);
    ++next;
  }
  result = Value::Text(std::move(text));
  return true;
}

}  // namespace weft::cel
