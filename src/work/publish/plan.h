// The inside of publishing: what a plan knows while it compares, and the rules, each in a file of its own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "drivers/engine/engine.h"
#include "model/address.h"
#include "model/checks.h"
#include "model/schema.h"
#include "state/catalog/seen.h"
#include "work/publish/publish.h"

namespace weft::publish {

// What the mesh has of one product.
struct Registered {
  std::optional<catalog::ProductRow> product;
  std::vector<catalog::PortRow> ports;
};

// What a plan asks of the catalogue, each product read once, when it is asked for.
class Catalogue {
 public:
  // Of what `sight` does not see, nothing is registered.
  Catalogue(store::Txn& txn, model::Sight sight) : sight_(std::move(sight)), seen_(txn, sight_) {}
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;
  static Result<Registered> ReadOne(const catalog::Seen& seen, const std::string& domain, const std::string& product);
  const catalog::Seen& seen() const { return seen_; }

  // Valid while this lives.
  Result<const Registered*> Find(const std::string& domain, const std::string& product);

 private:
  const model::Sight sight_;
  const catalog::Seen seen_;
  std::map<std::pair<std::string, std::string>, Registered> products_;
};

// One bundle against what is registered of it. `changed` asks for the deeper rules.
struct Comparison {
  std::vector<Change> changes;
  std::vector<Problem> problems;
  bool changed = false;      // Its version bytes are new.
  bool register_it = false;  // Something of it must be written: bytes, a status or data pointers.
};
Result<Comparison> Compare(Context& context, store::Txn& txn, const model::Caller& caller, const model::Bundle& bundle,
                           const Registered& registered);

// The bundle's data files with paths under the product's folder, as the catalogue keeps them.
std::vector<model::DataFile> DataOf(const model::Bundle& bundle);

// The ports that this one reads: those inputs whose names occur in its build.
std::vector<std::pair<const model::InputPort*, model::PortKey>> UpstreamOf(const model::Bundle& bundle,
                                                                           const model::OutputPort& port);

// Where ports are found while planning: in the folder first, then in the catalogue.
class Ports {
 public:
  // `mesh` is the id that addresses must have; empty where the folder's own mesh.yaml judged them.
  Ports(store::Txn& txn, const std::vector<model::Bundle>& bundles, Catalogue& catalogue, std::string mesh);

  // A port with its contract and product; valid while this lives.
  struct Found {
    model::PortKey key;
    const model::Bundle* bundle = nullptr;
    const model::OutputPort* port = nullptr;
    const model::Contract* contract = nullptr;
    std::string status;
  };
  Result<std::optional<Found>> Find(const model::PortKey& key);
  // The port that an input's address names, with its major; kInvalid with a Problem's message where there is none.
  Result<Found> Resolve(const std::string& address);
  static std::vector<std::pair<const model::InputPort*, model::PortKey>> Upstream(const Found& port) {
    return UpstreamOf(*port.bundle, *port.port);
  }

 private:
  Result<std::string> Suggest(const model::Address& address) const;

  store::Txn& txn_;
  const std::string mesh_;
  Catalogue& catalogue_;
  std::map<model::PortKey, Found> folder_;
  std::map<model::PortKey, std::optional<Found>> registered_;
  std::vector<catalog::BundlePtr> held_;
};

// "weft.input": addresses that name no port of this mesh. "weft.deprecated": those of ports that go. "weft.cycle":
// ports that read themselves.
Status CheckInputs(Ports& ports, const model::Bundle& bundle, std::vector<Problem>* problems);
Status CheckCycles(Ports& ports, const std::vector<const model::Bundle*>& bundles, std::vector<Problem>* problems);

// Contracts' types and rules, and builds bound against empty tables of their inputs. Its engine opens when
// first needed; kUnavailable where the node has no memory for it in time.
class BuildChecker {
 public:
  BuildChecker(Ports& ports, const Context& context, const model::Entities& entities)
      : ports_(ports), context_(context), entities_(entities) {}
  Status Check(const model::Bundle& bundle, std::vector<Problem>* problems);

 private:
  struct Job;
  Result<engine::Connection*> Engine();
  Result<bool> BindRowChecks(const model::TableSchema& schema, const std::vector<model::Check>& checks);
  Status BindChecks(const model::Contract& contract, const model::TableSchema& schema,
                    const std::vector<model::Check>& checks, std::vector<Problem>* problems);
  Status CheckSql(Job& job);
  Status CheckProjection(Job& job);
  Result<bool> MakeTables(Job& job);
  Status Bind(Job& job);

  Ports& ports_;
  const Context& context_;
  const model::Entities& entities_;
  engine::MemoryBroker::Grant memory_;
  std::unique_ptr<engine::Instance> instance_;
  std::unique_ptr<engine::Connection> connection_;
};

// What other environments than this node's make of the bundle, as far as the ports that are here can tell: what cannot
// work there is told before it is promoted.
Status CheckElsewhere(Ports& ports, BuildChecker& builds, const model::Bundle& bundle, std::vector<Problem>* problems);

// What a key of a YAML text stood at: for rules about values that the model keeps without their place.
model::Place PlaceOf(const std::string& text, const std::string& file, const std::vector<std::string>& path);
Problem ProblemAt(const std::string& file, const model::Place& place, std::string rule, std::string message);

}  // namespace weft::publish
