#include <chrono>
#include <mutex>
#include <set>

#include "state/lake/lake.h"

namespace weft::lake {
namespace {

using Steady = std::chrono::steady_clock;

// When each of the holds of this process was taken. Thread-safe.
class Holds {
 public:
  void Add(Steady::time_point at) {
    std::lock_guard lock(mutex_);
    taken_.insert(at);
  }
  void Remove(Steady::time_point at) {
    std::lock_guard lock(mutex_);
    taken_.erase(taken_.find(at));
  }
  std::chrono::microseconds Oldest() {
    std::lock_guard lock(mutex_);
    if (taken_.empty()) return std::chrono::microseconds(0);
    return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - *taken_.begin());
  }

 private:
  std::mutex mutex_;
  std::multiset<Steady::time_point> taken_;
};

Holds& All() {
  static Holds holds;
  return holds;
}

class OneHold {
 public:
  OneHold() : at_(Steady::now()) { All().Add(at_); }
  ~OneHold() { All().Remove(at_); }
  OneHold(const OneHold&) = delete;
  OneHold& operator=(const OneHold&) = delete;

 private:
  const Steady::time_point at_;
};

}  // namespace

std::shared_ptr<const void> Hold() { return std::make_shared<const OneHold>(); }

Instant HeldSince(Instant now) { return {now.micros - All().Oldest().count()}; }

}  // namespace weft::lake
