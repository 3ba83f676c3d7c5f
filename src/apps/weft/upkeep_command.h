// weft upkeep: tables are tended by hand.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeUpkeep(CLI::App& app);

}  // namespace weft::app
