#include "base/threads.h"

namespace weft {

Pool::Pool(std::string name, size_t threads, size_t queue_limit) : name_(std::move(name)), queue_limit_(queue_limit) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

Status Pool::Submit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Error{Code::kUnavailable, "the node is stopping; try again when it is back"};
    if (queue_.size() >= queue_limit_) {
      return Error{Code::kUnavailable, "the node is busy: its queue '" + name_ + "' is full; try again in a moment"};
    }
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return {};
}

void Pool::Work() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> tick)
    : thread_([this, period, tick = std::move(tick)](std::stop_token stop) {
        while (!stop.stop_requested()) {
          {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, period, [this] { return poked_; });
            poked_ = false;
          }
          if (!stop.stop_requested()) tick();
        }
      }) {}

Ticker::~Ticker() { thread_.request_stop(); }

void Ticker::Poke() {
  {
    std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

}  // namespace weft
