#include "work/run/pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "model/own.h"

namespace weft::run {
namespace {

Error Changed(const std::string& name) {
  return {
      Code::kInvalid,
      fmt::format("the file '{}' is not what it was when a run read it, and the rows that were read of it are in the "
                  "table. Nothing was read now. What helps: leave files as they are and put new rows into new ones; "
                  "say changed: read in the source, and a file that changed is read again, whole; or weft run "
                  "--full, which reads every file again",
                  name)};
}

}  // namespace

Result<Choice> ChooseNew(std::vector<Found> found, const std::vector<runs::Piece>& seen, bool changed,
                         const Hash& hash) {
  std::set<std::pair<std::string_view, std::string_view>> stamps;  // Of names.
  std::map<std::string, std::string> by_name;                      // The bytes that were last read under it.
  std::map<std::string, std::string> known;                        // The name that these bytes had last.
  std::set<std::string> here;
  for (const runs::Piece& piece : seen) {
    if (!piece.stamp.empty()) stamps.emplace(piece.name, piece.stamp);
    by_name[piece.name] = piece.sha256;
    known[piece.sha256] = piece.name;
  }
  std::ranges::sort(found, {}, &Found::name);
  Choice choice;
  for (Found& file : found) {
    if (!file.stamp.empty() && stamps.contains({file.name, file.stamp})) {
      here.insert(by_name[file.name]);
      ++choice.seen;
      continue;
    }
    if (file.sha256.empty()) file.sha256 = TRY(hash(file));
    const bool twice = !here.insert(file.sha256).second;
    if (const auto before = known.find(file.sha256); before != known.end()) {
      ++choice.seen;
      // Of copies the first gives its name: each would take it from the other.
      const bool other = before->second != file.name || !file.stamp.empty();
      if (!twice && other) choice.again.push_back({file.name, file.sha256, file.stamp});
    } else if (!twice) {
      choice.fresh.push_back(std::move(file));
    }
  }
  for (const Found& file : choice.fresh) {
    const auto before = by_name.find(file.name);
    if (!changed && before != by_name.end() && !here.contains(before->second)) return Changed(file.name);
  }
  return choice;
}

std::string ToldOf(const Choice& choice, std::string_view noun) {
  return fmt::format("{} new {}{}, {} seen before", HumanCount(std::ssize(choice.fresh)), noun,
                     choice.fresh.size() == 1 ? "" : "s", HumanCount(static_cast<int64_t>(choice.seen)));
}

std::string VersionOf(const std::vector<runs::Piece>& seen, const std::vector<Found>& fresh) {
  std::set<std::string> all;
  for (const runs::Piece& piece : seen) all.insert(piece.sha256);
  for (const Found& file : fresh) all.insert(file.sha256);
  Hasher hasher;
  for (const std::string& each : all) hasher.AddNamed("piece", each);
  return hasher.Hex();
}

Result<Files> FindNewFiles(const model::Source& source, const std::string& bundle_folder,
                           const std::vector<model::DataFile>& uploads, const Options& options, Progress& progress) {
  std::vector<Found> found = TRY(FindPieces(source, bundle_folder, uploads, options));
  if (found.empty() && progress.seen.empty()) {
    return Error{Code::kNotFound, fmt::format("no file matches '{}', and none has been read before: correct the path, "
                                              "or put the first file there",
                                              source.path)};
  }
  const std::vector<Found> here = found;
  const bool changed = source.options["changed"].Text() == "read";
  static const std::vector<runs::Piece> kNone;
  Choice choice = TRY(ChooseNew(std::move(found), progress.whole ? kNone : progress.seen, changed,
                                [](const Found& file) { return HashFile(file.path); }));
  progress.told = ToldOf(choice, "file");
  progress.fresh = choice.fresh;
  auto stamp = [](const std::string& path, const std::string& text) {
    const Stamp now = StampOf(path);
    return now.settled && now.text == text ? text : std::string();
  };
  for (const Found& file : choice.fresh) {
    progress.now.pieces.push_back({file.name, file.sha256, file.stamp.empty() ? "" : stamp(file.path, file.stamp)});
  }
  for (runs::Piece& piece : choice.again) {
    const auto at = std::ranges::find(here, piece.name, &Found::name);
    if (at != here.end() && !piece.stamp.empty()) piece.stamp = stamp(at->path, piece.stamp);
    progress.now.again.push_back(std::move(piece));
  }
  const std::string version = VersionOf(progress.seen, choice.fresh);
  const bool none = choice.fresh.empty();
  Files files;
  if (!none) {
    files = TRY(FilesOf(std::move(choice.fresh), source.format));
  } else if (!here.empty()) {
    files = TRY(FilesOf({here[0]}, source.format));
  }
  files.columns_only = none;
  if (none) files.format = source.format.empty() ? model::own::KindOf(source.path).format : source.format;
  files.version = version;
  return files;
}

Status StillTheSame(const std::vector<Found>& files) {
  for (const Found& file : files) {
    if (file.stamp.empty() || StampOf(file.path).text == file.stamp) continue;
    return Error{
        Code::kUnavailable,
        fmt::format("the file '{}' was written or moved while it was read: nothing of it counts. Let whoever "
                    "writes files there finish each under another name (one that begins with a dot) and rename "
                    "it then",
                    file.name)};
  }
  return {};
}

}  // namespace weft::run
