// The types that CEL expressions are checked against.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::cel {

// A record is a map whose fields are known by name, such as a row or a principal. Safe to share between threads.
class Type {
 public:
  // kOpen is the element of an empty literal: it behaves as dyn, and becomes whatever it is joined with.
  enum class Kind : uint8_t {
    kDyn,
    kOpen,
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
    kMap,
    kRecord
  };
  struct Field;

  Type(Kind kind = Kind::kDyn) : kind_(kind) {}
  static Type List(Type element);
  static Type Map(Type key, Type value);
  static Type Record(std::vector<Field> fields);
  // "int", "list<string>", "map<string, list<int>>".
  static Result<Type> Parse(std::string_view text);
  // A type's text, or an object of fields: {"id": "string", "tags": "list<string>", "owner": {"name": "string"}}.
  static Result<Type> FromJson(const Json& json);

  Kind kind() const { return kind_; }
  bool is_dyn() const { return kind_ == Kind::kDyn || kind_ == Kind::kOpen; }
  bool is_number() const { return kind_ == Kind::kInt || kind_ == Kind::kUint || kind_ == Kind::kDouble; }
  const Type& key() const;      // Of a map; string for a record.
  const Type& element() const;  // Of a list; a map's values; dyn otherwise.
  const std::vector<Field>& fields() const;
  const Field* Find(std::string_view name) const;
  std::vector<std::string_view> FieldNames() const;

  std::string Text() const;
  bool operator==(const Type& other) const;

 private:
  struct Detail;
  Kind kind_;
  std::shared_ptr<const Detail> detail_;  // Shared, so that the thousand nodes of a checked tree copy a pointer.
};

struct Type::Field {
  std::string name;
  Type type;
};

// Whether a value of one type could be of the other: what gradual checking asks.
bool Compatible(const Type& one, const Type& other);
// The type of either: dyn where they differ.
Type JoinOf(const Type& one, const Type& other);
// The name that type(x) shows: "int", "list", "google.protobuf.Timestamp".
std::string_view NameOf(Type::Kind kind);
// The kind that an expression names so; kOpen where it is no type's name.
Type::Kind KindNamed(std::string_view name);

}  // namespace weft::cel
