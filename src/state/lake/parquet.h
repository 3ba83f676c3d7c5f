// Data files: how a SELECT becomes Parquet with field ids, and what its statistics say.
#pragma once

#include <string>
#include <vector>

#include "drivers/engine/engine.h"
#include "model/schema.h"
#include "state/lake/lake.h"

namespace weft::lake {

// A column that holds plain values, at any depth.
struct Leaf {
  const model::Field* field = nullptr;
  std::string path;       // As RETURN_STATS names it: "a"."element"."b".
  bool repeated = false;  // Inside a list or map: counted, never bounded.
};
std::vector<Leaf> LeavesOf(const model::TableSchema& schema);

// Where rows are written.
struct Target {
  std::string folder;      // Which exists.
  std::string name;        // Of the file, without its ending; where there may be several, of their own folder.
  int64_t file_bytes = 0;  // After which a file ends; 0: there is one.
  Codec codec = Codec::kZstd;
};
// Writes the rows of `select`, projected onto the schema by name. A file without rows is removed and does not come
// back.
Result<std::vector<DataFile>> WriteParquet(engine::Connection& connection, const model::TableSchema& schema,
                                           const std::string& select, const std::string& order_by,
                                           const Target& target);

}  // namespace weft::lake
