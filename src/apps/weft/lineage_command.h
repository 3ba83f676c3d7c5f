// weft lineage: where a port's rows come from and go to.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeLineage(CLI::App& app);

}  // namespace weft::app
