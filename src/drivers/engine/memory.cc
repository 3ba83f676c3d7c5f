#include <fmt/format.h>

#include "base/text.h"
#include "drivers/engine/engine.h"

namespace weft::engine {

MemoryBroker::MemoryBroker(int64_t bytes) : total_(bytes), free_(bytes) {}

MemoryBroker::Grant::Grant(Grant&& other) noexcept
    : broker_(std::exchange(other.broker_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryBroker::Grant& MemoryBroker::Grant::operator=(Grant&& other) noexcept {
  std::swap(broker_, other.broker_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MemoryBroker::Grant::~Grant() {
  if (!broker_) return;
  {
    std::lock_guard lock(broker_->mutex_);
    broker_->free_ += bytes_;
  }
  broker_->given_back_.notify_all();
}

Result<MemoryBroker::Grant> MemoryBroker::Take(int64_t bytes, Deadline deadline, const std::stop_token& stop) {
  if (bytes > total_) {
    return Error{Code::kUnavailable, fmt::format("{} of memory are asked for and the node's engines have {} in all: "
                                                 "raise the node's memory or ask for less",
                                                 HumanBytes(bytes), HumanBytes(total_))};
  }
  std::unique_lock lock(mutex_);
  const uint64_t turn = next_turn_++;
  turns_.push_back(turn);
  auto mine = [&] { return turns_.front() == turn && free_ >= bytes; };
  const bool endless = deadline.at() == std::chrono::steady_clock::time_point::max();  // Some clocks overflow there.
  const bool granted =
      endless ? given_back_.wait(lock, stop, mine) : given_back_.wait_until(lock, stop, deadline.at(), mine);
  std::erase(turns_, turn);
  if (granted) free_ -= bytes;
  const int64_t left = free_;
  lock.unlock();
  given_back_.notify_all();  // The next one in line may fit, too.
  if (!granted) {
    return Error{Code::kUnavailable,
                 fmt::format("the node is busy: {} of memory are asked for, {} of {} are free; try again",
                             HumanBytes(bytes), HumanBytes(left), HumanBytes(total_))};
  }
  Grant grant;
  grant.broker_ = this;
  grant.bytes_ = bytes;
  return grant;
}

int64_t MemoryBroker::free() const {
  std::lock_guard lock(mutex_);
  return free_;
}

}  // namespace weft::engine
