// Where a node of these settings keeps what is not in its store.
#pragma once

#include <string>

#include "apps/weft/settings.h"
#include "work/backup/backup.h"

namespace weft::app {

inline std::string UploadFolder(const Settings& settings) { return settings.Text("shared") + "/uploads"; }
inline std::string LedgerKeyFolder(const Settings& settings) { return settings.Text("shared") + "/ledger"; }
inline std::string SignInKeyFile(const Settings& settings) { return settings.Text("shared") + "/sign-in.keys"; }

// The warehouse as the lake names it: without links on the way.
backup::Places PlacesOf(const Settings& settings);

}  // namespace weft::app
