#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "base/yaml.h"
#include "model/exchange/datacontract.h"
#include "model/exchange/missing.h"
#include "model/exchange/part.h"
#include "model/exchange/text.h"
#include "model/schema.h"

namespace weft::model::exchange::datacontract {
namespace {

using Kind = Type::Kind;

// Whether a map has these keys and no others.
bool Only(const Json& map, std::initializer_list<std::string_view> keys) {
  return map.is_object() && map.size() == keys.size() &&
         std::ranges::all_of(keys, [&](std::string_view key) { return map.Has(key); });
}

// Names of models and links are of these characters there.
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
bool IsName(std::string_view text) { return !text.empty() && text.find_first_not_of(kNameCharacters) == text.npos; }

const Json& First(const Json& list) { return list[size_t{0}]; }

// Custom properties: those that are but a name and a value go to `plain`, those of the vendor datacontract to `words`;
// the others are returned.
Json Sorted(const Json& custom, Json& plain, Json& words, const std::set<std::string, std::less<>>& reserved) {
  Json others = Json::Array();
  for (const Json& each : custom.Items()) {
    const std::string& name = each["property"].Text();
    const bool bare = Only(each, {"property", "value"}), whole = bare || Only(each, {"property", "value", "vendor"});
    const std::string& vendor = each["vendor"].Text();
    const std::string key = vendor == "weft" ? "weft." + name : name;
    Json& target = vendor == kVendor ? words : plain;
    const bool ours = bare || vendor == "weft" || vendor == kVendor;
    const bool clashes =
        target.Has(key) || (bare && (reserved.contains(key) || key.starts_with("weft."))) || key.starts_with(kCarried);
    if (whole && ours && !name.empty() && !clashes && !each["value"].is_null()) {
      target.Set(key, each["value"]);
    } else {
      others.Push(each);
    }
  }
  return others;
}

std::string QueryOf(std::string query) {
  for (const auto& [ours, theirs] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"${object}", "{model}"}, {"${table}", "{table}"}, {"${property}", "{field}"}, {"${column}", "{column}"}}) {
    query = ReplaceAll(query, ours, theirs);
  }
  return query;
}

Json Rules(const Json& quality) {
  Json rules = Json::Array();
  for (const Json& rule : quality.Items()) {
    Json written = Json::Object();
    if (rule["type"].is_null()) written.Set("type", "library");  // As ODCS has it where none is stated.
    for (const auto& [key, value] : rule.Members()) {
      written.Set(key, key == "query" && value.is_text() ? Json(QueryOf(value.Text())) : value);
    }
    rules.Push(std::move(written));
  }
  return rules;
}

// The word of a type that is written otherwise than one of the table.
std::string_view WordOf(const Json& property, Type& type) {
  const std::string& logical = property["logicalType"].Text();
  for (const std::string_view nested : {"array", "map", "object"}) {
    if (logical == nested) return nested;
  }
  model::Property typed;
  typed.logical_type = logical;
  typed.physical_type = property["physicalType"].Text();
  typed.options = property["logicalTypeOptions"];
  const auto known = TypeOf(typed);
  if (!known) return "string";
  type = *known;
  switch (type.kind) {
    case Kind::kBoolean:
      return "boolean";
    case Kind::kInt:
      return "int";
    case Kind::kLong:
      return "long";
    case Kind::kFloat:
      return "float";
    case Kind::kDouble:
      return "double";
    case Kind::kDecimal:
      return "decimal";
    case Kind::kDate:
      return "date";
    case Kind::kTime:
      return "time";
    case Kind::kTimestamp:
      return "timestamp_ntz";
    case Kind::kTimestampTz:
      return "timestamp_tz";
    case Kind::kBinary:
      return "bytes";
    default:
      return "string";
  }
}

// One property as a field.
class FieldWriter {
 public:
  explicit FieldWriter(const Json& property) : property_(property) {}

  Json Write(bool named) {
    if (named) Done("name");
    Word();
    for (const auto& [ours, theirs] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{{"businessName", "title"},
                                                                              {"description", "description"},
                                                                              {"required", "required"},
                                                                              {"unique", "unique"},
                                                                              {"primaryKey", "primaryKey"},
                                                                              {"classification", "classification"},
                                                                              {"tags", "tags"},
                                                                              {"examples", "examples"}}) {
      Put(field_, theirs, property_[ours]);
      Done(ours);
    }
    for (const std::string& tag : property_["tags"].Texts()) {
      if (tag == "pii") field_.Set("pii", true);
    }
    Limits();
    Enum();
    Inside();
    References();
    Put(field_, "quality", Rules(property_["quality"]));
    Done("quality");
    Config();
    return std::move(field_);
  }

