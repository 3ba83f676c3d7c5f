// Files of other people's servers, fetched to disk: from these addresses alone, wherever the answer would lead.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace weft::http {

// By what an object store knows who asks (AWS Signature Version 4).
struct Signature {
  std::string region;
  Secret key_id;
  Secret key;
};

struct DownloadOptions {
  std::vector<std::string> addresses;  // Of the host of every URL: the only ones that are gone to.
  std::string ca_file;                 // Trusted besides the system's.
  int64_t limit = INT64_MAX;           // A longer file is kInvalid.
  Millis silence{300'000};             // How long the server may say nothing.
  std::stop_token stop;
  std::shared_ptr<const Signature> signature;  // Shared by the downloads of one source; null: none.
};

// Of an answer other than 200 there is no file, and the first of its text.
struct Downloaded {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string sha256;
  int64_t bytes = 0;
  std::string text;
};

// Used by one thread; keeps its connection. Nothing is followed elsewhere. kUnavailable where no whole answer came:
// what is cut off is no file, and neither is what does not say where it ends.
class Downloader {
 public:
  static Result<std::unique_ptr<Downloader>> Open(DownloadOptions options);
  virtual ~Downloader() = default;
  // Into a new file; where `file` is empty into `text`, which may then have 64 MB. Headers may hold secrets.
  virtual Result<Downloaded> Get(const std::string& url, const std::map<std::string, std::string>& headers,
                                 const std::string& file) = 0;
};

}  // namespace weft::http
