// The policies that a mesh may begin with: the files of starter/policies, built into the program.
#pragma once

#include <span>
#include <string_view>

namespace weft::app {

struct StarterFile {
  std::string_view name;  // "personal-data.yaml"
  std::string_view text;
};
std::span<const StarterFile> StarterPolicies();

}  // namespace weft::app
