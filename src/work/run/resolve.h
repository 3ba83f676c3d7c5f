// A run's inputs as its product may read them, pinned: files by hash, other ports by snapshot.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "drivers/store/store.h"
#include "state/catalog/catalog.h"
#include "state/lake/lake.h"
#include "state/ledger/ledger.h"
#include "work/run/inputs.h"
#include "work/run/pieces.h"

namespace weft::run {

// A read of another port, as the ledger tells of it.
struct PortRead {
  std::string input;  // The input port, or what a foreign key names.
  std::string address;
  std::string snapshot;
  std::string right;
  Json policies;
  std::map<std::string, std::string> columns;  // All there are, and how they are seen: "clear", "mask-alphanum".
  std::set<std::string> keys;                  // Columns that foreign keys ask of.
};

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
  std::optional<PortRead> read;           // Where it is another port.
  std::shared_ptr<const void> held = {};  // So that its files stay.
  std::optional<Secret> password;         // Of a database, where its source names one.
  std::optional<Progress> progress;       // Where what was read before counts.
  std::map<std::string, Secret> secrets;  // Others that its source names.
  std::vector<Found> fetched;             // What it has elsewhere; without a path, what is not fetched yet.
};

// Who reads on a run's behalf: the product of `port`, for its purpose, by what `txn` sees.
struct Reading {
  store::Txn& txn;
  Context& context;
  const catalog::Port& port;
  std::optional<ledger::Entry> denial = {};  // Of the read that was denied: not yet recorded.
  bool whole = false;                        // Also what was read before is read.
};
// Another port's rows as the product may read them: kDenied with the remedy where it may not.
struct PortRows {
  std::string select;
  std::vector<std::string> paths;
  PortRead read;  // Its snapshot is empty where nothing was committed yet. Upkeep makes no other one of it.
  std::shared_ptr<const void> held = {};
  std::vector<secrets::Pseudonym> pseudonyms;
  std::string policy;
  std::map<std::string, std::string> ask_for;  // Columns that are not granted, in lower case, and how to ask for them.
};
Result<PortRows> ReadPort(Reading& reading, const catalog::PortRow& row, const std::string& input);
std::string ProductPrincipal(const model::PortKey& key);  // "product:insight/revenue"

// An error of the build's SQL: where the column that it lacks is only not granted, kDenied says how to ask for it.
Error OfGrants(Error error, const std::vector<Pinned>& inputs);

// The input ports that a run of the port needs: those that its build reads, and those that its foreign keys name.
std::set<std::string> NeededInputs(const catalog::Port& port, const std::set<std::string>& read);
// The ports that a run should come after: those that it reads as inputs, and those that its foreign keys point at.
// What cannot be found has no place in the order: the run will say why.
std::set<model::PortKey> Upstream(store::Txn& txn, const catalog::Port& port, const std::set<std::string>& read);
// Pins those inputs that are other ports; of the files it notes only that they are wanted.
Result<std::vector<Pinned>> PinInputs(Reading& reading, const std::set<std::string>& names);
// Finds and hashes the files, which may take long: whoever calls holds no transaction.
Status FindSources(std::vector<Pinned>& inputs, const model::Bundle& bundle,
                   const std::vector<model::DataFile>& uploads, const Options& options);

// The tables that the contract's foreign keys point at, by the text before the column: an input port, another output
// port of the product, or domain.product.port. What cannot be found is left out, and its check will say so.
struct Targets {
  std::map<std::string, std::string> select;
  std::vector<std::string> paths;
  std::vector<secrets::Pseudonym> pseudonyms;
  std::vector<PortRead> reads;
  std::vector<std::shared_ptr<const void>> held = {};
};
Result<Targets> FindTargets(Reading& reading);

}  // namespace weft::run
