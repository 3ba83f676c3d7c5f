#include <fmt/format.h>

#include "work/run/guess.h"

namespace weft::run {
namespace {

using model::Type;
using Kind = Type::Kind;

// DuckDB's name of a type, as one of the contract's.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : whole_(text), text_(text) {}

  Result<Type> Read() {
    Type type = TRY(One());
    if (!text_.empty()) return Unknown();
    return type;
  }

 private:
  Error Unknown() const { return {Code::kUnsupported, fmt::format("there is no type of a contract for '{}'", whole_)}; }

  bool Take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string Name() {
    std::string name;
    if (!Take("\"")) {
      const size_t end = std::min(text_.find_first_of(" ,()[]"), text_.size());
      name = text_.substr(0, end);
      text_.remove_prefix(end);
      return name;
    }
    while (!text_.empty() && !(text_[0] == '"' && !text_.starts_with("\"\""))) {
      text_.remove_prefix(text_[0] == '"' ? 1 : 0);
      name += text_[0];
      text_.remove_prefix(1);
    }
    Take("\"");
    return name;
  }

  Result<Type> One() {
    Type type = TRY(Plain());
    while (Take("[]")) {
      Type list;
      list.kind = Kind::kList;
      list.fields.push_back({0, "element", "element", std::move(type), false});
      type = std::move(list);
    }
    return type;
  }

  Result<Type> Plain() {
    Type type;
    if (Take("STRUCT(")) {
      type.kind = Kind::kStruct;
      do {
        const std::string name = Name();
        Take(" ");
        type.fields.push_back({0, name, name, TRY(One()), false});
      } while (Take(", "));
      if (!Take(")")) return Unknown();
      return type;
    }
    if (Take("MAP(")) {
      type.kind = Kind::kMap;
      Type key = TRY(One());
      if (!Take(", ")) return Unknown();
      type.fields.push_back({0, "key", "key", std::move(key), true});
      type.fields.push_back({0, "value", "value", TRY(One()), false});
      if (!Take(")")) return Unknown();
      return type;
    }
    if (Take("ENUM(")) {
      text_.remove_prefix(std::min(text_.find(')') + 1, text_.size()));
      return type;
    }
    return Primitive();
  }

  Result<Type> Primitive() {
    static const std::map<std::string_view, Kind> kKinds = {
        {"BOOLEAN", Kind::kBoolean},       {"TINYINT", Kind::kInt},         {"SMALLINT", Kind::kInt},
        {"INTEGER", Kind::kInt},           {"UTINYINT", Kind::kInt},        {"USMALLINT", Kind::kInt},
        {"BIGINT", Kind::kLong},           {"UINTEGER", Kind::kLong},       {"UBIGINT", Kind::kDecimal},
        {"HUGEINT", Kind::kDecimal},       {"DECIMAL", Kind::kDecimal},     {"FLOAT", Kind::kFloat},
        {"DOUBLE", Kind::kDouble},         {"DATE", Kind::kDate},           {"TIME", Kind::kTime},
        {"VARCHAR", Kind::kString},        {"UUID", Kind::kString},         {"JSON", Kind::kString},
        {"BLOB", Kind::kBinary},           {"TIMESTAMP", Kind::kTimestamp}, {"TIMESTAMP_S", Kind::kTimestamp},
        {"TIMESTAMP_MS", Kind::kTimestamp}};
    Type type;
    if (Take("TIMESTAMP WITH TIME ZONE")) {
      type.kind = Kind::kTimestampTz;
      return type;
    }
    const std::string name = Name();
    const auto known = kKinds.find(name);
    if (known == kKinds.end()) return Unknown();
    type.kind = known->second;
    if (type.kind == Kind::kDecimal) type.precision = name == "UBIGINT" ? 20 : 38;
    if (name == "DECIMAL" && Take("(")) {
      type.precision = std::atoi(Name().c_str());
      Take(",");
      type.scale = std::atoi(Name().c_str());
      Take(")");
    }
    return type;
  }

  const std::string whole_;
  std::string_view text_;
};

}  // namespace

Result<Type> TypeOfDuckDb(std::string_view name) { return TypeReader(name).Read(); }

}  // namespace weft::run
