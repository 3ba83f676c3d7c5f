// Descriptors as people would write them: YAML from values, and the names and versions that Weft asks for.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/json.h"

namespace weft::model::exchange {

// Block style; every value reads back as it was.
std::string YamlText(const Json& document);

// The slug nearest to a name: "order-lines" for "Order_Lines"; another than those in `taken`, to which it is added.
std::string SlugOf(std::string_view name, std::set<std::string>& taken);
std::string SlugOf(std::string_view name);

// "1.0.0" for "1.0", "v1" and so on; empty where it is like no version.
std::string SemverOf(std::string_view text);

std::string NameOfFile(const std::string& path);  // Without its folders.

}  // namespace weft::model::exchange
