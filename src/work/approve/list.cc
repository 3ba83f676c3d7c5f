#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "work/approve/chain.h"

namespace weft::approve {
namespace {

constexpr int kPage = 200;

// By which names the steps of requests are looked through, before what is dear is asked of any: those that a caller
// could approve by, in their own right or in another's stead. Whose a request is in the end RightTo says.
class Held {
 public:
  static Result<Held> Of(store::Txn& txn, Clock& clock, const model::Principal& who) {
    Held held;
    held.Add(who);
    for (const requests::Delegation& delegation : TRY(requests::Delegations(txn, clock, "", who.name))) {
      if (!held.names_.contains(delegation.from)) held.Add(TRY(access::PrincipalOf(txn, delegation.from)));
    }
    // What a request needs by the policies in force may be more than when it was made.
    held.now_ = {"owners"};
    const auto policies = TRY(access::PoliciesOf(txn));
    for (const model::PolicyFile& file : policies->files()) {
      for (const model::Policy& policy : file.policies) {
        held.now_.insert(policy.approval.steps.begin(), policy.approval.steps.end());
      }
    }
    return held;
  }

  Result<bool> Any(store::Txn& txn, const requests::Request& request) {
    const std::pair place(request.port.domain, request.port.product);
    if (!teams_.contains(place)) {
      teams_.emplace(place, TRY(catalog::WholeTeamOf(txn, place.first, place.second)));
    }
    const model::Team& team = teams_.at(place);
    auto mine = [&](const std::string& name) { return names_.contains(name); };
    auto held = [&](const std::string& step) { return std::ranges::any_of(HoldersOf(step, team), mine); };
    return std::ranges::any_of(request.chain.asked.steps, held) || std::ranges::any_of(now_, held);
  }

 private:
  void Add(const model::Principal& principal) {
    for (std::string& name : principal.Names()) names_.insert(std::move(name));
  }

  std::set<std::string> names_, now_;
  std::map<std::pair<std::string, std::string>, model::Team> teams_;
};

Result<bool> WaitsFor(store::Txn& txn, Clock& clock, const model::Principal& who, const View& view) {
  const Step* next = view.Next();
  if (!next || !Barred(view, who).empty()) return false;
  const auto right = TRY(RightTo(txn, clock, view, next->name, who));
  return right.given;
}

Result<Listed> ToApprove(store::Txn& txn, Clock& clock, const model::Principal& who, size_t most) {
  Held held = TRY(Held::Of(txn, clock, who));
  Listed listed;
  std::optional<requests::Request> last;
  for (;;) {
    std::vector<requests::Request> page = TRY(requests::Waiting(txn, last ? &*last : nullptr, kPage));
    if (page.empty()) return listed;
    last = page.back();
    for (requests::Request& request : page) {
      if (!TRY(held.Any(txn, request))) continue;
      request.history = TRY(requests::History(txn, request.id));
      View view = TRY(ViewOf(txn, clock, std::move(request)));
      if (!TRY(WaitsFor(txn, clock, who, view))) continue;
      listed.more = listed.views.size() == most;
      if (listed.more) return listed;
      listed.views.push_back(std::move(view));
    }
  }
}

}  // namespace

Result<View> Find(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id) {
  View view = TRY(ViewOf(txn, clock, TRY(requests::Find(txn, id))));
  const model::Principal& who = caller.principal;
  bool sees = who.name == view.request.requester || access::Covers(view.request.principal, who);
  for (const model::Action action : {model::Action::kGrant, model::Action::kGovern, model::Action::kAudit}) {
    if (sees) return view;
    const model::Decision decision = TRY(access::Decide(txn, clock, caller, action, view.port.resource));
    sees = decision.permitted;
  }
  for (const Step& step : view.steps) {
    if (sees) return view;
    const auto right = TRY(RightTo(txn, clock, view, step.name, who));
    sees = right.given;
  }
  if (sees) return view;
  return Error{Code::kNotFound, fmt::format("there is no request '{}' that {} has a part in", id, who.name)};
}

Result<Listed> List(store::Txn& txn, Clock& clock, const model::Caller& caller, Whose whose, size_t most) {
  const model::Principal& who = caller.principal;
  if (whose == Whose::kToApprove) return ToApprove(txn, clock, who, most);
  if (whose == Whose::kAll) {
    const model::Decision govern = TRY(access::Decide(txn, clock, caller, model::Action::kGovern, {}));
    const model::Decision audit = TRY(access::Decide(txn, clock, caller, model::Action::kAudit, {}));
    if (!govern.permitted && !audit.permitted) {
      return Error{Code::kDenied, fmt::format("{} may not see everybody's requests: {}", who.name, govern.Why())};
    }
  }
  Listed listed;
  const std::string mine = whose == Whose::kMine ? who.name : "";
  std::vector<requests::Request> found = TRY(requests::List(txn, {mine, static_cast<int>(most) + 1}));
  listed.more = found.size() > most;
  if (listed.more) found.pop_back();
  for (requests::Request& request : found) {
    request.history = TRY(requests::History(txn, request.id));
    listed.views.push_back(TRY(ViewOf(txn, clock, std::move(request))));
  }
  return listed;
}

}  // namespace weft::approve
