#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "drivers/http/target.h"

namespace weft::http {
namespace {

struct Network {
  uint32_t address;
  int bits;
};

// Those that RFC 6890 and its successors keep from the public internet.
constexpr Network kReserved[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
    {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
    {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4},
};

bool IsPublicV4(uint32_t address) {
  return std::ranges::none_of(
      kReserved, [&](const Network& network) { return (address ^ network.address) >> (32 - network.bits) == 0; });
}

uint32_t V4At(const in6_addr& address, size_t at) {
  const uint8_t* bytes = address.s6_addr + at;
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// Global unicast alone, and of what carries an address of IPv4 within it only what that is.
bool IsPublicV6(const in6_addr& address) {
  const uint8_t* bytes = address.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return IsPublicV4(V4At(address, 12));
  constexpr uint8_t kNat64[12] = {0x00, 0x64, 0xff, 0x9b};
  if (std::memcmp(bytes, kNat64, sizeof kNat64) == 0) return IsPublicV4(V4At(address, 12));
  if ((bytes[0] & 0xE0) != 0x20) return false;
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return IsPublicV4(V4At(address, 2));  // 6to4
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02) return false;      // Teredo and other protocols' own.
  return !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8);
}

}  // namespace

bool IsPublic(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return IsPublicV4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return IsPublicV6(v6.sin6_addr);
}

}  // namespace weft::http
