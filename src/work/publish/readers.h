// Who would notice: the ports and the principals that read a column, as runs and reads recorded it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "state/catalog/seen.h"

namespace weft::publish {

inline constexpr int kReadersDays = 90;

struct Readers {
  std::vector<std::string> ports;       // Whose newest snapshot is made of it: "insight/revenue/daily@1".
  std::vector<std::string> principals;  // Who read it in the last 90 days, products aside.
  bool named = true;                    // Whether the principals may be told by name; else how many.

  bool empty() const { return ports.empty() && principals.empty(); }
  std::string Text() const;  // "read by insight/revenue/daily@1, and in the last 90 days by ana"
  Json ToJson() const;       // {"ports", "principals" or "principals_count"}
};

// Of one column of a port, by ports that `seen` sees; of all of it where `column` is empty. Reads of the last moments
// may be missing.
Result<Readers> ReadersOf(store::Txn& txn, const catalog::Seen& seen, const model::PortKey& port,
                          const std::string& column, Instant now);

}  // namespace weft::publish
