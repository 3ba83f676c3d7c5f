// The order in which a process's writers get at the store: inside this room only.
#pragma once

#include <condition_variable>
#include <deque>
#include <thread>

#include "base/threads.h"
#include "drivers/store/store.h"

namespace weft::store {

constexpr auto kPatience = std::chrono::seconds(30);  // For other threads of ours, and for other nodes.

// A lock that is handed over in the order of asking, so that no writer starves.
class Turns {
 public:
  Status Take() {
    std::unique_lock lock(mutex_);
    const auto self = std::this_thread::get_id();
    if (taken_ && holder_ == self) {
      return Error{Code::kInternal, "this thread has a writing transaction open already; it cannot wait for itself"};
    }
    if (!taken_) {
      taken_ = true;
      holder_ = self;
      return {};
    }
    Waiter waiter;
    waiting_.push_back(&waiter);
    if (!waiter.wake.wait_for(lock, kPatience, [&] { return waiter.turn; })) {
      std::erase(waiting_, &waiter);
      return Error{Code::kUnavailable,
                   "the store is busy: another transaction held it for 30 s; try again in a moment"};
    }
    holder_ = self;
    return {};
  }

  void Leave() {
    std::lock_guard lock(mutex_);
    holder_ = {};
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    Waiter* next = waiting_.front();
    waiting_.pop_front();
    next->turn = true;
    next->wake.notify_one();  // Under the lock: the waiter's condition variable lives on its own stack.
  }

 private:
  struct Waiter {
    std::condition_variable wake;
    bool turn = false;
  };
  std::mutex mutex_;
  bool taken_ = false;
  std::thread::id holder_;
  std::deque<Waiter*> waiting_;
};

}  // namespace weft::store
