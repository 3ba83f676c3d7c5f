#include "model/contract.h"

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "model/reading.h"
#include "model/standards.h"

namespace weft::model {
namespace {

using reading::Custom;
using reading::Int;
using reading::IsTrue;
using reading::PlaceOf;
using reading::Text;
using reading::Texts;
using shape::Child;
using yaml::Node;

// The standard's names of service levels with their short forms; both are written in any case.
constexpr std::pair<std::string_view, std::string_view> kSlaKinds[] = {
    {"availability", "av"}, {"throughput", "th"},   {"errorRate", "er"},    {"generalAvailability", "ga"},
    {"endOfSupport", "es"}, {"endOfLife", "el"},    {"retention", "re"},    {"frequency", "fy"},
    {"latency", "ly"},      {"timeToDetect", "td"}, {"timeToNotify", "tn"}, {"timeToRepair", "tr"}};

constexpr std::string_view kOperators[] = {
    "mustBe",         "mustNotBe",           "mustBeGreaterThan", "mustBeGreaterOrEqualTo",
    "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween",     "mustNotBeBetween"};

// Calls `each(item, path)` for the items of a list.
template <class Each>
void ForEach(const Node& list, const std::string& path, Each each) {
  if (list.kind != Node::Kind::kList) return;
  for (size_t i = 0; i < list.size(); ++i) each(list[i], Child(path, i));
}

QualityRule ReadRule(const Node& node, const std::string& path) {
  QualityRule rule;
  rule.id = Text(node["id"]);
  rule.name = Text(node["name"]);
  rule.description = Text(node["description"]);
  rule.type = node["type"].is_scalar() ? Text(node["type"]) : "library";
  rule.metric = Text(node["metric"]);
  if (rule.metric.empty()) rule.metric = Text(node["rule"]);  // Its name in version 3.0.
  rule.query = Text(node["query"]);
  rule.engine = Text(node["engine"]);
  for (std::string_view op : kOperators) {
    if (node[op].kind == Node::Kind::kMissing) continue;
    rule.op = op;
    rule.bound = node[op].ToJson();
    break;
  }
  rule.arguments = node["arguments"].ToJson();
  rule.unit = node["unit"].is_scalar() ? Text(node["unit"]) : "rows";
  rule.dimension = Text(node["dimension"]);
  rule.severity = Text(node["severity"]);
  rule.document = node.ToJson();
  rule.place = PlaceOf(node, path);
  return rule;
}

// "table.column" and "/schema/ID/properties/ID" alike are kept as written; a list is a composite key.
std::vector<std::string> ReadReferences(const Node& node) {
  if (node.kind == Node::Kind::kList) return Texts(node);
  return node.kind == Node::Kind::kText ? std::vector{node.scalar} : std::vector<std::string>();
}

Relationship ReadRelationship(const Node& node, const std::string& path) {
  Relationship relationship;
  relationship.type = node["type"].is_scalar() ? Text(node["type"]) : "foreignKey";
  for (const std::string& from : ReadReferences(node["from"])) {
    relationship.from.push_back(from.substr(from.find_last_of("./") + 1));  // All, where there is neither.
  }
  relationship.to = ReadReferences(node["to"]);
  relationship.place = PlaceOf(node, path);
  return relationship;
}

Property ReadProperty(const Node& node, const std::string& path, std::string_view name_otherwise) {
  Property property;
  property.id = Text(node["id"]);
  property.name = node["name"].is_scalar() ? Text(node["name"]) : std::string(name_otherwise);
  property.physical_name = Text(node["physicalName"]);
  property.logical_type = Text(node["logicalType"]);
  property.physical_type = Text(node["physicalType"]);
  property.description = Text(node["description"]);
  property.business_name = Text(node["businessName"]);
  property.classification = Text(node["classification"]);
  property.required = IsTrue(node["required"]);
  property.unique = IsTrue(node["unique"]);
  property.primary_key = IsTrue(node["primaryKey"]);
  property.primary_key_position = Int(node["primaryKeyPosition"]);
  property.partitioned = IsTrue(node["partitioned"]);
  property.partition_position = Int(node["partitionKeyPosition"]);
  property.options = node["logicalTypeOptions"].ToJson();
  ForEach(node["enum"], "", [&](const Node& value, const std::string&) {
    property.enum_values.push_back({value["value"].ToJson(), Text(value["label"])});
  });
  property.tags = Texts(node["tags"]);
  ForEach(node["quality"], Child(path, "quality"),
          [&](const Node& rule, const std::string& at) { property.quality.push_back(ReadRule(rule, at)); });
  ForEach(node["relationships"], Child(path, "relationships"), [&](const Node& relationship, const std::string& at) {
    property.relationships.push_back(ReadRelationship(relationship, at));
    property.relationships.back().from = {property.name};
  });
  ForEach(node["properties"], Child(path, "properties"), [&](const Node& child, const std::string& at) {
    property.properties.push_back(ReadProperty(child, at, ""));
  });
  if (node["items"].kind == Node::Kind::kMap) {
    property.items.push_back(ReadProperty(node["items"], Child(path, "items"), "element"));
  }
  for (const char* part : {"key", "value"}) {
    const Node& side = node["map"][part];
    if (side.kind == Node::Kind::kMap)
      property.map.push_back(ReadProperty(side, Child(Child(path, "map"), part), part));
  }
  const Node& custom = node["customProperties"];
  property.custom = Custom(custom);
  if (const size_t own = reading::FindOwn(custom, "entity"); own < custom.size()) {
    const std::string at = Child(Child(Child(path, "customProperties"), own), "value");
    property.entity = EntityName{Text(custom[own]["value"]), PlaceOf(custom[own]["value"], at)};
  }
  property.place = PlaceOf(node, path);
  return property;
}

SchemaObject ReadObject(const Node& node, const std::string& path) {
  SchemaObject object;
  object.id = Text(node["id"]);
  object.name = Text(node["name"]);
  object.physical_name = Text(node["physicalName"]);
  object.logical_type = Text(node["logicalType"]);
  object.physical_type = Text(node["physicalType"]);
  object.description = Text(node["description"]);
  object.granularity = Text(node["dataGranularityDescription"]);
  object.tags = Texts(node["tags"]);
  ForEach(node["properties"], Child(path, "properties"), [&](const Node& property, const std::string& at) {
    object.properties.push_back(ReadProperty(property, at, ""));
  });
  ForEach(node["quality"], Child(path, "quality"),
          [&](const Node& rule, const std::string& at) { object.quality.push_back(ReadRule(rule, at)); });
  ForEach(node["relationships"], Child(path, "relationships"), [&](const Node& relationship, const std::string& at) {
    object.relationships.push_back(ReadRelationship(relationship, at));
  });
  object.place = PlaceOf(node, path);
  return object;
}

SlaProperty ReadSla(const Node& node, const std::string& path) {
  SlaProperty sla;
  sla.property = Text(node["property"]);
  sla.kind = sla.property;
  for (const auto& [name, short_name] : kSlaKinds) {
    if (Lower(sla.property) == Lower(name) || Lower(sla.property) == short_name) sla.kind = name;
  }
  sla.value = node["value"].ToJson();
  sla.value_ext = node["valueExt"].ToJson();
  sla.unit = Text(node["unit"]);
  sla.element = Text(node["element"]);
  sla.driver = Text(node["driver"]);
  sla.place = PlaceOf(node, path);
  return sla;
}

}  // namespace

bool QualityRule::IsWarning() const {
  std::string lower = Lower(severity);
  return lower == "warning" || lower == "info";
}

const Property* SchemaObject::Find(std::string_view wanted) const {
  auto at = std::find_if(properties.begin(), properties.end(), [&](const Property& p) { return p.name == wanted; });
  return at == properties.end() ? nullptr : &*at;
}

std::vector<std::string> SchemaObject::PrimaryKey() const {
  std::vector<const Property*> keys;
  for (const Property& property : properties) {
    if (property.primary_key) keys.push_back(&property);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const Property* a, const Property* b) {
    return a->primary_key_position < b->primary_key_position;
  });
  std::vector<std::string> names;
  for (const Property* key : keys) names.push_back(key->name);
  return names;
}

