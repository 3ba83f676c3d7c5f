#include "apps/weft/home.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/ledger/ledger.h"

namespace weft::app {
namespace {

constexpr std::string_view kAdministrator = "admin";

Json ToJson(const NodeEntry& entry) {
  return Json::Map({{"url", entry.url},
                    {"flight", entry.flight},
                    {"data", entry.data},
                    {"pid", entry.pid},
                    {"token_file", entry.token_file},
                    {"ca_file", entry.ca_file}});
}

}  // namespace

Result<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = folder + "/node.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Code::kUnavailable, "cannot open " + path + ": may this user write there?"};
  FolderLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = "";
    const ssize_t got = ::pread(fd, pid, sizeof pid - 1, 0);
    return Error{
        Code::kConflict,
        fmt::format("the data folder {} is in use by the node with pid {}: stop that one, or give another folder "
                    "with --data",
                    folder, got > 0 ? Trim(std::string_view(pid, static_cast<size_t>(got))) : "?")};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return Error{Code::kUnavailable, "cannot write " + path + ": is the disk full?"};
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);  // The file stays: to remove it would race with the next node.
}

void RemoveDrafts(const std::string& data) {
  std::vector<fs::path> drafts;
  std::error_code ignored;
  for (const std::string& folder : {data, data + "/ledger"}) {
    for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
      if (at->path().filename().string().find(".draft-") != std::string::npos) drafts.push_back(at->path());
    }
  }
  for (const fs::path& draft : drafts) fs::remove(draft, ignored);
}

Result<std::string> NodeName(const std::string& data) {
  const std::string path = data + "/node.id";
  auto text = ReadFile(path, size_t{1} << 10);
  if (text) return std::string(Trim(*text));
  if (text.error().code != Code::kNotFound) return text.TakeError();
  std::string name = NewId("node");
  TRY(WriteFileAtomically(path, name + "\n", 0600));
  return name;
}

Result<std::string> AdminToken(store::Store& store, Clock& clock, const std::string& data) {
  const std::string path = data + "/admin.token";
  if (fs::exists(path)) return path;
  auto txn = TRY(store.Begin());
  const access::NewToken made =
      TRY(access::CreateToken(*txn, clock, std::string(kAdministrator), "made at the node's first start", true, {}));
  TRY(ledger::Append(*txn, clock,
                     {"token.created", std::string(kAdministrator), "", "",
                      Json::Map({{"token", made.token.id}, {"principal", kAdministrator}, {"administrator", true}})}));
  TRY(txn->Commit());
  TRY(WriteFileAtomically(path, made.secret + "\n", 0600));
  return path;
}

std::string StateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state && *state) return std::string(state) + "/weft";
  const char* home = std::getenv("HOME");
  return std::string(home && *home ? home : ".") + "/.local/state/weft";
}

std::string NodeFolder() { return StateFolder() + "/nodes"; }

Result<std::unique_ptr<NodeRegistration>> NodeRegistration::Write(int http_port, const NodeEntry& entry) {
  TRY(MakeFolders(NodeFolder()));
  ::chmod(NodeFolder().c_str(), 0700);
  const std::string path = fmt::format("{}/{}.json", NodeFolder(), http_port);
  TRY(WriteFileAtomically(path, ToJson(entry).Pretty() + "\n", 0600));
  return std::unique_ptr<NodeRegistration>(new NodeRegistration(path, entry.pid));
}

NodeRegistration::~NodeRegistration() {
  auto text = ReadFile(path_, size_t{1} << 16);
  auto entry = text ? Json::Parse(*text) : Result<Json>(text.error());
  // A later node may have taken the port meanwhile.
  if (entry && (*entry)["pid"].Int() == pid_) ::unlink(path_.c_str());
}

}  // namespace weft::app
