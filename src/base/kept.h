// The last few of what is made from a text: what is the same is made once, and never mistaken for another.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace weft {

// By the hash of what they were made from. Safe to share between threads.
template <class Made>
class Kept {
 public:
  // None where it is to be made.
  std::shared_ptr<const Made> Find(const std::string& digest) {
    std::lock_guard lock(mutex_);
    for (const auto& [known, made] : kept_) {
      if (known == digest) return made;
    }
    return nullptr;
  }
  void Put(const std::string& digest, std::shared_ptr<const Made> made) {
    std::lock_guard lock(mutex_);
    kept_.emplace_front(digest, std::move(made));
    if (kept_.size() > kMost) kept_.pop_back();
  }

 private:
  static constexpr size_t kMost = 4;
  std::mutex mutex_;
  std::deque<std::pair<std::string, std::shared_ptr<const Made>>> kept_;  // Shared with whoever uses them.
};

}  // namespace weft
