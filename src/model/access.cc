#include "model/access.h"

#include <fmt/format.h>

namespace weft::model {

std::string_view ActionName(Action action) {
  switch (action) {
    case Action::kOpen:
      return "open";
    case Action::kBrowse:
      return "browse";
    case Action::kRead:
      return "read";
    case Action::kPublish:
      return "publish";
    case Action::kAdminister:
      return "administer";
    case Action::kRun:
      return "run";
    case Action::kGrant:
      return "grant";
    case Action::kAudit:
      return "audit";
  }
  return "unknown";
}

std::string Resource::Text() const {
  if (domain.empty()) return "the mesh";
  std::string text = domain;
  if (product.empty()) return text;
  text += "/" + product;
  if (port.empty()) return text;
  return fmt::format("{}/{}@{}", text, port, major);
}

}  // namespace weft::model
