// How often one network address may do what is dear: so many at once, and one more every so often.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace weft::signin {

// Thread-safe. What it knows is lost with the process, and beyond some thousand addresses the oldest is forgotten.
class Tries {
 public:
  // `most` of 0: no bound.
  Tries(Clock& clock, int64_t most, Millis each) : clock_(clock), most_(most), each_(each) {}

  // How long until the peer ("192.0.2.1:5000") has one left; 0: now.
  Millis Wait(const std::string& peer) const;
  void Count(const std::string& peer);

 private:
  Clock& clock_;
  const int64_t most_;
  const Millis each_;
  mutable std::mutex mutex_;
  std::map<std::string, Instant> free_at_;  // When all of an address' tries will be forgiven.
};

// Whom a peer's tries count for: its address; of IPv6 the network, since one customer has all of it.
std::string NetworkOf(const std::string& peer);

}  // namespace weft::signin
