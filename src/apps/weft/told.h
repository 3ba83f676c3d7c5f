// What an import or an export could not carry over, as a person reads it.
#pragma once

#include <string>
#include <vector>

#include "apps/weft/session.h"
#include "model/exchange/exchange.h"

namespace weft::app {

// Those of one kind stand together; of many alike the first few, and how many more there are.
std::string ToldText(const Session& session, const std::string& file, const std::vector<model::exchange::Told>& told);
Json ToldJson(const std::vector<model::exchange::Told>& told, bool lost);
int64_t LostCount(const std::vector<model::exchange::Told>& told);

}  // namespace weft::app
