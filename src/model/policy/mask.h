// Masks: the nine actions of the Iceberg REST specification's read restrictions and pseudonyms, as SQL of the engine.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/policy/policy.h"
#include "model/schema.h"

namespace weft::model {

// Whether the action can be applied to values of the type, which it keeps. kInvalid says to which types it can.
// A required column has no null to be replaced with.
Status CheckMask(MaskAction action, const Type& type, bool required);

// The masked value of `column` (SQL text of an expression) in DuckDB's SQL; null stays null. Of the type's own DuckDB
// type. `with`: for kSha256QueryLocal at least 16 random bytes in hexadecimal, for kPseudonym the name of the engine's
// function that makes the tokens. CheckMask holds.
std::string DuckDbMask(MaskAction action, const Type& type, const std::string& column, std::string_view with);

}  // namespace weft::model
