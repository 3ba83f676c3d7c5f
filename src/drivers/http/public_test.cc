#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

#include "drivers/http/target.h"

namespace weft::http {
namespace {

bool Public(const std::string& text) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
  } else {
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    v6.sin6_family = AF_INET6;
  }
  return IsPublic(reinterpret_cast<const sockaddr&>(storage));
}

TEST(PublicTest, WhatIsOnThePublicInternet) {
  for (const char* text : {"93.184.216.34", "1.1.1.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "100.63.0.1",
                           "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::1"}) {
    EXPECT_TRUE(Public(text)) << text;
  }
}

TEST(PublicTest, WhatIsNot) {
  for (const char* text : {"127.0.0.1",
                           "127.9.9.9",
                           "0.0.0.0",
                           "10.1.2.3",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "198.18.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "fe80::1",
                           "fc00::1",
                           "fd12::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::1",
                           "2001:db8::1",
                           "2001::1"}) {
    EXPECT_FALSE(Public(text)) << text;
  }
}

}  // namespace
}  // namespace weft::http
