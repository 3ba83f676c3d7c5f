#include "model/schema.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"

namespace weft::model {
namespace {

using Kind = Type::Kind;

struct KindNames {
  Kind kind;
  std::string_view duckdb;
  std::string_view iceberg;
};

constexpr KindNames kNames[] = {
    {Kind::kBoolean, "BOOLEAN", "boolean"},
    {Kind::kInt, "INTEGER", "int"},
    {Kind::kLong, "BIGINT", "long"},
    {Kind::kFloat, "FLOAT", "float"},
    {Kind::kDouble, "DOUBLE", "double"},
    {Kind::kDecimal, "DECIMAL", "decimal"},
    {Kind::kDate, "DATE", "date"},
    {Kind::kTime, "TIME", "time"},
    {Kind::kTimestamp, "TIMESTAMP", "timestamp"},
    {Kind::kTimestampTz, "TIMESTAMP WITH TIME ZONE", "timestamptz"},
    {Kind::kString, "VARCHAR", "string"},
    {Kind::kBinary, "BLOB", "binary"},
    {Kind::kList, "", "list"},
    {Kind::kStruct, "", "struct"},
    {Kind::kMap, "", "map"},
};

const KindNames& NamesOf(Kind kind) { return kNames[static_cast<int>(kind)]; }

std::string ColumnsText(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields)
    text += (text.empty() ? "" : ", ") + SqlName(field.name) + " " + field.type.DuckDb();
  return text;
}

Json FieldsIceberg(const std::vector<Field>& fields) {
  Json list{Json::Array()};
  for (const Field& field : fields) {
    list.Push(Json::Map(
        {{"id", field.id}, {"name", field.name}, {"required", field.required}, {"type", field.type.Iceberg()}}));
  }
  return list;
}

Json FieldToJson(const Field& field) {
  Json json = Json::Map({{"id", field.id},
                         {"key", field.key},
                         {"name", field.name},
                         {"required", field.required},
                         {"type", NamesOf(field.type.kind).iceberg}});
  if (field.type.kind == Kind::kDecimal) json.Set("precision", field.type.precision).Set("scale", field.type.scale);
  if (!field.type.fields.empty()) {
    Json children{Json::Array()};
    for (const Field& child : field.type.fields) children.Push(FieldToJson(child));
    json.Set("fields", std::move(children));
  }
  return json;
}

Result<Field> FieldFromJson(const Json& json) {
  Field field{static_cast<int>(json["id"].Int()), json["key"].Text(), json["name"].Text(), {}, json["required"].Bool()};
  const std::string& name = json["type"].Text();
  const auto* names = std::find_if(std::begin(kNames), std::end(kNames), [&](auto& n) { return n.iceberg == name; });
  if (names == std::end(kNames) || field.id < 1 || field.name.empty()) {
    return Error{Code::kInternal, fmt::format("a stored table schema has a damaged field: {}", json.Dump())};
  }
  field.type = {names->kind, static_cast<int>(json["precision"].Int()), static_cast<int>(json["scale"].Int()), {}};
  for (const Json& child : json["fields"].Items()) field.type.fields.push_back(TRY(FieldFromJson(child)));
  const size_t children = field.type.fields.size();
  if ((field.type.kind == Kind::kList && children != 1) || (field.type.kind == Kind::kMap && children != 2)) {
    return Error{Code::kInternal, fmt::format("a stored table schema has a damaged type: {}", json.Dump())};
  }
  return field;
}

// Whether a column may change from one type to the other and stay the same column: Iceberg v2's promotions.
bool SameColumn(const Type& from, const Type& to) {
  if (from.kind == Kind::kDecimal && to.kind == Kind::kDecimal) {
    return from.scale == to.scale && from.precision <= to.precision;
  }
  return from.kind == to.kind || (from.kind == Kind::kInt && to.kind == Kind::kLong) ||
         (from.kind == Kind::kFloat && to.kind == Kind::kDouble);
}

// Gives ids: those of `previous` by key, new ones from `last`.
void Number(std::vector<Field>& fields, const std::vector<Field>* previous, bool evolving, int& last) {
  for (Field& field : fields) {
    const Field* before = nullptr;
    if (previous) {
      auto found = std::find_if(previous->begin(), previous->end(), [&](const Field& f) { return f.key == field.key; });
      if (found != previous->end() && SameColumn(found->type, field.type)) before = &*found;
    }
    field.id = before ? before->id : ++last;
    // Files that are there already may lack the column or hold nulls in it: it cannot become required for readers.
    if (evolving && field.required) field.required = before && before->required;
  }
  // Children after their siblings, as Iceberg's own writers number them.
  for (Field& field : fields) {
    const Field* before = nullptr;
    if (previous) {
      auto found = std::find_if(previous->begin(), previous->end(), [&](const Field& f) { return f.id == field.id; });
      if (found != previous->end()) before = &*found;
    }
    if (field.type.IsPrimitive()) continue;
    Number(field.type.fields, before ? &before->type.fields : nullptr, evolving && before, last);
  }
}

void CheckNames(const std::vector<Field>& fields, const std::string& where, std::vector<std::string>& faults) {
  std::map<std::string, std::string> names;
  std::set<std::string> keys;
  for (const Field& field : fields) {
    if (field.name.empty()) faults.push_back(fmt::format("a property of {} has no name", where));
    auto [first, fresh] = names.emplace(Lower(field.name), field.name);
    if (!fresh) {
      faults.push_back(fmt::format("{} has both '{}' and '{}': names must differ by more than case", where,
                                   first->second, field.name));
    } else if (!keys.insert(field.key).second) {
      faults.push_back(fmt::format("{} has two properties with the id '{}'", where, field.key));
    }
    if (field.type.kind == Kind::kStruct) CheckNames(field.type.fields, "'" + field.name + "'", faults);
  }
}

}  // namespace

