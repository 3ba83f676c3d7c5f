// What the door's own files share; Arrow's and protobuf's types stand here by name only.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/access.h"
#include "model/schema.h"
#include "ports/flight/flight.h"

namespace arrow {
class Array;
class Schema;
class Status;
class Table;
namespace flight {
class FlightDataStream;
class ServerCallContext;
}  // namespace flight
}  // namespace arrow
namespace google::protobuf {
class Any;
}

namespace weft::flight {

// One table between our codes and Flight's, both ways.
arrow::Status ToArrow(const Error& error);
Error FromArrow(const arrow::Status& status);

// A value as JSON: decimals, dates and times as text, lists as arrays, structs and maps as objects.
Json CellOf(const arrow::Array& array, int64_t row);
// A value as the text that the engine casts to what a parameter needs.
engine::Value ParameterOf(const arrow::Array& array, int64_t row);

std::shared_ptr<arrow::Schema> ArrowSchemaOf(const model::TableSchema& schema);

// Answers the commands about the catalogue (GetTables and its like, GetSqlInfo) with the standard's exact schemas;
// kUnsupported for any other. Of a port of which the caller may read some columns these alone are told. `version` is
// the program's.
Result<std::shared_ptr<arrow::Table>> Describe(const Context& context, const model::Caller& caller,
                                               const std::string& version, const google::protobuf::Any& command);

// A prepared statement, or a statement that waits for its one DoGet.
struct Handle {
  std::shared_ptr<query::Prepared> prepared;  // Shared with the streams that run it.
  std::vector<engine::Value> parameters;
  bool once = false;
};

// The open handles of every session; a session is a token with its purpose. Bounded, and expiring when unused.
// Thread-safe.
class Handles {
 public:
  explicit Handles(std::chrono::milliseconds idle) : idle_(idle) {}
  // kUnavailable where the session has too many.
  Result<std::string> Put(const model::Caller& caller, Handle handle);
  // kNotFound where it is unknown, expired or another's.
  Result<Handle> Get(const model::Caller& caller, const std::string& id);
  Status SetParameters(const model::Caller& caller, const std::string& id, std::vector<engine::Value> parameters);
  void Close(const model::Caller& caller, const std::string& id);
  void CloseAll(const model::Caller& caller);
  void Expire();

 private:
  struct Entry {
    std::string owner;    // Token and purpose: who may use the handle, over whichever connection.
    std::string session;  // The connection that opened it, whose end is its end.
    Handle handle;
    std::chrono::steady_clock::time_point used;
  };
  Entry* Find(const model::Caller& caller, const std::string& id);

  const std::chrono::milliseconds idle_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

// The reads that run, so that one whose client has gone is cancelled. Thread-safe.
class Watch {
 public:
  class Guard {
   public:
    Guard(Watch& watch, const arrow::flight::ServerCallContext& call, std::shared_ptr<query::Prepared> prepared);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watch& watch_;
    int64_t id_;
  };
  void CancelAbandoned();
  void CancelAll();

 private:
  struct Read {
    const arrow::flight::ServerCallContext* call;
    std::shared_ptr<query::Prepared> prepared;
  };
  std::mutex mutex_;
  std::map<int64_t, Read> reads_;
  int64_t next_ = 0;
};

// Runs the statement and streams its rows in batches of a good size. `call` outlives the stream.
Result<std::unique_ptr<arrow::flight::FlightDataStream>> Run(Watch& watch, const arrow::flight::ServerCallContext& call,
                                                             const Handle& handle);

}  // namespace weft::flight
