#include <fmt/format.h>

#include <cmath>

#include "base/id.h"
#include "model/cel/time.h"
#include "model/cel/value.h"

namespace weft::cel {
namespace {

Error Unfit(const Json& json, const Type& type) {
  std::string shown = json.Dump().substr(0, 80);
  return {Code::kInvalid, fmt::format("{} is no {}", shown, type.Text())};
}

Result<Value> OfText(const Json& json, const Type& type) {
  const std::string& text = json.Text();
  if (type.is_dyn() || type.kind() == Type::Kind::kString) return Value::Text(text);
  if (type.kind() == Type::Kind::kTimestamp) {
    if (auto time = ParseTimestamp(text)) return Value(*time);
  } else if (type.kind() == Type::Kind::kDuration) {
    if (auto duration = ParseDuration(text)) return Value(*duration);
  } else if (type.kind() == Type::Kind::kBytes) {
    if (auto bytes = FromBase64(text)) return Value::Bytes(bytes.TakeValue());
  }
  return Unfit(json, type);
}

Result<Value> OfNumber(const Json& json, const Type& type) {
  const bool whole = json.kind() == Json::Kind::kInt;
  if (type.kind() == Type::Kind::kDouble || (type.is_dyn() && !whole)) return Value(json.Double());
  if (whole && (type.kind() == Type::Kind::kInt || type.is_dyn())) return Value(json.Int());
  if (whole && type.kind() == Type::Kind::kUint && json.Int() >= 0) return Value(static_cast<uint64_t>(json.Int()));
  return Unfit(json, type);
}

Result<Value> OfObject(const Json& json, const Type& type) {
  std::vector<Map::Entry> entries;
  for (const auto& [name, member] : json.Members()) {
    const Type::Field* field = type.Find(name);
    auto value = Value::FromJson(member, field ? field->type : type.element());
    if (!value) return value.TakeError().With(name);
    entries.emplace_back(Value::Text(name), value.TakeValue());
  }
  return Value(Map::Of(std::move(entries)));
}

}  // namespace

// Null is a value of every type: what has none, such as an empty cell of a row.
Result<Value> Value::FromJson(const Json& json, const Type& type) {
  const bool map = type.is_dyn() || type.kind() == Type::Kind::kRecord ||
                   (type.kind() == Type::Kind::kMap && Compatible(type.key(), Type::Kind::kString));
  switch (json.kind()) {
    case Json::Kind::kNull:
      return Value();
    case Json::Kind::kBool:
      if (type.is_dyn() || type.kind() == Type::Kind::kBool) return Value(json.Bool());
      return Unfit(json, type);
    case Json::Kind::kInt:
    case Json::Kind::kDouble:
      return OfNumber(json, type);
    case Json::Kind::kText:
      return OfText(json, type);
    case Json::Kind::kObject:
      return map ? OfObject(json, type) : Unfit(json, type);
    case Json::Kind::kArray:
      break;
  }
  if (!type.is_dyn() && type.kind() != Type::Kind::kList) return Unfit(json, type);
  List items;
  for (const Json& item : json.Items()) {
    auto value = FromJson(item, type.element());
    if (!value) return value.TakeError().With(fmt::format("[{}]", items.size()));
    items.push_back(value.TakeValue());
  }
  return Of(std::move(items));
}

Json Value::ToJson() const {
  switch (kind()) {
    case Kind::kNull:
      return {};
    case Kind::kBool:
      return AsBool();
    case Kind::kInt:
      return AsInt();
    case Kind::kUint:
      if (AsUint() <= static_cast<uint64_t>(INT64_MAX)) return static_cast<int64_t>(AsUint());
      return std::to_string(AsUint());
    case Kind::kDouble:
      if (std::isfinite(AsDouble())) return AsDouble();
      return std::isnan(AsDouble()) ? "NaN" : AsDouble() > 0 ? "Infinity" : "-Infinity";
    case Kind::kString:
      return AsText();
    case Kind::kBytes:
      return Base64(AsBytes());
    case Kind::kTimestamp:
      return TextOf(AsTimestamp());
    case Kind::kDuration:
      return TextOf(AsDuration());
    case Kind::kType:
      return NameOf(AsType());
    case Kind::kList: {
      Json list(Json::Array{});
      for (const Value& item : AsList()) list.Push(item.ToJson());
      return list;
    }
    case Kind::kMap:
      break;
  }
  Json object(Json::Object{});
  for (const auto& [key, value] : AsMap().entries()) {
    object.Set(key.is(Kind::kString) ? key.AsText() : key.Print(), value.ToJson());
  }
  return object;
}

}  // namespace weft::cel
