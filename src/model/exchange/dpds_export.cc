#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "model/exchange/dpds.h"
#include "model/exchange/missing.h"
#include "model/exchange/part.h"
#include "model/exchange/text.h"

namespace weft::model::exchange::dpds {
namespace {

// Sets what a path such as "promises.api.name" names, with all that is around it; what is there stays.
void SetAt(Json& object, const std::string& path, const Json& value) {
  const size_t dot = path.find('.');
  const std::string key = path.substr(0, dot);
  if (dot == path.npos) {
    if (!object.Has(key)) object.Set(key, value);
    return;
  }
  Json inner = object.Has(key) ? object[key] : Json(Json::Object());
  if (!inner.is_object()) return;
  SetAt(inner, path.substr(dot + 1), value);
  object.Set(key, std::move(inner));
}

void SetOwn(Json& object, const Json& customs) {
  for (const Json& custom : customs.Items()) {
    if (custom["vendor"].Text() == kVendor) SetAt(object, custom["property"].Text(), custom["value"]);
  }
}

Json Column(const Json& property) {
  Json column = Json::Object();
  Put(column, "name", property["name"]);
  Put(column, "type", property["logicalType"]);
  for (const auto& [theirs, ours] : kSameWords) Put(column, theirs, property[ours]);
  if (property["primaryKey"].Bool()) column.Set("columnConstraint", "PRIMARY_KEY");
  if (property["primaryKey"].Bool()) Put(column, "x-primaryKeyPosition", property["primaryKeyPosition"]);
  const Json& options = property["logicalTypeOptions"];
  for (const std::string_view key : kSameLimits) Put(column, key, options[key]);
  for (const auto& [ours, bound] : {std::pair("exclusiveMinimum", "minimum"), {"exclusiveMaximum", "maximum"}}) {
    if (!options[ours].is_number() || options.Has(bound)) continue;
    column.Set(bound, options[ours]);
    column.Set(ours, true);
  }
  Json values = Json::Array();
  for (const Json& each : property["enum"].Items()) values.Push(each["value"]);
  Put(column, "enum", values);
  if (property["items"].is_object()) column.Set("items", Column(property["items"]));
  if (property["map"].is_object()) {
    column.Set("x-keys", Column(property["map"]["key"]));
    column.Set("x-values", Column(property["map"]["value"]));
  }
  Json properties = Json::Object();
  for (const Json& inner : property["properties"].Items()) properties.Set(inner["name"].Text(), Column(inner));
  Put(column, "properties", properties);
  for (const Json& custom : property["customProperties"].Items()) {
    const bool plain = custom.size() == 2 && custom.Has("value");
    if (plain) SetAt(column, "x-" + ReplaceAll(custom["property"].Text(), ".", "-"), custom["value"]);
  }
  SetOwn(column, property["customProperties"]);
  return column;
}

Json Port(const std::string& name, const Json& contract) {
  const Json& table = contract["schema"][size_t{0}];
  Json schema = Json::Map({{"name", table["name"]}});
  Put(schema, "physicalType", table["physicalType"]);
  Put(schema, "displayName", table["businessName"]);
  Put(schema, "description", table["description"]);
  schema.Set("type", "object");
  Json properties = Json::Object();
  for (const Json& property : table["properties"].Items()) properties.Set(property["name"].Text(), Column(property));
  schema.Set("properties", std::move(properties));
  Json port = Json::Map({{"fullyQualifiedName", contract["id"]}, {"entityType", "outputport"}, {"name", name}});
  port.Set("version", contract["version"]);
  Put(port, "displayName", contract["name"]);
  Put(port, "description", contract["description"]["purpose"]);
  Put(port, "tags", contract["tags"]);
  const Json definition = Json::Map({{"datastoreapi", "1.0.0"}, {"schema", schema}});
  port.Set("promises", Json::Map({{"api", Json::Map({{"specification", "datastoreapi"},
                                                     {"specificationVersion", "1.0.0"},
                                                     {"definition", definition}})}}));
  SetOwn(port, contract["customProperties"]);
  return port;
}

Json Translated(const Json& product, const Json& ports) {
  Json info =
      Json::Map({{"fullyQualifiedName", product["id"]}, {"entityType", "dataproduct"}, {"name", product["name"]}});
  Put(info, "version", product["version"]);
  Put(info, "domain", product["domain"]);
  Put(info, "description", product["description"]["purpose"]);
  for (const Json& member : product["team"]["members"].Items()) {
    if (member["role"].Text() != "owner" || info.Has("owner")) continue;
    Json owner = Json::Map({{"id", member["username"]}});
    Put(owner, "name", member["name"]);
    info.Set("owner", std::move(owner));
  }
  Json interfaces = Json::Map({{"outputPorts", ports}}), more = Json::Object();
  for (const Json& custom : product["customProperties"].Items()) {
    const std::string& name = custom["property"].Text();
    if (custom["vendor"].Text() != kVendor) continue;
    if (name.starts_with("info.")) {
      info.Set(name.substr(5), custom["value"]);
    } else if (name.ends_with("Ports")) {
      interfaces.Set(name, custom["value"]);
    } else {
      more.Set(name, custom["value"]);
    }
  }
  Json document = Json::Map({{"dataProductDescriptor", "1.0.0"}, {"info", info}, {"interfaceComponents", interfaces}});
  Put(document, "tags", product["tags"]);
  for (const auto& [key, value] : more.Members()) {
    if (!document.Has(key)) document.Set(key, value);
  }
  return document;
}

}  // namespace

Result<Exported> Export(const Bundle& bundle) {
  const yaml::Node product = TRY(yaml::Parse(bundle.product.bytes, bundle.product.file));
  Json ports = Json::Array();
  std::map<std::string, yaml::Node> originals;  // By the file that the contract comes back as.
  for (const OutputPort& port : bundle.product.outputs) {
    const Contract* contract = bundle.ContractOf(port);
    if (!contract || contract->schema.size() != 1) {
      return Error{Code::kInvalid, fmt::format("the output port '{}' has no contract with one table", port.name)};
    }
    originals[contract->id + "\n" + contract->version] = TRY(yaml::Parse(contract->bytes, contract->file));
    ports.Push(Port(port.name, originals[contract->id + "\n" + contract->version].ToJson()));
  }
  Exported exported;
  exported.text = YamlText(Translated(product.ToJson(), ports));
  // What comes back is what was carried.
  const Imported back = TRY(Import(exported.text, "", {bundle.product.domain, bundle.product.name, {}, "", nullptr}));
  auto tell = [&](const yaml::Node& before, const Json& after, const std::string& file) {
    for (Told& told : Missing(before, after, "DPDS has no word for it")) {
      told.file = NameOfFile(file);
      exported.told.push_back(std::move(told));
    }
  };
  std::map<std::string, Json> returned;
  for (const auto& [name, text] : back.files) {
    const Json document = TRY(yaml::Parse(text, name)).ToJson();
    if (name == "product.odps.yaml") {
      tell(product, document, bundle.product.file);
    } else {
      returned[document["id"].Text() + "\n" + document["version"].Text()] = document;
    }
  }
  for (const OutputPort& port : bundle.product.outputs) {
    const Contract* contract = bundle.ContractOf(port);
    const std::string key = contract->id + "\n" + contract->version;
    tell(originals[key], returned[key], contract->file);
  }
  return exported;
}

}  // namespace weft::model::exchange::dpds
