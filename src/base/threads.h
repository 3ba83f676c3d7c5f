// A bounded pool, a deadline, a stop: nobody else makes a thread for work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace weft {

// A moment on the steady clock by which something must be done.
class Deadline {
 public:
  static Deadline After(std::chrono::milliseconds time) { return Deadline(std::chrono::steady_clock::now() + time); }
  static Deadline Never() { return Deadline(std::chrono::steady_clock::time_point::max()); }
  bool passed() const { return std::chrono::steady_clock::now() >= at_; }
  std::chrono::steady_clock::time_point at() const { return at_; }

 private:
  explicit Deadline(std::chrono::steady_clock::time_point at) : at_(at) {}
  std::chrono::steady_clock::time_point at_;
};

// A fixed number of threads over a queue with a limit. A task never submits to its own pool and waits.
class Pool {
 public:
  Pool(std::string name, size_t threads, size_t queue_limit);
  ~Pool();  // Runs what is queued, then joins.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // kUnavailable when the queue is full or the pool is stopping.
  Status Submit(std::function<void()> task);

 private:
  void Work();

  const std::string name_;
  const size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

// A thread that calls `tick` every `period` until it is destroyed; the first call comes after one period.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds period, std::function<void()> tick);
  ~Ticker();
  void Poke();  // Ticks now.

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool poked_ = false;
  std::jthread thread_;
};

}  // namespace weft
