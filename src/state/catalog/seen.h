// The catalogue as somebody sees it: of what they may not know of, every answer is as if it never had been. Doors ask
// by this; the functions of catalog.h are for what the program does by itself.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/sight.h"
#include "state/catalog/catalog.h"

namespace weft::catalog {

// By the teams that the principal stands in, and the ports that it was granted.
Result<model::Sight> SightOf(store::Txn& txn, const model::Principal& principal,
                             std::span<const model::PortKey> granted);

// As the functions of catalog.h that are called the same. The sight must outlive it.
class Seen {
 public:
  Seen(store::Txn& txn, const model::Sight& sight) : txn_(txn), sight_(sight) {}

  Result<BundlePtr> Product(const std::string& domain, const std::string& name, const std::string& version = "") const;
  Result<std::optional<ProductRow>> FindProduct(const std::string& domain, const std::string& name) const;
  Result<std::vector<ProductRow>> Products(const std::string& domain = "") const;
  Result<PortRow> Resolve(const model::Address& address) const;
  Result<PortRow> ResolveSql(std::string_view domain, std::string_view product, std::string_view table) const;
  Result<std::vector<PortRow>> Ports(const std::string& domain = "", const std::string& product = "") const;
  Result<catalog::Port> Load(const PortRow& row) const;
  Result<catalog::Port> Load(const model::PortKey& key) const;

  // Whether they may know of a port, or with an empty one of a product, by its key; of what is gone, those alone who
  // would see drafts there.
  Result<bool> Sees(const model::PortKey& key) const;
  // Of a product that is not seen, its own principal is not either.
  Result<bool> SeesPrincipal(const std::string& name) const;
  const model::Sight& sight() const { return sight_; }

 private:
  struct Keyed;
  Result<Keyed> KeyedProduct(const std::string& domain, const std::string& name, const std::string& version) const;
  Result<std::vector<PortRow>> PortsWhere(std::string_view where, std::initializer_list<store::Cell> args) const;

  store::Txn& txn_;
  const model::Sight& sight_;
};

inline Seen Everything(store::Txn& txn) { return {txn, model::Sight::Everything()}; }

}  // namespace weft::catalog
