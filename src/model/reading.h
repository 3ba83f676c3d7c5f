// Small readers of a YAML tree that has been checked: what is absent reads as empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "model/contract.h"

namespace weft::model::reading {

std::string Text(const yaml::Node& node);                // A scalar's text.
std::vector<std::string> Texts(const yaml::Node& node);  // Those of a list.
bool IsTrue(const yaml::Node& node);
int Int(const yaml::Node& node);
Place PlaceOf(const yaml::Node& node, std::string path);

// customProperties as {name: value}; of a name that stands twice the last counts.
Json Custom(const yaml::Node& list);
// purpose, usage and limitations, one paragraph each.
std::string Description(const yaml::Node& description);

// The index of Weft's own custom property `name` in a list, or the list's size: `vendor: weft`, or the name
// "weft.NAME".
size_t FindOwn(const yaml::Node& list, std::string_view name);
// The value of that one among what `node` says as customProperties; missing where it is not there.
const yaml::Node& OwnValue(const yaml::Node& node, std::string_view name);

}  // namespace weft::model::reading
