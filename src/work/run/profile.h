// What the rows of files and of databases' tables are like, read as a run would read them: a first contract is written
// from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/schema.h"
#include "work/run/inputs.h"

namespace weft::run {

struct ColumnProfile {
  std::string name;   // As the files have it.
  std::string plain;  // In snake case, and unlike any other of the table: what a published column is called.
  model::Type type;
  int64_t values = 0;    // That are not null.
  int64_t distinct = 0;  // About; exactly `values` only where each value is there once.
  std::string least, greatest;
  std::vector<std::string> all;  // Every value of a text that has few, sorted; else none.
  // Of a text, by a sample: how many were looked at, and how many of them are an email, a phone, an ipv4, an iban, a
  // uuid, a uri, empty.
  int64_t looked = 0;
  std::map<std::string, int64_t> like;
  std::string shape;  // "AA-9999" where every value looked at has it: A for a capital letter, a, 9; else empty.
  bool unique() const { return values > 0 && distinct == values; }
};

// Rows that all files of one kind hold together, or a table.
struct TableProfile {
  std::string name;                // Of the first file without its endings, in snake case: "order_lines".
  std::vector<std::string> paths;  // Of the files.
  std::string format;              // csv, json, parquet, table
  Json options = Json::Object();   // Of the source that reads them so.
  int64_t rows = 0;
  std::vector<ColumnProfile> columns;
  std::vector<std::string> key;             // Columns that no two rows share, none of them ever null; or none.
  std::vector<std::string> findings;        // Sentences that whoever publishes the rows should read.
  std::string select;                       // Reads the rows, typed.
  std::optional<database::Table> declared;  // Of a table: what its database says, which is taken as fact.

  const database::Column* Declared(const ColumnProfile& column) const;  // Null of a file's.
};

// What a column seems to hold of persons, by its values and its name.
struct Personal {
  std::string what;      // "an e-mail address"
  std::string evidence;  // "998 of 1,000 values are e-mail addresses", "by its name"
};
std::optional<Personal> PersonalOf(const ColumnProfile& column);

struct Reference {
  size_t from = 0, to = 0;           // Tables.
  std::vector<std::string> columns;  // Whose values are there in the other table's key,
  std::vector<std::string> keys;     // as they are published,
  int64_t missing = 0;               // but for those of so many rows: at most a quarter.
  bool declared = false;
};

// Profiles one source after the other; what was profiled can be compared. Used by one thread.
class Profiler {
 public:
  static Result<std::unique_ptr<Profiler>> Open();
  // Reads the files whole, some times over; what texts look like is told by a sample. kInvalid says what cannot be read
  // and where.
  Result<TableProfile> Profile(const std::vector<std::string>& paths);
  // The same of a database's table, whose rows are first copied to `file`, which stays.
  Result<TableProfile> Profile(database::Database& database, const std::string& table, const std::string& file);
  // What is declared; else by name ("customer_id" and the key "id" of customers, or the same name) and by the values.
  Result<std::vector<Reference>> References(const std::vector<TableProfile>& tables);

 private:
  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
};

// "Order Date" as order_date: a name that SQL needs no quotes for.
std::string SnakeCase(std::string_view name);

}  // namespace weft::run