Result<Contract> Contract::Parse(std::string_view text, const std::string& file) {
  const Node node = TRY(yaml::Parse(text, file));
  Contract contract = TRY(Of(node, file));
  contract.bytes = text;
  return contract;
}

Result<Contract> Contract::Of(const Node& node, const std::string& file) {
  shape::Checker checker(file, "odcs", standards::OdcsVersion(node));
  checker.Check(node, standards::kOdcs, "");
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return shape::AsError(std::move(problems));

  Contract contract;
  contract.api_version = Text(node["apiVersion"]);
  contract.id = Text(node["id"]);
  contract.name = Text(node["name"]);
  contract.version = Text(node["version"]);
  contract.status = Text(node["status"]);
  contract.domain = Text(node["domain"]);
  contract.data_product = Text(node["dataProduct"]);
  contract.description = reading::Description(node["description"]);
  contract.tags = Texts(node["tags"]);
  ForEach(node["schema"], "schema",
          [&](const Node& object, const std::string& path) { contract.schema.push_back(ReadObject(object, path)); });
  ForEach(node["slaProperties"], "slaProperties",
          [&](const Node& sla, const std::string& path) { contract.slas.push_back(ReadSla(sla, path)); });
  contract.custom = Custom(node["customProperties"]);
  contract.document = node.ToJson();
  contract.file = file;
  return contract;
}

}  // namespace weft::model
