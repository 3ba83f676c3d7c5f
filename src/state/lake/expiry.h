// Snapshots that are forgotten: rows of the store, the table's metadata and, after a while, files.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "state/lake/lake.h"

namespace weft::lake {

struct Where {
  store::Store& store;
  Clock& clock;
  Codec codec;
};
// See Lake::Expire.
Result<Lake::Expired> ExpireSnapshots(const Where& where, const model::PortKey& key, const std::string& act,
                                      Instant before, const std::set<int64_t>& keep,
                                      const std::function<Status(store::Txn&, const Lake::Expired&)>& also);

// For readers that are given the folder alone; they may come a commit late.
void WriteHint(const Table& table);

}  // namespace weft::lake
