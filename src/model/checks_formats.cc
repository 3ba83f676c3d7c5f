#include <iterator>

#include "base/text.h"
#include "model/checks_internal.h"

namespace weft::model {
namespace {

// The expressions that a format's values match as a whole.
struct Format {
  std::string_view name;
  std::string_view pattern;
};
constexpr Format kFormats[] = {
    {"uuid", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"},
    {"email", "[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+"},
    {"uri", "[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+"},
    {"hostname", "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"},
    {"ipv4", "((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"},
    {"ipv6",
     "([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|"
     "([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|"
     "([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|"
     "[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:)"},
    {"date", "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"},
    {"time", "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"},
    {"date-time",
     "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
     "(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"},
};

// Named by the standard, and judging nothing.
constexpr std::string_view kWords[] = {"password", "byte", "binary"};

}  // namespace

std::string_view FormatPattern(std::string_view format) {
  const auto* known = std::ranges::find(kFormats, format, &Format::name);
  return known == std::end(kFormats) ? std::string_view() : known->pattern;
}

std::string_view NearestFormat(std::string_view format) {
  std::vector<std::string_view> names(std::begin(kWords), std::end(kWords));
  for (const Format& known : kFormats) names.push_back(known.name);
  std::string_view nearest = Nearest(format, names);
  for (const std::string_view name : names) {
    if (std::ranges::is_permutation(format, name)) nearest = name;  // Letters that changed places.
  }
  const bool judges_nothing = std::ranges::find(kWords, nearest) != std::end(kWords);
  return judges_nothing ? std::string_view() : nearest;
}

std::string FormatNames() {
  std::vector<std::string> names;
  for (const Format& known : kFormats) names.emplace_back(known.name);
  return Join(names, ", ");
}

}  // namespace weft::model
