#include "work/signin/tries.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/id.h"

namespace weft::signin {
namespace {

constexpr size_t kMostNetworks = 10'000;
constexpr size_t kNetworkBytes = 8;

}  // namespace

std::string NetworkOf(const std::string& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1 || IN6_IS_ADDR_V4MAPPED(&address)) return host;
  return Hex(std::string_view(reinterpret_cast<const char*>(&address), kNetworkBytes));
}

Millis Tries::Wait(const std::string& peer) const {
  std::lock_guard lock(mutex_);
  auto found = free_at_.find(NetworkOf(peer));
  if (most_ == 0 || found == free_at_.end()) return Millis(0);
  const int64_t owed = found->second.millis() - clock_.Now().millis();
  return Millis(std::max<int64_t>(0, owed - (most_ - 1) * each_.count()));
}

void Tries::Count(const std::string& peer) {
  std::lock_guard lock(mutex_);
  const Instant now = clock_.Now();
  if (free_at_.size() >= kMostNetworks) {
    std::erase_if(free_at_, [&](const auto& entry) { return entry.second <= now; });
    auto oldest = std::ranges::min_element(free_at_, {}, [](const auto& entry) { return entry.second; });
    if (free_at_.size() >= kMostNetworks) free_at_.erase(oldest);
  }
  Instant& free_at = free_at_[NetworkOf(peer)];
  free_at = {std::max(free_at.micros, now.micros) + each_.count() * 1'000};
}

}  // namespace weft::signin
