#include "state/uploads/uploads.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/id.h"

namespace weft::uploads {
namespace {

constexpr store::Migration kMigrations[] = {{"uploads", 1, R"(
CREATE TABLE uploads (
  sha256 TEXT NOT NULL,
  principal TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (sha256, principal)
);
)"}};

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

std::span<const store::Migration> Migrations() { return kMigrations; }

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
  Status written = WriteFileAtomically(target, bytes);
  if (written || written.error().code != Code::kNotFound) return written;
  return Error{Code::kConflict, fmt::format("the data file {} was swept away while it came: send it again", sha256)};
}

Result<std::vector<Uploads::File>> Uploads::OlderThan(std::chrono::milliseconds age) const {
  const auto newest = fs::file_time_type::clock::now() - age;
  std::vector<File> files;
  std::error_code failure;
  fs::recursive_directory_iterator at(folder_, failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    std::error_code gone;
    const bool old = at->is_regular_file(gone) && at->last_write_time(gone) <= newest;
    const auto bytes = static_cast<int64_t>(old ? at->file_size(gone) : 0);
    if (old && !gone) files.push_back({at->path().filename().string(), at->path().string(), bytes});
  }
  if (failure) return Error{Code::kUnavailable, fmt::format("cannot look into {}: {}", folder_, failure.message())};
  return files;
}

Status Note(store::Txn& txn, Clock& clock, const std::string& sha256, const std::string& principal) {
  TRY(
      txn.Run("INSERT INTO uploads (sha256, principal, at) VALUES ($1, $2, $3) "
              "ON CONFLICT (sha256, principal) DO UPDATE SET at = excluded.at",
              {sha256, principal, clock.Now().Text()}));
  return {};
}

Result<bool> Sent(store::Txn& txn, const std::string& sha256, const std::string& principal) {
  return !TRY(txn.Run("SELECT 1 FROM uploads WHERE sha256 = $1 AND principal = $2", {sha256, principal})).empty();
}

Result<bool> SentSince(store::Txn& txn, const std::string& sha256, Instant since) {
  return !TRY(txn.Run("SELECT 1 FROM uploads WHERE sha256 = $1 AND at >= $2 LIMIT 1", {sha256, since.Text()})).empty();
}

Status Forget(store::Txn& txn, const std::string& sha256) {
  TRY(txn.Run("DELETE FROM uploads WHERE sha256 = $1", {sha256}));
  return {};
}

}  // namespace weft::uploads
