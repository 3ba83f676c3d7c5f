#include "model/cel/type.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weft::cel {
namespace {

using Kind = Type::Kind;

constexpr int kMaxDepth = 32;

struct Named {
  Kind kind;
  std::string_view name;   // As a type is written down.
  std::string_view value;  // As type(x) shows it.
};
constexpr Named kNames[] = {
    {Kind::kDyn, "dyn", ""},
    {Kind::kNull, "null", "null_type"},
    {Kind::kBool, "bool", "bool"},
    {Kind::kInt, "int", "int"},
    {Kind::kUint, "uint", "uint"},
    {Kind::kDouble, "double", "double"},
    {Kind::kString, "string", "string"},
    {Kind::kBytes, "bytes", "bytes"},
    {Kind::kTimestamp, "timestamp", "google.protobuf.Timestamp"},
    {Kind::kDuration, "duration", "google.protobuf.Duration"},
    {Kind::kType, "type", "type"},
    {Kind::kList, "list", "list"},
    {Kind::kMap, "map", "map"},
};

// Reads one type from the front of a text.
class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : whole_(text), rest_(text) {}

  Result<Type> Whole() {
    Type type = TRY(One(0));
    if (!Trim(rest_).empty()) return Bad();
    return type;
  }

 private:
  Error Bad() const {
    return {Code::kInvalid, fmt::format("'{}' is not a type: write bool, int, uint, double, string, bytes, timestamp, "
                                        "duration, null, dyn, list<T> or map<K, V>",
                                        whole_)};
  }

  bool Take(char wanted) {
    rest_ = Trim(rest_);
    if (rest_.empty() || rest_[0] != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Result<Type> One(int depth) {
    if (depth > kMaxDepth) return Bad();
    rest_ = Trim(rest_);
    size_t end = 0;
    while (end < rest_.size() && (std::isalpha(static_cast<unsigned char>(rest_[end])) || rest_[end] == '_')) ++end;
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    auto known =
        std::find_if(std::begin(kNames), std::end(kNames), [&](const Named& each) { return each.name == word; });
    if (known == std::end(kNames)) return Bad();
    if (known->kind == Kind::kList) {
      if (!Take('<')) return Type::List({});
      Type element = TRY(One(depth + 1));
      if (!Take('>')) return Bad();
      return Type::List(element);
    }
    if (known->kind == Kind::kMap) {
      if (!Take('<')) return Type::Map({}, {});
      Type key = TRY(One(depth + 1));
      if (!Take(',')) return Bad();
      Type value = TRY(One(depth + 1));
      if (!Take('>')) return Bad();
      const Kind kind = key.kind();
      const bool may = kind == Kind::kDyn || kind == Kind::kBool || kind == Kind::kInt || kind == Kind::kUint ||
                       kind == Kind::kString;
      if (!may) {
        return Error{Code::kInvalid,
                     fmt::format("'{}': a map's keys are bool, int, uint, string or dyn, not {}", whole_, key.Text())};
      }
      return Type::Map(key, value);
    }
    return Type(known->kind);
  }

  std::string_view whole_, rest_;
};

Result<Type> ReadJson(const Json& json, int depth) {
  if (json.is_text()) return Type::Parse(json.Text());
  if (!json.is_object() || depth > kMaxDepth) {
    return Error{Code::kInvalid, "a type is written as a text such as \"list<string>\", or as an object of fields"};
  }
  std::vector<Type::Field> fields;
  for (const auto& [name, type] : json.Members()) {
    auto read = ReadJson(type, depth + 1);
    if (!read) return read.TakeError().With(name);
    fields.push_back({name, *read});
  }
  return Type::Record(std::move(fields));
}

}  // namespace

struct Type::Detail {
  Type key, element;
  std::vector<Field> fields;
};

Type Type::List(Type element) {
  Type type(Kind::kList);
  type.detail_ = std::make_shared<const Detail>(Detail{{}, std::move(element), {}});
  return type;
}

Type Type::Map(Type key, Type value) {
  Type type(Kind::kMap);
  type.detail_ = std::make_shared<const Detail>(Detail{std::move(key), std::move(value), {}});
  return type;
}

Type Type::Record(std::vector<Field> fields) {
  std::sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) { return a.name < b.name; });
  Type type(Kind::kRecord);
  type.detail_ = std::make_shared<const Detail>(Detail{Kind::kString, {}, std::move(fields)});
  return type;
}

