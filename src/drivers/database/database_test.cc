#include "drivers/database/database.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace weft::database {
namespace {

std::string Of(const std::string& host, const std::vector<std::string>& hosts) {
  auto addresses = AllowedAddresses(host, hosts);
  return addresses ? Join(*addresses, " ") : std::string(CodeName(addresses.error().code));
}

TEST(AllowedAddresses, NoHostIsAllowedThatIsNotNamed) {
  EXPECT_EQ(Of("192.0.2.7", {}), "denied");
  EXPECT_EQ(Of("192.0.2.7", {"192.0.2.8", "2.7", "*.2.7"}), "denied");
  EXPECT_EQ(Of("192.0.2.7", {"192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(Of("db.example.com", {"example.com", "xdb.example.com", "*.db.example.com"}), "denied");
}

TEST(AllowedAddresses, ThisMachineAndItsLinkOnlyWhereTheirAddressIsNamed) {
  EXPECT_EQ(Of("127.0.0.1", {"127.0.0.1"}), "127.0.0.1");
  EXPECT_NE(Of("localhost", {"localhost"}), "denied");
  for (const std::string host : {"127.0.0.1", "127.1.2.3", "169.254.169.254", "0.0.0.0", "::1", "::", "fe80::1",
                                 "::ffff:127.0.0.1", "::ffff:169.254.169.254", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_EQ(Of(host, {"localhost", "*.1", "10.0.0.1"}), "denied") << host;
  }
  // Spellings that a resolver takes for the loopback, allowed by their text: their address is still none that was
  // named.
  for (const std::string host : {"127.1", "2130706433", "0x7f000001", "017700000001"}) {
    EXPECT_EQ(Of(host, {host}), "denied") << host;
  }
}

TEST(AllowedAddresses, WhatIsNoHost) {
  for (const std::string host : {"", "a b", "user@db", "db:5432", "/var/run/postgresql", "db,other", "db/x", "-x",
                                 "[::1]", "host=evil", "a\nb"}) {
    EXPECT_EQ(Of(host, {host}), "invalid") << host;
  }
}

}  // namespace
}  // namespace weft::database
