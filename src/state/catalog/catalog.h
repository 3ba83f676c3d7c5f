// What the mesh offers: domains, products, contracts, output ports and their bytes.
// Owns mesh, domains, team_members, products, product_versions, product_files, output_ports, product_data,
// entity_files, entity_columns, environment; search.h, the search over them, owns its own.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/address.h"
#include "model/repository.h"

namespace weft::catalog {

std::span<const store::Migration> Migrations();

// The mesh's id, or empty before the first apply of a mesh.yaml.
Result<std::string> MeshId(store::Txn& txn);
Result<std::optional<model::Mesh>> MeshOf(store::Txn& txn);
Status PutMesh(store::Txn& txn, const model::Mesh& mesh);

// Of which environment the mesh's store is: products are read as that one has them. Empty: of none.
Result<std::string> EnvironmentOf(store::Txn& txn);
// Keeps what a node was started with, where that is not empty. kConflict where the store is of another one and has
// products; kInvalid where mesh.yaml names others only. True: it was not so before.
Result<bool> SettleEnvironment(store::Txn& txn, const std::string& name);

// Who holds a role in a domain, or in a product as its newest version has it, without those of its domain.
Result<model::Team> TeamOf(store::Txn& txn, const std::string& domain, const std::string& product = "");
// Who holds a role in a product: its own team, and then its domain's.
Result<model::Team> WholeTeamOf(store::Txn& txn, const std::string& domain, const std::string& product);
// The products in whose own team the principal or group stands, each with its team and its domain's.
Result<std::vector<model::Resource>> ProductsWith(store::Txn& txn, const std::string& member);
// Whoever stands in any team: principals, and groups as "group:NAME".
Result<std::vector<std::string>> TeamMembers(store::Txn& txn);

// A registered version of a product, parsed, as the store's environment has it. Shared: parsed versions are immutable
// and cached.
using BundlePtr = std::shared_ptr<const model::Bundle>;

struct ProductRow {
  std::string domain, name, version, status, type, description, digest, published_by;
  Instant published_at;
  std::vector<std::string> tags;
  model::Team team;  // Its own, and then its domain's.
};

// An output port's version. (domain, product, port, major) is its key for tables, grants and runs.
struct PortRow {
  model::PortKey key;
  std::string sql_name;  // "flights_v1"
  std::string version;
  std::string status;  // draft, active, deprecated, retired
  std::string product_version;
  std::string contract_id;
  std::string description;
  std::vector<std::string> tags;
  std::string classification;  // The strictest of its columns.
};

// Registers a bundle; what it replaces within its majors stays readable as a version. kConflict when an equal version
// of the product, or of a port's contract, is there with other bytes and is no draft; a changed `status` alone is a
// transition. The same bytes again change nothing.
Status Put(store::Txn& txn, Clock& clock, const model::Bundle& bundle, const std::string& principal);
// Writes the full text of all documents anew: of a store that was filled from a backup.
Status IndexAll(store::Txn& txn);
// The newest registered version (or `version`), with its data files; kNotFound with near names.
Result<BundlePtr> Product(store::Txn& txn, const std::string& domain, const std::string& name,
                          const std::string& version = "");
Result<std::optional<ProductRow>> FindProduct(store::Txn& txn, const std::string& domain, const std::string& name);
Result<std::vector<ProductRow>> Products(store::Txn& txn, const std::string& domain = "");

// The port that an address names; without a version the newest active major (else deprecated, else draft), with a
// major its newest version, with a version that one. kNotFound says what there is.
Result<PortRow> Resolve(store::Txn& txn, const model::Address& address);
// By names as SQL has them: operations.flights.flights_v1, or ….flights for the newest. Case-insensitive.
Result<PortRow> ResolveSql(store::Txn& txn, std::string_view domain, std::string_view product, std::string_view table);
Result<std::vector<PortRow>> Ports(store::Txn& txn, const std::string& domain = "", const std::string& product = "");
// The port with its bundle, its contract and what the gate asks about it.
struct Port {
  PortRow row;
  BundlePtr bundle;
  const model::OutputPort* port = nullptr;    // In `bundle`.
  const model::Contract* contract = nullptr;  // In `bundle`.
  model::Resource resource;
};
Result<Port> Load(store::Txn& txn, const PortRow& row);
// As it is now, in its newest version; kNotFound where it is gone.
Result<Port> Load(store::Txn& txn, const model::PortKey& key);

// What the newest version of each product, by its "domain/name", was applied from; an empty digest is not known.
struct FolderState {
  std::string version;
  std::string digest;  // model::FolderDigest
};
Result<std::map<std::string, FolderState>> Folders(store::Txn& txn);

// Data files that travelled with a product, put after it: path under the product's folder → hash. Bytes are in the
// upload folder.
Status PutData(store::Txn& txn, const std::string& domain, const std::string& product,
               const std::vector<model::DataFile>& data);
Result<std::vector<model::DataFile>> Data(store::Txn& txn, const std::string& domain, const std::string& product);
// Whether a product of the domain (of any, where it is empty) has a data file of this hash.
Result<bool> HasData(store::Txn& txn, const std::string& sha256, const std::string& domain = "");

// Every entity of the mesh.
Result<std::shared_ptr<const model::Entities>> EntitiesOf(store::Txn& txn);
// Adds the files, or replaces those of the same path; in force with the transaction, as a whole.
Status PutEntities(store::Txn& txn, Clock& clock, const std::vector<model::EntityFile>& files,
                   const std::string& principal);
// The columns of registered ports, each in its newest version, that identify an entity (any, where it is empty).
struct EntityColumn {
  std::string entity;
  model::PortKey port;
  std::string column;
};
Result<std::vector<EntityColumn>> EntityColumns(store::Txn& txn, const std::string& entity = "");

}  // namespace weft::catalog
