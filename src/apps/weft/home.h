// What a node keeps beside its store: the lock of its folder, the administrator's token, the entry that clients find.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::app {

// Holds a data folder for one process while it lives.
class FolderLock {
 public:
  // kConflict where another process has it, with its pid.
  static Result<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// What a former node of this folder was about to write when it died: drafts, in the folder and in that of its ledger.
// For who holds the folder.
void RemoveDrafts(const std::string& data);

// What tells this node from others over the same store: kept in <data>/node.id, made where there is none.
Result<std::string> NodeName(const std::string& data);

// The file <data>/admin.token (0600) with an administrator's token; made, and recorded in the ledger, where there is
// none. Answers the file's path; the secret shows nowhere else.
Result<std::string> AdminToken(store::Store& store, Clock& clock, const std::string& data);

// How the command line finds a node of this machine: nodes/<port>.json (0600) under the user's state folder, there
// while the node runs.
struct NodeEntry {
  std::string url, flight, data, token_file;
  int pid = 0;
  std::string ca_file = {};  // Of an authority of the node's own; empty: none.
};
std::string StateFolder();  // ${XDG_STATE_HOME:-~/.local/state}/weft
std::string NodeFolder();   // Its folder "nodes".
class NodeRegistration {
 public:
  static Result<std::unique_ptr<NodeRegistration>> Write(int http_port, const NodeEntry& entry);
  ~NodeRegistration();
  NodeRegistration(const NodeRegistration&) = delete;
  NodeRegistration& operator=(const NodeRegistration&) = delete;

 private:
  NodeRegistration(std::string path, int pid) : path_(std::move(path)), pid_(pid) {}
  std::string path_;
  int pid_;
};

}  // namespace weft::app
