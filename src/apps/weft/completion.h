// Scripts that complete the command line in a shell.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace weft::app {

// For bash, zsh or fish, from the tree under `root`.
std::string Completion(const std::string& shell, const CLI::App& root);

}  // namespace weft::app
