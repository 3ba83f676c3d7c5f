// Denials of one kind within a window, counted instead of written: inside this room only.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "state/ledger/ledger.h"

namespace weft::ledger {

// Thread-safe.
class Denials {
 public:
  explicit Denials(Millis window) : window_(window) {}

  // Whether the denial is to be written now: it is the first of its kind. Otherwise it was counted.
  bool Opens(const Entry& denial);
  // It was not written after all: the next is the first again.
  void Forget(const Entry& denial);
  // A row for each kind whose window has ended, or for each, that was denied again within it.
  std::vector<Entry> Take(bool all);
  void PutBack(std::vector<Entry> entries);  // They could not be written: taken again next time.

 private:
  using Steady = std::chrono::steady_clock;
  struct Window {
    Entry entry;
    Steady::time_point ends;
    int64_t times = 0;
  };
  static std::string KindOf(const Entry& denial);

  const Millis window_;
  std::mutex mutex_;
  std::map<std::string, Window> open_;
  std::vector<Entry> left_;
};

}  // namespace weft::ledger
