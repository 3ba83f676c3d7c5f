#include "drivers/engine/engine.h"

namespace weft::engine {

// An interrupt between two calls is lost, so a watchdog that has fired goes on interrupting until it is destroyed.
Watchdog::Watchdog(Connection& connection, Deadline deadline, std::stop_token stop)
    : thread_([this, &connection, deadline, stop](std::stop_token done) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::stop_callback on_stop(stop, [&] {
          std::lock_guard lock(mutex);
          wake.notify_all();
        });
        std::unique_lock lock(mutex);
        auto due = [&] { return stop.stop_requested() || deadline.passed(); };
        if (deadline.at() == std::chrono::steady_clock::time_point::max()) {
          wake.wait(lock, done, [&] { return stop.stop_requested(); });
        } else {
          wake.wait_until(lock, done, deadline.at(), due);
        }
        while (!done.stop_requested() && due()) {
          fired_ = true;
          connection.Interrupt();
          wake.wait_for(lock, done, std::chrono::milliseconds(20), [] { return false; });
        }
      }) {}

Watchdog::~Watchdog() = default;

}  // namespace weft::engine
