// What a build reads: each input port resolved to exact files or a pinned snapshot, and the SELECT that reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/repository.h"
#include "model/schema.h"
#include "state/lineage/lineage.h"
#include "work/run/run.h"

namespace weft::run {

// The files that a file source names, found and hashed.
struct Files {
  std::vector<std::string> paths;  // Absolute, without links.
  std::vector<std::string> names;  // As a person knows them: "data/flights.csv".
  std::string format;              // csv, json, parquet
  std::string compression;         // none, gzip, zstd
  std::string version;             // One hash of all names and contents; a file's own hash is nobody else's business.
};

// Relative paths come out of `uploads` (what travelled with the product), absolute ones from under `roots`.
// kNotFound when nothing matches; kDenied when a path, its links followed, leaves the roots.
Result<Files> FindFiles(const model::Source& source, const std::string& bundle_folder,
                        const std::vector<model::DataFile>& uploads, const Options& options);

// A column as a source is expected to have it; an empty type is VARCHAR.
struct Column {
  std::string name;
  std::string type;
};

struct Expected {
  std::vector<Column> columns;
  bool exact = false;  // By the input's own contract: the file has these columns and no others.
};
// The input's own contract where the bundle has it, else the output's columns, which only lend their types.
Expected ExpectedOf(const model::Bundle& bundle, const model::InputPort& port, const model::TableSchema& output);

// A reader: the SELECT, and for CSV the same that collects what cannot be read.
struct Reader {
  std::string select;
  std::string rejects;  // Empty where the format has none.
};
Result<Reader> ReaderOf(engine::Connection& connection, const Files& files, const model::Source& source,
                        const Expected& expected);

struct Input {
  std::string name;      // The input port.
  std::string sql_name;  // Its view.
  std::string select;
  std::string rejects;
  std::vector<std::string> paths;  // Every file that `select` opens.
  lineage::Input lineage;
};

// Why the CSV inputs cannot be read: file, line, column, value and reason of the first rejects, and how many there
// are; `error` itself where they all can.
Error ExplainRejects(engine::Connection& connection, const std::vector<Input>& inputs, Error error);

}  // namespace weft::run
