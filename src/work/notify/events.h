// What happens to products as those hear of it who follow them: rows of the ledger as events, without a value of any
// data.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"

namespace weft::notify {

// What one can follow.
struct Topic {
  std::string_view name;
  std::string_view meaning;
};
std::span<const Topic> Topics();
// Sorted, each once; all where none is named. kInvalid names the nearest.
Result<std::vector<std::string>> CheckTopics(const std::vector<std::string>& names);

struct Event {
  int64_t row = 0;  // Of the ledger: what a reader resumes after.
  Instant at;
  std::string topic;
  std::string type;     // "weft.commit"
  std::string address;  // "sales/orders/orders@1"
  std::string text;     // A sentence.
  Json data;

  // CloudEvents 1.0, structured. Its id is the row: one within the mesh, which is its source.
  Json ToCloudEvent(const std::string& mesh) const;
};

struct Interest {
  std::string address;  // Short form of a domain, product or port; empty: all of the mesh.
  std::vector<std::string> topics;
};

// A stretch of the sealed ledger as a principal may know it, asked anew each time: of a draft its team alone hears.
struct Stretch {
  std::vector<Event> events;
  int64_t next = 0;  // Where to go on: the last row that was looked at.
};
struct Wanted {
  int64_t after = 0;
  size_t limit = 100;         // Events at most.
  bool newest_first = false;  // The last of them, `after` aside.
};
Result<Stretch> Read(store::Txn& txn, Clock& clock, const model::Principal& principal,
                     const std::vector<Interest>& interests, const Wanted& wanted);
// The newest sealed row.
Result<int64_t> Head(store::Txn& txn);

}  // namespace weft::notify
