#include <gtest/gtest.h>

#include "ports/flight/flight.h"
#include "work/query/testing.h"

namespace weft::flight {
namespace {

TEST(FlightServer, IsNotReadyWhileACertificateCouldNotBeTaken) {
  query::testing::TestMesh mesh;
  gate::Gate gate(mesh.store(), mesh.ledger(), SystemClock());
  auto server = Server::Start({gate, mesh.engine(), mesh.store()}, {}).value();
  EXPECT_TRUE(server->Ready());
  testing::internal::CaptureStderr();  // The library tells of each try.
  const Status taken = server->UseCertificate("no certificate", "no key");
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(taken.error().code, Code::kUnavailable);
  EXPECT_EQ(server->Ready().error().code, Code::kUnavailable);
  ASSERT_TRUE(server->UseCertificate("", ""));
  EXPECT_TRUE(server->Ready());
}

}  // namespace
}  // namespace weft::flight
