// The Data Product Descriptor Specification (1.0.0) of the Open Data Mesh Initiative: a product with its ports.
#pragma once

#include <string>
#include <string_view>

#include "model/exchange/exchange.h"

namespace weft::model::exchange::dpds {

inline constexpr std::string_view kVendor = "dpds";

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options);
Result<Exported> Export(const Bundle& bundle);

// The limits that have the same name and meaning there.
inline constexpr std::string_view kSameLimits[] = {"minLength", "maxLength", "pattern", "format", "minimum", "maximum"};
// Words of a column, theirs and ours, whose values are the same.
inline constexpr std::pair<std::string_view, std::string_view> kSameWords[] = {
    {"displayName", "businessName"},
    {"description", "description"},
    {"required", "required"},
    {"isUnique", "unique"},
    {"classificationLevel", "classification"},
    {"tags", "tags"},
    {"examples", "examples"},
    {"physicalType", "physicalType"}};

}  // namespace weft::model::exchange::dpds
