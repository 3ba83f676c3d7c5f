#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "model/glob.h"
#include "model/own.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

// Where an upload of that hash is kept.
std::string UploadPath(const Options& options, const std::string& sha256) {
  return (fs::path(options.upload_folder) / sha256.substr(0, 2) / sha256).string();
}

Result<std::vector<Found>> Uploaded(const model::Source& source, const std::string& bundle_folder,
                                    const std::vector<model::DataFile>& uploads, const Options& options) {
  std::vector<Found> found;
  const std::string wanted = fs::path(source.path).lexically_normal().string();
  for (const model::DataFile& file : uploads) {
    std::string name = file.path;
    if (name.starts_with(bundle_folder + "/")) name = name.substr(bundle_folder.size() + 1);
    if (!model::GlobMatches(wanted, name) && name != wanted) continue;
    found.push_back({UploadPath(options, file.sha256), name, file.sha256, "", ""});
    std::error_code ignored;
    if (!fs::is_regular_file(found.back().path, ignored)) {
      return Error{
          Code::kNotFound,
          fmt::format("the file '{}' is registered but its bytes are gone from the node; apply the folder again",
                      name)};
    }
  }
  return found;
}

Error NothingFound(const model::Source& source, const std::string& bundle_folder) {
  if (source.path.starts_with('/')) {
    return {Code::kNotFound, fmt::format("no source file matches '{}'", source.path)};
  }
  return {Code::kNotFound, fmt::format("no file '{}' travelled with the product; put it into {} and apply again",
                                       source.path, bundle_folder)};
}

bool IsUnder(const fs::path& path, const fs::path& root) {
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end();
}

// Whether the text of a path lies under a root, before anything is looked for there.
bool IsWrittenUnderRoot(const fs::path& path, const Options& options) {
  return std::any_of(options.source_roots.begin(), options.source_roots.end(), [&](const std::string& root) {
    fs::path plain = fs::path(root).lexically_normal();
    if (!plain.has_filename()) plain = plain.parent_path();  // "/data/" ends in an empty name.
    std::error_code failure;
    const fs::path real = fs::canonical(root, failure);
    return IsUnder(path, plain) || (!failure && IsUnder(path, real));
  });
}

Error Outside(const std::string& path) {
  return {Code::kDenied, fmt::format("the source file '{}' does not lie under a folder that the node's administrator "
                                     "declared as a source root",
                                     path)};
}

// `path` with every link followed, if it then lies under a root.
Result<std::string> Contained(const std::string& path, const Options& options) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  const fs::path wanted = failure ? fs::path(path).lexically_normal() : real;
  std::error_code ignored;
  for (const std::string& root : options.source_roots) {
    const fs::path real_root = fs::canonical(root, ignored);
    if (ignored || !IsUnder(wanted, real_root)) continue;
    if (!failure) return real.string();
    return Error{Code::kNotFound, fmt::format("the source file '{}' cannot be found: {}", path, failure.message())};
  }
  return Outside(path);
}

// The files that a pattern names, hidden ones and folders behind links left out.
std::vector<std::string> Expand(const fs::path& folder, const std::string& pattern) {
  const auto slashes = [](const std::string& text) { return std::count(text.begin(), text.end(), '/'); };
  const auto deepest = slashes(pattern) - slashes((folder / "x").string());
  const bool any_depth = pattern.find("**") != pattern.npos;
  std::vector<std::string> found;
  std::error_code failure;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failure), end;
  for (; !failure && at != end; at.increment(failure)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden || (!any_depth && at.depth() >= deepest)) at.disable_recursion_pending();
    if (!hidden && model::GlobMatches(pattern, at->path().string())) found.push_back(at->path().string());
  }
  return found;
}

// Nothing outside the roots is looked at: an answer would tell a publisher what else is on the node.
Result<std::vector<Found>> Absolute(const model::Source& source, const Options& options) {
  const fs::path wanted = fs::path(source.path).lexically_normal();
  std::vector<std::string> paths{wanted.string()};
  if (model::IsGlob(source.path)) {
    fs::path folder = wanted.parent_path();
    while (model::IsGlob(folder.string())) folder = folder.parent_path();
    if (!IsWrittenUnderRoot(folder, options)) return Outside(source.path);
    paths = Expand(folder, wanted.string());
  } else if (!IsWrittenUnderRoot(wanted, options)) {
    return Outside(source.path);
  }
  std::vector<Found> found;
  for (const std::string& path : paths) {
    std::string real = TRY(Contained(path, options));
    std::error_code ignored;
    if (!fs::is_regular_file(real, ignored))
      return Error{Code::kInvalid, fmt::format("the source '{}' is no file", path)};
    if (model::IsGlob(real)) {
      return Error{Code::kUnsupported,
                   fmt::format("the source file '{}' has one of * ? [ in its name; rename it", real)};
    }
    std::string stamp = StampOf(real).text;
    found.push_back({std::move(real), path, "", std::move(stamp), ""});
  }
  return found;
}

}  // namespace

Stamp StampOf(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  // The time of its last change of any kind, which nobody sets; a file that is moved or written has another one.
  constexpr int64_t kSettles = 2;
  return {fmt::format("{}:{}:{}:{}.{:09}", file.st_dev, file.st_ino, file.st_size, file.st_ctim.tv_sec,
                      file.st_ctim.tv_nsec),
          std::time(nullptr) - file.st_ctim.tv_sec > kSettles};
}