std::string Type::DuckDb() const {
  switch (kind) {
    case Kind::kDecimal:
      return fmt::format("DECIMAL({},{})", precision, scale);
    case Kind::kList:
      return fields.at(0).type.DuckDb() + "[]";
    case Kind::kStruct:
      return "STRUCT(" + ColumnsText(fields) + ")";
    case Kind::kMap:
      return fmt::format("MAP({}, {})", fields.at(0).type.DuckDb(), fields.at(1).type.DuckDb());
    default:
      return std::string(NamesOf(kind).duckdb);
  }
}

Json Type::Iceberg() const {
  switch (kind) {
    case Kind::kDecimal:
      return fmt::format("decimal({}, {})", precision, scale);
    case Kind::kList: {
      const Field& element = fields.at(0);
      return Json::Map({{"type", "list"},
                        {"element-id", element.id},
                        {"element-required", element.required},
                        {"element", element.type.Iceberg()}});
    }
    case Kind::kStruct:
      return Json::Map({{"type", "struct"}, {"fields", FieldsIceberg(fields)}});
    case Kind::kMap: {
      const Field &key = fields.at(0), &value = fields.at(1);
      return Json::Map({{"type", "map"},
                        {"key-id", key.id},
                        {"key", key.type.Iceberg()},
                        {"value-id", value.id},
                        {"value-required", value.required},
                        {"value", value.type.Iceberg()}});
    }
    default:
      return NamesOf(kind).iceberg;
  }
}

const Field* TableSchema::Find(std::string_view name) const {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Json TableSchema::Iceberg() const {
  return Json::Map({{"type", "struct"}, {"schema-id", id}, {"fields", FieldsIceberg(fields)}});
}

Json TableSchema::ToJson() const {
  Json list{Json::Array()};
  for (const Field& field : fields) list.Push(FieldToJson(field));
  return Json::Map({{"id", id}, {"last_field_id", last_field_id}, {"fields", std::move(list)}});
}

Result<TableSchema> TableSchema::FromJson(const Json& json) {
  TableSchema schema{static_cast<int>(json["id"].Int()), {}, static_cast<int>(json["last_field_id"].Int())};
  for (const Json& field : json["fields"].Items()) schema.fields.push_back(TRY(FieldFromJson(field)));
  return schema;
}

std::string TableSchema::DuckDbColumns() const { return ColumnsText(fields); }

Result<TableSchema> SchemaOf(const SchemaObject& object, const TableSchema* previous) {
  TableSchema schema{previous ? previous->id : 0, {}, previous ? previous->last_field_id : 0};
  Error error{Code::kInvalid, "", {}};
  auto add = [&](const Place& place, std::string message) {
    if (error.message.empty()) error.message = fmt::format("table '{}': {}", object.name, message);
    error.problems.push_back({"", place.line, place.column, place.path, "weft.type", std::move(message)});
  };
  for (const Property& property : object.properties) {
    auto type = TypeOf(property);
    if (type) {
      schema.fields.push_back(
          {0, property.id.empty() ? property.name : property.id, property.name, type.TakeValue(), property.required});
    } else {
      add(property.place, fmt::format("column '{}': {}", property.name, type.error().message));
    }
  }
  if (object.properties.empty()) add(object.place, "a table needs at least one property");
  std::vector<std::string> faults;
  CheckNames(schema.fields, fmt::format("table '{}'", object.name), faults);
  for (std::string& fault : faults) add(object.place, std::move(fault));
  if (!error.problems.empty()) return error;
  Number(schema.fields, previous ? &previous->fields : nullptr, previous != nullptr, schema.last_field_id);
  if (previous && schema.fields != previous->fields) schema.id = previous->id + 1;
  return schema;
}

}  // namespace weft::model
