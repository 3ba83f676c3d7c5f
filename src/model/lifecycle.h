// The end of a product or an output port as its owner states it: Weft's own properties `sunset`, `deprecation` and
// `successor` of its descriptors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace weft::model {

struct Bundle;
struct Contract;

struct Deprecation {
  std::optional<Instant> sunset;  // From when on it may go.
  std::string message;
  std::string successor;  // An address to read instead.

  bool overdue(Instant now) const { return sunset && *sunset <= now; }
  Json ToJson(Instant now) const;  // {"sunset", "message", "successor", "overdue"}
};

// A text under customProperties of a descriptor, of the vendor weft; empty where it says none.
std::string OwnText(const Json& document, std::string_view name);

// What the contract (null: none) says, and where it is silent what its product does.
Deprecation DeprecationOf(const Bundle& bundle, const Contract* contract);

// "2026-12-31", or with its time where it has one.
std::string DayText(Instant time);

}  // namespace weft::model
