#include "model/policy/asking.h"

#include <algorithm>

namespace weft::model {
namespace {

using cel::Value;
using Effect = Policy::Effect;

std::shared_ptr<const std::string> Told(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// The rules that may be about a principal, in their order.
std::vector<uint32_t> About(const Policies::Bound& bound, const Principal& principal) {
  std::vector<uint32_t> about;
  about.reserve(bound.everybody.size() + 16);
  about = bound.everybody;
  auto add = [&](const Policies::Bound::Rules& all, const std::string& name) {
    const auto rules = all.find(name);
    if (rules != all.end()) about.insert(about.end(), rules->second.begin(), rules->second.end());
  };
  if (!bound.of_principals.empty()) add(bound.of_principals, principal.name);
  if (!bound.of_groups.empty()) {
    for (const std::string& group : principal.groups) add(bound.of_groups, group);
  }
  if (about.size() == bound.everybody.size()) return about;
  std::ranges::sort(about);
  about.erase(std::unique(about.begin(), about.end()), about.end());
  return about;
}

}  // namespace

void Asking::AskAll(const Policies::Bound& bound, const Purposes& purposes) {
  const std::vector<uint32_t> about = About(bound, question_.principal());
  notes_.reserve(about.size());
  for (const uint32_t rule : about) Ask(bound.rules[rule], purposes);
  if (!restriction_.masks.empty()) restriction_.columns = bound.columns;
}

void Asking::Ask(const BoundRule& rule, const Purposes& purposes) {
  if ((rule.effect == Effect::kApprove) != question_.approving()) return;
  const CompiledPolicy& compiled = *rule.compiled;
  if (!Meant(*compiled.policy, purposes)) return;
  std::shared_ptr<const std::string> failed;
  if (!Applies(compiled, &failed)) return;
  switch (rule.effect) {
    case Effect::kAllow:
      if (!allowed_) allowed_ = compiled.policy;
      break;
    case Effect::kDeny:
      denials_.push_back(compiled.policy);
      break;
    case Effect::kApprove:
      approvals_.push_back(compiled.policy);
      break;
    case Effect::kFilter:
      return Filter(rule);
    case Effect::kMask:
      return Mask(rule);
    case Effect::kRequire:
      return;
  }
  notes_.push_back({compiled.words, std::move(failed)});
}

bool Asking::Meant(const Policy& policy, const Purposes& purposes) const {
  return policy.purposes.empty() || std::ranges::any_of(policy.purposes, [&](const Purpose::Named& each) {
           return purposes.Covers(each.name, question_.purpose());
         });
}

// A policy that cannot be asked restricts, and does not allow.
bool Asking::Applies(const CompiledPolicy& compiled, std::shared_ptr<const std::string>* failed) {
  if (!compiled.when) return true;
  const auto answer = compiled.when->Evaluate(question_.Bind(compiled.when_names));
  if (answer && answer->is(Value::Kind::kBool)) return answer->AsBool();
  *failed = Told(answer ? "when is neither true nor false" : "when fails: " + answer.error().message);
  const Policy& policy = *compiled.policy;
  return policy.effect == Effect::kApprove ? !policy.approval.steps.empty() : policy.effect != Effect::kAllow;
}

void Asking::Filter(const BoundRule& rule) {
  std::shared_ptr<const RowFilter::Left> left;
  for (const auto& [filter, known] : left_) {
    if (filter == rule.filter.get()) left = known;
  }
  if (!left) {
    left = rule.filter ? rule.filter->For(question_) : std::make_shared<const RowFilter::Left>(NoRow(rule.broken));
    if (rule.filter) left_.emplace_back(rule.filter.get(), left);
  }
  if (!left->asked) return;
  restriction_.filters.push_back({left->asked, rule.compiled->policy->name});
  notes_.push_back({rule.compiled->words, left->detail});
}

void Asking::Mask(const BoundRule& rule) {
  if (rule.masks.empty()) return;
  const std::string& name = rule.compiled->policy->name;
  bool as_said = true;
  for (const BoundRule::Mask& bound : rule.masks) {
    const MaskAction action = ActionFor(bound, question_.purpose());
    as_said &= action == bound.action;
    const auto at = restriction_.masks.lower_bound(bound.column);
    if (at == restriction_.masks.end() || at->first != bound.column) {
      restriction_.masks.emplace_hint(at, bound.column, Restriction::Mask{action, name, bound.entity});
    } else if (at->second.action < action) {
      at->second = {action, name, bound.entity};
    }
  }
  notes_.push_back({rule.compiled->words, as_said ? rule.masked : Told(MaskedText(rule.masks, question_.purpose()))});
}

}  // namespace weft::model
