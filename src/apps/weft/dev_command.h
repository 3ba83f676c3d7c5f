// `weft dev`: a folder is checked, published and run at every save, on a scratch node.
#pragma once

#include <memory>

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeDev(CLI::App& app);

}  // namespace weft::app
