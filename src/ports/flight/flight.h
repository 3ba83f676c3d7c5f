// The Flight SQL door (Arrow Flight SQL 26): what ADBC, JDBC and ODBC drivers speak. Translates, decides nothing.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "drivers/store/store.h"
#include "work/gate/gate.h"
#include "work/query/query.h"

namespace weft::flight {

struct Options {
  std::string address = "127.0.0.1";
  int port = 0;
  std::string tls_certificate;
  std::string tls_key;
  std::chrono::milliseconds statement_idle{600'000};  // A prepared statement that nobody uses is forgotten then.
  std::string version = "unknown";                    // Of the program, as GetSqlInfo tells it.
};

struct Context {
  gate::Gate& gate;
  query::Engine& query;
  store::Store& store;
};

// What a client calls, and what that asks the gate.
struct Rpc {
  std::string_view name;
  std::string_view message;
  model::Action action;
};
std::span<const Rpc> Rpcs();

// Purpose comes from the header x-weft-purpose, time travel from x-weft-at.
class Server {
 public:
  static Result<std::unique_ptr<Server>> Start(Context context, Options options);
  virtual ~Server() = default;
  virtual int port() const = 0;
  // What connections from now on are shown; reads that run end under the old one. The library cannot exchange it in a
  // running server: another one takes the port over, within which some milliseconds nobody listens. kUnavailable where
  // it could not take it yet: nobody listens then, and it is to be called again.
  virtual Status UseCertificate(const std::string& chain, const std::string& key) = 0;
  // kUnavailable from a certificate that could not be taken until one is.
  virtual Status Ready() const = 0;
  virtual void Stop(Deadline deadline) = 0;
};

}  // namespace weft::flight
