// What a build reads: each input port resolved to exact files or a pinned snapshot, and the SELECT that reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/database/database.h"
#include "drivers/engine/engine.h"
#include "model/repository.h"
#include "model/schema.h"
#include "state/lineage/lineage.h"
#include "work/run/run.h"

namespace weft::run {

// A table of a database, or what its query gives, copied to a file.
struct Landed {
  database::Table table;  // Its columns are those of the file.
  database::Copied copied;
};

// The files that a file source names, found and hashed; of a database's table the copy.
struct Files {
  std::vector<std::string> paths;  // Absolute, without links.
  std::vector<std::string> names;  // As a person knows them: "data/flights.csv".
  std::string format;              // csv, json, parquet; table
  std::string compression;         // none, gzip, zstd
  std::string version;             // One hash of all names and contents; a file's own hash is nobody else's business.
  std::optional<Landed> landed;    // Of a table.
  bool columns_only = false;       // There is nothing new: the file says what the columns are, and has no row to give.
};

// A file that a source names.
struct Found {
  std::string path;  // Absolute, without links.
  std::string name;
  std::string sha256;  // Empty: its bytes were not looked at yet.
  std::string stamp;   // What changes with every write to the file, and with every move; empty: it lies by its hash.
  std::string url;     // Of what is fetched from elsewhere.
};
// The files that it names now, none where a pattern matches nothing. What lies under `roots` is not read.
Result<std::vector<Found>> FindPieces(const model::Source& source, const std::string& bundle_folder,
                                      const std::vector<model::DataFile>& uploads, const Options& options);
// One hash of all names and contents: never the bare hash of a file, since whoever knows that could have the bytes
// registered as their own.
std::string VersionOf(const std::vector<Found>& found);
// `found`, which is hashed, as one source reads it, in the order of names.
Result<Files> FilesOf(std::vector<Found> found, const std::string& format);
// Of the file as it is at this moment; empty where there is none. `settled`: where it did not change just now, when
// another write might leave the stamp as it is.
struct Stamp {
  std::string text;
  bool settled = false;
};
Stamp StampOf(const std::string& path);

// Relative paths come out of `uploads` (what travelled with the product), absolute ones from under `roots`.
// kNotFound when nothing matches; kDenied when a path, its links followed, leaves the roots.
Result<Files> FindFiles(const model::Source& source, const std::string& bundle_folder,
                        const std::vector<model::DataFile>& uploads, const Options& options);

// The one file of a database, where FindFiles would look for it, and whether it is a copy that nobody writes to.
struct DatabaseFile {
  std::string path;
  bool still = false;
};
Result<DatabaseFile> FindDatabase(const model::Source& source, const std::string& bundle_folder,
                                  const std::vector<model::DataFile>& uploads, const Options& options);

// Files of this machine, for whoever may open them anyway: nothing is hashed, and `version` tells their names alone.
Result<Files> FilesHere(const std::vector<std::string>& paths);

// Whether a packed file is whole, every gzip member to its checksum, every zstd frame to its end; the engine would read
// a part of it as all. kInvalid says what is wrong.
Status CheckWhole(const std::string& path, const std::string& name, const std::string& compression);

// What no plain CSV file may have, and in which line: a NUL byte, or a line that is longer than the engine's reader
// takes (which would drop it without a word where it is longer than its buffers). None: neither.
struct Damage {
  bool nul = false;
  int64_t line = 0;
};
inline constexpr int64_t kLongestLine = 2'000'000;  // Bytes.
Result<std::optional<Damage>> DamageOf(const std::string& path);

// A column as a source is expected to have it; without a type it is text.
struct Column {
  std::string name;
  std::optional<model::Type> type;
};

struct Expected {
  std::vector<Column> columns;
  bool exact = false;  // By the input's own contract: the file has these columns and no others.
};
// The input's own contract where the bundle has it, else the output's columns, which only lend their types.
Expected ExpectedOf(const model::Bundle& bundle, const model::InputPort& port, const model::TableSchema& output);

inline constexpr std::string_view kNulError = "error('has a NUL byte')";

// A column that is read as text, so that no value of it is rounded or cut, or of the file's own type: `value` is SQL
// over the column that gives what it says, or fails.
struct Conversion {
  std::string column;
  std::string text_type;
  std::string value;
  std::string refusal = std::string(kNulError);  // What stands in `value` for one that is refused; empty: nothing.
};
// How columns are read as texts and made into values.
struct Conversions {
  std::vector<std::string> texts;  // SqlText of each name and the type to read it as: the members of `columns`.
  std::vector<std::string> typed;  // The same with the column's own type.
  std::vector<std::string> select;
  std::vector<Conversion> lossy;  // Those of `select` that may fail.
};
// What the file's format means for its values.
struct Format {
  bool json = false;
  bool refuse_nul = false;  // Text with a NUL byte is refused value by value.
  bool dates = false;       // The source states their format, by which the reader itself takes them whole or not.
  bool timestamps = false;
  bool table = false;  // Lists are JSON arrays of texts.
  bool comma = false;  // Decimals have a comma, and thousands may have points.
};
// Whether text files are what their names say, by their first bytes; kInvalid says what one is instead, and what helps.
Status CheckLooks(const Files& files, const Json& options);
bool BeginsWithMark(const std::string& path);  // UTF-8's, which engines take for text.

Result<Conversions> ConversionsOf(engine::Connection& connection, const std::vector<Column>& columns,
                                  const Format& format);
// How each column is made of a text where all are read as texts; `options` of the source have the formats of dates.
Result<std::vector<Conversion>> ConversionsOfTexts(engine::Connection& connection, const std::vector<Column>& columns,
                                                   Format format, const Json& options);

// Whether every number of JSON files that is to be a decimal is one once its reader has made a double of it; kInvalid
// names the first that is not. `arguments` are the reader's own; `lines`: each row is a line.
Status CheckDigits(engine::Connection& connection, const Files& files, const std::vector<Column>& columns,
                   const std::string& arguments, bool lines);

// A reader: the SELECT, and what tells why it fails.
struct Reader {
  std::string select;
  std::string rejects;             // For CSV the same as DuckDB reads it, collecting what it cannot read.
  std::vector<std::string> texts;  // Of each file, its rows: as texts, but Parquet's.
  std::vector<Conversion> lossy;
  // Where rows may be set aside: as `texts`, every column being one, and what makes its values. Of CSV a line that has
  // no columns to speak of is left out and told of in reject_errors. Empty: `texts` and `lossy` are as good.
  std::vector<std::string> sent;
  std::vector<Conversion> values;
  int first_line = 0;  // Of the first row in its file; 0 where rows do not stand on lines.
  bool typed = false;  // Its values have types of their own, which a contract may not take.
};
// Of a table that was copied: the input's contract says the columns that are read, and their types; without one they
// are the table's own, where it has an exact one, and else the output's of the same name.
Result<Reader> TableReader(engine::Connection& connection, const Files& files, const Expected& expected);
Result<Reader> ReaderOf(engine::Connection& connection, const Files& files, const model::Source& source,
                        const Expected& expected);

struct Input {
  std::string name;      // The input port.
  std::string sql_name;  // Its view.
  Reader reader;
  std::vector<std::string> paths;  // Every file that `reader` opens.
  lineage::Input lineage;
};

// An error of reading the input at all, which names it: of another port no file, which the log does.
Error Unreadable(const Input& input, const Error& error);

// Why the inputs cannot be read: file, line, column, value and reason of the first values that cannot, and how many
// there are; `error` itself where they all can. Of an input that has types of its own, and no contract, these are the
// values that `output` does not take under the same name, if the error is about one of them.
Error ExplainRejects(engine::Connection& connection, const std::vector<Input>& inputs, const model::TableSchema& output,
                     Error error);

}  // namespace weft::run
