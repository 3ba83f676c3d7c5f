// Tells, once for each, of ports that are past the sunset which their owners stated.
#include "model/lifecycle.h"
#include "state/catalog/catalog.h"
#include "state/ledger/ledger.h"
#include "work/publish/publish.h"

namespace weft::publish {
namespace {

// Whether it has been told of this sunset; an owner may have put it off since.
Result<bool> Told(store::Txn& txn, const std::string& port, const std::string& sunset) {
  const ledger::Query query{.kind = "sunset", .address_prefix = port, .limit = 1, .newest_first = true};
  for (const ledger::Sealed& row : TRY(ledger::List(txn, query))) return row.entry.detail["sunset"].Text() == sunset;
  return false;
}

}  // namespace

Result<int> TellSunsets(store::Store& store, Clock& clock) {
  std::vector<ledger::Entry> due;
  {
    auto txn = TRY(store.Read());
    for (const catalog::PortRow& row : TRY(catalog::Ports(*txn))) {
      if (row.status != "deprecated") continue;
      const catalog::Port port = TRY(catalog::Load(*txn, row));
      const model::Deprecation says = model::DeprecationOf(*port.bundle, port.contract);
      if (!says.overdue(clock.Now())) continue;
      const std::string sunset = model::DayText(*says.sunset), address = row.key.Text();
      if (TRY(Told(*txn, address, sunset))) continue;
      const Readers readers = TRY(ReadersOf(*txn, catalog::Everything(*txn), row.key, "", clock.Now()));
      due.push_back({"sunset", "node", "", address,
                     Json::Map({{"sunset", sunset},
                                {"successor", says.successor},
                                {"read_by_ports", readers.ports},
                                {"readers", static_cast<int64_t>(readers.principals.size())}})});
    }
  }
  if (due.empty()) return 0;
  auto txn = TRY(store.Begin());
  for (const ledger::Entry& entry : due) TRY(ledger::Append(*txn, clock, entry));
  TRY(txn->Commit());
  return static_cast<int>(due.size());
}

}  // namespace weft::publish
