// weft import and weft export: descriptors of other formats.
#pragma once

#include <memory>
#include <span>

#include "apps/weft/command.h"

namespace weft::app {

std::span<const CommandEntry> ExchangeCommands();
std::unique_ptr<Command> MakeExport(CLI::App& app);

}  // namespace weft::app
