// What a descriptor loses on the way to another format and back: what comes back is compared with what went out.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "model/exchange/exchange.h"

namespace weft::model::exchange {

// Every part of `original`, each as large as it can be, that `back` does not have with the same value. The elements of
// lists are the same by what names them, whatever their order.
std::vector<Told> Missing(const yaml::Node& original, const Json& back, const std::string& why);

}  // namespace weft::model::exchange
