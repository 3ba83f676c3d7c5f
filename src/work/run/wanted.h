// What a request asks for: ports in the order in which they may run, or a former snapshot.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "state/catalog/catalog.h"
#include "state/lake/lake.h"

namespace weft::run {

// A port that was asked for, and the ports that its run reads.
struct Wanted {
  catalog::Port port;
  std::set<model::PortKey> upstream;
};
// Upstream first, else as it came. What stands in a circle, which publishing refuses, keeps its order.
std::vector<Wanted> Ordered(std::vector<Wanted> wanted);

// The snapshot that `to` names, or the one before what readers see.
Result<int64_t> FormerOf(store::Txn& txn, const model::PortKey& key, const std::optional<lake::At>& to);

}  // namespace weft::run
