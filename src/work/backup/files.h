// Files that are copied and hashed on the way: inside this room only.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/id.h"
#include "base/result.h"

namespace weft::backup {

struct Copied {
  std::string sha256;
  int64_t bytes = 0;
};

// To a name beside `to` first, synced, then to `to`; its folders are made. kUnavailable tells which file and why.
Result<Copied> CopyFile(const fs::path& from, const fs::path& to);

// A text file, line by line, which is hashed as it is written.
class LinesOut {
 public:
  static Result<LinesOut> Create(const fs::path& path);
  Status Add(std::string_view line);
  Result<Copied> Finish();  // Synced.

 private:
  explicit LinesOut(fs::path path);
  fs::path path_;
  std::ofstream out_;
  std::unique_ptr<Hasher> hasher_;
  int64_t bytes_ = 0;
};

// Shows each line of a file; kInvalid where its bytes do not hash to `sha256`, after the last.
Status EachLine(const fs::path& path, const std::string& sha256, const std::function<Status(std::string_view)>& visit);

// kUnavailable where the file system of `path` has less room.
Status CheckRoom(const fs::path& path, int64_t bytes);

}  // namespace weft::backup
