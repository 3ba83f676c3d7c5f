// A run's inputs as its product may read them, pinned: files by hash, other ports by snapshot.
#pragma once

#include <map>
#include <set>
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
  std::optional<Files> files;                  // A file source,
  std::string select;                          // or another port's snapshot under its policy.
  std::vector<std::string> paths;              // Files that `select` opens.
  std::vector<secrets::Pseudonym> pseudonyms;  // That it needs.
  std::string policy;                          // What policies make of the rows, as a text that only they change.
  std::map<std::string, std::string> ask_for;  // See PortRows.
  lineage::Input lineage;
};

// Another port's rows as the product may read them for its purpose: kDenied with the remedy where it may not.
struct PortRows {
  std::string select;
  std::vector<std::string> paths;
  std::vector<secrets::Pseudonym> pseudonyms;
  std::string policy;
  std::string snapshot;                        // Empty: nothing was committed yet.
  std::map<std::string, std::string> ask_for;  // Columns that are not granted, in lower case, and how to ask for them.
};
Result<PortRows> ReadPort(store::Txn& txn, Context& context, const catalog::PortRow& row, const catalog::Port& reader);

// An error of the build's SQL: where the column that it lacks is only not granted, kDenied says how to ask for it.
Error OfGrants(Error error, const std::vector<Pinned>& inputs);

// The input ports that a run of the port needs: those that its build reads, and those that its foreign keys name.
std::set<std::string> NeededInputs(const catalog::Port& port, const std::set<std::string>& read);
// The ports that a run should come after: those that it reads as inputs, and those that its foreign keys point at.
// What cannot be found has no place in the order: the run will say why.
std::set<model::PortKey> Upstream(store::Txn& txn, const catalog::Port& port, const std::set<std::string>& read);
// Pins those inputs that are other ports; of the files it notes only that they are wanted.
Result<std::vector<Pinned>> PinInputs(store::Txn& txn, Context& context, const catalog::Port& port,
                                      const std::set<std::string>& names);
// Finds and hashes the files, which may take long: whoever calls holds no transaction.
Status FindSources(std::vector<Pinned>& inputs, const model::Bundle& bundle,
                   const std::vector<model::DataFile>& uploads, const Options& options);

// The tables that the contract's foreign keys point at, by the text before the column: an input port, another output
// port of the product, or domain.product.port. What cannot be found is left out, and its check will say so.
struct Targets {
  std::map<std::string, std::string> select;
  std::vector<std::string> paths;
  std::vector<secrets::Pseudonym> pseudonyms;
};
Result<Targets> FindTargets(store::Txn& txn, Context& context, const catalog::Port& port);

}  // namespace weft::run
