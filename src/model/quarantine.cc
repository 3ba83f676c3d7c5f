#include "model/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "base/text.h"

namespace weft::model {
namespace {

Property Platform(const PlatformColumn& column) {
  Property property;
  property.name = column.name;
  property.logical_type = column.type;
  property.description = column.description;
  return property;
}

Property AsText(const Property& sent) {
  Property text;
  text.id = sent.id;
  text.name = sent.name;
  text.logical_type = "string";
  text.description = sent.description;
  text.business_name = sent.business_name;
  text.classification = sent.classification;
  text.tags = sent.tags;
  // What is said of what is inside of it counts for its text, too.
  text.properties = sent.properties;
  text.items = sent.items;
  text.map = sent.map;
  text.custom = sent.custom;
  text.entity = sent.entity;
  text.place = sent.place;
  return text;
}

Json DocumentOf(const Contract& contract) {
  Json properties(Json::Array{});
  for (const Property& property : contract.schema[0].properties) {
    Json json = Json::Map({{"name", property.name}, {"logicalType", property.logical_type}});
    if (!property.description.empty()) json.Set("description", property.description);
    if (!property.classification.empty()) json.Set("classification", property.classification);
    if (!property.tags.empty()) json.Set("tags", property.tags);
    properties.Push(std::move(json));
  }
  Json object =
      Json::Map({{"name", contract.schema[0].name}, {"physicalType", "table"}, {"properties", std::move(properties)}});
  return Json::Map({{"apiVersion", "v3.2.0"},
                    {"kind", "DataContract"},
                    {"id", contract.id},
                    {"name", contract.name},
                    {"version", contract.version},
                    {"status", contract.status},
                    {"schema", Json::Array{std::move(object)}}});
}

void Add(const OutputPort& port, const Contract& contract, Bundle* to) {
  OutputPort quarantine;
  quarantine.name = QuarantineName(port.name);
  quarantine.description = fmt::format("Rows that runs of {} set aside, as they were sent.", port.name);
  quarantine.type = "table";
  quarantine.version = port.version;
  quarantine.contract_id = QuarantineName(contract.id);
  quarantine.tags = port.tags;
  quarantine.place = port.place;
  Contract own;
  own.api_version = contract.api_version;
  own.id = quarantine.contract_id;
  own.name = quarantine.name;
  own.version = contract.version;
  own.status = contract.status;
  own.domain = contract.domain;
  own.data_product = contract.data_product;
  own.description = quarantine.description;
  own.tags = contract.tags;
  std::ranges::copy_if(contract.slas, std::back_inserter(own.slas),
                       [](const SlaProperty& sla) { return sla.property == "retention"; });
  own.bytes = contract.bytes;
  own.file = contract.file;
  SchemaObject object;
  object.name = quarantine.name;
  object.tags = contract.schema[0].tags;
  object.place = contract.schema[0].place;
  for (const PlatformColumn& column : kPlatformColumns) object.properties.push_back(Platform(column));
  for (const Property& property : contract.schema[0].properties) object.properties.push_back(AsText(property));
  own.schema.push_back(std::move(object));
  own.document = DocumentOf(own);
  to->product.outputs.push_back(std::move(quarantine));
  to->contracts.push_back(std::move(own));
}

}  // namespace

std::string QuarantineName(std::string_view port) { return std::string(port) + std::string(kQuarantineEnding); }

bool IsQuarantine(std::string_view port) { return port.ends_with(kQuarantineEnding); }

std::string QuarantinedPort(std::string_view quarantine) {
  if (IsQuarantine(quarantine)) quarantine.remove_suffix(kQuarantineEnding.size());
  return std::string(quarantine);
}

PortKey QuarantineKey(PortKey port) {
  port.port = QuarantineName(port.port);
  return port;
}

std::string QuarantineTerms::Text() const {
  std::vector<std::string> most;
  if (max_rows) most.push_back(HumanCount(*max_rows) + (*max_rows == 1 ? " row" : " rows"));
  if (max_share) most.push_back(fmt::format("{} %", *max_share));
  return most.empty() ? "" : "at most " + Join(most, " and ");
}

std::optional<QuarantineTerms> QuarantineTermsOf(const Contract& contract) {
  if (contract.schema.size() != 1) return std::nullopt;
  for (const Json& property : contract.document["schema"][size_t{0}]["customProperties"].Items()) {
    const std::string& name = property["property"].Text();
    if (name != "weft.quarantine" && !(name == "quarantine" && property["vendor"].Text() == "weft")) continue;
    const Json& value = property["value"];
    QuarantineTerms terms;
    if (value["max_rows"].is_number()) terms.max_rows = value["max_rows"].Int();
    if (value["max_share"].is_text()) terms.max_share = std::strtod(value["max_share"].Text().c_str(), nullptr);
    return terms;
  }
  return std::nullopt;
}

Bundle QuarantinesOf(const Bundle& bundle) {
  Bundle own;
  own.folder = bundle.folder;
  own.environment = bundle.environment;
  own.product = bundle.product;
  own.product.inputs.clear();
  own.product.outputs.clear();
  for (const OutputPort& port : bundle.product.outputs) {
    const Contract* contract = bundle.ContractOf(port);
    if (contract && !IsQuarantine(port.name) && QuarantineTermsOf(*contract)) Add(port, *contract, &own);
  }
  return own;
}

}  // namespace weft::model
