// What the node counts of itself, as Prometheus reads it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "work/query/query.h"

namespace weft::app {

// Thread-safe.
class Metrics {
 public:
  Metrics(store::Store& store, engine::MemoryBroker& memory);
  ~Metrics();

  // `route` becomes a label: a pattern out of a door's table, never what a client wrote.
  void Request(const std::string& route, int status, std::chrono::duration<double> took);
  // The same engine, its queries and rows counted. `inner` outlives it.
  std::unique_ptr<query::Engine> Counting(query::Engine& inner);
  std::string Text();  // Reads the ledger's news and the process as they are now.

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::app
