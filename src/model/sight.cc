#include "model/sight.h"

#include <algorithm>

#include "model/roles.h"

namespace weft::model {
namespace {

bool HasInMesh(const Principal& principal, const RoleEntry& entry) {
  if (entry.reach != Reach::kMesh) return false;
  if (entry.role == Role::kAdministrator) return principal.administrator;
  const std::string_view group = GroupOf(entry.role);
  return !group.empty() && std::ranges::find(principal.groups, group) != principal.groups.end();
}

}  // namespace

std::string PortStatus(const std::string& product, const std::string& contract) {
  const std::string whole = PlainStatus(product);
  return contract.empty() || whole == "draft" ? whole : PlainStatus(contract);
}

const Sight& Sight::Everything() {
  static const Sight everything = [] {
    Sight sight;
    sight.all_ = true;
    return sight;
  }();
  return everything;
}

Sight::Sight(const Principal& principal) {
  all_ = std::ranges::any_of(kRoles, [&](const RoleEntry& entry) { return HasInMesh(principal, entry); });
  if (principal.kind != Principal::Kind::kProduct) return;
  const size_t colon = principal.name.find(':'), slash = principal.name.find('/');
  if (colon == std::string::npos || slash == std::string::npos || slash < colon) return;
  AddTeam(principal.name.substr(colon + 1, slash - colon - 1), principal.name.substr(slash + 1));
}

bool Sight::SeesDrafts(const PortKey& what) const {
  if (all_ || teams_.contains({what.domain, ""}) || teams_.contains({what.domain, what.product})) return true;
  if (!what.port.empty()) return ports_.contains(what);
  const auto granted = ports_.lower_bound({what.domain, what.product, "", 0});
  return granted != ports_.end() && granted->domain == what.domain && granted->product == what.product;
}

}  // namespace weft::model
