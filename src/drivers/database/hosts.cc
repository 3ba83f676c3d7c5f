#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "drivers/database/database.h"

namespace weft::database {
namespace {

// An address as the system writes it, so that each has one spelling; empty for a name.
std::string Canonical(const std::string& host) {
  char text[INET6_ADDRSTRLEN] = "";
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return ::inet_ntop(AF_INET, &four, text, sizeof text);
  if (::inet_pton(AF_INET6, host.c_str(), &six) == 1) return ::inet_ntop(AF_INET6, &six, text, sizeof text);
  return "";
}

// Of this machine, of its link, of nobody or of many: no database of a company is there by accident.
bool IsSpecial(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const uint32_t ip = ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
    return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 16 == 0xA9FE || ip >> 28 >= 0xE;
  }
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&ip)) {
    sockaddr_in inner{};
    inner.sin_family = AF_INET;
    std::memcpy(&inner.sin_addr, ip.s6_addr + 12, 4);
    return IsSpecial(reinterpret_cast<const sockaddr*>(&inner));
  }
  return IN6_IS_ADDR_LOOPBACK(&ip) || IN6_IS_ADDR_UNSPECIFIED(&ip) || IN6_IS_ADDR_LINKLOCAL(&ip) ||
         IN6_IS_ADDR_MULTICAST(&ip) || IN6_IS_ADDR_V4COMPAT(&ip);
}

bool IsHost(const std::string& host) {
  if (!Canonical(host).empty()) return true;
  constexpr std::string_view kOf = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !host.empty() && host.size() < 254 && host[0] != '-' && Lower(host).find_first_not_of(kOf) == host.npos;
}

bool Matches(const std::string& host, const std::string& allowed) {
  const std::string lower = Lower(allowed), canonical = Canonical(allowed);
  if (!canonical.empty() || !Canonical(host).empty()) return Canonical(host) == canonical;
  if (lower.starts_with("*.")) return host.size() > lower.size() - 1 && host.ends_with(lower.substr(1));
  return host == lower;
}

}  // namespace

Result<std::vector<std::string>> AllowedAddresses(const std::string& host, const std::vector<std::string>& hosts) {
  if (!IsHost(host)) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no host: write its name or address alone, as in db.example.com", host)};
  }
  const std::string name = Lower(host);
  auto allowed = [&](const std::string& what) {
    return std::ranges::any_of(hosts, [&](const std::string& each) { return Matches(what, each); });
  };
  if (!allowed(name)) {
    return Error{
        Code::kDenied,
        fmt::format("sources may not go to the host '{0}'. What helps: the node's administrator allows it with "
                    "the setting source-hosts: weft serve --source-hosts {0}",
                    host)};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &found); failure != 0) {
    return Error{Code::kUnavailable, fmt::format("the host '{}' cannot be found: {}", host, ::gai_strerror(failure))};
  }
  std::vector<std::string> addresses, refused;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    char text[NI_MAXHOST] = "";
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    const bool may = !IsSpecial(at->ai_addr) || name == "localhost" || allowed(text);
    (may ? addresses : refused).emplace_back(text);
  }
  ::freeaddrinfo(found);
  if (!addresses.empty()) return addresses;
  return Error{
      Code::kDenied,
      fmt::format("the host '{}' is {}, an address of this machine or of its link, which sources may go to only "
                  "where the setting source-hosts names the address itself",
                  host, Join(refused, ", "))};
}

}  // namespace weft::database
