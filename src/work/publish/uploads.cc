#include <fmt/format.h>

#include "base/file.h"
#include "base/id.h"
#include "work/publish/publish.h"

namespace weft::publish {
namespace {

bool IsHash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Status CheckHash(const std::string& wanted, const std::string& got) {
  if (wanted == got) return {};
  return Error{Code::kInvalid, fmt::format("the bytes do not match their name: they hash to {}, not to {}; send the "
                                           "file again, and leave it alone meanwhile",
                                           got, wanted)};
}

void Remove(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

// The file's bytes, copied beside `target` first, so that a reader sees all of them or none.
Status CopyInto(const fs::path& target, const fs::path& file) {
  const fs::path draft = target.string() + ".draft-" + NewSecret(6);
  auto copy = [&]() -> Status {
    std::error_code failure;
    fs::copy_file(file, draft, failure);
    if (!failure) TRY(SyncFile(draft));
    if (!failure) fs::rename(draft, target, failure);
    if (!failure) return {};
    return Error{Code::kUnavailable,
                 fmt::format("cannot keep an upload as {}: {}", target.string(), failure.message())};
  };
  Status copied = copy();
  if (!copied) Remove(draft);
  return copied;
}

}  // namespace

bool Uploads::Has(const std::string& sha256) const {
  std::error_code ignored;
  return IsHash(sha256) && fs::is_regular_file(PathOf(sha256), ignored);
}

std::string Uploads::PathOf(const std::string& sha256) const {
  return (fs::path(folder_) / sha256.substr(0, 2) / sha256).string();
}

Result<std::string> Uploads::Place(const std::string& sha256) const {
  if (!IsHash(sha256)) {
    return Error{Code::kInvalid, fmt::format("'{}' is not a SHA-256: 64 hexadecimal digits in lower case", sha256)};
  }
  const fs::path path = PathOf(sha256);
  TRY(MakeFolders(path.parent_path()));
  TRY(SyncFolder(folder_));
  return path.string();
}

Status Uploads::Put(const std::string& sha256, const std::string& file) {
  const fs::path target = TRY(Place(sha256));
  const std::string got = TRY(HashFile(file));
  TRY(CheckHash(sha256, got));
  if (Has(sha256)) {
    Remove(file);
    return {};
  }
  TRY(SyncFile(file));
  std::error_code failure;
  fs::rename(file, target, failure);
  if (failure) {  // Another file system.
    TRY(CopyInto(target, file));
    Remove(file);
  }
  return SyncFolder(target.parent_path());
}

Status Uploads::PutBytes(const std::string& sha256, std::string_view bytes) {
  const std::string target = TRY(Place(sha256));
  TRY(CheckHash(sha256, Sha256(bytes)));
  if (Has(sha256)) return {};
  return WriteFileAtomically(target, bytes);
}

}  // namespace weft::publish
