#include "model/cel/value.h"

#include <algorithm>
#include <cmath>

namespace weft::cel {
namespace {

using Kind = Value::Kind;

std::partial_ordering CompareNumbers(const Value& one, const Value& other) {
  if (one.is(Kind::kInt)) {
    if (other.is(Kind::kInt)) return one.AsInt() <=> other.AsInt();
    if (other.is(Kind::kDouble)) return static_cast<double>(one.AsInt()) <=> other.AsDouble();
    if (one.AsInt() < 0) return std::partial_ordering::less;
    return static_cast<uint64_t>(one.AsInt()) <=> other.AsUint();
  }
  if (one.is(Kind::kUint)) {
    if (other.is(Kind::kUint)) return one.AsUint() <=> other.AsUint();
    if (other.is(Kind::kDouble)) return static_cast<double>(one.AsUint()) <=> other.AsDouble();
  } else if (other.is(Kind::kDouble)) {
    return one.AsDouble() <=> other.AsDouble();
  }
  const std::partial_ordering mirrored = CompareNumbers(other, one);
  if (mirrored == std::partial_ordering::less) return std::partial_ordering::greater;
  return mirrored == std::partial_ordering::greater ? std::partial_ordering::less : mirrored;
}

// The total order of keys: false, true, numbers, texts.
int Rank(const Value& key) { return key.is(Kind::kBool) ? 0 : key.is(Kind::kString) ? 2 : 1; }

bool KeyLess(const Value& one, const Value& other) {
  if (Rank(one) != Rank(other)) return Rank(one) < Rank(other);
  if (one.is(Kind::kString)) return one.AsText() < other.AsText();
  if (one.is(Kind::kBool)) return one.AsBool() < other.AsBool();
  return std::is_lt(CompareNumbers(one, other));
}

}  // namespace

Type::Kind Value::type() const {
  constexpr Type::Kind kTypes[] = {Type::Kind::kNull,  Type::Kind::kBool,      Type::Kind::kInt,
                                   Type::Kind::kUint,  Type::Kind::kDouble,    Type::Kind::kString,
                                   Type::Kind::kBytes, Type::Kind::kTimestamp, Type::Kind::kDuration,
                                   Type::Kind::kType,  Type::Kind::kList,      Type::Kind::kMap};
  return kTypes[static_cast<size_t>(kind())];
}

bool Map::IsKey(const Value& value) {
  return value.is(Kind::kBool) || value.is(Kind::kInt) || value.is(Kind::kUint) || value.is(Kind::kString);
}

Map Map::Of(std::vector<Entry> entries, bool* repeated) {
  Map map;
  map.entries_ = std::move(entries);
  std::stable_sort(map.entries_.begin(), map.entries_.end(),
                   [](const Entry& a, const Entry& b) { return KeyLess(a.first, b.first); });
  auto twice = std::adjacent_find(map.entries_.begin(), map.entries_.end(),
                                  [](const Entry& a, const Entry& b) { return !KeyLess(a.first, b.first); });
  if (repeated) *repeated = twice != map.entries_.end();
  return map;
}

const Value* Map::Find(const Value& key) const {
  if (key.is(Kind::kString)) return Find(std::string_view(key.AsText()));
  if (key.is(Kind::kDouble)) {
    const double number = key.AsDouble();
    if (std::trunc(number) != number) return nullptr;
    if (number >= -0x1p63 && number < 0x1p63) return Find(Value(static_cast<int64_t>(number)));
    if (number >= 0 && number < 0x1p64) return Find(Value(static_cast<uint64_t>(number)));
    return nullptr;
  }
  if (!IsKey(key)) return nullptr;
  auto at = std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const Entry& entry, const Value& k) { return KeyLess(entry.first, k); });
  return at != entries_.end() && !KeyLess(key, at->first) ? &at->second : nullptr;
}

const Value* Map::Find(std::string_view key, size_t hint) const {
  auto same = [&](const Value& each) { return each.is(Kind::kString) && each.AsText() == key; };
  if (hint < entries_.size() && same(entries_[hint].first)) return &entries_[hint].second;
  auto at = std::lower_bound(entries_.begin(), entries_.end(), key, [](const Entry& entry, std::string_view k) {
    return !entry.first.is(Kind::kString) || entry.first.AsText() < k;
  });
  return at != entries_.end() && same(at->first) ? &at->second : nullptr;
}

bool Equal(const Value& one, const Value& other, int64_t* work) {
  if (work) ++*work;
  if (one.is_number() && other.is_number()) return std::is_eq(CompareNumbers(one, other));
  if (one.kind() != other.kind()) return false;
  switch (one.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return one.AsBool() == other.AsBool();
    case Kind::kString:
      return one.AsText() == other.AsText();
    case Kind::kBytes:
      return one.AsBytes() == other.AsBytes();
    case Kind::kTimestamp:
      return one.AsTimestamp() == other.AsTimestamp();
    case Kind::kDuration:
      return one.AsDuration() == other.AsDuration();
    case Kind::kType:
      return one.AsType() == other.AsType();
    case Kind::kList: {
      const Value::List &a = one.AsList(), &b = other.AsList();
      return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                                [&](const Value& x, const Value& y) { return Equal(x, y, work); });
    }
    case Kind::kMap: {
      const auto &a = one.AsMap().entries(), &b = other.AsMap().entries();
      return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](const auto& x, const auto& y) {
               return Equal(x.first, y.first, work) && Equal(x.second, y.second, work);
             });
    }
    default:
      return false;
  }
}

std::optional<std::partial_ordering> Compare(const Value& one, const Value& other) {
  if (one.is_number() && other.is_number()) return CompareNumbers(one, other);
  if (one.kind() != other.kind()) return std::nullopt;
  switch (one.kind()) {
    case Kind::kBool:
      return one.AsBool() <=> other.AsBool();
    case Kind::kString:
      return one.AsText() <=> other.AsText();
    case Kind::kBytes:
      return one.AsBytes() <=> other.AsBytes();
    case Kind::kTimestamp:
      return one.AsTimestamp() <=> other.AsTimestamp();
    case Kind::kDuration:
      return one.AsDuration() <=> other.AsDuration();
    default:
      return std::nullopt;
  }
}

}  // namespace weft::cel
