// An HTTP client for one base URL.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/threads.h"
#include "drivers/http/message.h"

namespace weft::http {

struct ClientOptions {
  std::string url;  // "http://127.0.0.1:7470"
  std::string bearer;
  std::string ca_file;  // Trusted besides the system's; for development certificates.
  std::chrono::milliseconds timeout{30'000};
  size_t answer_limit = size_t{1} << 30;       // A longer answer is kUnavailable.
  std::map<std::string, std::string> headers;  // Sent with each request.
  // Connects, by whatever name and without a proxy, to no address of this machine or of a private network.
  bool public_only = false;
};

// Used by one thread. kUnavailable where no answer came, naming the URL; any answer at all is a Response.
class Client {
 public:
  static Result<std::unique_ptr<Client>> Open(ClientOptions options);
  virtual ~Client() = default;
  virtual Result<Response> Send(const Request& request) = 0;  // A `body_file` is streamed from disk.
};

}  // namespace weft::http
