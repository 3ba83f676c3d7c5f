#include "model/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "model/own.h"
#include "model/standards.h"
#include "model/term.h"

namespace weft::model {
namespace {

using shape::Key;
using shape::Shape;
using shape::Type;

constexpr int kNewest = 999;  // Of either standard.

constexpr SchemaOfFiles kFiles[] = {{"product", "**/*.odps.yaml"},   {"contract", "**/*.odcs.yaml"},
                                    {"mesh", "mesh.yaml"},           {"policies", "policies/*.yaml"},
                                    {"entities", "entities/*.yaml"}, {"terms", "terms/*.yaml"},
                                    {"environment", "**/env/*.yaml"}};

// `to` gets what `from` has and it has not.
void Merge(Json& to, const Json& from) {
  for (const auto& [key, value] : from.Members()) {
    if (!to.Has(key)) to.Set(key, value);
  }
}

// Makes the definitions of shapes as they are met.
class Writer {
 public:
  Json Document(const Type& type, std::string_view title) {
    Json document = Json::Map({{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}});
    document.Set("allOf", Json::Array{Of(type)});
    Json definitions = Json::Object();
    for (const Shape* shape : met_) definitions.Set(names_[shape], definitions_[shape]);
    document.Set("definitions", std::move(definitions));
    return document;
  }

 private:
  Json Of(const Type& type) {
    Json::Array any;
    if (type.kinds & shape::kIsText) any.push_back(Text(type));
    if (type.kinds & (shape::kIsNumber | shape::kIsInteger)) any.push_back(Number(type));
    if (type.kinds & shape::kIsBool) any.push_back(Json::Map({{"type", "boolean"}}));
    if (type.kinds & shape::kIsNull) any.push_back(Json::Map({{"type", "null"}}));
    if (type.kinds & shape::kIsList) any.push_back(List(type));
    if (type.kinds & shape::kIsMap)
      any.push_back(type.shape ? Reference(*type.shape) : Json::Map({{"type", "object"}}));
    if (type.kinds == shape::kIsAny && !type.shape && !type.items && type.words.empty()) return Json::Object();
    return any.size() == 1 ? any[0] : Json::Map({{"anyOf", std::move(any)}});
  }

  static Json Text(const Type& type) {
    Json text = Json::Map({{"type", "string"}});
    if (!type.words.empty()) {
      Json::Array words;
      for (const shape::Word& word : type.words) words.emplace_back(word.text);
      text.Set("enum", std::move(words));
    }
    // The newest. White space of all scripts is \s in an editor's regular expressions already; what only RE2 reads is
    // left to the check.
    if (!type.patterns.empty() && !std::string_view(type.patterns.back().regex).starts_with("(?")) {
      text.Set("pattern", fmt::format("^(?:{})$", ReplaceAll(type.patterns.back().regex, "\\pZ", "")));
    }
    return text;
  }

  static Json Number(const Type& type) {
    Json number = Json::Map({{"type", type.kinds & shape::kIsNumber ? "number" : "integer"}});
    if (type.minimum) number.Set("minimum", *type.minimum);
    if (type.above) number.Set("exclusiveMinimum", *type.above);
    return number;
  }

  Json List(const Type& type) {
    Json list = Json::Map({{"type", "array"}});
    if (type.items) list.Set("items", Of(*type.items));
    if (type.least > 0) list.Set("minItems", static_cast<int64_t>(type.least));
    if (type.most != SIZE_MAX) list.Set("maxItems", static_cast<int64_t>(type.most));
    if (type.distinct) list.Set("uniqueItems", true);
    return list;
  }

  Json Reference(const Shape& shape) {
    if (!names_.contains(&shape)) {
      std::string name(shape.name);
      for (std::string_view article : {"a ", "an ", "the "}) {
        if (name.starts_with(article)) name.erase(0, article.size());
      }
      name = ReplaceAll(name, " ", "-");
      while (std::ranges::any_of(names_, [&](const auto& other) { return other.second == name; })) name += "-";
      names_[&shape] = name;
      met_.push_back(&shape);
      definitions_[&shape] = Map(shape);
    }
    return Json::Map({{"$ref", "#/definitions/" + names_[&shape]}});
  }

  // The keys of some shapes together, and those that a map must have.
  Json Keys(const std::vector<const Shape*>& shapes) {
    Json properties = Json::Object();
    Json::Array required;
    for (const Shape* each : shapes) {
      for (const Key& key : each->keys) {
        if (key.since > kNewest || key.before <= kNewest) continue;
        if (!properties.Has(key.name)) properties.Set(std::string(key.name), Of(*key.type));
        if (key.required) required.emplace_back(key.name);
      }
    }
    Json keys = Json::Map({{"properties", std::move(properties)}});
    if (!required.empty()) keys.Set("required", std::move(required));
    return keys;
  }

  static bool Closed(const std::vector<const Shape*>& shapes) {
    return std::ranges::all_of(shapes, [](const Shape* each) { return each->closed_since <= kNewest; });
  }

