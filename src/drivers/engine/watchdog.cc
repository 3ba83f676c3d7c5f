#include "drivers/engine/engine.h"

namespace weft::engine {
namespace {

constexpr std::chrono::milliseconds kLookAgain{100};  // While it is paused.
constexpr std::chrono::milliseconds kBiteAgain{20};

}  // namespace

Watchdog::Watchdog(Connection& connection, Deadline deadline, std::stop_token stop)
    : deadline_(deadline.at()),
      thread_([this, &connection, stop](const std::stop_token& done) { Watch(connection, stop, done); }) {}

Watchdog::~Watchdog() = default;

void Watchdog::Pause() {
  std::lock_guard lock(mutex_);
  if (!paused_) paused_ = std::chrono::steady_clock::now();
}

// The deadline only ever moves away: nobody has to be woken.
void Watchdog::Resume() {
  std::lock_guard lock(mutex_);
  if (paused_ && deadline_ != Moment::max()) deadline_ += std::chrono::steady_clock::now() - *paused_;
  paused_.reset();
}

// An interrupt between two calls is lost, so a watchdog that has fired goes on interrupting until it is destroyed.
void Watchdog::Watch(Connection& connection, const std::stop_token& stop, const std::stop_token& done) {
  std::stop_callback on_stop(stop, [this] {
    std::lock_guard lock(mutex_);
    wake_.notify_all();
  });
  std::unique_lock lock(mutex_);
  auto due = [&] { return stop.stop_requested() || (!paused_ && std::chrono::steady_clock::now() >= deadline_); };
  while (!done.stop_requested() && !due()) {
    if (deadline_ == Moment::max()) {  // Some clocks overflow when they wait for the end of time.
      wake_.wait(lock, done, [&] { return stop.stop_requested(); });
    } else {
      const Moment next = paused_ ? std::chrono::steady_clock::now() + kLookAgain : deadline_;
      wake_.wait_until(lock, done, next, [&] { return stop.stop_requested(); });
    }
  }
  while (!done.stop_requested()) {
    fired_ = true;
    connection.Interrupt();
    wake_.wait_for(lock, done, kBiteAgain, [] { return false; });
  }
}

}  // namespace weft::engine
