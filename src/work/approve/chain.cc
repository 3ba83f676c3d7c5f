#include "work/approve/chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/accounts/accounts.h"

namespace weft::approve {
namespace {

constexpr std::string_view kOwners = "owners";
constexpr std::string_view kStewards = "stewards";

bool Holds(const std::string& step, const model::Resource& resource, const model::Principal& principal) {
  const std::vector<std::string> holders = HoldersOf(step, resource);
  return std::ranges::any_of(holders, [&](const std::string& holder) { return access::Covers(holder, principal); });
}

// The principals whom a chain is asked about.
Result<std::vector<model::Principal>> About(store::Txn& txn, const requests::Request& request) {
  std::vector<model::Principal> about = {TRY(access::PrincipalOf(txn, request.requester))};
  for (const std::string& group : request.groups) {
    if (std::ranges::find(about[0].groups, group) == about[0].groups.end()) about[0].groups.push_back(group);
  }
  if (request.principal == request.requester) return about;
  if (!request.principal.starts_with("group:")) {
    about.push_back(TRY(access::PrincipalOf(txn, request.principal)));
    return about;
  }
  for (const std::string& member : TRY(access::Members(txn, request.principal.substr(6)))) {
    if (access::IsPrincipal(member)) about.push_back(TRY(access::PrincipalOf(txn, member)));
  }
  return about;
}

// Everybody who holds the step and is not barred. `open`: an identity provider says who else does.
struct Holders {
  std::vector<std::string> people;
  size_t known = 0;
  bool open = false;
};
Result<Holders> PeopleOf(store::Txn& txn, const View& view, const std::vector<std::string>& holders) {
  std::set<std::string> names;
  Holders found;
  for (const std::string& holder : holders) {
    if (!holder.starts_with("group:")) {
      names.insert(holder);
      continue;
    }
    for (std::string& member : TRY(access::Members(txn, holder.substr(6)))) {
      const bool known = access::IsPrincipal(member);
      found.open = found.open || !known;
      if (known) names.insert(std::move(member));
    }
  }
  found.known = names.size();
  for (const std::string& name : names) {
    if (Barred(view, TRY(access::PrincipalOf(txn, name))).empty()) found.people.push_back(name);
  }
  return found;
}

std::string WhyStuck(const std::string& step, const Holders& holders) {
  if (!holders.people.empty() || holders.open) return "";
  if (holders.known > 0) return fmt::format("nobody else holds the step '{}'", step);
  if (step == kOwners) return "the port has no owners";
  if (step.starts_with("group:")) return fmt::format("the group '{}' has no members", step.substr(6));
  return fmt::format("nobody holds the step '{}'", step);
}

bool Under(const model::Address& on, const model::Resource& resource) {
  model::Limits limits;
  limits.on = on;
  return limits.Permit(model::Action::kApprove, resource);
}

// What is left of a port that is gone: where it was, and who decides there.
Result<model::Resource> PlaceOf(store::Txn& txn, const model::PortKey& key) {
  model::Resource resource;
  resource.domain = key.domain;
  resource.product = key.product;
  resource.port = key.port;
  resource.major = key.major;
  resource.Add(TRY(catalog::WholeTeamOf(txn, key.domain, key.product)));
  return resource;
}

}  // namespace

std::vector<std::string> HoldersOf(const std::string& step, const model::Team& team) {
  if (step == kStewards) return team.stewards;
  return step == kOwners ? team.owners : std::vector<std::string>{step};
}

Result<View> ViewOf(store::Txn& txn, Clock& clock, requests::Request request) {
  View view;
  view.request = std::move(request);
  view.chain = view.request.chain;
  auto port = catalog::Load(txn, view.request.port);
  if (!port && port.error().code != Code::kNotFound) return port.TakeError();
  view.gone = !port;
  if (view.gone) {
    view.port.resource = TRY(PlaceOf(txn, view.request.port));
  } else {
    view.port = port.TakeValue();
    view.contract_version = view.port.row.version;
    if (view.request.status == "waiting") {
      view.chain =
          model::Chain::Strictest(std::move(view.chain), TRY(ChainNow(txn, clock, view.request, view.port.resource)));
    }
  }
  view.steps = TRY(StepsOf(txn, clock, view));
  return view;
}

Result<model::Chain> ChainNow(store::Txn& txn, Clock& clock, const requests::Request& request,
                              const model::Resource& resource) {
  const auto policies = TRY(access::PoliciesOf(txn));
  const Instant now = clock.Now();
  std::optional<model::Chain> chain;
  for (const model::Principal& principal : TRY(About(txn, request))) {
    model::Chain each = policies->ApprovalOf(principal, resource, request.purpose, now);
    chain = chain ? model::Chain::Strictest(std::move(*chain), each) : std::move(each);
  }
  return *chain;
}

std::string Barred(const View& view, const model::Principal& principal) {
  const requests::Request& request = view.request;
  if (principal.name == request.requester) {
    return fmt::format("{} made the request, and nobody approves their own", principal.name);
  }
  if (access::Covers(request.principal, principal)) {
    return fmt::format("the request is for {}, and nobody approves their own{}", request.principal,
                       request.principal == principal.name ? "" : ": " + principal.name + " is a member");
  }
  if (view.chain.asked.same) return "";
  for (const requests::Event& event : request.history) {
    if (event.kind != "approved") continue;
    if (event.who != principal.name && event.in_stead != principal.name) continue;
    return fmt::format("{} approved the step '{}', and another person approves the next", principal.name, event.step);
  }
  return "";
}

Result<std::vector<Step>> StepsOf(store::Txn& txn, Clock& clock, const View& view) {
  std::vector<Step> steps;
  for (const std::string& name : view.chain.asked.steps) {
    Step step;
    step.name = name;
    step.holders = HoldersOf(name, view.port.resource);
    for (const requests::Event& event : view.request.history) {
      if (event.kind != "approved" || event.step != name) continue;
      step.approved_by = event.who;
      step.in_stead = event.in_stead;
    }
    if (step.approved_by.empty() && view.request.status == "waiting") {
      Holders holders = TRY(PeopleOf(txn, view, step.holders));
      step.stuck = WhyStuck(name, holders);
      step.people = std::move(holders.people);
      std::set<std::string> instead;
      for (const std::string& person : step.people) {
        for (const requests::Delegation& delegation : TRY(requests::Delegations(txn, clock, person, ""))) {
          const bool may = Under(delegation.on, view.port.resource) &&
                           Barred(view, TRY(access::PrincipalOf(txn, delegation.to))).empty();
          if (may && std::ranges::find(step.people, delegation.to) == step.people.end()) instead.insert(delegation.to);
        }
      }
      step.people.insert(step.people.end(), instead.begin(), instead.end());
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Result<Right> RightTo(store::Txn& txn, Clock& clock, const View& view, const std::string& step,
                      const model::Principal& principal) {
  if (Holds(step, view.port.resource, principal)) return Right{true, ""};
  for (const requests::Delegation& delegation : TRY(requests::Delegations(txn, clock, "", principal.name))) {
    if (!Under(delegation.on, view.port.resource)) continue;
    // What was lent ends with the right that it was lent from; whom the request bars cannot lend it.
    const model::Principal from = TRY(access::PrincipalOf(txn, delegation.from));
    const std::optional<accounts::User> account = TRY(accounts::FindUser(txn, delegation.from));
    if (account && account->disabled_at) continue;
    if (Holds(step, view.port.resource, from) && Barred(view, from).empty()) return Right{true, from.name};
  }
  return Right{};
}

}  // namespace weft::approve
