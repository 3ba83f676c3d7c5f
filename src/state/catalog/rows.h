// What the catalogue's own files share: inside this room only.
#pragma once

#include <map>

#include "state/catalog/catalog.h"

namespace weft::catalog {

Json TextsJson(const std::vector<std::string>& texts);
Result<std::vector<std::string>> TextsOf(const std::string& json);

// A port's columns in output_ports, in PortRow's order.
inline constexpr std::string_view kPortColumns =
    "domain, product, port, major, sql_name, version, status, product_version, contract_id, description, tags, "
    "classification";
Result<PortRow> PortOf(const store::Row& row);
// By domain and product; the domain's own under no product.
using Teams = std::map<std::pair<std::string, std::string>, model::Team>;
Result<Teams> TeamsOf(store::Txn& txn, const std::string& domain);  // Of every domain, where it is empty.
model::Team WholeTeamIn(const Teams& teams, const std::string& domain, const std::string& product);
Status PutTeam(store::Txn& txn, const std::string& domain, const std::string& product, const model::Team& team);

// Adds what the port's columns say of entities.
Status PutEntityColumns(store::Txn& txn, const PortRow& row, const model::Contract* contract);

// Replaces the product's documents in the full-text index, and what its columns say of entities.
Status PutIndex(store::Txn& txn, const model::Bundle& bundle);

}  // namespace weft::catalog
