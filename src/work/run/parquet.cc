// Parquet files as rows.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "work/run/readers.h"

namespace weft::run {
namespace {

// A cast that is undone again gives what there was, or the value does not fit.
Conversion SameValue(const std::string& column, const std::string& from, const std::string& to) {
  const std::string name = SqlName(column);
  const bool loses =
      from != to && (from == "FLOAT" || from == "DOUBLE" || from.starts_with("DECIMAL") || from.starts_with("TIME"));
  if (!loses || to == "VARCHAR" || to == "FLOAT" || to == "DOUBLE")
    return {column, from, fmt::format("CAST({} AS {})", name, to), ""};
  const std::string why = SqlText(fmt::format(" in the column '{}' is no value of {}", column, to));
  const std::string refusal = fmt::format("error({}::VARCHAR || {})", name, why);
  return {column, from,
          fmt::format("CAST(CASE WHEN {0} IS NULL OR CAST(CAST({0} AS {1}) AS {2}) = {0} THEN {0} ELSE {3} END AS {1})",
                      name, to, from, refusal),
          refusal};
}

// Which of the files is none that can be opened, and why.
Error Unopened(engine::Connection& connection, const Files& files, Error error) {
  for (size_t i = 0; i < files.paths.size(); ++i) {
    auto rows = connection.Query(fmt::format("DESCRIBE SELECT * FROM read_parquet([{}])", SqlText(files.paths[i])));
    if (rows || (rows.error().code != Code::kInvalid && rows.error().code != Code::kInternal)) continue;
    return {Code::kInvalid,
            fmt::format("'{}' is damaged, or no Parquet file: {}. Nothing was read: copy or write it anew",
                        files.names[i], engine::PlainWords(rows.error().message))};
  }
  return error;
}

// The files by what they say of their columns, those of the first first.
Result<std::vector<std::vector<size_t>>> BySchema(engine::Connection& connection, const Files& files) {
  if (files.paths.size() == 1) return std::vector<std::vector<size_t>>{{0}};
  auto rows = connection.Query(
      fmt::format("SELECT file_name, concat_ws(' ', name, type, converted_type, logical_type, precision, scale, "
                  "num_children) FROM parquet_schema({})",
                  List(files.paths)));
  if (!rows) return Unopened(connection, files, rows.TakeError());
  std::map<std::string, std::string> said;
  for (size_t i = 0; i < rows->size(); ++i) said[rows->text(i, 0)] += rows->text(i, 1) + "\n";
  std::vector<std::vector<size_t>> groups;
  std::map<std::string, size_t> at;
  for (size_t i = 0; i < files.paths.size(); ++i) {
    const auto [group, fresh] = at.emplace(said[files.paths[i]], groups.size());
    if (fresh) groups.emplace_back();
    groups[group->second].push_back(i);
  }
  return groups;
}

// Parquet knows its own types; a contract of the input holds each file to its promise, and no value changes for it.
class Parquet {
 public:
  Parquet(engine::Connection& connection, const Files& files, const Expected& expected)
      : connection_(connection), files_(files), expected_(expected) {}

  Result<Reader> Make() {
    reader_.typed = true;
    for (const std::string& path : files_.paths) reader_.texts.push_back("SELECT * FROM " + Read({path}));
    reader_.select = "SELECT * FROM " + Read(files_.paths);
    std::vector<std::string> selects;
    for (const std::vector<size_t>& group : TRY(BySchema(connection_, files_))) {
      const engine::Rows columns = TRY(Columns(group[0]));
      if (expected_.exact) {
        selects.push_back(TRY(Cast(group, columns)));
      } else if (group[0] != 0) {
        TRY(SameAsFirst(group[0], columns));
      }
    }
    if (expected_.exact) reader_.select = Join(selects, " UNION ALL ");
    return std::move(reader_);
  }

 private:
  static std::string Read(const std::vector<std::string>& paths) {
    return fmt::format("read_parquet({}, union_by_name=false)", List(paths));
  }

  Result<engine::Rows> Columns(size_t file) {
    auto rows = connection_.Query(
        fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", Read({files_.paths[file]})));
    if (rows) return rows;
    return Unopened(connection_, files_, rows.TakeError());
  }

  // The rows of files that say the same of their columns, with the contract's types.
  Result<std::string> Cast(const std::vector<size_t>& group, const engine::Rows& columns) {
    std::map<std::string, std::string> has;  // Types, by the name in lower case.
    for (size_t i = 0; i < columns.size(); ++i) has[Lower(columns.text(i, 0))] = columns.text(i, 1);
    std::vector<std::string> casts, missing, paths;
    for (const Column& column : expected_.columns) {
      const auto at = has.find(Lower(column.name));
      if (at == has.end()) {
        missing.push_back(column.name);
        continue;
      }
      const std::string name = SqlName(column.name);
      const std::string type = column.type ? column.type->DuckDb() : "VARCHAR";
      Conversion same = SameValue(column.name, at->second, type);
      casts.push_back(fmt::format("{} AS {}", same.value, name));
      const bool told =
          std::ranges::any_of(reader_.lossy, [&](const Conversion& c) { return c.column == column.name; });
      if (at->second != type && !told) reader_.lossy.push_back(std::move(same));
    }
    if (!missing.empty()) {
      return Error{Code::kInvalid, fmt::format("'{}' lacks {}", files_.names[group[0]], Join(missing, ", "))};
    }
    for (const size_t file : group) paths.push_back(files_.paths[file]);
    return fmt::format("SELECT {} FROM {}", Join(casts, ", "), Read(paths));
  }

  // Without a contract nobody says which of two files is right.
  Status SameAsFirst(size_t file, const engine::Rows& columns) {
    const engine::Rows first = TRY(Columns(0));
    std::vector<std::string> has, wanted, types;
    for (size_t i = 0; i < columns.size(); ++i) has.push_back(columns.text(i, 0));
    for (size_t i = 0; i < first.size(); ++i) {
      wanted.push_back(first.text(i, 0));
      for (size_t k = 0; k < columns.size(); ++k) {
        if (Lower(columns.text(k, 0)) != Lower(wanted.back()) || columns.text(k, 1) == first.text(i, 1)) continue;
        types.push_back(
            fmt::format("{} as {}, which is {} there", wanted.back(), columns.text(k, 1), first.text(i, 1)));
      }
    }
    std::string what = Differences(has, wanted, files_.names[0]);
    if (what.empty() && types.empty()) return {};
    if (what.empty()) what = fmt::format("has {} in '{}'", Join(types, ", "), files_.names[0]);
    return Error{Code::kInvalid, fmt::format("'{}' {}: a contract of the input says which columns and types count",
                                             files_.names[file], what)};
  }

  engine::Connection& connection_;
  const Files& files_;
  const Expected& expected_;
  Reader reader_;
};

}  // namespace

Result<Reader> ParquetReader(engine::Connection& connection, const Files& files, const Expected& expected) {
  return Parquet(connection, files, expected).Make();
}

}  // namespace weft::run
