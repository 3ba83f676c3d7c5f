#include "drivers/database/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "drivers/database/internal.h"

namespace weft::database {

Result<RowFile> RowFile::Make(const std::string& path) {
  RowFile made(path);
  made.file_.reset(std::fopen(path.c_str(), "wbx"));
  if (!made.file_) return made.Failed();
  std::setvbuf(made.file_.get(), nullptr, _IOFBF, size_t{1} << 20);
  return made;
}

RowFile::~RowFile() {
  std::error_code ignored;
  if (file_) std::filesystem::remove(path_, ignored);
}

Error RowFile::Failed() const {
  return {Code::kUnavailable, fmt::format("the rows cannot be written to '{}': {}", path_, std::strerror(errno))};
}

Status RowFile::Add(std::string_view row) {
  if (std::fwrite(row.data(), 1, row.size(), file_.get()) != row.size()) return Failed();
  ++copied_.rows;
  copied_.longest = std::max(copied_.longest, static_cast<int64_t>(row.size()));
  copied_.multiline = copied_.multiline || row.find_first_of("\r\n") + 1 < row.size();
  return {};
}

Result<Copied> RowFile::Finish() {
  if (std::fflush(file_.get()) != 0) return Failed();
  file_.reset();
  return copied_;
}

Error Stopped() { return {Code::kUnavailable, "it was stopped"}; }

Error NoValue(const std::string& column) {
  return {Code::kInvalid,
          fmt::format("rows have no '{0}', so that they would never be read: take a column that every row has as the "
                      "cursor, or read a view or a query without those rows",
                      column)};
}

Error LastForEver(const std::string& column, const std::string& value) {
  return {Code::kInvalid, fmt::format("a row has {} in '{}', and nothing would ever come after it: correct the row, or "
                                      "read a view or a query without it",
                                      value, column)};
}

Error NoTable(const std::string& name, const std::vector<std::string>& tables) {
  // By the name alone: the schema may be left out, or be another.
  auto bare = [](std::string_view table) { return table.substr(table.rfind('.') + 1); };
  std::vector<std::string_view> names;
  for (const std::string& table : tables) names.push_back(bare(table));
  const std::string_view nearest = Nearest(bare(name), names);
  const auto at = std::ranges::find(names, nearest);
  std::string near;
  if (!nearest.empty() && at != names.end()) {
    near = fmt::format("; did you mean '{}'?", tables[static_cast<size_t>(at - names.begin())]);
  } else {
    const std::vector<std::string> some(tables.begin(),
                                        tables.begin() + std::min<std::ptrdiff_t>(8, std::ssize(tables)));
    near = some.empty() ? "; it has none that may be seen" : "; it has " + Join(some, ", ");
    if (tables.size() > some.size()) near += ", …";
  }
  return {Code::kNotFound, fmt::format("the database has no table '{}'{}", name, near)};
}

}  // namespace weft::database
