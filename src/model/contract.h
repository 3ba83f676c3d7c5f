// A data contract (ODCS 3.2.0; 3.0 and 3.1 too): what the owner of an output port promises about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::yaml {
struct Node;
}

namespace weft::model {

// Where in its file a thing was written, so that later rules can point at it.
struct Place {
  int line = 0;
  int column = 0;
  std::string path;  // "schema[0].properties[2]"
};

// One check of `quality`, at a schema object or a property.
struct QualityRule {
  std::string id;
  std::string name;
  std::string description;
  std::string type;    // library, sql, text, custom; library where absent.
  std::string metric;  // library: nullValues, missingValues, invalidValues, duplicateValues, rowCount.
  std::string query;   // sql
  std::string engine;  // custom
  std::string op;      // "mustBeLessThan"; empty where the rule has none (text, custom).
  Json bound;          // The operator's value: a number, or two for between.
  Json arguments;
  std::string unit;  // rows, percent; rows where absent.
  std::string dimension;
  std::string severity;  // As written; see IsWarning.
  Json document;         // The whole rule.
  Place place;

  bool IsWarning() const;  // "warning" or "info" in any case; an absent severity is an error.
};

// A foreign key. `to` names port columns: "port.column", "domain.product.port.column", or /schema/ID/properties/ID.
struct Relationship {
  std::string type;               // foreignKey
  std::vector<std::string> from;  // Column names; one unless composite.
  std::vector<std::string> to;
  Place place;
};

struct EnumValue {
  Json value;
  std::string label;
};

// Which entity a column identifies: its custom property `entity` of vendor weft.
struct EntityName {
  std::string name;
  Place place;
};

struct Property {
  std::string id;
  std::string name;
  std::string physical_name;
  std::string logical_type;
  std::string physical_type;
  std::string description;
  std::string business_name;
  std::string classification;
  bool required = false;
  bool unique = false;
  bool primary_key = false;
  int primary_key_position = 0;
  bool partitioned = false;
  int partition_position = 0;
  Json options;  // logicalTypeOptions
  std::vector<EnumValue> enum_values;
  std::vector<std::string> tags;
  std::vector<QualityRule> quality;
  std::vector<Relationship> relationships;
  std::vector<Property> properties;  // Of an object.
  std::vector<Property> items;       // Of an array: none or one.
  std::vector<Property> map;         // Of a map: none, or key and value.
  Json custom;                       // customProperties as {name: value}.
  std::optional<EntityName> entity;
  Place place;
};

struct SchemaObject {
  std::string id;
  std::string name;
  std::string physical_name;
  std::string logical_type;
  std::string physical_type;
  std::string description;
  std::string granularity;
  std::vector<std::string> tags;
  std::vector<Property> properties;
  std::vector<QualityRule> quality;
  std::vector<Relationship> relationships;
  Place place;

  const Property* Find(std::string_view name) const;
  // Names of the primary key's columns in the order of primaryKeyPosition.
  std::vector<std::string> PrimaryKey() const;
};

struct SlaProperty {
  std::string property;  // As written.
  std::string kind;      // Its standard name ("latency" for "ly"), else as written.
  Json value;
  Json value_ext;
  std::string unit;
  std::string element;
  std::string driver;
  Place place;
};

struct Contract {
  std::string api_version;
  std::string id;
  std::string name;
  std::string version;
  std::string status;
  std::string domain;
  std::string data_product;
  std::string description;  // description.purpose, usage and limitations, as one text.
  std::vector<std::string> tags;
  std::vector<SchemaObject> schema;
  std::vector<SlaProperty> slas;
  Json custom;        // customProperties as {name: value}.
  Json document;      // Every field, as read: what `weft show` prints.
  std::string bytes;  // The file, to the byte.
  std::string file;

  // Judges by the standard alone, like its JSON Schema; kInvalid carries every problem, rule "odcs".
  static Result<Contract> Parse(std::string_view text, const std::string& file);
  // The same of a document that was read already; it has no bytes.
  static Result<Contract> Of(const yaml::Node& document, const std::string& file);
};

}  // namespace weft::model
