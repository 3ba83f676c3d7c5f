#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/access/granted.h"
#include "state/catalog/seen.h"
#include "state/ledger/ledger.h"
#include "work/approve/approve.h"

namespace weft::approve {
namespace {

// A right that is lent where nothing is would be of no use, and nobody would notice.
Status CheckPlace(store::Txn& txn, Clock& clock, const model::Principal& principal, const model::Address& on) {
  if (on.domain.empty()) return {};
  const auto mesh = TRY(catalog::MeshOf(txn));
  std::vector<std::string_view> names;
  if (mesh) {
    for (const model::Mesh::Domain& domain : mesh->domains) names.push_back(domain.name);
  }
  if (std::ranges::find(names, on.domain) == names.end()) {
    return Error{Code::kNotFound, fmt::format("there is no domain '{}'{}", on.domain, DidYouMean(on.domain, names))};
  }
  if (on.product.empty()) return {};
  const model::Sight sight = TRY(catalog::SightOf(txn, principal, TRY(access::GrantedTo(txn, clock, principal))));
  const catalog::Seen seen(txn, sight);
  TRY(seen.Product(on.domain, on.product));
  if (!on.port.empty()) TRY(seen.Resolve(on));
  return {};
}

}  // namespace

Result<requests::Delegation> Delegate(store::Txn& txn, Clock& clock, const model::Caller& caller,
                                      const requests::Delegation& wanted) {
  requests::Delegation delegation = wanted;
  delegation.from = caller.principal.name;
  delegation.made_at = clock.Now();
  if (delegation.to == delegation.from) {
    return Error{Code::kInvalid, fmt::format("{} approves in their own right: name another person", delegation.to)};
  }
  for (const char* kind : {"group:", "product:", "service:"}) {
    if (!delegation.to.starts_with(kind)) continue;
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no person: one person approves in another's stead", delegation.to)};
  }
  TRY(CheckPlace(txn, clock, caller.principal, delegation.on));
  TRY(requests::PutDelegation(txn, delegation));
  TRY(ledger::Append(
      txn, clock,
      {"delegated", caller.principal.name, caller.purpose, delegation.on.Short(),
       Json::Map({{"to", delegation.to}, {"until", delegation.until ? Json(delegation.until->Text()) : Json()}})}));
  return delegation;
}

Status EndDelegation(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& to,
                     const model::Address& on) {
  if (TRY(requests::EndDelegations(txn, caller.principal.name, to, on)) == 0) {
    const std::string where = on.domain.empty() ? "" : fmt::format(" on just '{}'", on.Short());
    return Error{Code::kNotFound, fmt::format("{} approves nothing in the stead of {}{}; see weft delegations", to,
                                              caller.principal.name, where)};
  }
  return ledger::Append(
      txn, clock, {"delegation.ended", caller.principal.name, caller.purpose, on.Short(), Json::Map({{"to", to}})});
}

Result<int> TellEnding(store::Store& store, Clock& clock) {
  {
    // Mostly there is none, and the writer's turn is another's.
    auto txn = TRY(store.Read());
    if (TRY(access::Ending(*txn, clock)).empty()) return 0;
  }
  auto txn = TRY(store.Begin());
  const std::vector<access::Grant> ending = TRY(access::Ending(*txn, clock));
  for (const access::Grant& grant : ending) {
    TRY(access::MarkTold(*txn, grant));
    TRY(ledger::Append(*txn, clock,
                       {"grant.ending", grant.principal, grant.purpose, grant.port.Text(),
                        Json::Map({{"grant", grant.id}, {"until", grant.until->Text()}})}));
  }
  TRY(txn->Commit());
  return static_cast<int>(ending.size());
}

}  // namespace weft::approve
