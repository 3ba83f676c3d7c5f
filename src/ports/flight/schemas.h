// The result schemas that Arrow Flight SQL prescribes for the commands about the catalogue.
#pragma once

#include <memory>

namespace arrow {
class Schema;
}

namespace weft::flight {

std::shared_ptr<arrow::Schema> CatalogsSchema();
std::shared_ptr<arrow::Schema> DbSchemasSchema();
std::shared_ptr<arrow::Schema> TablesSchema(bool with_schema);
std::shared_ptr<arrow::Schema> TableTypesSchema();
std::shared_ptr<arrow::Schema> PrimaryKeysSchema();
std::shared_ptr<arrow::Schema> ForeignKeysSchema();  // Of exported, imported and cross-referenced keys.
std::shared_ptr<arrow::Schema> XdbcTypesSchema();
std::shared_ptr<arrow::Schema> SqlInfoSchema();

}  // namespace weft::flight
