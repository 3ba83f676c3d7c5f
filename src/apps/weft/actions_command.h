// weft actions: what every role may, and what every door and command asks of whom.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::unique_ptr<Command> MakeActions(CLI::App& app);
std::string ActionsMarkdown();  // docs/actions.md

}  // namespace weft::app
