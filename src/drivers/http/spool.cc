#include "drivers/http/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/id.h"

namespace weft::http {

Result<std::unique_ptr<Spool>> Spool::Open(const std::string& folder) {
  TRY(MakeFolders(folder));
  std::string path = folder + "/body-" + NewSecret(12);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error{Code::kUnavailable, "cannot create " + path + " for the request's body"};
  return std::unique_ptr<Spool>(new Spool(std::move(path), fd));
}

Spool::~Spool() {
  ::close(fd_);
  ::unlink(path_.c_str());
}

Status Spool::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0)
      return Error{Code::kUnavailable, "cannot keep the request's body: the node's disk is full or broken"};
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

}  // namespace weft::http
