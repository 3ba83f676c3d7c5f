#include "model/exchange/datacontract_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/exchange/datacontract.h"
#include "model/shape.h"

namespace weft::model::exchange::datacontract {
namespace {

constexpr int kDeepest = 24;  // Fields within fields; what is deeper is no table.

constexpr TypeWord kTypes[] = {
    {"string", "string", ""},
    {"text", "string", "text"},
    {"varchar", "string", "varchar"},
    {"number", "number", ""},
    {"decimal", "number", "decimal"},
    {"numeric", "number", "numeric"},
    {"int", "integer", "int"},
    {"integer", "integer", "integer"},
    {"long", "integer", ""},
    {"bigint", "integer", "bigint"},
    {"float", "number", "float"},
    {"double", "number", "double"},
    {"boolean", "boolean", ""},
    {"timestamp", "timestamp", "timestamptz"},
    {"timestamp_tz", "timestamp", "timestamp_tz"},
    {"timestamp_ntz", "timestamp", ""},
    {"date", "date", ""},
    {"time", "time", ""},
    {"bytes", "string", "binary"},
    {"json", "string", "json"},
    {"array", "array", ""},
    {"map", "map", ""},
    {"object", "object", ""},
    {"record", "object", "record"},
    {"struct", "object", "struct"},
};

template <size_t N>
bool Among(const std::string_view (&words)[N], std::string_view word) {
  return std::ranges::find(words, word) != std::end(words);
}

// Placeholders as ODCS writes them.
std::string QueryOf(std::string query) {
  static constexpr std::pair<std::string_view, std::string_view> kPlaces[] = {
      {"{model}", "${object}"}, {"{table}", "${table}"}, {"{field}", "${property}"}, {"{column}", "${column}"}};
  for (const auto& [theirs, ours] : kPlaces) {
    for (size_t at = query.find(theirs); at != query.npos; at = query.find(theirs, at + ours.size())) {
      if (at > 0 && query[at - 1] == '$') continue;
      query.replace(at, theirs.size(), ours);
    }
  }
  return query;
}

}  // namespace

std::span<const TypeWord> TypeWords() { return kTypes; }

Json LinksOf(const Part& links) {
  Json definitions = Json::Array();
  for (const auto& [type, url] : links.Members()) {
    if (const std::string text = url.TakeWords(); !text.empty()) {
      definitions.Push(Json::Map({{"type", type}, {"url", text}}));
    }
  }
  return definitions;
}

Part FieldReader::Layers::Get(std::string_view key) const {
  for (const Part& part : parts) {
    if (part[key].there()) return part[key];
  }
  return parts[0][key];
}

Result<FieldReader::Layers> FieldReader::Resolved(const Part& field) {
  Layers layers{{field}};
  std::vector<std::string> seen;
  while (true) {
    const Part reference = layers.parts.back()["$ref"];
    if (!reference.there()) return layers;
    const std::string name = reference.TakeText();
    auto wrong = [&](std::string_view why) {
      return Error{Code::kInvalid, fmt::format("line {}: {}: {}", reference.node().line, reference.path(),
                                               fmt::format(fmt::runtime(why), name))};
    };
    constexpr std::string_view kHere = "#/definitions/";
    if (!name.starts_with(kHere)) {
      return wrong("'{}' is not in this file, and no other is read: put what it names under `definitions`");
    }
    const Part definition = definitions_[std::string_view(name).substr(kHere.size())];
    if (!definition.is_map()) return wrong("'{}' names no definition of this file");
    if (std::ranges::find(seen, name) != seen.end()) return wrong("'{}' refers to itself");
    seen.push_back(name);
    layers.parts.push_back(definition);
  }
}

Result<Json> FieldReader::Model(const std::string& name, const Part& model) {
  if (!model.is_map()) {
    return Error{Code::kInvalid, fmt::format("line {}: {}: a model is a map with `fields`, not {}", model.node().line,
                                             model.path(), Shown(model.node().ToJson()))};
  }
  model_ = name;
  origins_["schema[0]"] = {model.node().line, model.node().column, model.path()};
  Json object = Json::Map({{"name", name}});
  Put(object, "physicalType", model["type"].TakeText());
  Put(object, "businessName", model["title"].TakeText());
  Put(object, "description", model["description"].TakeText());
  Put(object, "tags", model["tags"].TakeTexts());
  Json properties = Json::Array();
  const Json key = model["primaryKey"].TakeTexts();
  for (const auto& [field, part] : model["fields"].Members()) {
    Json property = TRY(Field(field, part, fmt::format("schema[0].properties[{}]", properties.size()), 1));
    for (size_t i = 0; i < key.size(); ++i) {
      if (key[i].Text() != field) continue;
      property.Set("primaryKey", true);
      property.Set("primaryKeyPosition", static_cast<int>(i) + 1);
    }
    properties.Push(std::move(property));
  }
  if (properties.size() == 0) {
    return Error{Code::kInvalid, fmt::format("line {}: {}: the model has no `fields`: a port needs columns",
                                             model.node().line, model.path())};
  }
  object.Set("properties", std::move(properties));
  Put(object, "quality", Rules(model["quality"]));
  Config(model["config"], object);
  model.KeepRest(object, kVendor);
  return object;
}

Result<Json> FieldReader::Field(const std::string& name, const Part& part, const std::string& place, int depth) {
  if (depth > kDeepest) {
    return Error{Code::kInvalid,
                 fmt::format("{}: fields stand within fields more than {} deep, or a definition holds itself",
                             part.path(), kDeepest)};
  }
  if (!part.is_map()) {
    return Error{Code::kInvalid, fmt::format("line {}: {}: a field is a map with a `type`, not {}", part.node().line,
                                             part.path(), Shown(part.node().ToJson()))};
  }
  origins_[place] = {part.node().line, part.node().column, part.path()};
  const Layers field = TRY(Resolved(part));
  Json property = Json::Object();
  if (!name.empty()) property.Set("name", name);
  Words(field, property);
  Type(field, property);
  Limits(field, property);
  TRY(Inside(field, place, depth, property));
  Reference(field, property);
  Put(property, "quality", Rules(field.Get("quality")));
  Put(property, "authoritativeDefinitions", LinksOf(field.Get("links")));
  Config(field.Get("config"), property);
  for (const Part& layer : field.parts) layer.KeepRest(property, kVendor);
  return property;
}

void FieldReader::Words(const Layers& field, Json& property) {
  Put(property, "businessName", field.Get("title").TakeText());
  Put(property, "description", field.Get("description").TakeText());
  for (const char* key : {"required", "unique"}) {
    Put(property, key, field.Get(key).TakeBool());
  }
  Put(property, "primaryKey", field.Get(field.Get("primaryKey").there() ? "primaryKey" : "primary").TakeBool());
  Put(property, "classification", field.Get("classification").TakeText());
  Json tags = field.Get("tags").TakeTexts();
  if (field.Get("pii").TakeTrue()) {
    const std::vector<std::string> texts = tags.Texts();
    if (std::ranges::find(texts, "pii") == texts.end()) tags.Push("pii");
  }
  Put(property, "tags", tags);
  const Part examples = field.Get("examples"), example = field.Get("example");
  if (examples.is_list()) {
    Put(property, "examples", examples.Take());
  } else if (example.node().is_scalar()) {
    property.Set("examples", Json(Json::Array{example.Take()}));
  }
}

void FieldReader::Type(const Layers& field, Json& property) {
  const Part part = field.Get("type");
  const std::string word = part.node().scalar;
  const auto* const type = std::ranges::find(kTypes, std::string_view(word), &TypeWord::word);
  if (type == std::end(kTypes)) {
    property.Set("logicalType", "string");
    if (!part.there()) {
      document_.Tell(field.parts[0], "it has no type: it is read as a string");
    } else {
      document_.Tell(part, "Weft has no such type: it is read as a string",
                     "the custom property type of vendor datacontract");
      AddCustom(property, "type", part.Take(), kVendor);
    }
    return;
  }
  part.Take();
  property.Set("logicalType", std::string(type->logical));
  std::string physical(type->physical);
  if (word == "decimal" || word == "numeric" || word == "number") {
    const Json precision = field.Get("precision").TakeNumber(), scale = field.Get("scale").TakeNumber();
    const bool any = word == "number" && precision.is_null() && scale.is_null();
    if (!any) physical = fmt::format("{}({},{})", word, precision.Int(38), scale.Int(0));
  }
  Put(property, "physicalType", physical);
}

void FieldReader::Limits(const Layers& field, Json& property) {
  const std::string& logical = property["logicalType"].Text();
  const bool text = logical == "string", number = logical == "integer" || logical == "number";
  Json options = Json::Object();
  if (text) {
    for (const std::string_view key : kTextOptions) {
      const Part part = field.Get(key);
      const bool length = key == "minLength" || key == "maxLength";
      Put(options, key, length ? part.TakeNumber() : Json(part.TakeWords()));
    }
  }
  if (number) {
    for (const std::string_view key : kNumberOptions) Put(options, key, field.Get(key).TakeNumber());
  }
  Put(property, "logicalTypeOptions", options);
  const Part list = field.Get("enum");
  Json values = Json::Array();
  for (const Part& item : list.Items()) {
    Json value = item.node().ToJson();
    // The specification writes every value as text.
    if (number && value.is_text()) {
      const auto parsed = Json::Parse(value.Text());
      if (parsed && parsed->is_number()) value = *parsed;
    }
    values.Push(Json::Map({{"value", std::move(value)}}));
  }
  if (values.size() > 0) {
    list.Take();
    property.Set("enum", std::move(values));
  }
}

Status FieldReader::Inside(const Layers& field, const std::string& place, int depth, Json& property) {
  const std::string logical = property["logicalType"].Text();
  if (logical == "object") {
    Json properties = Json::Array();
    for (const auto& [name, part] : field.Get("fields").Members()) {
      properties.Push(TRY(Field(name, part, fmt::format("{}.properties[{}]", place, properties.size()), depth + 1)));
    }
    Put(property, "properties", properties);
  } else if (logical == "array" && field.Get("items").is_map()) {
    property.Set("items", TRY(Field("", field.Get("items"), place + ".items", depth + 1)));
  } else if (logical == "map") {
    const Json text = Json::Map({{"logicalType", "string"}});
    const Part key = field.Get("keys"), value = field.Get("values");
    Json map = Json::Object();
    map.Set("key", key.is_map() ? TRY(Field("", key, place + ".map.key", depth + 1)) : text);
    map.Set("value", value.is_map() ? TRY(Field("", value, place + ".map.value", depth + 1)) : text);
    property.Set("map", std::move(map));
  }
  return {};
}

void FieldReader::Reference(const Layers& field, Json& property) {
  const Part part = field.Get("references");
  const std::string& written = part.node().scalar;
  const size_t dot = written.find('.');
  if (part.node().kind != yaml::Node::Kind::kText || dot == written.npos) return;
  const std::string table = written.substr(0, dot);
  std::string to = part.TakeText();
  // A model of this file by the port that it becomes; within the model itself by its own name.
  if (const auto port = ports_.find(table); port != ports_.end() && table != model_) {
    to = port->second + to.substr(dot);
  }
  property.Set("relationships", Json(Json::Array{Json::Map({{"type", "foreignKey"}, {"to", to}})}));
}

void FieldReader::Config(const Part& config, Json& property) {
  for (const auto& [key, part] : config.Members()) {
    Json value = part.Take();
    const std::string carried = key.starts_with(kCarried) ? key.substr(kCarried.size()) : "";
    if (key == "physicalType" && value.is_text()) {
      property.Set("physicalType", value);
    } else if (carried == "logicalTypeOptions") {
      Json options = property["logicalTypeOptions"];
      for (const auto& [option, limit] : value.Members()) options.Set(option, limit);
      property.Set("logicalTypeOptions", options);
    } else if (carried == "customProperties") {
      Json all = property["customProperties"];
      for (const Json& custom : value.Items()) all.Push(custom);
      property.Set("customProperties", all);
    } else if (!carried.empty()) {
      property.Set(carried, std::move(value));
    } else if (key.starts_with("weft.")) {
      AddCustom(property, key.substr(5), std::move(value), "weft");
    } else {
      AddCustom(property, key, std::move(value), "");
    }
  }
  // A text that is empty says that there is none.
  for (const char* key : {"physicalType", "logicalType"}) {
    if (!property[key].is_text() || !property[key].Text().empty()) continue;
    Json without = Json::Object();
    for (const auto& [name, value] : property.Members()) {
      if (name != key) without.Set(name, value);
    }
    property = without;
  }
}

Json FieldReader::Rules(const Part& quality) {
  static constexpr std::string_view kSame[] = {"id",
                                               "name",
                                               "description",
                                               "type",
                                               "metric",
                                               "arguments",
                                               "engine",
                                               "implementation",
                                               "dimension",
                                               "severity",
                                               "unit",
                                               "businessImpact",
                                               "schedule",
                                               "scheduler",
                                               "method",
                                               "tags",
                                               "mustBe",
                                               "mustNotBe",
                                               "mustBeGreaterThan",
                                               "mustBeGreaterOrEqualTo",
                                               "mustBeLessThan",
                                               "mustBeLessOrEqualTo",
                                               "mustBeBetween",
                                               "mustNotBeBetween",
                                               "authoritativeDefinitions",
                                               "customProperties"};
  static constexpr std::pair<std::string_view, std::string_view> kOlder[] = {
      {"mustBeGreaterThanOrEqualTo", "mustBeGreaterOrEqualTo"}, {"mustBeLessThanOrEqualTo", "mustBeLessOrEqualTo"}};
  static constexpr std::pair<std::string_view, std::string_view> kMetrics[] = {
      {"duplicateCount", "duplicateValues"}, {"nullCount", "nullValues"}, {"rowCount", "rowCount"}};
  Json rules = Json::Array();
  for (const Part& part : quality.Items()) {
    if (!part.is_map()) continue;
    Json rule = Json::Object();
    for (const auto& [key, value] : part.Members()) {
      if (Among(kSame, key)) {
        rule.Set(key, value.Take());
      } else if (key == "query" && value.node().kind == yaml::Node::Kind::kText) {
        rule.Set(key, QueryOf(value.TakeText()));
      }
      for (const auto& [older, newer] : kOlder) {
        if (key == older) rule.Set(newer, value.Take());
      }
      for (const auto& [older, newer] : kMetrics) {
        if (key == "rule" && value.node().scalar == older && !part["metric"].there()) {
          value.Take();
          rule.Set("metric", std::string(newer));
        }
      }
    }
    part.KeepRest(rule, kVendor);
    rules.Push(std::move(rule));
  }
  return rules;
}

}  // namespace weft::model::exchange::datacontract
