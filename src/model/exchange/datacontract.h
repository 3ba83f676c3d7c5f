// The Data Contract Specification (1.2.1; 0.9 and 1.x are read): its words beside those of ODCS.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/exchange/exchange.h"

namespace weft::model::exchange::datacontract {

inline constexpr std::string_view kVendor = "datacontract";

// A type that stands for exactly this pair. An empty physical type: none is written.
struct TypeWord {
  std::string_view word;
  std::string_view logical;
  std::string_view physical;
};
std::span<const TypeWord> TypeWords();

// A service level: the key that is its value, the one that names a field, and the promise of ODCS that it is.
struct LevelWord {
  std::string_view name;
  std::string_view value;
  std::string_view element;  // Empty: none.
};
std::span<const LevelWord> LevelWords();
inline constexpr std::string_view kIntervals[] = {"frequency", "backup"};  // Those that may have a cron.

// Keys of a field's `config` that carry what ODCS says and the specification has no word for.
inline constexpr std::string_view kCarried = "odcs.";

inline constexpr std::string_view kTextOptions[] = {"minLength", "maxLength", "pattern", "format"};
inline constexpr std::string_view kNumberOptions[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options);
Result<Exported> Export(const Bundle& bundle, const OutputPort& port);

// A contract as a document, for `Export` and its test: nothing but the translation.
Json Translated(const Json& contract);

}  // namespace weft::model::exchange::datacontract
