#include "model/folder_digest.h"

#include "base/id.h"

namespace weft::model {

std::string FolderDigest(const std::map<std::string, std::string>& texts,
                         const std::map<std::string, std::string>& data) {
  Hasher hasher;
  for (const auto& [path, text] : texts) hasher.AddNamed("text " + path, text);
  for (const auto& [path, sha256] : data) hasher.AddNamed("data " + path, sha256);
  return hasher.Hex();
}

}  // namespace weft::model
