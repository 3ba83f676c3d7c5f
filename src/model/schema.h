// The table of types, and a table's schema as DuckDB and Iceberg see it. It freezes data: entries are never changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/contract.h"

namespace weft::model {

struct Field;

struct Type {
  enum class Kind {
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kDecimal,
    kDate,
    kTime,
    kTimestamp,
    kTimestampTz,
    kString,
    kBinary,
    kList,
    kStruct,
    kMap
  };
  Kind kind = Kind::kString;
  int precision = 0;  // kDecimal
  int scale = 0;
  std::vector<Field> fields;  // kStruct: its fields; kList: the element; kMap: key and value.

  std::string DuckDb() const;        // "DECIMAL(18,2)", "STRUCT(\"a\" INTEGER)"
  Json Iceberg() const;              // "decimal(18, 2)" or an object
  std::string_view Logical() const;  // ODCS's logicalType for it: "integer", "array"
  bool IsPrimitive() const { return kind < Kind::kList; }
  bool operator==(const Type&) const = default;
};

struct Field {
  int id = 0;       // Iceberg's field id, unique in the table for ever.
  std::string key;  // The property's `id`, else its name: what a field id follows.
  std::string name;
  Type type;
  bool required = false;
  bool operator==(const Field&) const = default;
};

struct TableSchema {
  int id = 0;  // Iceberg's schema-id.
  std::vector<Field> fields;
  int last_field_id = 0;

  const Field* Find(std::string_view name) const;
  Json Iceberg() const;  // The "schemas" entry.
  Json ToJson() const;   // With keys: how the store keeps it.
  static Result<TableSchema> FromJson(const Json& json);
  std::string DuckDbColumns() const;  // "\"a\" INTEGER, \"b\" VARCHAR"
};

// logicalType, physicalType and logicalTypeOptions to a type; physicalType refines (bigint, decimal(18,2),
// varchar(3)) and must agree with logicalType. kInvalid says which types would be right.
Result<Type> TypeOf(const Property& property);
std::string TypeTable();  // The table in Markdown: what docs/types.md shows.

// The schema that a contract asks for. Field ids follow `previous` by key; new fields, and those whose type became
// another (int to long, float to double and a wider decimal are promotions), get new ids. Never reuses an id. A column
// that is new beside `previous` is not `required` for readers, since older files lack it. kInvalid carries every
// problem.
Result<TableSchema> SchemaOf(const SchemaObject& object, const TableSchema* previous);

}  // namespace weft::model
