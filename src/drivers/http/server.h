// The HTTP/1.1 listener: bytes to Request, Response to bytes; TLS when given a certificate.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/threads.h"
#include "drivers/http/certificate.h"
#include "drivers/http/message.h"

namespace weft::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;                 // 0: any free one.
  std::string tls_certificate;  // PEM files; both or neither.
  std::string tls_key;
  size_t threads = 8;        // Handlers run on a pool of so many.
  size_t queue_limit = 256;  // Requests that wait for a thread; beyond it 503.
  size_t memory_body_limit = size_t{4} << 20;
  size_t body_limit = size_t{1} << 30;
  std::string spool_folder;  // For larger bodies; empty: larger ones are refused with 413.
  // A connection that sends nothing for so long is closed; so is one whose head, or each 256 KiB of whose body, takes
  // longer.
  std::chrono::milliseconds idle_timeout{30'000};
  size_t connection_limit = 2'000;  // Further ones are closed at once.
  // Judges the head (method, path, query, headers) of a request that has a body, before any of it is read; on a pool
  // thread. Its answer refuses the request and ends the connection. Empty: all may.
  std::function<std::optional<Response>(Request&)> admit;
};

class Server {
 public:
  // Called on pool threads; whatever it throws becomes a 500. Accepts once this returns.
  using Handler = std::function<Response(Request&)>;
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler handler);
  virtual ~Server() = default;
  virtual int port() const = 0;
  // What connections from now on are shown; those that are open stay as they are. kInvalid, and nothing changes, where
  // it cannot be used.
  virtual Status UseCertificate(const Certificate& certificate) = 0;
  // Accepts no more, lets running requests end until `deadline`, then closes.
  virtual void Stop(Deadline deadline) = 0;
};

}  // namespace weft::http
