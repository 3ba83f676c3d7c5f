// What the engine's own files share; DuckDB's handles stand here by name only.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/engine/engine.h"

struct _duckdb_connection;
struct _duckdb_data_chunk;
struct _duckdb_logical_type;

namespace weft::engine {

// DuckDB's name of a type: "DECIMAL(18,2)", "STRUCT(a INTEGER)[]".
std::string TypeName(_duckdb_logical_type* type);

// Adds the chunk's rows as text. kUnsupported for the few types (VARIANT, GEOMETRY) that have to be cast in SQL.
Status AppendCells(_duckdb_data_chunk* chunk, Rows& rows);

// Takes over the handle.
std::unique_ptr<Connection> NewConnection(_duckdb_connection* handle);

// Connection::ExactFunction for a handle.
Result<std::string> DefineExact(_duckdb_connection* connection, std::string_view type);

// Calls `work`; what the library throws becomes an error.
template <class Work>
auto Guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Error{Code::kUnavailable, "out of memory"};
  } catch (const std::exception& e) {
    return ErrorOf(e.what());
  }
}

}  // namespace weft::engine
