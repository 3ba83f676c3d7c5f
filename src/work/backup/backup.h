// A copy of the whole mesh in a folder: what the store knows at one moment, and the files that it names. A new store,
// of either kind, is made from it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "state/ledger/ledger.h"

namespace weft::backup {

// Where a node keeps what is not in its store.
struct Places {
  std::string warehouse;
  std::string uploads;
  struct Key {
    std::string name;  // In a backup: "seal.key"
    std::string path;
  };
  std::vector<Key> keys;  // Without them the sealed secrets cannot be opened, and the ledger not be gone on with.
};

struct Context {
  store::Store& store;
  Clock& clock;
  ledger::Ledger& ledger;
  Places places;
};

// What a backup's own file, backup.json, says.
struct Description {
  std::string folder;
  std::string mesh;
  Instant made_at;
  int64_t tables = 0;
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;       // Of the files.
  int64_t ledger_row = 0;  // The newest sealed one.
  std::vector<std::string> keys;
  Json ToJson() const;
};

// Writes a backup while everything goes on. The folder, absolute, must not be there or be empty, and is there whole or
// not at all. Recorded in the ledger before it begins, and again when it is done. kConflict: there is something
// already; kUnavailable: no room, or a file that cannot be read.
Result<Description> Make(Context& context, const model::Caller& caller, const std::string& folder, bool with_keys);

struct Target {
  store::Store& store;
  std::span<const store::Migration> migrations;  // The program's.
  Places places;
};
// Makes the empty store what the backup says, in one transaction, after its files are where they belong: those that are
// there already with the same bytes stay. kConflict: the store is not empty, the program is older than the backup, or
// another file is where one belongs; kInvalid: no backup, or one that is damaged: nothing in the store has changed
// then.
Result<Description> Restore(const Target& target, const std::string& folder);

}  // namespace weft::backup
