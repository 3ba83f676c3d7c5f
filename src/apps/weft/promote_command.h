// weft promote: what passed on one node goes to the next, to the byte.
#pragma once

#include <memory>

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakePromote(CLI::App& app);

}  // namespace weft::app
