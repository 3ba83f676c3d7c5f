// Data files that travel with products: their bytes by hash, and who has sent which. Owns uploads.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::uploads {

std::span<const store::Migration> Migrations();

// The folder of the bytes. Thread-safe.
class Uploads {
 public:
  explicit Uploads(std::string folder) : folder_(std::move(folder)) {}
  bool Has(const std::string& sha256) const;
  std::string PathOf(const std::string& sha256) const;
  // Moves (or copies) `file` in, verifying its hash: kInvalid where it differs, and then `file` stays where it is.
  // Durable when it returns; bytes that are there already are kept.
  Status Put(const std::string& sha256, const std::string& file);
  Status PutBytes(const std::string& sha256, std::string_view bytes);

  struct File {
    std::string sha256;  // Its name: another thing where a write did not end well.
    std::string path;
    int64_t bytes = 0;
  };
  // Those that have lain there for so long.
  Result<std::vector<File>> OlderThan(std::chrono::milliseconds age) const;

 private:
  Result<std::string> Place(const std::string& sha256) const;

  std::string folder_;
};

// To know a file's hash is not to have it: only who has sent its bytes may speak of them. Sent again, the time counts
// from now; by nobody (""), the time alone counts.
Status Note(store::Txn& txn, Clock& clock, const std::string& sha256, const std::string& principal);
Result<bool> Sent(store::Txn& txn, const std::string& sha256, const std::string& principal);
// Whether somebody has sent it at or after `since`.
Result<bool> SentSince(store::Txn& txn, const std::string& sha256, Instant since);
Status Forget(store::Txn& txn, const std::string& sha256);

}  // namespace weft::uploads