  void WithoutPosition() { Done("primaryKeyPosition"); }

 private:
  // What the specification has no word for goes along in `config`, by the name that ODCS gives it.
  void Carry(std::string_view key, Json value) { config_.Set(fmt::format("{}{}", kCarried, key), std::move(value)); }
  void Done(std::string_view key) { done_.insert(std::string(key)); }

  void Word() {
    const std::string& logical = property_["logicalType"].Text();
    const std::string& physical = property_["physicalType"].Text();
    Done("logicalType");
    Done("physicalType");
    const size_t open = physical.find('(');
    const auto pieces = Split(open == physical.npos ? "" : physical.substr(open + 1), ',');
    Type type;
    const TypeWord* word = nullptr;
    for (const TypeWord& each : TypeWords()) {
      if (each.logical == logical && each.physical == physical && each.physical != "decimal") word = &each;
    }
    const bool zoned = property_["logicalTypeOptions"]["timezone"].Bool();
    if (!word || (word->word == "timestamp_ntz" && zoned)) {
      const std::string_view name = WordOf(property_, type);
      word = &*std::ranges::find(TypeWords(), name, &TypeWord::word);
    }
    std::string written(word->physical);
    std::string name(word->word);
    if (name == "decimal") {
      for (const char* base : {"decimal", "numeric", "number"}) {
        if (physical == fmt::format("{}({},{})", base, type.precision, type.scale)) name = base, written = physical;
      }
      if (written != physical) written = fmt::format("decimal({},{})", type.precision, type.scale);
    }
    field_.Set("type", name);
    if (word->word == "decimal") {
      field_.Set("precision", type.precision);
      field_.Set("scale", type.scale);
    }
    logical_ = word->logical;
    if (written != physical) config_.Set("physicalType", physical);
    if (logical_ != logical) Carry("logicalType", logical);
  }

  void Limits() {
    Json others = Json::Object();
    const bool number = logical_ == "integer" || logical_ == "number";
    for (const auto& [key, value] : property_["logicalTypeOptions"].Members()) {
      const bool text = std::ranges::find(kTextOptions, key) != std::end(kTextOptions);
      const bool limit = std::ranges::find(kNumberOptions, key) != std::end(kNumberOptions);
      const bool length = key == "minLength" || key == "maxLength";
      const bool native = (logical_ == "string" && text && (length ? value.is_number() : value.is_text())) ||
                          (number && limit && value.is_number());
      (native ? field_ : others).Set(key, value);
    }
    if (others.size() > 0) Carry("logicalTypeOptions", others);
    Done("logicalTypeOptions");
  }

  void Enum() {
    const bool number = logical_ == "integer" || logical_ == "number";
    Json values = Json::Array();
    for (const Json& each : property_["enum"].Items()) {
      const Json& value = each["value"];
      if (!Only(each, {"value"}) || (number ? !value.is_number() : !value.is_text())) return;
      values.Push(number ? Json(value.Dump()) : value);
    }
    Put(field_, "enum", values);
    Done("enum");
  }

  void Inside() {
    if (logical_ == "object") {
      Json fields = Json::Object();
      for (const Json& inner : property_["properties"].Items()) {
        if (!fields.Has(inner["name"].Text())) fields.Set(inner["name"].Text(), FieldWriter(inner).Write(true));
      }
      Put(field_, "fields", fields);
      Done("properties");
    } else if (logical_ == "array" && property_["items"].is_object()) {
      field_.Set("items", FieldWriter(property_["items"]).Write(false));
      Done("items");
    } else if (logical_ == "map") {
      field_.Set("keys", FieldWriter(property_["map"]["key"]).Write(false));
      field_.Set("values", FieldWriter(property_["map"]["value"]).Write(false));
      Done("map");
    }
  }

  void References() {
    const Json& relations = property_["relationships"];
    const Json& one = First(relations);
    if (relations.size() == 1 && Only(one, {"type", "to"}) && one["to"].Text().find('.') != std::string::npos) {
      field_.Set("references", one["to"]);
      Done("relationships");
    }
    Json links = Json::Object();
    const Json& definitions = property_["authoritativeDefinitions"];
    for (const Json& each : definitions.Items()) {
      if (Only(each, {"type", "url"}) && IsName(each["type"].Text())) links.Set(each["type"].Text(), each["url"]);
    }
    if (links.size() != definitions.size()) return;
    Put(field_, "links", links);
    Done("authoritativeDefinitions");
  }