Result<Files> FilesOf(std::vector<Found> found, const std::string& format) {
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  Files files;
  for (const Found& file : found) {
    model::own::FileKind kind = model::own::KindOf(file.name);
    if (!format.empty()) kind.format = format;
    if (kind.format != "csv" && kind.format != "json" && kind.format != "parquet") {
      return Error{
          Code::kInvalid,
          fmt::format("the format of '{}' cannot be told from its name; say format: csv, json or parquet in the source",
                      file.name)};
    }
    if (!files.format.empty() && (kind.format != files.format || kind.compression != files.compression)) {
      return Error{Code::kInvalid,
                   fmt::format("'{}' and '{}' differ in format or compression; one source reads files of one kind",
                               files.names.back(), file.name)};
    }
    TRY(CheckWhole(file.path, file.name, std::string(kind.compression)));
    files.format = kind.format;
    files.compression = kind.compression;
    files.paths.push_back(file.path);
    files.names.push_back(file.name);
  }
  files.version = VersionOf(found);
  return files;
}

std::string VersionOf(const std::vector<Found>& found) {
  Hasher hasher;
  for (const Found& file : found) hasher.Add(file.name).Add("\n").Add(file.sha256).Add("\n");
  return hasher.Hex();
}

// Lines are counted only where there is damage: a sound file is three memchr a block.
Result<std::optional<Damage>> DamageOf(const std::string& path) {
  std::vector<char> block(size_t{1} << 20);
  auto read = [&](auto&& visit) -> Status {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{Code::kNotFound, fmt::format("the source file '{}' cannot be opened", path)};
    for (bool more = true; more && file;) {
      file.read(block.data(), static_cast<std::streamsize>(block.size()));
      more = visit(std::string_view(block.data(), static_cast<size_t>(file.gcount())));
    }
    return {};
  };
  // A line's end is LF, or CR where a block has no LF.
  auto first_end = [](std::string_view text) { return std::min(text.find('\n'), text.size()); };
  int64_t begin = 0;    // Of the block, in the file.
  int64_t line_at = 0;  // Where the line that the block begins with begins.
  std::optional<Damage> damage;
  int64_t damaged_at = 0;
  TRY(read([&](std::string_view text) {
    const size_t nul = text.find('\0');
    size_t end = first_end(text), last = text.rfind('\n');
    if (end == text.size()) end = std::min(text.find('\r'), text.size()), last = text.rfind('\r');
    const bool is_long = begin + static_cast<int64_t>(end) - line_at > kLongestLine;
    if (nul != text.npos || is_long) {
      damage = Damage{.nul = nul != text.npos && (!is_long || nul < end)};
      damaged_at = damage->nul ? begin + static_cast<int64_t>(nul) : line_at;
      return false;
    }
    begin += static_cast<int64_t>(text.size());
    if (last != text.npos) line_at = begin - static_cast<int64_t>(text.size() - last) + 1;
    return true;
  }));
  if (!damage) return damage;
  damage->line = 1;
  int64_t left = damaged_at;
  TRY(read([&](std::string_view text) {
    const std::string_view before = text.substr(0, static_cast<size_t>(std::min<int64_t>(left, std::ssize(text))));
    damage->line += std::count(before.begin(), before.end(), '\n');
    left -= std::ssize(before);
    return left > 0;
  }));
  return damage;
}

Result<std::vector<Found>> FindPieces(const model::Source& source, const std::string& bundle_folder,
                                      const std::vector<model::DataFile>& uploads, const Options& options) {
  if (source.path.empty()) return Error{Code::kInvalid, "the file source names no path"};
  return source.path.starts_with('/') ? Absolute(source, options) : Uploaded(source, bundle_folder, uploads, options);
}

Result<Files> FindFiles(const model::Source& source, const std::string& bundle_folder,
                        const std::vector<model::DataFile>& uploads, const Options& options) {
  std::vector<Found> found = TRY(FindPieces(source, bundle_folder, uploads, options));
  if (found.empty()) return NothingFound(source, bundle_folder);
  for (Found& file : found) {
    if (file.sha256.empty()) file.sha256 = TRY(HashFile(file.path));
  }
  return FilesOf(std::move(found), source.format);
}

Result<DatabaseFile> FindDatabase(const model::Source& source, const std::string& bundle_folder,
                                  const std::vector<model::DataFile>& uploads, const Options& options) {
  if (source.path.empty() || model::IsGlob(source.path)) {
    return Error{Code::kInvalid, fmt::format("'{}' names no one file of a database", source.path)};
  }
  if (!source.path.starts_with('/')) {
    const std::vector<Found> found = TRY(Uploaded(source, bundle_folder, uploads, options));
    if (found.empty()) return NothingFound(source, bundle_folder);
    return DatabaseFile{found[0].path, true};
  }
  const fs::path wanted = fs::path(source.path).lexically_normal();
  if (!IsWrittenUnderRoot(wanted, options)) return Outside(source.path);
  DatabaseFile found{TRY(Contained(wanted.string(), options)), false};
  std::error_code ignored;
  if (fs::is_regular_file(found.path, ignored)) return found;
  return Error{Code::kInvalid, fmt::format("the source '{}' is no file", source.path)};
}

Result<Files> FilesHere(const std::vector<std::string>& paths) {
  std::vector<Found> found;
  for (const std::string& path : paths) {
    std::error_code failure;
    const fs::path real = fs::canonical(path, failure);
    if (failure || !fs::is_regular_file(real, failure)) {
      return Error{Code::kNotFound, fmt::format("there is no file '{}'", path)};
    }
    if (model::IsGlob(real.string())) {
      return Error{Code::kUnsupported, fmt::format("the file '{}' has one of * ? [ in its name; rename it", path)};
    }
    found.push_back({real.string(), path, {}, {}, {}});
  }
  return FilesOf(std::move(found), "");
}

}  // namespace weft::run
