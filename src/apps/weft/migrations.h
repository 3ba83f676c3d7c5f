// Every room's tables, in the order in which they are made.
#pragma once

#include <vector>

#include "drivers/store/store.h"

namespace weft::app {

std::vector<store::Migration> AllMigrations();

}  // namespace weft::app
