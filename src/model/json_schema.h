// The tables that files are checked by, as JSON Schema: what editors complete and underline by.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"

namespace weft::model {

// A kind of file of a mesh, and which files are of it.
struct SchemaOfFiles {
  std::string_view name;  // "contract"
  std::string_view glob;  // "**/*.odcs.yaml"
};
std::span<const SchemaOfFiles> SchemasOfFiles();

// Draft 7, of the newest versions of the standards. It says what a table can: keys, types, words and patterns, with
// Weft's own properties; never refuses what `weft check` takes of that version, and misses what only a rule knows.
Json JsonSchemaOf(std::string_view name);

}  // namespace weft::model
