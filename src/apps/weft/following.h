// Runs on their way to their end, told as it comes.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/command.h"

namespace weft::app {

bool Moves(const Json& run);  // It has not ended.
Style StyleOf(const Json& run);
std::string Duration(const Json& run);
std::string ResultLine(const Session& session, const Json& run);
// A check with its place, and the rows that it found.
std::string CheckText(const Session& session, const Json& check);

struct Followed {
  int code = 0;  // Of several that did not come about, what was refused or failed says more than what was denied.
  std::vector<Json> runs;  // As they ended.
};
// Polls until none of `submitted` moves; tells each one's end with `mark` before it, but as JSON nothing.
Result<Followed> FollowRuns(Session& session, const Json& submitted, const std::string& mark);
// The same, and as JSON all of them; the exit code.
Result<int> Follow(Session& session, const Json& submitted);

}  // namespace weft::app
