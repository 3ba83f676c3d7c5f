// A run's inputs as its product may read them, pinned: files by hash, other ports by snapshot.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/store/store.h"
#include "state/catalog/catalog.h"
#include "state/lake/lake.h"
#include "work/run/inputs.h"

namespace weft::run {

// What an input port comes to, before an engine has looked at it.
struct Pinned {
  const model::InputPort* port = nullptr;
  std::optional<Files> files;      // A file source,
  std::string select;              // or another port's snapshot under its policy.
  std::vector<std::string> paths;  // Files that `select` opens.
  lineage::Input lineage;
};

// Another port's rows as the product `as` may read them: kDenied with the remedy where it may not.
struct PortRows {
  std::string select;
  std::vector<std::string> paths;
  std::string snapshot;  // Empty: nothing was committed yet.
};
Result<PortRows> ReadPort(store::Txn& txn, Clock& clock, const catalog::PortRow& row, const std::string& as);

// Every input port of the bundle. File contents are hashed here.
Result<std::vector<Pinned>> PinInputs(store::Txn& txn, Clock& clock, const catalog::Port& port, const Options& options);

// The tables that the contract's foreign keys point at, by the text before the column: an input port, another output
// port of the product, or domain.product.port. What cannot be found is left out, and its check will say so.
struct Targets {
  std::map<std::string, std::string> select;
  std::vector<std::string> paths;
};
Result<Targets> FindTargets(store::Txn& txn, Clock& clock, const catalog::Port& port);

}  // namespace weft::run
