// What the readers of files share.
#pragma once

#include <string>
#include <vector>

#include "work/run/inputs.h"

namespace weft::run {

// "lacks amount, which 'a.csv' has, and has note, which 'a.csv' has not"; empty where both have the same names.
std::string Differences(const std::vector<std::string>& has, const std::vector<std::string>& first,
                        const std::string& of);
std::string List(const std::vector<std::string>& texts);  // As SQL.

Result<Reader> ParquetReader(engine::Connection& connection, const Files& files, const Expected& expected);

}  // namespace weft::run
