// Files, read and written whole; a write is durable and atomic or it is an error that names the path.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

namespace fs = std::filesystem;

// kNotFound where it does not exist; kInvalid above `limit` bytes.
Result<std::string> ReadFile(const fs::path& path, size_t limit = size_t{1} << 30);
// Through a temporary file in the same folder: written, synced, renamed, the folder synced. Its mode is exactly `mode`;
// where none is given, 0644 less what the process masks.
Status WriteFileAtomically(const fs::path& path, std::string_view bytes, std::optional<int> mode = std::nullopt);
Status SyncFile(const fs::path& path);
Status SyncFolder(const fs::path& path);
Status MakeFolders(const fs::path& path);
Result<std::string> HashFile(const fs::path& path);  // Sha256, read in pieces.

}  // namespace weft