  static std::vector<const Shape*> With(const Shape& shape, std::string_view key, std::string_view word) {
    std::vector<const Shape*> shapes{&shape};
    yaml::Node map;
    map.kind = yaml::Node::Kind::kMap;
    if (!key.empty()) {
      yaml::Node value;
      value.kind = yaml::Node::Kind::kText;
      value.scalar = word;
      map.entries.push_back({std::string(key), 0, 0, std::move(value)});
    }
    if (shape.also) shape.also(map, kNewest, shapes);
    return shapes;
  }

  Json Map(const Shape& shape) {
    Json map = Json::Map({{"type", "object"}});
    if (!shape.one_of.empty()) {
      Json::Array any;
      for (const Shape* each : shape.one_of) {
        Json keys = Keys({&shape, each});
        if (Closed({&shape, each})) keys.Set("additionalProperties", false);
        any.push_back(std::move(keys));
      }
      map.Set("anyOf", std::move(any));
      return map;
    }
    const std::vector<const Shape*> plain = With(shape, "", "");
    Merge(map, Keys(plain));
    bool closed = Closed(plain);
    Json::Array choices;
    // By which words of which key other shapes hold.
    for (const Key& key : shape.keys) {
      if (!shape.also || key.since > kNewest || key.before <= kNewest) continue;
      for (const shape::Word& word : key.type->words) {
        const std::vector<const Shape*> with = With(shape, key.name, word.text);
        if (with == plain) continue;
        Json then = Keys(with);
        if (Closed(with)) then.Set("additionalProperties", false);
        closed = closed && Closed(with);
        Json all = map["properties"];
        for (const auto& [name, any] : then["properties"].Members()) {
          if (!all.Has(name)) all.Set(name, Json::Object());
        }
        map.Set("properties", std::move(all));
        choices.push_back(Is(std::string(key.name), word.text, std::move(then)));
      }
    }
    if (shape.name == "a custom property") Own(choices);
    if (&shape == own::kOverlay.shape) ByPort(map);
    if (!choices.empty()) map.Set("allOf", std::move(choices));
    if (closed) map.Set("additionalProperties", false);
    return map;
  }

  static Json Is(const std::string& key, std::string_view word, Json then) {
    Json::Object is{{key, Json::Map({{"const", word}})}};
    return Json::Map({{"if", Json::Map({{"properties", std::move(is)}, {"required", Json::Array{key}}})},
                      {"then", std::move(then)}});
  }

  // Of an environment's file what stands at each port: keys of any kind of source, null where one is taken away.
  static void ByPort(Json& map) {
    const Shape& source = *own::kSource.shape;
    Json keys = Json::Object(), kept = Json::Object();
    for (const shape::Word& kind : source.keys[0].type->words) {
      for (const Shape* each : With(source, source.keys[0].name, kind.text)) {
        for (const Key& key : each->keys) keys.Set(key.name, Json::Object());
      }
    }
    for (const Key& key : own::kStorage.shape->keys) {
      kept.Set(key.name, Json::Map({{"anyOf", Json::Array{Text(*key.type), Json::Map({{"type", "null"}})}}}));
    }
    Json properties = Json::Object();
    auto port = [&](std::string_view section, Json of) {
      properties.Set(section, Json::Map({{"type", "object"}, {"additionalProperties", std::move(of)}}));
    };
    port("sources", Json::Map({{"type", "object"}, {"properties", std::move(keys)}}));
    port("schedules", Json::Map({{"type", "string"}}));
    port("storage", Json::Map({{"type", "object"}, {"properties", std::move(kept)}, {"additionalProperties", false}}));
    map.Set("properties", std::move(properties));
  }

  // What Weft's own custom properties hold.
  void Own(Json::Array& choices) {
    for (const auto& [property, type] :
         {std::pair("source", &own::kSource), std::pair("build", &own::kBuild), std::pair("storage", &own::kStorage),
          std::pair("quarantine", &own::kQuarantine)}) {
      Json is = Json::Map({{"property", Json::Map({{"const", property}})}, {"vendor", Json::Map({{"const", "weft"}})}});
      choices.push_back(Json::Map(
          {{"if", Json::Map({{"properties", std::move(is)}, {"required", Json::Array{"property", "vendor"}}})},
           {"then", Json::Map({{"properties", Json::Map({{"value", Of(*type)}})}})}}));
    }
  }

  std::vector<const Shape*> met_;
  std::map<const Shape*, std::string> names_;
  std::map<const Shape*, Json> definitions_;
};

}  // namespace

std::span<const SchemaOfFiles> SchemasOfFiles() { return kFiles; }

Json JsonSchemaOf(std::string_view name) {
  const Type& type = name == "product"    ? standards::kOdps
                     : name == "contract" ? standards::kOdcs
                     : name == "mesh"     ? own::kMesh
                     : name == "policies" ? own::kPoliciesFile
                     : name == "entities" ? own::kEntitiesFile
                     : name == "terms"    ? own::kTermsFile
                                          : own::kOverlay;
  return Writer().Document(type, fmt::format("Weft: {}", name));
}

}  // namespace weft::model
