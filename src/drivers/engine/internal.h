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

// Gathers chunks into one Arrow array: each column's values are written once, straight to where they stay. The batches
// are as the engine's own conversion would make them, but for their size, and for zeros under each NULL.
class Gatherer {
 public:
  // A batch is good to send from some hundred kilobytes, and from some megabytes on it only costs memory.
  static constexpr int64_t kMostRows = 131'072;
  static constexpr int64_t kMostBytes = int64_t{2} << 20;  // Only a single row may be more.

  // Null where a column's type is none that it knows: such results are left to the engine's own conversion.
  static std::unique_ptr<Gatherer> For(std::span<_duckdb_logical_type* const> types, const ArrowSchema& schema);
  ~Gatherer();

  // Takes rows of the chunk from `begin` on and answers how many: fewer than there are where the batch is full. Of a
  // batch without rows there is always room for one.
  Result<int64_t> Add(_duckdb_data_chunk* chunk, int64_t begin);
  int64_t rows() const { return rows_; }
  // Moves the batch out, and begins the next.
  void Take(ArrowArray* out);

  class Column;
  struct Part;

 private:
  Gatherer();
  Result<int64_t> Measure(std::span<Part> parts) const;

  std::vector<std::unique_ptr<Column>> columns_;
  int64_t width_ = 0;  // Of a row, without its texts.
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

// The message without the name of its kind, "Binder Error: ", which may stand there more than once.
std::string_view WithoutKind(std::string_view message);

// Takes over the handle.
std::unique_ptr<Connection> NewConnection(_duckdb_connection* handle);

// Connection::ExactFunction for a handle.
Result<std::string> DefineExact(_duckdb_connection* connection, std::string_view type);

// Connection::DefineTokens for a handle.
Status DefineTokensOf(_duckdb_connection* connection, const std::string& name, const Secret& key);

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
