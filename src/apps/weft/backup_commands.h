// weft backup and weft restore.
#pragma once

#include "apps/weft/command.h"

namespace weft::app {

std::span<const CommandEntry> BackupCommands();

}  // namespace weft::app
