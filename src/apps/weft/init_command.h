// weft init: what a node needs before its first start.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeInit(CLI::App& app);

}  // namespace weft::app
