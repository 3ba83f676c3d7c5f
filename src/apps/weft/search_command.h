// weft search: products, columns and terms by words.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeSearch(CLI::App& app);

}  // namespace weft::app
