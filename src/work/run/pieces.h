// Sources that are read piece by piece: what of them is new to a port, and how far it has then read them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/product.h"
#include "state/runs/positions.h"
#include "work/run/inputs.h"

namespace weft::run {

// How far an input was read before a run, and how far it is with it.
struct Progress {
  bool whole = false;  // Everything is read, as if nothing had been.
  std::vector<runs::Piece> seen;
  std::optional<runs::Cursor> cursor;
  runs::Position now;        // Counts from the run's commit on.
  std::vector<Found> fresh;  // The files that are read.
  std::string told;          // "3 new files, 120 seen before"
};

// Which of the files that are there have bytes that no run has read, and what became of the others. A file is known by
// its bytes: moved, renamed or copied it is the same one. `changed`: whether one whose bytes are no longer those that
// were read under its name counts as new; else it is kInvalid, and says what helps. `hash` reads a file.
struct Choice {
  std::vector<Found> fresh;
  size_t seen = 0;
  std::vector<runs::Piece> again;  // Under other names or stamps than before.
};
using Hash = std::function<Result<std::string>(const Found&)>;
Result<Choice> ChooseNew(std::vector<Found> found, const std::vector<runs::Piece>& seen, bool changed,
                         const Hash& hash);

std::string ToldOf(const Choice& choice, std::string_view noun);  // "3 new files, 120 seen before"

// The new files of a source that says `read: new`, and in `progress` how far it is read with them.
Result<Files> FindNewFiles(const model::Source& source, const std::string& bundle_folder,
                           const std::vector<model::DataFile>& uploads, const Options& options, Progress& progress);

// One hash of everything that was ever read.
std::string VersionOf(const std::vector<runs::Piece>& seen, const std::vector<Found>& fresh);

// kUnavailable where one of the files is not what it was when it was found: somebody writes to it.
Status StillTheSame(const std::vector<Found>& files);

}  // namespace weft::run