  void Config() {
    Json words = Json::Object(), plain = Json::Object();
    const Json others = Sorted(property_["customProperties"], plain, words, {"physicalType"});
    Done("customProperties");
    for (const auto& [key, value] : words.Members()) {
      const bool type = key == "type" && value.is_text();
      if (type || !field_.Has(key)) field_.Set(key, value);
    }
    for (const auto& [key, value] : property_.Members()) {
      if (!done_.contains(key)) Carry(key, value);
    }
    if (others.size() > 0) Carry("customProperties", others);
    for (const auto& [key, value] : plain.Members()) config_.Set(key, value);
    Put(field_, "config", config_);
  }

  friend Json ModelOf(const Json& object);

  const Json& property_;
  Json field_ = Json::Object();
  Json config_ = Json::Object();
  std::string_view logical_;
  std::set<std::string> done_;
};

// The primary key as a list of names, where the positions tell one.
std::vector<std::string> KeyOf(const Json& properties) {
  std::map<int64_t, std::string> key;
  size_t columns = 0;
  for (const Json& property : properties.Items()) {
    if (!property["primaryKey"].Bool()) continue;
    ++columns;
    key[property["primaryKeyPosition"].Int()] = property["name"].Text();
  }
  std::vector<std::string> names;
  for (const auto& [position, name] : key) names.push_back(name);
  const bool told = !key.empty() && key.size() == columns && key.begin()->first == 1 &&
                    key.rbegin()->first == static_cast<int64_t>(columns);
  return told ? names : std::vector<std::string>();
}

Json ModelOf(const Json& object) {
  FieldWriter writer(object);
  Json& model = writer.field_;
  const std::string& physical = object["physicalType"].Text();
  const bool word = physical == "table" || physical == "view" || physical == "object";
  if (word) {
    model.Set("type", physical);
  } else if (!physical.empty()) {
    writer.config_.Set("physicalType", physical);
  }
  Put(model, "title", object["businessName"]);
  Put(model, "description", object["description"]);
  Put(model, "tags", object["tags"]);
  const Json& properties = object["properties"];
  const std::vector<std::string> key = KeyOf(properties);
  Json fields = Json::Object();
  for (const Json& property : properties.Items()) {
    const std::string& name = property["name"].Text();
    FieldWriter field(property);
    if (std::ranges::find(key, name) != key.end()) field.WithoutPosition();
    if (!fields.Has(name)) fields.Set(name, field.Write(true));
  }
  if (!key.empty()) model.Set("primaryKey", key);
  model.Set("fields", std::move(fields));
  Put(model, "quality", Rules(object["quality"]));
  for (const char* done : {"name", "physicalType", "businessName", "description", "tags", "properties", "quality"}) {
    writer.Done(done);
  }
  if (!IsName(object["name"].Text())) writer.Carry("name", object["name"]);
  writer.Config();
  return std::move(model);
}

std::string ModelName(const std::string& name) {
  std::string written = name.empty() ? "_" : name;
  for (char& c : written) {
    if (kNameCharacters.find(c) == kNameCharacters.npos) c = '_';
  }
  return written;
}

Json ServersOf(const Json& servers) {
  Json written = Json::Object();
  for (const Json& server : servers.Items()) {
    Json each = Json::Object();
    for (const auto& [key, value] : server.Members()) {
      if (key == "server") continue;
      if (key != "roles") {
        each.Set(key, value);
        continue;
      }
      Json roles = Json::Array();
      for (const Json& role : value.Items()) {
        Json named = Json::Object();
        for (const auto& [word, text] : role.Members()) named.Set(word == "role" ? "name" : word, text);
        roles.Push(std::move(named));
      }
      each.Set(key, std::move(roles));
    }
    if (!written.Has(server["server"].Text())) written.Set(server["server"].Text(), std::move(each));
  }
  return written;
}

Json ContactOf(const Json& support) {
  Json contact = Json::Object();
  for (const Json& each : support.Items()) {
    const std::string &channel = each["channel"].Text(), &url = each["url"].Text();
    if (Only(each, {"channel", "tool", "url"}) && each["tool"].Text() == "email" && url == "mailto:" + channel) {
      if (!contact.Has("email")) contact.Set("email", channel);
    } else if ((Only(each, {"channel", "url"}) || Only(each, {"channel"})) && contact.size() == 0) {
      if (channel != url) contact.Set("name", channel);
      Put(contact, "url", url);
    }
  }
  return contact;
}

