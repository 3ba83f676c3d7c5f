// The tables of a database that `weft new product --from` names, read as the person who types may read them.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/scaffold.h"
#include "apps/weft/session.h"
#include "base/file.h"
#include "base/result.h"

namespace weft::app {

// A folder that only this process's user can open, removed with all that is in it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> Make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~ScratchFolder();
  const fs::path& path() const { return path_; }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// Whether it is a URL of PostgreSQL, or a file of SQLite.
bool IsDatabase(const std::string& from);

// Adds the tables that are named ("orders", "public.orders", "public.*"), or else all of the database's usual schema,
// with their sources as the product in `home` has them. The copies of their rows lie in `scratch`. `next` gets what is
// to be typed before the node can read them.
Status ProfileDatabase(Session& session, run::Profiler& profiler, const std::string& from,
                       std::vector<std::string> tables, const fs::path& home, const fs::path& scratch,
                       Scaffold& scaffold, std::vector<std::string>& next);

}  // namespace weft::app
