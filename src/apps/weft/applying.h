// What a node would make of a folder, and what it did.
#pragma once

#include "apps/weft/folder.h"

namespace weft::app {

// Both print what they have found; the exit code. With --json, the node's answer.
Result<int> PlanFolder(Session& session, const Folder& folder);
Result<int> ApplyFolder(Session& session, const Folder& folder);

}  // namespace weft::app
