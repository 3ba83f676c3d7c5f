// Runs that nobody executes any more: inside this room only.
#pragma once

#include "model/entity.h"
#include "work/run/run.h"

namespace weft::run {

// Ends, as interrupted, the runs of nodes that are gone, and where `starting` what this node left when it last ended:
// told in the ledger, and their right to write taken back.
Status EndOrphans(store::Txn& txn, const Context& context, bool starting);

}  // namespace weft::run
