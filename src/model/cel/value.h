// The values that CEL expressions are made of and give.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "model/cel/type.h"

namespace weft::cel {

// Between the years 1 and 9999.
struct Timestamp {
  int64_t seconds = 0;  // Since 1970 UTC.
  int32_t nanos = 0;    // Of the second: 0 to 999'999'999, before 1970 too.
  auto operator<=>(const Timestamp&) const = default;
};

struct Duration {
  int64_t nanos = 0;
  auto operator<=>(const Duration&) const = default;
};

class Map;

// Copies share texts, lists and maps, which never change: copying is cheap, and safe between threads.
class Value {
 public:
  using List = std::vector<Value>;
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kTimestamp,
    kDuration,
    kType,
    kList,
    kMap
  };

  Value() = default;
  explicit Value(bool value) : held_(value) {}
  explicit Value(int64_t value) : held_(value) {}
  explicit Value(uint64_t value) : held_(value) {}
  explicit Value(double value) : held_(value) {}
  explicit Value(Timestamp value) : held_(value) {}
  explicit Value(Duration value) : held_(value) {}
  explicit Value(Type::Kind value) : held_(value == Type::Kind::kRecord ? Type::Kind::kMap : value) {}
  explicit Value(Map map);
  static Value Text(std::string text) { return Value(Held(std::make_shared<const std::string>(std::move(text)))); }
  static Value Bytes(std::string bytes) {
    return Value(Held(Octets{std::make_shared<const std::string>(std::move(bytes))}));
  }
  static Value Of(List items) { return Value(Held(std::make_shared<const List>(std::move(items)))); }
  // Of dyn type: whole numbers are int, others double, texts string. Otherwise as declared: timestamps and durations
  // from their texts, bytes from base64, a double from a whole number. The error names the place within.
  static Result<Value> FromJson(const Json& json, const Type& type = {});

  Kind kind() const { return static_cast<Kind>(held_.index()); }
  bool is(Kind kind) const { return held_.index() == static_cast<size_t>(kind); }
  bool is_number() const { return is(Kind::kInt) || is(Kind::kUint) || is(Kind::kDouble); }
  Type::Kind type() const;  // As type(x) sees it.

  // Each of its own kind only.
  bool AsBool() const { return *std::get_if<bool>(&held_); }
  int64_t AsInt() const { return *std::get_if<int64_t>(&held_); }
  uint64_t AsUint() const { return *std::get_if<uint64_t>(&held_); }
  double AsDouble() const { return *std::get_if<double>(&held_); }
  const std::string& AsText() const { return **std::get_if<std::shared_ptr<const std::string>>(&held_); }
  const std::string& AsBytes() const { return *std::get_if<Octets>(&held_)->bytes; }
  Timestamp AsTimestamp() const { return *std::get_if<Timestamp>(&held_); }
  Duration AsDuration() const { return *std::get_if<Duration>(&held_); }
  Type::Kind AsType() const { return *std::get_if<Type::Kind>(&held_); }
  const List& AsList() const { return **std::get_if<std::shared_ptr<const List>>(&held_); }
  const Map& AsMap() const { return **std::get_if<std::shared_ptr<const Map>>(&held_); }

  // As CEL text that evaluates to the value again.
  std::string Print() const;
  // CEL's own mapping, but for whole numbers, which stay exact; keys become texts (where 1 and "1" are both keys, one
  // stays).
  Json ToJson() const;

 private:
  struct Octets {
    std::shared_ptr<const std::string> bytes;
  };
  // In the order of Kind.
  using Held = std::variant<std::monostate, bool, int64_t, uint64_t, double, std::shared_ptr<const std::string>, Octets,
                            Timestamp, Duration, Type::Kind, std::shared_ptr<const List>, std::shared_ptr<const Map>>;
  explicit Value(Held held) : held_(std::move(held)) {}

  Held held_;
};

// Keys are bool, int, uint and string; 1 and 1u are the same key. Kept in the order of keys.
class Map {
 public:
  using Entry = std::pair<Value, Value>;

  // Puts the entries in order. `repeated` is set where two have the same key.
  static Map Of(std::vector<Entry> entries, bool* repeated = nullptr);
  static bool IsKey(const Value& value);

  size_t size() const { return entries_.size(); }
  const std::vector<Entry>& entries() const { return entries_; }
  // A double finds the whole number that it equals. Null where there is none.
  const Value* Find(const Value& key) const;
  // Looks at position `hint` first.
  const Value* Find(std::string_view key, size_t hint = 0) const;

 private:
  std::vector<Entry> entries_;
};

inline Value::Value(Map map) : held_(std::make_shared<const Map>(std::move(map))) {}

// CEL's equality: numbers on one line whatever their types, otherwise false where the kinds differ. Adds to `work` one
// for every item that was looked at.
bool Equal(const Value& one, const Value& other, int64_t* work = nullptr);
// The order of numbers, texts, bytes, bools, timestamps and durations; nothing where there is none.
std::optional<std::partial_ordering> Compare(const Value& one, const Value& other);

}  // namespace weft::cel
