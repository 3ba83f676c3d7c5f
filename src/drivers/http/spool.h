// A file that holds a request's body while the request lives.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::http {

class Spool {
 public:
  static Result<std::unique_ptr<Spool>> Open(const std::string& folder);
  ~Spool();  // Removes the file, unless a handler moved it away.
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  Status Write(std::string_view bytes);  // kUnavailable: the disk is full or broken.
  const std::string& path() const { return path_; }

 private:
  Spool(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
};

}  // namespace weft::http
