// A policy's filter over the columns that it names: compiled once, and worked out once for all who are the same to it.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "model/policy/question.h"
#include "model/policy/restriction.h"
#include "model/schema.h"

namespace weft::model {

// Looked up by views.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Thread-safe.
class RowFilter {
 public:
  // kInvalid where it cannot be asked of a table of this schema.
  static Result<std::shared_ptr<const RowFilter>> Compile(const std::string& text, const TableSchema& schema);

  // What is left of it for who asks.
  struct Left {
    std::shared_ptr<const Restriction::Asked> asked;  // Null: every row is seen.
    std::shared_ptr<const std::string> detail;        // "rows: row.country in [\"DE\"]", or why there are none.
  };
  std::shared_ptr<const Left> For(const Question& question) const;

 private:
  RowFilter(cel::Program program, TableSchema schema)
      : program_(std::move(program)), named_(Named::By(program_.expr())), schema_(std::move(schema)) {}
  std::shared_ptr<const Left> WorkOut(const Question& question) const;

  const cel::Program program_;
  const Named named_;
  const TableSchema schema_;
  // By what the question gives; never of what may change behind the same names: the resource's people, the time.
  mutable std::shared_mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Left>, TextHash, std::equal_to<>> left_;
};

// Nobody sees a row, for this reason.
RowFilter::Left NoRow(const std::string& why);

// Those of all ports: what is asked in the same words of columns of the same names and types is one. Thread-safe.
class RowFilters {
 public:
  Result<std::shared_ptr<const RowFilter>> Of(const std::string& text, const TableSchema& schema);

 private:
  struct Written {
    std::vector<std::string> columns;  // That the text names;
    bool whole = false;                // or it asks of the row as a whole.
    std::unordered_map<std::string, std::shared_ptr<const RowFilter>> by_types;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Written> written_;
};

}  // namespace weft::model
