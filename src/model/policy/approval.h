// Who must agree before somebody is given access: the steps of a chain, as policies say them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/access.h"

namespace weft::model {

// What one policy's `approve` says.
struct Approval {
  std::vector<std::string> steps;   // "owners", "stewards", "group:NAME", a principal. None: approved at once.
  std::optional<int64_t> until_s;   // How long what is granted holds at most.
  std::optional<int64_t> remind_s;  // So long before its end it is told.
  bool same = false;                // One person may approve more than one step.
};

// What several together ask: all steps in order, each once; the shortest time.
struct Chain {
  Approval asked;
  std::vector<AppliedPolicy> policies;  // Those that asked it; none: nobody said anything, and the owners decide.

  bool automatic() const { return asked.steps.empty(); }
  // The strictest of both: what is automatic by one alone is not.
  static Chain Strictest(Chain first, const Chain& second);
};

// "365d", "12h", "30m" in seconds; none where the text is no such time.
std::optional<int64_t> SecondsOf(std::string_view text);
// "90d", "12h"
std::string DurationText(int64_t seconds);

}  // namespace weft::model
