// `weft diff`: how two versions of a contract differ, and which version that makes.
#pragma once

#include <memory>

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeDiff(CLI::App& app);

}  // namespace weft::app