Json LevelsOf(const Json& promises) {
  Json levels = Json::Object();
  for (const Json& promise : promises.Items()) {
    const std::string& name = promise["property"].Text();
    const auto words = LevelWords();
    const auto word = std::ranges::find(words, name, &LevelWord::name);
    const Json &value = promise["value"], &unit = promise["unit"];
    if (word == words.end() || levels.Has(name)) continue;
    if (name == "availability" && (!value.is_number() || unit.Text() != "percent")) continue;
    Json level = Json::Object();
    Put(level, "description", promise["description"]);
    if (value.is_text()) {
      level.Set(word->value, value);
    } else if (!value.is_null()) {
      const std::string& spelt = unit.Text();
      const std::string after = spelt == "percent" ? "%" : (spelt.size() > 2 ? " " : "") + spelt;
      level.Set(word->value, value.Dump() + after);
    }
    if (!word->element.empty()) Put(level, word->element, promise["element"]);
    if (std::ranges::find(kIntervals, name) != std::end(kIntervals) && promise["scheduler"].Text() == "cron") {
      Put(level, "cron", promise["schedule"]);
    }
    Json plain = Json::Object(), words_of_it = Json::Object();
    Sorted(promise["customProperties"], plain, words_of_it, {});
    for (const auto& [key, kept] : plain.Members()) {
      if (!level.Has(key)) level.Set(key, kept);
    }
    levels.Set(name, std::move(level));
  }
  return levels;
}

Json TermsOf(const Json& description) {
  Json terms = Json::Object(), words = Json::Object(), plain = Json::Object();
  Put(terms, "usage", description["usage"]);
  Put(terms, "limitations", description["limitations"]);
  Put(terms, "policies", description["authoritativeDefinitions"]);
  Sorted(description["customProperties"], plain, words, {"usage", "limitations", "policies"});
  for (const auto& [key, value] : plain.Members()) terms.Set(key, value);
  return terms;
}

}  // namespace

Json Translated(const Json& contract) {
  Json info = Json::Map({{"title", contract["name"].Text(contract["id"].Text())}, {"version", contract["version"]}});
  Put(info, "status", contract["status"]);
  Put(info, "description", contract["description"]["purpose"]);
  Put(info, "owner", contract["team"]["name"]);
  Put(info, "contact", ContactOf(contract["support"]));
  for (const char* key : {"domain", "dataProduct", "tenant"}) Put(info, key, contract[key]);
  Json plain = Json::Object(), words = Json::Object();
  Sorted(contract["customProperties"], plain, words,
         {"title", "version", "status", "description", "owner", "contact", "domain", "dataProduct", "tenant"});
  for (const auto& [key, value] : plain.Members()) info.Set(key, value);
  for (const char* key : {"version", "status"}) {
    if (words.Has(key)) info.Set(key, words[key]);
  }
  const Json& object = First(contract["schema"]);
  Json links = Json::Object();
  for (const Json& each : contract["authoritativeDefinitions"].Items()) {
    const std::string& type = each["type"].Text();
    if (Only(each, {"type", "url"}) && IsName(type) && !links.Has(type)) links.Set(type, each["url"]);
  }
  Json document =
      Json::Map({{"dataContractSpecification", "1.2.1"}, {"id", contract["id"]}, {"info", std::move(info)}});
  Put(document, "servers", ServersOf(contract["servers"]));
  Put(document, "terms", TermsOf(contract["description"]));
  document.Set("models", Json::Map({{ModelName(object["name"].Text()), ModelOf(object)}}));
  Put(document, "servicelevels", LevelsOf(contract["slaProperties"]));
  Put(document, "links", links);
  Put(document, "tags", contract["tags"]);
  for (const auto& [key, value] : words.Members()) {
    if (key != "version" && key != "status" && !document.Has(key)) document.Set(key, value);
  }
  return document;
}

Result<Exported> Export(const Bundle& bundle, const OutputPort& port) {
  const Contract* contract = bundle.ContractOf(port);
  if (!contract || contract->schema.size() != 1) {
    return Error{Code::kInvalid, fmt::format("the output port '{}' has no contract with one table", port.name)};
  }
  const yaml::Node original = TRY(yaml::Parse(contract->bytes, contract->file));
  Exported exported;
  exported.text = YamlText(Translated(original.ToJson()));
  // What comes back is what was carried.
  const Imported back = TRY(Import(exported.text, contract->file, {"domain", "product", {}, "", nullptr}));
  for (const auto& [name, text] : back.files) {
    if (!name.ends_with(".odcs.yaml")) continue;
    const yaml::Node returned = TRY(yaml::Parse(text, name));
    exported.told = Missing(original, returned.ToJson(), "the Data Contract Specification has no word for it");
    for (Told& told : exported.told) told.file = NameOfFile(contract->file);
  }
  return exported;
}

}  // namespace weft::model::exchange::datacontract
