// What goes with a product: others like it, and the ports that one of its own can be joined with. Owns port_references.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "model/sight.h"

namespace weft::catalog {

// Another product that has much of the same, the rarer the more.
struct Alike {
  std::string address;
  std::string description;
  std::string status;
  std::vector<std::string> shares;  // "term on-time", "entity listener", "tag aviation", "column tailnum"
  double score = 0;
};
// Best first, none that is retired or not seen; kNotFound where there is no such product.
Result<std::vector<Alike>> LikeIt(store::Txn& txn, const model::Sight& sight, const std::string& domain,
                                  const std::string& product, size_t limit);

// Columns of this port and of another whose values mean the same thing.
struct Join {
  std::vector<std::string> columns;
  model::PortKey other;
  std::vector<std::string> other_columns;
  std::string entity;     // That both identify; empty: a foreign key says so.
  bool declared = false;  // The foreign key is this port's own, not the other's.
};
// Foreign keys first; none with a port that is retired or not seen.
Result<std::vector<Join>> JoinsOf(store::Txn& txn, const model::Sight& sight, const model::PortKey& port, size_t limit);

}  // namespace weft::catalog
