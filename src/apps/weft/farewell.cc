#include "apps/weft/farewell.h"

#include <fmt/format.h>

#include <vector>

#include "apps/weft/terminal.h"
#include "base/text.h"

namespace weft::app {

std::string FarewellText(const Json& deprecated) {
  std::vector<std::string> parts;
  if (!deprecated["message"].Text().empty()) parts.push_back(Safe(deprecated["message"].Text()));
  const std::string& sunset = deprecated["sunset"].Text();
  if (sunset.empty()) {
    parts.emplace_back("no sunset is stated");
  } else {
    parts.push_back(fmt::format("its sunset {} {} ({})", deprecated["overdue"].Bool() ? "was" : "is", Safe(sunset),
                                AgoText(sunset)));
  }
  const std::string& successor = deprecated["successor"].Text();
  if (!successor.empty()) parts.push_back("read " + Safe(successor) + " instead");
  return Join(parts, "; ");
}

}  // namespace weft::app
