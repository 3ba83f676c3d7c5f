// How a CSV file separates, quotes and encodes its values.
#pragma once

#include <string>
#include <vector>

#include "work/run/inputs.h"

namespace weft::run {

// By the engine's own guess, read in this encoding: the options of the source that differ from the usual ones, and what
// a person should know. Nothing where it cannot tell: what is wrong with the file, its reader says better.
void GuessDialect(engine::Connection& connection, const Files& files, const std::string& encoding, Json* options,
                  std::vector<std::string>* findings);

// Whether the file begins with the mark of UTF-16, which spreadsheets write.
bool BeginsAsUtf16(const std::string& path);

}  // namespace weft::run
