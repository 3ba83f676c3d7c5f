#include "model/policy/question.h"

#include <algorithm>

namespace weft::model {
namespace {

using cel::Expr;
using cel::Value;

void Find(const Expr& expr, Named* named) {
  const Expr* of = expr.is(Expr::Kind::kSelect) ? &expr.children[0] : nullptr;
  if (of && IsVariable(*of, "principal")) {
    if (expr.name == "name") named->name = true;
    if (expr.name == "kind") named->kind = true;
    if (expr.name == "groups") named->groups = true;
    if (expr.name == "attributes") named->attributes = true;
    return;
  }
  if (of && of->is(Expr::Kind::kSelect) && of->name == "attributes" && IsVariable(of->children[0], "principal")) {
    const auto at = std::ranges::lower_bound(named->of_attributes, expr.name);
    if (at == named->of_attributes.end() || *at != expr.name) named->of_attributes.insert(at, expr.name);
    return;
  }
  if (IsVariable(expr, "principal")) named->name = named->kind = named->groups = named->attributes = true;
  if (IsVariable(expr, "resource")) named->resource = true;
  if (IsVariable(expr, "action")) named->action = true;
  if (IsVariable(expr, "purpose")) named->purpose = true;
  if (IsVariable(expr, "now")) named->now = true;
  for (const Expr& child : expr.children) Find(child, named);
}

Value AttributeValue(const Json& values) {
  return Texts(values.is_text() ? std::vector{values.Text()} : values.Texts());
}

const char* KindName(Principal::Kind kind) {
  if (kind == Principal::Kind::kUser) return "user";
  return kind == Principal::Kind::kService ? "service" : "product";
}

// So that what stands before cannot be taken for what comes after.
void AddText(std::string* key, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text);
}

void AddAttribute(std::string* key, const Json& values) {
  if (values.is_text()) {
    key->push_back('1');
    return AddText(key, values.Text());
  }
  for (const Json& value : values.Items()) {
    if (!value.is_text()) continue;
    key->push_back('1');
    AddText(key, value.Text());
  }
}

}  // namespace

bool IsVariable(const Expr& expr, std::string_view variable) {
  if (!expr.is(Expr::Kind::kVariable)) return false;
  return expr.name == variable || (expr.name.size() == variable.size() + 1 && expr.name.ends_with(variable));
}

Named Named::By(const cel::Expr& expr) {
  Named named;
  Find(expr, &named);
  return named;
}

bool Named::Covers(const Named& other) const {
  return name >= other.name && kind >= other.kind && groups >= other.groups && attributes >= other.attributes &&
         (attributes || std::ranges::includes(of_attributes, other.of_attributes)) && resource >= other.resource &&
         action >= other.action && purpose >= other.purpose && now >= other.now;
}

void Named::Add(const Named& other) {
  name |= other.name;
  kind |= other.kind;
  groups |= other.groups;
  attributes |= other.attributes;
  std::vector<std::string> both;
  std::ranges::set_union(of_attributes, other.of_attributes, std::back_inserter(both));
  of_attributes = std::move(both);
  resource |= other.resource;
  action |= other.action;
  purpose |= other.purpose;
  now |= other.now;
}

const cel::Environment& DecisionVariables() {
  static const cel::Environment kVariables = [] {
    const cel::Type texts = cel::Type::List(cel::Type::Kind::kString);
    cel::Environment variables;
    variables.Add("principal", cel::Type::Record({{"name", cel::Type::Kind::kString},
                                                  {"kind", cel::Type::Kind::kString},
                                                  {"groups", texts},
                                                  {"attributes", cel::Type::Map(cel::Type::Kind::kString, texts)}}));
    variables.Add("resource", cel::Type::Record({{"domain", cel::Type::Kind::kString},
                                                 {"product", cel::Type::Kind::kString},
                                                 {"port", cel::Type::Kind::kString},
                                                 {"major", cel::Type::Kind::kInt},
                                                 {"status", cel::Type::Kind::kString},
                                                 {"classification", cel::Type::Kind::kString},
                                                 {"tags", texts},
                                                 {"owners", texts},
                                                 {"stewards", texts},
                                                 {"engineers", texts}}));
    variables.Add("action", cel::Type::Kind::kString);
    variables.Add("purpose", cel::Type::Kind::kString);
    variables.Add("now", cel::Type::Kind::kTimestamp);
    return variables;
  }();
  return kVariables;
}

