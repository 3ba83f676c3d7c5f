// A semantic version, and the part of one that an address may name.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::model {

// semver.org 2.0.0 without pre-release and build parts; a leading "v" is not a version.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;

  static Result<Version> Parse(std::string_view text);
  std::string Text() const;
  auto operator<=>(const Version&) const = default;
};

}  // namespace weft::model
