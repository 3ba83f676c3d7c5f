// A Flight SQL door over a mesh of one port (of so many rows, with statements kept for so many ms); says where it is as
// a line of JSON and serves until its standard input ends. A line of input is "ledger", "revoke", or a statement to
// read as `weft sql` does.
#include <iostream>

#include "ports/flight/client.h"
#include "ports/flight/flight.h"
#include "work/query/testing.h"

using namespace weft;

int main(int count, char** words) {
  const int64_t rows = count > 1 ? std::stoll(words[1]) : 10'000;
  query::testing::TestMesh mesh({}, rows);
  flight::Options options;
  if (count > 2) options.statement_idle = Millis(std::stoll(words[2]));
  gate::Gate gate(mesh.store(), mesh.ledger(), SystemClock());
  auto server = query::testing::Must(flight::Server::Start({gate, mesh.engine(), mesh.store()}, options));
  const std::string url = "grpc://127.0.0.1:" + std::to_string(server->port());
  const std::string ben = mesh.Token("ben");
  std::cout << Json::Map({{"url", url},
                          {"ben", ben},
                          {"eve", mesh.Token("eve")},
                          {"snapshot", std::to_string(mesh.snapshots[0])}})
                   .Dump()
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "ledger") {
      Json kinds{Json::Array()};
      for (const ledger::Sealed& row : mesh.Ledger("")) {
        kinds.Push(
            Json::Map({{"kind", row.entry.kind}, {"principal", row.entry.principal}, {"detail", row.entry.detail}}));
      }
      std::cout << kinds.Dump() << std::endl;
    } else if (line == "revoke") {
      mesh.Revoke("ben");
      std::cout << "{}" << std::endl;
    } else {
      Json answer{Json::Array()};
      Status read = flight::Query({.url = url, .bearer = ben, .purpose = "", .at = "", .ca_file = ""}, line,
                                  [&](const flight::Batch& batch) {
                                    for (const auto& row : batch.rows) answer.Push(Json(Json::Array(row)));
                                    return true;
                                  });
      if (!read) answer = Json::Map({{"code", CodeName(read.error().code)}, {"message", read.error().message}});
      std::cout << answer.Dump() << std::endl;
    }
  }
  server->Stop(Deadline::After(Millis(1'000)));
  return 0;
}
