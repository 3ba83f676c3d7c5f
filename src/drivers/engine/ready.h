// Engines that are open before somebody asks for one: opening takes 10 to 20 ms of a processor.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/threads.h"
#include "drivers/engine/engine.h"

namespace weft::engine {

// Thread-safe.
class Ready {
 public:
  using Open = std::function<Result<std::unique_ptr<Instance>>()>;

  // Keeps `count` of what `open` gives, from the first time that one is taken.
  Ready(Open open, size_t count) : open_(std::move(open)), count_(count) {}

  // One that nobody else has. `open`'s own error where none is ready and it fails.
  Result<std::unique_ptr<Instance>> Take();

 private:
  void Refill();

  const Open open_;
  const size_t count_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Instance>> instances_;
  Pool refilling_{"engines", 1, 2};  // Last: its thread uses the others.
};

}  // namespace weft::engine
