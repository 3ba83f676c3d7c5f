// What a product's folder holds, as one hash: by it a folder is known to be as it was applied without being sent.
#pragma once

#include <map>
#include <string>

namespace weft::model {

// Paths in the folder → texts of descriptors and SQL; paths of data files → their SHA-256.
std::string FolderDigest(const std::map<std::string, std::string>& texts,
                         const std::map<std::string, std::string>& data);

}  // namespace weft::model
