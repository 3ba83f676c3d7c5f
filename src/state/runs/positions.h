// How far a port has read its inputs that are read piece by piece: each part of the run that read it, committed with
// its snapshot. A run that a rollback withdrew has read nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "state/runs/runs.h"

namespace weft::runs {

// A file or an object that was read whole.
struct Piece {
  std::string name;    // As a person knows it.
  std::string sha256;  // Of its bytes: what it is, wherever it lies.
  std::string stamp;   // What tells without reading it that what has this name is still that; empty: nothing does.
};

// Up to where a table was read, in the order of one of its columns.
struct Cursor {
  std::string about;      // The column, and of what.
  std::string value;      // The greatest that was read, in the database's own words: data of the input.
  std::string version;    // One hash of all that was read so far.
  std::string rows_hash;  // Of the rows that were read last.
};

struct Position {
  std::string input;
  std::vector<Piece> pieces;  // Read for the first time.
  bool all = false;           // They are all there are: what earlier runs read says nothing more.
  std::vector<Piece> again;   // Read before: their name and stamp are now these.
  std::optional<Cursor> cursor;
};

// What this run read, with its end. Names and stamps of what was read before may also be noted by a run that did not
// succeed: they only spare reading.
Status PutPosition(store::Txn& txn, const Run& run, const Position& position);
Status NoteAgain(store::Txn& txn, const model::PortKey& port, const Position& position);

// All that runs of the port which count have read of the input, the oldest first.
Result<std::vector<Piece>> PiecesOf(store::Txn& txn, const model::PortKey& port, const std::string& input);
Result<std::optional<Cursor>> CursorOf(store::Txn& txn, const model::PortKey& port, const std::string& input);

}  // namespace weft::runs
