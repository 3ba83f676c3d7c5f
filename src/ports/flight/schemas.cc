#include "ports/flight/schemas.h"

#include <arrow/type.h>

#include "ports/flight/internal.h"

namespace weft::flight {

using arrow::field;
using arrow::int32;
using arrow::schema;
using arrow::utf8;

// Exact in types and nullability: a driver that finds another schema may crash.
std::shared_ptr<arrow::Schema> CatalogsSchema() { return schema({field("catalog_name", utf8(), false)}); }

std::shared_ptr<arrow::Schema> DbSchemasSchema() {
  return schema({field("catalog_name", utf8()), field("db_schema_name", utf8(), false)});
}

std::shared_ptr<arrow::Schema> TablesSchema(bool with_schema) {
  arrow::FieldVector fields{field("catalog_name", utf8()), field("db_schema_name", utf8()),
                            field("table_name", utf8(), false), field("table_type", utf8(), false)};
  if (with_schema) fields.push_back(field("table_schema", arrow::binary(), false));
  return schema(fields);
}

std::shared_ptr<arrow::Schema> TableTypesSchema() { return schema({field("table_type", utf8(), false)}); }

std::shared_ptr<arrow::Schema> PrimaryKeysSchema() {
  return schema({field("catalog_name", utf8()), field("db_schema_name", utf8()), field("table_name", utf8(), false),
                 field("column_name", utf8(), false), field("key_name", utf8()),
                 field("key_sequence", int32(), false)});
}

std::shared_ptr<arrow::Schema> ForeignKeysSchema() {
  return schema({field("pk_catalog_name", utf8()), field("pk_db_schema_name", utf8()),
                 field("pk_table_name", utf8(), false), field("pk_column_name", utf8(), false),
                 field("fk_catalog_name", utf8()), field("fk_db_schema_name", utf8()),
                 field("fk_table_name", utf8(), false), field("fk_column_name", utf8(), false),
                 field("key_sequence", int32(), false), field("fk_key_name", utf8()), field("pk_key_name", utf8()),
                 field("update_rule", arrow::uint8(), false), field("delete_rule", arrow::uint8(), false)});
}

std::shared_ptr<arrow::Schema> XdbcTypesSchema() {
  return schema({field("type_name", utf8(), false), field("data_type", int32(), false), field("column_size", int32()),
                 field("literal_prefix", utf8()), field("literal_suffix", utf8()),
                 field("create_params", arrow::list(field("item", utf8(), false))), field("nullable", int32(), false),
                 field("case_sensitive", arrow::boolean(), false), field("searchable", int32(), false),
                 field("unsigned_attribute", arrow::boolean()), field("fixed_prec_scale", arrow::boolean(), false),
                 field("auto_increment", arrow::boolean()), field("local_type_name", utf8()),
                 field("minimum_scale", int32()), field("maximum_scale", int32()),
                 field("sql_data_type", int32(), false), field("datetime_subcode", int32()),
                 field("num_prec_radix", int32()), field("interval_precision", int32())});
}

std::shared_ptr<arrow::Schema> SqlInfoSchema() {
  auto value = arrow::dense_union({field("string_value", utf8()), field("bool_value", arrow::boolean()),
                                   field("bigint_value", arrow::int64()), field("int32_bitmask", int32()),
                                   field("string_list", arrow::list(utf8())),
                                   field("int32_to_int32_list_map", arrow::map(int32(), arrow::list(int32())))});
  return schema({field("info_name", arrow::uint32(), false), field("value", value, false)});
}

namespace {

arrow::FieldVector FieldsOf(const std::vector<model::Field>& fields);

std::shared_ptr<arrow::DataType> TypeOf(const model::Type& type) {
  using Kind = model::Type::Kind;
  switch (type.kind) {
    case Kind::kBoolean:
      return arrow::boolean();
    case Kind::kInt:
      return int32();
    case Kind::kLong:
      return arrow::int64();
    case Kind::kFloat:
      return arrow::float32();
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case Kind::kDate:
      return arrow::date32();
    case Kind::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case Kind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case Kind::kTimestampTz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case Kind::kString:
      return utf8();
    case Kind::kBinary:
      return arrow::binary();
    case Kind::kList:
      return arrow::list(TypeOf(type.fields.at(0).type));
    case Kind::kStruct:
      return arrow::struct_(FieldsOf(type.fields));
    case Kind::kMap:
      return arrow::map(TypeOf(type.fields.at(0).type), TypeOf(type.fields.at(1).type));
  }
  return utf8();
}

arrow::FieldVector FieldsOf(const std::vector<model::Field>& fields) {
  arrow::FieldVector all;
  for (const model::Field& one : fields) all.push_back(field(one.name, TypeOf(one.type), !one.required));
  return all;
}

}  // namespace

std::shared_ptr<arrow::Schema> ArrowSchemaOf(const model::TableSchema& table) { return schema(FieldsOf(table.fields)); }

}  // namespace weft::flight
