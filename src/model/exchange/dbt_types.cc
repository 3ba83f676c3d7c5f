#include <algorithm>

#include "base/text.h"
#include "model/exchange/dbt.h"
#include "model/schema.h"

namespace weft::model::exchange::dbt {
namespace {

constexpr int kDeepest = 16;

using Kind = Type::Kind;

// What warehouses call types that the table of types has under another name.
constexpr std::pair<std::string_view, std::string_view> kOther[] = {
    {"hugeint", "decimal(38,0)"},
    {"ubigint", "decimal(20,0)"},
    {"uint64", "decimal(20,0)"},
    {"numeric", "decimal(38,9)"},
    {"decimal", "decimal(38,9)"},
    {"bignumeric", "decimal(38,9)"},
    {"jsonb", "json"},
    {"variant", "json"},
    {"super", "json"},
    {"timestamp_ns", "timestamp"},
    {"timestamp_ms", "timestamp"},
    {"timestamp_s", "timestamp"},
    {"fixed", "decimal(38,0)"},
    {"byteint", "tinyint"},
    {"serial", "int"},
    {"bigserial", "bigint"},
    {"name", "text"},
    {"citext", "text"},
};

Json Primitive(const std::string& written) {
  std::string text = Lower(Trim(written));
  for (const auto& [theirs, ours] : kOther) {
    if (text == theirs) text = ours;
  }
  if (text.empty() || !(text[0] >= 'a' && text[0] <= 'z')) return {};
  if (text.starts_with("enum(")) text = "varchar";
  Property property;
  property.physical_type = text;
  const auto type = TypeOf(property);
  if (!type || !type->IsPrimitive()) return {};
  return Json::Map({{"logicalType", std::string(type->Logical())}, {"physicalType", text}});
}

// At the commas that stand in no bracket.
std::vector<std::string> Parts(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '(' || c == '<')) ++depth;
    if (!quoted && (c == ')' || c == '>')) --depth;
    if (c == ',' && depth == 0 && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Json Read(std::string_view written, int depth);

// "a INTEGER", "\"b c\" VARCHAR", "d: int".
Json Field(std::string_view text, int depth) {
  text = Trim(text);
  const bool quoted = text.starts_with('"');
  const size_t end = quoted ? text.find('"', 1) : text.find_first_of(" :");
  if (end == text.npos || end == 0) return {};
  const std::string name(text.substr(quoted ? 1 : 0, quoted ? end - 1 : end));
  std::string_view rest = Trim(text.substr(end + 1));
  if (rest.starts_with(':')) rest = Trim(rest.substr(1));
  const Json type = Read(rest, depth + 1);
  if (type.is_null()) return {};
  Json field = Json::Map({{"name", name}});
  for (const auto& [key, value] : type.Members()) field.Set(key, value);
  return field;
}

Json ListOf(const Json& items) {
  return items.is_null() ? Json() : Json::Map({{"logicalType", "array"}, {"items", items}});
}

Json Read(std::string_view written, int depth) {
  const std::string_view text = Trim(written);
  if (depth > kDeepest || text.empty()) return {};
  if (text.ends_with(']')) return ListOf(Read(text.substr(0, text.rfind('[')), depth + 1));
  const size_t open = text.find_first_of("(<");
  const std::string base = Lower(Trim(text.substr(0, open)));
  const bool closed = open != text.npos && (text.ends_with(')') || text.ends_with('>'));
  if (!closed) return Primitive(std::string(text));
  const std::vector<std::string> parts = Parts(text.substr(open + 1, text.size() - open - 2));
  if (base == "array" || base == "list") return ListOf(Read(parts[0], depth + 1));
  if (base == "struct" || base == "row" || base == "record" || base == "object") {
    Json properties = Json::Array();
    for (const std::string& part : parts) {
      Json field = Field(part, depth);
      if (field.is_null()) return {};
      properties.Push(std::move(field));
    }
    return Json::Map({{"logicalType", "object"}, {"properties", std::move(properties)}});
  }
  if (base == "map" && parts.size() == 2) {
    Json key = Read(parts[0], depth + 1), value = Read(parts[1], depth + 1);
    if (key.is_null() || value.is_null()) return {};
    return Json::Map(
        {{"logicalType", "map"}, {"map", Json::Map({{"key", std::move(key)}, {"value", std::move(value)}})}});
  }
  return Primitive(std::string(text));
}

}  // namespace

Json TypeKeys(std::string_view written) { return Read(written, 0); }

}  // namespace weft::model::exchange::dbt
