// DuckDB behind one door: instances with a grant of memory, connections, small results and Arrow streams.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/threads.h"
#include "drivers/engine/arrow_c.h"

namespace weft::engine {

// The node's memory for engines, lent in grants so that limits add up to what the process may use. Thread-safe.
class MemoryBroker {
 public:
  explicit MemoryBroker(int64_t bytes);

  // Gives its bytes back on destruction.
  class Grant {
   public:
    Grant() = default;
    Grant(Grant&& other) noexcept;
    Grant& operator=(Grant&& other) noexcept;
    ~Grant();
    int64_t bytes() const { return bytes_; }

   private:
    friend class MemoryBroker;
    MemoryBroker* broker_ = nullptr;
    int64_t bytes_ = 0;
  };

  // Waits its turn until `deadline` or `stop`; kUnavailable after it, or at once when `bytes` is more than there is at
  // all.
  Result<Grant> Take(int64_t bytes, Deadline deadline, const std::stop_token& stop = {});
  int64_t total() const { return total_; }
  int64_t free() const;

 private:
  const int64_t total_;
  mutable std::mutex mutex_;
  std::condition_variable_any given_back_;
  int64_t free_;
  std::vector<uint64_t> turns_;  // Who waits, first come first served.
  uint64_t next_turn_ = 0;
};

struct Options {
  int threads = 2;
  int64_t memory_bytes = int64_t{512} << 20;
  std::string temp_folder = {};              // Spill; empty: none.
  std::vector<std::string> extensions = {};  // Signed ones, loaded from the node's own folder; none for consumers' SQL.
};

// Where the signed extensions are; set once at start.
void SetExtensionFolder(std::string folder);

using Value = std::optional<std::string>;  // nullopt is NULL; text that DuckDB casts to what is needed.

// A small answer. Cells are DuckDB's own text of each value, whatever its type.
struct Rows {
  std::vector<std::string> names;
  std::vector<std::string> types;  // DuckDB type names.
  std::vector<std::vector<Value>> cells;

  size_t size() const { return cells.size(); }
  const std::string& text(size_t row, size_t column) const;  // Empty for NULL.
  int64_t integer(size_t row, size_t column) const;          // 0 for NULL.
  double number(size_t row, size_t column) const;            // NaN for NULL.
};

// The error behind a message of DuckDB's, such as an exported stream's get_last_error: its code follows the kind that
// the message begins with ("Binder Error: …").
Error ErrorOf(std::string_view message);

// Whether the message is the engine's own, and not one of Weft's.
bool IsEngines(std::string_view message);

// A message of the engine's in Weft's words: what is wrong with what and near names, without the name of its kind, its
// advice about settings and the text of the statement, which may not be what the person wrote.
std::string PlainWords(std::string_view message);

// The column that the statement names and that is not there, where that is what the engine's message says.
std::optional<std::string> MissingColumn(std::string_view message);

class Connection;

// An in-memory DuckDB of its own: own settings, own memory limit, TimeZone UTC, no autoloaded extension, no ~/.duckdb.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> Open(const Options& options);
  ~Instance();
  // `settings` are SET statements of the connection's own; a locked instance refuses any.
  Result<std::unique_ptr<Connection>> Connect(std::string_view settings = "");
  // After this the instance reads only exactly `paths` (and writes under `write_folder`, where given), loads
  // nothing, reaches nothing, and its settings cannot change.
  Status Lock(std::span<const std::string> paths, const std::string& write_folder = "");

  struct Impl;

 private:
  explicit Instance(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Settings for Connect: Progress() tells something; a stream's rows are made ahead of its reader, up to this much.
inline constexpr std::string_view kProgress =
    "SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0";
inline constexpr std::string_view kReadAhead = "SET streaming_buffer_size = '32MB'";

// An Arrow stream over a running query. Its batches live as long as they are held; destroy before the connection.
class Stream {
 public:
  virtual ~Stream() = default;
  // Moves the stream out as the C interface; call once.
  virtual void Export(ArrowArrayStream* out) = 0;
};

// One statement, parsed and bound. Destroy before its connection.
class Statement {
 public:
  virtual ~Statement() = default;
  // Types of its result and names of its parameters ("1", "2"… where they have none), without running it. `schema` is
  // the caller's to release.
  virtual Status Describe(ArrowSchema* schema, std::vector<std::string>* parameters) = 0;
  // Its answer as a stream, made while it is read; `params` bind $1…. Call once: the stream takes the statement over.
  virtual Result<std::unique_ptr<Stream>> Open(std::span<const Value> params) = 0;
};

// Used by one thread, but for Interrupt and Progress. Errors: kInvalid for what the SQL's author can mend (parse,
// binder, conversion, constraint), kUnsupported for what DuckDB lacks, kDenied for what Lock forbids, kUnavailable for
// memory, disk and interrupts, kInternal for the rest.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Status Execute(std::string_view sql) = 0;  // Statements separated by semicolons; no answer.
  virtual Result<Rows> Query(std::string_view sql, std::span<const Value> params = {}) = 0;
  Result<Rows> Query(std::string_view sql, std::initializer_list<Value> params) {
    return Query(sql, std::span<const Value>(params.begin(), params.size()));
  }
  virtual Result<std::unique_ptr<Statement>> Prepare(std::string_view sql) = 0;
  virtual Result<Json> ParseTree(std::string_view sql) = 0;  // json_serialize_sql; {"error": true, …} is an answer.
  // The name of a function from text to `type` (DuckDB's name of it) that fails with kInvalid and the value where the
  // type does not hold exactly what the text says: casts would round or cut it. Empty for types without loss. Defined
  // in the whole instance by the first call.
  virtual Result<std::string> ExactFunction(std::string_view type) = 0;
  // A function of that name, of texts and of 64-bit integers, that gives the key's tokens for them (base/secret.h) and
  // never fails; null stays null. In the whole instance, whose end wipes the key. Once for each name.
  virtual Status DefineTokens(const std::string& name, const Secret& key) = 0;
  virtual void Interrupt() = 0;   // From any thread; the running call ends with kUnavailable within 0.3 s.
  virtual double Progress() = 0;  // From any thread; percent, or -1 where unknown.
};

// Interrupts a connection when its deadline passes or `stop` is requested, while it lives. Thread-safe.
class Watchdog {
 public:
  Watchdog(Connection& connection, Deadline deadline, std::stop_token stop = {});
  ~Watchdog();
  bool fired() const { return fired_; }
  // What passes from Pause to Resume does not count towards the deadline.
  void Pause();
  void Resume();

 private:
  using Moment = std::chrono::steady_clock::time_point;
  void Watch(Connection& connection, const std::stop_token& stop, const std::stop_token& done);

  std::atomic<bool> fired_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  Moment deadline_;
  std::optional<Moment> paused_;
  std::jthread thread_;
};

}  // namespace weft::engine