cel::Value Texts(const std::vector<std::string>& texts) {
  Value::List list;
  list.reserve(texts.size());
  for (const std::string& text : texts) list.push_back(Value::Text(text));
  return Value::Of(std::move(list));
}

cel::Value Record(std::initializer_list<std::pair<const char*, cel::Value>> fields) {
  std::vector<cel::Map::Entry> entries;
  for (const auto& [name, value] : fields) entries.emplace_back(Value::Text(name), value);
  return Value(cel::Map::Of(std::move(entries)));
}

cel::Value Question::PrincipalValue(const Named& named) const {
  std::vector<cel::Map::Entry> fields, attributes;
  if (named.name) fields.emplace_back(Value::Text("name"), Value::Text(principal_.name));
  if (named.kind) fields.emplace_back(Value::Text("kind"), Value::Text(KindName(principal_.kind)));
  if (named.groups) fields.emplace_back(Value::Text("groups"), Texts(principal_.groups));
  for (const auto& [name, values] : principal_.attributes.Members()) {
    const bool wanted = named.attributes || std::ranges::binary_search(named.of_attributes, name);
    if (wanted) attributes.emplace_back(Value::Text(name), AttributeValue(values));
  }
  fields.emplace_back(Value::Text("attributes"), Value(cel::Map::Of(std::move(attributes))));
  return Value(cel::Map::Of(std::move(fields)));
}

cel::Value Question::Make(Variable variable, const Named& named) const {
  switch (variable) {
    case kPrincipal:
      return PrincipalValue(named);
    case kResource:
      return Record({{"domain", Value::Text(resource_.domain)},
                     {"product", Value::Text(resource_.product)},
                     {"port", Value::Text(resource_.port)},
                     {"major", Value(int64_t{resource_.major})},
                     {"status", Value::Text(resource_.status)},
                     {"classification", Value::Text(resource_.classification)},
                     {"tags", Texts(resource_.tags)},
                     {"owners", Texts(resource_.owners)},
                     {"stewards", Texts(resource_.stewards)},
                     {"engineers", Texts(resource_.engineers)}});
    case kAction:
      return Value::Text(std::string(ActionName(action_)));
    case kPurpose:
      return Value::Text(purpose_);
    default:
      return Value(cel::Timestamp{now_.micros / 1'000'000, static_cast<int32_t>(now_.micros % 1'000'000 * 1000)});
  }
}

const cel::Bindings& Question::Bind(const Named& named) {
  if (!bindings_.empty() && made_.Covers(named)) return bindings_;
  made_.Add(named);
  bindings_ = BindOnly(made_);
  return bindings_;
}

cel::Bindings Question::BindOnly(const Named& named) const {
  cel::Bindings bindings(kNow + 1);
  const bool wanted[] = {named.principal(), named.resource, named.action, named.purpose, named.now};
  for (size_t i = 0; i <= kNow; ++i) {
    if (wanted[i]) bindings[i] = Make(static_cast<Variable>(i), named);
  }
  return bindings;
}

void Question::AddTo(std::string* key, const Named& named) const {
  if (named.name) AddText(key, principal_.name);
  if (named.kind) key->push_back(static_cast<char>('a' + static_cast<int>(principal_.kind)));
  if (named.groups) {
    for (const std::string& group : principal_.groups) AddText(&key->append("g"), group);
    key->push_back('.');
  }
  for (const auto& [name, values] : principal_.attributes.Members()) {
    if (!named.attributes && !std::ranges::binary_search(named.of_attributes, name)) continue;
    AddText(&key->append("a"), name);
    AddAttribute(key, values);
  }
  key->push_back('.');
  if (named.purpose) AddText(key, purpose_);
}

}  // namespace weft::model
