#include "state/lake/bounds.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/clock.h"

namespace weft::lake {
namespace {

using Kind = model::Type::Kind;
__extension__ typedef __int128 Int128;

static_assert(std::endian::native == std::endian::little, "Iceberg's numbers are little-endian");

template <class T>
std::string Bytes(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <class T>
std::optional<T> Number(std::string_view text) {
  T value{};
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

template <class T>
std::optional<std::string> Integer(std::string_view text) {
  auto value = Number<T>(text);
  if (!value) return {};
  return Bytes(*value);
}

template <class T>
std::optional<std::string> Floating(std::string_view text, bool lower) {
  auto value = Number<T>(text);
  if (!value || std::isnan(*value)) return {};
  if (*value == 0) value = lower ? T{-0.0} : T{0.0};
  return Bytes(*value);
}

// The unscaled number in as few big-endian bytes as hold it with its sign.
std::optional<std::string> Decimal(std::string_view text) {
  Int128 value = 0;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return {};
  for (char c : text) {
    if (c == '.') continue;
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  if (negative) value = -value;
  std::string bytes;
  while (true) {
    bytes.push_back(static_cast<char>(value & 0xff));
    value >>= 8;
    const bool top_bit = (bytes.back() & 0x80) != 0;
    if ((value == 0 && !top_bit) || (value == -1 && top_bit)) break;
  }
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

std::optional<int64_t> Micros(std::string_view text) {
  if (text.size() < 10 || text.ends_with(')')) return {};  // "(BC)"
  auto moment = Instant::Parse(text);
  if (!moment) return {};
  return moment->micros;
}

std::optional<std::string> Date(std::string_view text) {
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
  auto micros = Micros(text);
  if (!micros || *micros % kDay != 0) return {};
  return Bytes(static_cast<int32_t>(*micros / kDay));
}

std::optional<std::string> Moment(std::string_view text) {
  auto micros = Micros(text);
  if (!micros) return {};
  return Bytes(*micros);
}

std::optional<std::string> TimeOfDay(std::string_view text) {
  if (text.starts_with("24:00:00")) return Bytes(int64_t{86'400} * 1'000'000);
  return Moment("1970-01-01 " + std::string(text));
}

std::optional<std::string> Binary(std::string_view hex) {
  if (hex.size() % 2 != 0) return {};
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    auto [end, failure] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (failure != std::errc() || end != hex.data() + i + 2) return {};
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

}  // namespace

std::optional<std::string> Bound(const model::Type& type, std::string_view text, bool lower) {
  switch (type.kind) {
    case Kind::kBoolean:
      return std::string(1, text == "1" || text == "true" ? '\1' : '\0');
    case Kind::kInt:
      return Integer<int32_t>(text);
    case Kind::kLong:
      return Integer<int64_t>(text);
    case Kind::kFloat:
      return Floating<float>(text, lower);
    case Kind::kDouble:
      return Floating<double>(text, lower);
    case Kind::kDecimal:
      return Decimal(text);
    case Kind::kDate:
      return Date(text);
    case Kind::kTime:
      return TimeOfDay(text);
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return Moment(text);
    case Kind::kString:
      return std::string(text);
    case Kind::kBinary:
      return Binary(text);
    default:
      return {};
  }
}

}  // namespace weft::lake
