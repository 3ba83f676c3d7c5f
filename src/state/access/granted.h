// What was granted to somebody, as far as it says what they may know of.
#pragma once

#include <vector>

#include "base/clock.h"
#include "drivers/store/store.h"
#include "model/access.h"

namespace weft::access {

// The ports on which the principal, or a group of theirs, holds a grant that has not ended, for whatever purpose.
Result<std::vector<model::PortKey>> GrantedTo(store::Txn& txn, Clock& clock, const model::Principal& principal);

// How many hold a grant on a port of the product that has not ended.
Result<int64_t> HoldersOn(store::Txn& txn, Clock& clock, const std::string& domain, const std::string& product);

}  // namespace weft::access
