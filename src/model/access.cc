#include "model/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {
namespace {

// Whether what is named by the second lies under what is named by the first.
bool Under(const Address& above, const std::string& domain, const std::string& product, const std::string& port,
           int major) {
  if (above.domain != domain) return false;
  if (above.product.empty()) return true;
  if (above.product != product) return false;
  if (above.port.empty()) return true;
  return above.port == port && (!above.major || *above.major == major);
}

}  // namespace

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
    case Action::kGovern:
      return "govern";
    case Action::kRequest:
      return "request";
    case Action::kApprove:
      return "approve";
  }
  return "unknown";
}

Result<Action> ActionFrom(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Action action : {Action::kBrowse, Action::kRead, Action::kPublish, Action::kAdminister, Action::kRun,
                              Action::kGrant, Action::kAudit, Action::kGovern, Action::kRequest, Action::kApprove}) {
    if (ActionName(action) == name) return action;
    names.push_back(ActionName(action));
  }
  return Error{Code::kInvalid,
               fmt::format("'{}' is no action: {}{}", name, fmt::join(names, ", "), DidYouMean(name, names))};
}

bool Limits::Permit(Action action, const Resource& resource) const {
  if (action == Action::kOpen || action == Action::kBrowse) return true;
  if (!actions.empty() && std::ranges::find(actions, action) == actions.end()) return false;
  return on.domain.empty() || Under(on, resource.domain, resource.product, resource.port, resource.major);
}

bool Limits::Cover(const Limits& narrower) const {
  if (!actions.empty()) {
    if (narrower.actions.empty()) return false;
    for (const Action action : narrower.actions) {
      if (action != Action::kBrowse && std::ranges::find(actions, action) == actions.end()) return false;
    }
  }
  const Address& under = narrower.on;
  return on.domain.empty() || Under(on, under.domain, under.product, under.port, under.major.value_or(0));
}

std::string Limits::ActionsText() const {
  std::vector<std::string> names;
  for (const Action action : actions) names.emplace_back(ActionName(action));
  return Join(names, ",");
}

std::string Limits::Text() const {
  std::string text = actions.empty() ? "" : ReplaceAll(ActionsText(), ",", ", ");
  if (!on.domain.empty()) text += (text.empty() ? "" : " on ") + on.Short();
  return text;
}

std::vector<std::string> Principal::Names() const {
  std::vector<std::string> names = {name};
  for (const std::string& group : groups) names.push_back("group:" + group);
  return names;
}

void Principal::SetAttributes(const std::map<std::string, std::set<std::string>>& values) {
  attributes = Json::Object();
  for (const auto& [attribute, each] : values) {
    attributes.Set(attribute, std::vector<std::string>(each.begin(), each.end()));
  }
}

const std::string& AppliedPolicy::Detail() const {
  static const std::string kNothing;
  return detail ? *detail : kNothing;
}

Json PoliciesJson(const Decision& decision) {
  Json::Array policies;
  for (const AppliedPolicy& policy : decision.policies) {
    policies.push_back(Json::Map({{"name", policy.policy->name},
                                  {"where", policy.policy->where},
                                  {"effect", policy.policy->effect},
                                  {"detail", policy.Detail()}}));
  }
  return policies;
}

std::string Decision::Why() const {
  const std::string why = Join(reasons, "; ");
  return remedy.empty() ? why : why + ". What helps: " + remedy;
}

void Decision::Refuse(std::vector<std::string> why, std::string helps) {
  permitted = false;
  reasons = std::move(why);
  remedy = std::move(helps);
  right.clear();
  until.reset();
  remind_at.reset();
  std::erase_if(policies, [](const AppliedPolicy& each) { return each.policy->effect == "allow"; });
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
