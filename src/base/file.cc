#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/id.h"

namespace weft {
namespace {

Error Failure(std::string_view verb, const fs::path& path, int number) {
  Code code = number == ENOENT                    ? Code::kNotFound
              : number == ENOSPC || number == EIO ? Code::kUnavailable
                                                  : Code::kInternal;
  return {code, fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(number))};
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failure("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

// Calls `take` with each piece of the file.
template <class Take>
Status ReadPieces(const fs::path& path, Take take) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return Failure("open", path, errno);
  std::string piece(size_t{1} << 18, '\0');
  while (true) {
    ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure("read", path, errno);
    if (got == 0) return {};
    TRY(take(std::string_view(piece.data(), static_cast<size_t>(got))));
  }
}

Status Sync(const fs::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (file.get() < 0) return Failure("open", path, errno);
  if (::fsync(file.get()) != 0) return Failure("sync", path, errno);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path, size_t limit) {
  std::string bytes;
  TRY(ReadPieces(path, [&](std::string_view piece) -> Status {
    if (bytes.size() + piece.size() > limit) {
      return Error{Code::kInvalid, fmt::format("{} is larger than {} bytes", path.string(), limit)};
    }
    bytes.append(piece);
    return {};
  }));
  return bytes;
}

Status WriteFileAtomically(const fs::path& path, std::string_view bytes, std::optional<int> mode) {
  const fs::path draft = path.string() + ".draft-" + NewSecret(6);  // Another each time: errors name the file itself.
  auto write = [&]() -> Status {
    Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode.value_or(0644)));
    if (file.get() < 0) return Failure("create", path, errno);
    if (mode && ::fchmod(file.get(), static_cast<mode_t>(*mode)) != 0) return Failure("set the mode of", path, errno);
    TRY(WriteAll(file.get(), bytes, path));
    if (::fsync(file.get()) != 0) return Failure("sync", path, errno);
    if (::rename(draft.c_str(), path.c_str()) != 0) return Failure("replace", path, errno);
    return {};
  };
  Status written = write();
  if (!written) {
    ::unlink(draft.c_str());
    return written;
  }
  return SyncFolder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

Status SyncFile(const fs::path& path) { return Sync(path, O_RDONLY); }
Status SyncFolder(const fs::path& path) { return Sync(path, O_RDONLY | O_DIRECTORY); }

Status MakeFolders(const fs::path& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) return Failure("create folder", path, failure.value());
  return {};
}

Result<std::string> HashFile(const fs::path& path) {
  Hasher hasher;
  TRY(ReadPieces(path, [&](std::string_view piece) -> Status {
    hasher.Add(piece);
    return {};
  }));
  return hasher.Hex();
}

}  // namespace weft
