// Mode upsert: rows replace those of the same key, and only the files that held one of them are written again.
#pragma once

#include <string>
#include <vector>

#include "work/run/modes.h"

namespace weft::run {

// A key that `select` has twice is staged twice: the contract's check of its primary key refuses it with its rows.
Result<Met> Upsert(engine::Connection& connection, lake::Staging& staging, const std::string& select,
                   const std::vector<std::string>& key, const std::vector<std::string>& cluster_by);

}  // namespace weft::run
