// The quarantine of an output port: the table of the rows that its runs set aside, an output port that the platform
// owns.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "model/repository.h"

namespace weft::model {

// "orders-quarantine" is that of "orders": names that end so are nobody else's.
inline constexpr std::string_view kQuarantineEnding = "-quarantine";
std::string QuarantineName(std::string_view port);
bool IsQuarantine(std::string_view port);
// The port of which it is: "orders" of "orders-quarantine".
std::string QuarantinedPort(std::string_view quarantine);
PortKey QuarantineKey(PortKey port);

// The platform's own columns, which stand before the contract's.
struct PlatformColumn {
  std::string_view name, type, description;
};
inline constexpr std::array<PlatformColumn, 7> kPlatformColumns = {{
    {"weft_id", "string", "Names the row, for as long as it is here."},
    {"weft_at", "timestamp", "When its run began."},
    {"weft_run", "string", "The run that set it aside."},
    {"weft_check", "string", "The first check that it failed."},
    {"weft_reason", "string", "What it breaks of the contract; no value of it."},
    {"weft_source", "string", "The file that it came from, where that is known."},
    {"weft_line", "integer", "Its line there, or its row where rows do not stand on lines."},
}};

// When rows that break the contract are set aside instead of refusing the run: as long as they are no more than this.
struct QuarantineTerms {
  std::optional<int64_t> max_rows;
  std::optional<double> max_share;  // Percent of the rows that were sent.

  std::string Text() const;  // "at most 1,000 rows and 1 %"; empty: any number.
};
// The custom property `quarantine` of vendor weft of the contract's one schema object; none: every run is refused.
std::optional<QuarantineTerms> QuarantineTermsOf(const Contract& contract);

// The quarantines of a bundle, as a bundle of their own: an output port for each whose contract asks for one, and its
// contract, which has the platform's columns, and the port's as text, nullable and without checks, with all that
// policies ask of: names, tags, classifications and entities. Their bytes are those of the port's own contract.
Bundle QuarantinesOf(const Bundle& bundle);

}  // namespace weft::model
