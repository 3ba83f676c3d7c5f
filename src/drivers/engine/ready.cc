#include "drivers/engine/ready.h"

namespace weft::engine {

Result<std::unique_ptr<Instance>> Ready::Take() {
  std::unique_ptr<Instance> instance;
  {
    std::lock_guard lock(mutex_);
    if (!instances_.empty()) {
      instance = std::move(instances_.back());
      instances_.pop_back();
    }
  }
  Status refilling = refilling_.Submit([this] { Refill(); });  // A full queue has one in it already.
  if (!instance) return open_();
  return instance;
}

void Ready::Refill() {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (instances_.size() >= count_) return;
    }
    auto instance = open_();
    if (!instance) return;  // Whoever takes the next one tries by itself, and says what is wrong.
    std::lock_guard lock(mutex_);
    instances_.push_back(instance.TakeValue());
  }
}

}  // namespace weft::engine
