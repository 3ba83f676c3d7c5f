// The Open Data Product Specification of the Linux Foundation (4.x): a product as a marketplace tells of it.
#pragma once

#include <string>
#include <string_view>

#include "model/exchange/exchange.h"

namespace weft::model::exchange::odps_lf {

inline constexpr std::string_view kVendor = "odps-lf";

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options);
// `port`: the one whose contract goes along; null: the first of the product.
Result<Exported> Export(const Bundle& bundle, const OutputPort& port);

}  // namespace weft::model::exchange::odps_lf
