// Statistics as Iceberg keeps them: a value's text as its single-value binary form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/schema.h"

namespace weft::lake {

// The bound that `text` (as DuckDB's RETURN_STATS has it) gives for a column of `type`; none where the type or the
// value (infinity, a year before 1 or after 9999) has no bound: readers then assume nothing. Of the two zeros the lower
// bound is the negative one, the upper bound the positive one, since statistics do not tell them apart.
std::optional<std::string> Bound(const model::Type& type, std::string_view text, bool lower);

}  // namespace weft::lake
