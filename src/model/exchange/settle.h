// A translated contract brought to what Weft takes: what it refuses moves into custom properties, and is told.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/exchange/part.h"

namespace weft::model::exchange {

// A path in the contract → where that came from.
using Origins = std::map<std::string, Place>;

// `vendor`: the format whose words are kept. Afterwards the contract passes Weft's rules about a contract alone.
void Settle(Json& contract, const Origins& origins, std::string_view vendor, Document& document);

}  // namespace weft::model::exchange
