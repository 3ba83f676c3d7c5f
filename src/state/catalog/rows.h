// What the catalogue's own files share: inside this room only.
#pragma once

#include <map>

#include "model/term.h"
#include "state/catalog/catalog.h"

namespace weft::catalog {

Json TextsJson(const std::vector<std::string>& texts);
Result<std::vector<std::string>> TextsOf(const std::string& json);

// A port's columns in output_ports, in PortRow's order.
inline constexpr std::string_view kPortColumns =
    "domain, product, port, major, sql_name, version, status, product_version, contract_id, description, tags, "
    "classification";
// The same row's product's status: of a draft, all ports are.
inline constexpr std::string_view kProductStatus =
    "(SELECT p.status FROM products p WHERE p.domain = output_ports.domain AND p.name = output_ports.product)";
Result<PortRow> PortOf(const store::Row& row);
// By domain and product; the domain's own under no product.
using Teams = std::map<std::pair<std::string, std::string>, model::Team>;
Result<Teams> TeamsOf(store::Txn& txn, const std::string& domain);  // Of every domain, where it is empty.
model::Team WholeTeamIn(const Teams& teams, const std::string& domain, const std::string& product);
Status PutTeam(store::Txn& txn, const std::string& domain, const std::string& product, const model::Team& team);

// Adds what the port's columns say of entities.
Status PutEntityColumns(store::Txn& txn, const PortRow& row, const model::Contract* contract);

// Adds the foreign keys of the port's contract.
Status PutReferences(store::Txn& txn, const model::Bundle& bundle, const PortRow& row, const model::Contract* contract);

// Adds what a port, or with an empty one the product, says of terms.
Status PutTermUses(store::Txn& txn, const model::PortKey& port, const std::vector<model::TermUse>& uses);
// Replaces what is found of the mesh's terms.
Status PutTermIndex(store::Txn& txn, const model::Terms& terms);

// Makes the newest version the one that speaks for the product, a draft only where nothing is published. `bundle`
// is one of its versions, or null: put.cc.
Status PutNewest(store::Txn& txn, const std::string& domain, const std::string& name, const model::Bundle* bundle);
// Replaces what is found of the product, and what it says of entities and terms: search_docs.cc.
Status PutIndex(store::Txn& txn, const model::Bundle& bundle);

}  // namespace weft::catalog
