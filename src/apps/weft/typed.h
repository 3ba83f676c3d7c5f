// What a person typed and a node answers for: its errors name a field of its API, and the person an option.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace weft::app {

// The error with the option of `command`, or of every command, where its message begins with the field, parameter or
// header that the option fills: "--until: … is past" for "field until: … is past". `words`: the command line.
Error AsTyped(Error error, const CLI::App& command, const std::vector<std::string>& words);

}  // namespace weft::app
