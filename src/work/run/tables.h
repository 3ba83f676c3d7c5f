// Inputs that are tables of databases: each is copied to a file of texts, which the run's engine then reads.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/database/database.h"
#include "work/run/resolve.h"

namespace weft::run {

// "postgres://db.example.com/shop?table=public.orders", without whoever reads it; "sqlite:data/shop.db?table=orders".
std::string PlaceOf(const model::Source& source);
// The server of a source of PostgreSQL.
database::Server ServerOf(const model::Source& source);

// Copies a table's rows, or those of the window, to `file`; where `columns` are given only those, by their names in any
// case. The version is a hash of what was read: the same rows in another order have another one.
Result<Files> Land(database::Database& database, database::Table table, const std::vector<std::string>& columns,
                   const std::string& file, const database::Window& window = {});

// The copies of one run's tables, removed with it. What is read of one database is of one state of it.
class Landing {
 public:
  Landing(const Options& options, std::string run) : options_(options), run_(std::move(run)) {}
  ~Landing();
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  // Copies what `inputs` name of databases. `output`: of a build without SQL, which takes no other columns.
  Status Copy(std::vector<Pinned>& inputs, const model::Bundle& bundle, const std::vector<model::DataFile>& uploads,
              const model::TableSchema* output, const std::stop_token& stop);

 private:
  Status Land(Pinned& input, database::Database& database, const model::Bundle& bundle,
              const model::TableSchema* output);
  Result<database::Database*> Open(const Pinned& input, const model::Bundle& bundle,
                                   const std::vector<model::DataFile>& uploads);

  const Options& options_;
  const std::string run_;
  std::map<std::string, std::unique_ptr<database::Database>> open_;  // By where they are, and as whom.
  std::vector<std::string> files_;
  std::stop_token stop_;
};

}  // namespace weft::run
