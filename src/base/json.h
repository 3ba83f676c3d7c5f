// JSON values, read and written; objects keep the order of their keys. No third-party type shows.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace weft {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  enum class Kind { kNull, kBool, kInt, kDouble, kText, kArray, kObject };

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(int64_t{value}) {}
  Json(int64_t value) : value_(value) {}
  Json(uint64_t value) : value_(static_cast<int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  Json(const std::vector<std::string>& texts) : value_(Array(texts.begin(), texts.end())) {}
  static Json Map(std::initializer_list<Member> members) { return Json(Object(members)); }

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_text() const { return kind() == Kind::kText; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kDouble; }

  // Readers that never fail: a value of another kind reads as empty, zero or `otherwise`.
  const std::string& Text() const;
  std::string Text(std::string_view otherwise) const;
  int64_t Int(int64_t otherwise = 0) const;
  double Double(double otherwise = 0) const;
  bool Bool(bool otherwise = false) const;
  const Array& Items() const;
  const Object& Members() const;
  const Json& operator[](std::string_view key) const;  // Null where missing.
  const Json& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  const Json& operator[](size_t index) const;
  bool Has(std::string_view key) const;
  size_t size() const;                     // Of an array or object; 0 otherwise.
  std::vector<std::string> Texts() const;  // The texts of an array.

  // Turns a null into an object or array as needed.
  Json& Set(std::string_view key, Json value);
  Json& Push(Json value);

  // RFC 8259; duplicate keys keep the last; nesting beyond 512 is refused with kInvalid, naming the byte.
  static Result<Json> Parse(std::string_view text);
  // Compact, or over several lines. Text that is no UTF-8 is written with U+FFFD.
  std::string Dump() const;
  std::string Pretty() const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace weft
