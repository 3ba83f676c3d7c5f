// Connections for reading that a store keeps open, lent to one transaction at a time: inside this room only.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drivers/store/turns.h"

namespace weft::store {

// Thread-safe.
template <class Connection>
class Readers {
 public:
  explicit Readers(size_t most) : most_(most) {}

  // One that is free, else a new one from `open`; kUnavailable where none came free in time.
  template <class Open>
  Result<std::unique_ptr<Connection>> Take(Open open) {
    {
      std::unique_lock lock(mutex_);
      if (!freed_.wait_for(lock, kPatience, [this] { return !free_.empty() || opened_ < most_; })) {
        return Error{Code::kUnavailable, "the store is busy: all of its " + std::to_string(most_) +
                                             " readers are in use; try again in a moment"};
      }
      if (!free_.empty()) {
        auto reader = std::move(free_.back());
        free_.pop_back();
        return reader;
      }
      ++opened_;
    }
    Result<std::unique_ptr<Connection>> reader = open();
    if (!reader) Forget();
    return reader;
  }

  void Put(std::unique_ptr<Connection> reader) {
    {
      std::lock_guard lock(mutex_);
      free_.push_back(std::move(reader));
    }
    freed_.notify_one();
  }

  // One that was taken is no more, and with `all` none of the free ones is good either.
  void Forget(bool all = false) {
    {
      std::lock_guard lock(mutex_);
      --opened_;
      if (all) {
        opened_ -= free_.size();
        free_.clear();
      }
    }
    freed_.notify_all();
  }

 private:
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> free_;
  size_t opened_ = 0;
};

}  // namespace weft::store
