// What both databases' own files share.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/database/database.h"

namespace weft::database {

// The file of copied rows while it is written; what was written is removed unless it is finished.
class RowFile {
 public:
  static Result<RowFile> Make(const std::string& path);
  RowFile(RowFile&&) = default;
  ~RowFile();

  // A whole row with its line break, as CSV.
  Status Add(std::string_view row);
  Result<Copied> Finish();

 private:
  explicit RowFile(std::string path) : path_(std::move(path)) {}
  Error Failed() const;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  Copied copied_;
};

Error Stopped();  // Whoever waited has been told to stop.

// Why a column is none by which rows could be read one after the other.
Error NoValue(const std::string& column);
Error LastForEver(const std::string& column, const std::string& value);

// "there is no table 'oders'; did you mean 'public.orders'?"
Error NoTable(const std::string& name, const std::vector<std::string>& tables);

}  // namespace weft::database