Result<Type> Type::Parse(std::string_view text) { return TypeReader(text).Whole(); }
Result<Type> Type::FromJson(const Json& json) { return ReadJson(json, 0); }

const Type& Type::key() const {
  static const Type kDyn;
  return detail_ ? detail_->key : kDyn;
}

const Type& Type::element() const {
  static const Type kDyn;
  return detail_ ? detail_->element : kDyn;
}

const std::vector<Type::Field>& Type::fields() const {
  static const std::vector<Field> kNone;
  return detail_ ? detail_->fields : kNone;
}

const Type::Field* Type::Find(std::string_view name) const {
  const std::vector<Field>& all = fields();
  auto at = std::lower_bound(all.begin(), all.end(), name,
                             [](const Field& field, std::string_view n) { return field.name < n; });
  return at != all.end() && at->name == name ? &*at : nullptr;
}

std::vector<std::string_view> Type::FieldNames() const {
  std::vector<std::string_view> names;
  for (const Field& field : fields()) names.push_back(field.name);
  return names;
}

std::string Type::Text() const {
  switch (kind_) {
    case Kind::kOpen:
      return "dyn";
    case Kind::kList:
      return "list<" + element().Text() + ">";
    case Kind::kMap:
      return "map<" + key().Text() + ", " + element().Text() + ">";
    case Kind::kRecord: {
      std::string text;
      for (const Field& field : fields()) text += (text.empty() ? "{" : ", ") + field.name + ": " + field.type.Text();
      return text.empty() ? "{}" : text + "}";
    }
    default:
      break;
  }
  for (const Named& each : kNames) {
    if (each.kind == kind_) return std::string(each.name);
  }
  return "";
}

bool Type::operator==(const Type& other) const {
  if (kind_ != other.kind_) return false;
  if (detail_ == other.detail_) return true;
  if (key() != other.key() || element() != other.element()) return false;
  return std::equal(fields().begin(), fields().end(), other.fields().begin(), other.fields().end(),
                    [](const Field& a, const Field& b) { return a.name == b.name && a.type == b.type; });
}

bool Compatible(const Type& one, const Type& other) {
  if (one.is_dyn() || other.is_dyn()) return true;
  auto is_map = [](const Type& type) { return type.kind() == Kind::kMap || type.kind() == Kind::kRecord; };
  if (is_map(one) && is_map(other)) {
    if (one.kind() == Kind::kRecord && other.kind() == Kind::kRecord) {
      return std::all_of(one.fields().begin(), one.fields().end(), [&](const Type::Field& field) {
        const Type::Field* same = other.Find(field.name);
        return !same || Compatible(field.type, same->type);
      });
    }
    return Compatible(one.key(), other.key()) && Compatible(one.element(), other.element());
  }
  if (one.kind() != other.kind()) return false;
  return one.kind() != Kind::kList || Compatible(one.element(), other.element());
}

Type JoinOf(const Type& one, const Type& other) {
  if (one.kind() == Kind::kOpen) return other;
  if (other.kind() == Kind::kOpen || one == other) return one;
  if (one.kind() != other.kind()) return {};
  if (one.kind() == Kind::kList) return Type::List(JoinOf(one.element(), other.element()));
  if (one.kind() == Kind::kMap) {
    return Type::Map(JoinOf(one.key(), other.key()), JoinOf(one.element(), other.element()));
  }
  return {};
}

std::string_view NameOf(Kind kind) {
  if (kind == Kind::kRecord) kind = Kind::kMap;
  for (const Named& each : kNames) {
    if (each.kind == kind) return each.value;
  }
  return "";
}

Kind KindNamed(std::string_view name) {
  for (const Named& each : kNames) {
    if (!each.value.empty() && each.value == name) return each.kind;
  }
  return Kind::kOpen;
}

}  // namespace weft::cel
