// A store's rows as lines of text that either store takes back: how a mesh is backed up, and moves between stores.
#pragma once

#include "base/json.h"
#include "drivers/store/store.h"

namespace weft::store {

struct TableShape {
  std::string name;
  std::vector<std::string> columns;
};

// By name. Not what a full text keeps for itself, and not which migrations the store has.
Result<std::vector<TableShape>> Tables(Txn& txn);

// Shows each row as a line, a JSON array of texts and nulls, without its line's end. The number of rows.
Result<int64_t> Dump(Txn& txn, const TableShape& table, const std::function<Status(std::string_view line)>& visit);

// Inserts lines that Dump wrote.
class Loader {
 public:
  Loader(Txn& txn, TableShape table);
  Status Add(std::string_view line);
  Status Finish();  // After the last.

 private:
  Status Insert();

  Txn& txn_;
  const TableShape table_;
  const size_t together_;  // Rows a statement.
  std::vector<Cell> cells_;
};

// After all is loaded: what counts by itself goes on after what is there.
Status CountOn(Txn& txn);

}  // namespace weft::store
