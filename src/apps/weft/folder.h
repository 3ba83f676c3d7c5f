// A mesh's folder on this machine: the texts that have a place in a mesh, and the data files that its products name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "apps/weft/session.h"
#include "base/result.h"
#include "model/repository.h"

namespace weft::app {

struct Folder {
  std::vector<model::TextFile> files;  // Paths relative to `root`.
  std::vector<model::DataFile> data;
  std::map<std::string, std::string> places;  // Hash of a data file → where it is on this machine.
  std::string root;                           // As the person wrote it, with a slash at the end; "" is here.

  bool named = false;  // Single files, each by its name.

  // Each product's folder, "domains/DOMAIN/PRODUCT", with its model::FolderDigest; the data must have been hashed.
  std::map<std::string, std::string> Digests() const;
  // What plan and apply are asked with: all but the folders that are `kept` back.
  Json ToJson(const std::map<std::string, std::string>& kept = {}) const;
  // Whether these ask for data files that the node may lack.
  bool SendsData(const std::map<std::string, std::string>& kept) const;
  // The problem with its file as it is reached from here.
  Problem Placed(Problem problem) const;
};

// Hidden files and folders are passed over; links to folders are not followed. With `hash`, the data files that
// input ports name are hashed, with a bar for the large ones.
Result<Folder> ReadFolder(const Session& session, const std::string& path, bool hash);
// "+ path": a file was made.
void TellMade(const Session& session, const std::string& path);

// When each file of a mesh's texts was written, and its size: another one when something changed.
using FolderStamp = std::map<std::string, std::pair<std::filesystem::file_time_type, std::uintmax_t>>;
FolderStamp StampOf(const std::vector<std::string>& paths);
// Single files: their paths are taken from the folder that they share.
Result<Folder> ReadFiles(const std::vector<std::string>& paths);

}  // namespace weft::app
