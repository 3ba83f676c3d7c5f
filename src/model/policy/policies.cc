#include "model/policy/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/text.h"
#include "model/policy/bound.h"

namespace weft::model {
namespace {

using cel::Value;
using Effect = Policy::Effect;

constexpr size_t kBoundPorts = 4096;

Problem ProblemOf(const Policy& policy, const Place& place, std::string message) {
  return {policy.file, place.line, place.column, place.path, std::string(kPolicyRule), std::move(message)};
}

Value ValueOf(const Principal& principal) {
  std::vector<cel::Map::Entry> attributes;
  for (const auto& [name, values] : principal.attributes.Members()) {
    attributes.emplace_back(Value::Text(name), Texts(values.is_text() ? std::vector{values.Text()} : values.Texts()));
  }
  const char* kind = principal.kind == Principal::Kind::kUser      ? "user"
                     : principal.kind == Principal::Kind::kService ? "service"
                                                                   : "product";
  return Record({{"name", Value::Text(principal.name)},
                 {"kind", Value::Text(kind)},
                 {"groups", Texts(principal.groups)},
                 {"attributes", Value(cel::Map::Of(std::move(attributes)))}});
}

Value ValueOf(const Resource& resource) {
  return Record({{"domain", Value::Text(resource.domain)},
                 {"product", Value::Text(resource.product)},
                 {"port", Value::Text(resource.port)},
                 {"major", Value(int64_t{resource.major})},
                 {"status", Value::Text(resource.status)},
                 {"classification", Value::Text(resource.classification)},
                 {"tags", Texts(resource.tags)},
                 {"owners", Texts(resource.owners)},
                 {"stewards", Texts(resource.stewards)},
                 {"engineers", Texts(resource.engineers)}});
}

// Decides one question: asks each rule that is about it, and gathers what they say.
class Asking {
 public:
  Asking(const Principal& principal, Action action, const Resource& resource, const std::string& purpose, Instant now)
      : principal_(principal),
        action_(action),
        resource_(resource),
        purpose_(purpose),
        approving_(action == Action::kRequest),
        now_(now) {}

  void Ask(const BoundRule& rule, const TableSchema& schema, const Purposes& purposes) {
    const Policy& policy = *rule.compiled->policy;
    if ((policy.effect == Effect::kApprove) != approving_) return;
    const bool meant = policy.purposes.empty() || std::ranges::any_of(policy.purposes, [&](const Purpose::Named& each) {
                         return purposes.Covers(each.name, purpose_);
                       });
    if (!meant) return;
    std::string failed;
    if (!Applies(rule, &failed)) return;
    switch (policy.effect) {
      case Effect::kAllow:
        if (!allowed_) allowed_ = &policy;
        return Note(*rule.compiled, failed);
      case Effect::kDeny:
        denials_.push_back(&policy);
        return Note(*rule.compiled, failed);
      case Effect::kFilter:
        return Filter(rule, schema);
      case Effect::kMask:
        return Mask(rule);
      case Effect::kApprove:
        approvals_.push_back(&policy);
        return Note(*rule.compiled, failed);
      case Effect::kRequire:
        return;
    }
  }

  std::vector<AppliedPolicy> TakeNotes() { return std::move(notes_); }
  const Policy* allowed() const { return allowed_; }  // The first that allows; null: none.
  const std::vector<const Policy*>& denials() const { return denials_; }
  const std::vector<const Policy*>& approvals() const { return approvals_; }
  Restriction TakeRestriction() { return std::move(restriction_); }

 private:
  // With values for those that are named, each made by the first expression that names it.
  const cel::Bindings& Bound(const Named& named) {
    if (bindings_.empty()) bindings_.resize(named.size());
    for (size_t i = 0; i < named.size(); ++i) {
      if (!named[i] || made_[i]) continue;
      bindings_[i] = Make(static_cast<Variable>(i));
      made_[i] = true;
    }
    return bindings_;
  }

  Value Make(Variable variable) const {
    switch (variable) {
      case kPrincipal:
        return ValueOf(principal_);
      case kResource:
        return ValueOf(resource_);
      case kAction:
        return Value::Text(std::string(ActionName(action_)));
      case kPurpose:
        return Value::Text(purpose_);
      default:
        return Value(cel::Timestamp{now_.micros / 1'000'000, static_cast<int32_t>(now_.micros % 1'000'000 * 1000)});
    }
  }

  // A policy that cannot be asked restricts, and does not allow.
  bool Applies(const BoundRule& rule, std::string* failed) {
    if (!rule.compiled->when) return true;
    auto answer = rule.compiled->when->Evaluate(Bound(rule.compiled->when_names));
    if (answer && answer->is(Value::Kind::kBool)) return answer->AsBool();
    *failed = answer ? "when is neither true nor false" : "when fails: " + answer.error().message;
    const Policy& policy = *rule.compiled->policy;
    return policy.effect == Effect::kApprove ? !policy.approval.steps.empty() : policy.effect != Effect::kAllow;
  }

  void Note(const CompiledPolicy& compiled, std::string detail) {
    const Policy& policy = *compiled.policy;
    notes_.push_back(
        {policy.name, compiled.where, std::string(EffectName(policy.effect)), std::move(detail), policy.Why()});
  }

  void Hide(const CompiledPolicy& compiled, const std::string& why) {
    restriction_.filters.push_back({{}, "false", compiled.policy->name});
    Note(compiled, "no row: " + why);
  }

  void Filter(const BoundRule& rule, const TableSchema& schema) {
    static constexpr std::string_view kUnknown[] = {"row"};
    const CompiledPolicy& compiled = *rule.compiled;
    if (!rule.filter) return Hide(compiled, rule.broken);
    // The same text asks the same of the same rows.
    const std::string& written = compiled.policy->expression.text;
    for (const auto& [text, filter] : filters_) {
      if (*text != written) continue;
      Restriction::Filter again = restriction_.filters[filter];
      again.policy = compiled.policy->name;
      Note(compiled, "rows: " + again.text);
      restriction_.filters.push_back(std::move(again));
      return;
    }
    auto reduced = rule.filter->Reduce(Bound(rule.filter_names), kUnknown);
    if (!reduced) return Hide(compiled, reduced.error().message);
    if (reduced->value) {
      if (IsTrue(*reduced->value)) return;
      return Hide(compiled, "it holds for none");
    }
    auto predicate = Lower(reduced->residual, schema);
    if (!predicate) return Hide(compiled, predicate.error().message);
    std::string text = cel::Print(reduced->residual);
    Note(compiled, "rows: " + text);
    filters_.emplace_back(&written, restriction_.filters.size());
    restriction_.filters.push_back(
        {predicate.TakeValue(), std::move(text), compiled.policy->name, rule.filter_names[kNow]});
  }

  void Mask(const BoundRule& rule) {
    const Policy& policy = *rule.compiled->policy;
    bool all_as_said = true;
    for (const BoundRule::Mask& bound : rule.masks) {
      const MaskAction action = ActionFor(bound, purpose_);
      all_as_said &= action == bound.action;
      const Restriction::Mask mask{action, policy.name, bound.entity};
      auto [at, fresh] = restriction_.masks.try_emplace(bound.column, mask);
      if (!fresh && at->second.action < mask.action) at->second = mask;
    }
    if (!rule.masks.empty()) Note(*rule.compiled, all_as_said ? rule.masked : MaskedText(rule.masks, purpose_));
  }

  const Principal& principal_;
  const Action action_;
  const Resource& resource_;
  const std::string& purpose_;
  const bool approving_;
  const Instant now_;
  cel::Bindings bindings_;
  Named made_{};
  std::vector<std::pair<const std::string*, size_t>> filters_;  // Their texts, and where they are in the restriction.
  const Policy* allowed_ = nullptr;
  std::vector<const Policy*> denials_;
  std::vector<const Policy*> approvals_;
  Restriction restriction_;
  std::vector<AppliedPolicy> notes_;
};

std::string Said(const Policy& policy) {
  const std::string& why = policy.Why();
  return fmt::format("the policy '{}' ({}) denies it{}{}", policy.name, policy.Where(), why.empty() ? "" : ": ", why);
}

// Policies by one thing that a port must have to be covered, so that binding a port looks at few of them.
class ScopeIndex {
  using Index = std::unordered_map<std::string, std::vector<size_t>>;

 public:
  void Add(const PolicyScope& scope, size_t policy) {
    if (!scope.domains.empty()) return Under(scope.domains, "", &by_domain_, policy);
    if (!scope.products.empty()) return Under(scope.products, "/", &by_domain_, policy);
    if (!scope.ports.empty()) return Under(scope.ports, "/", &by_domain_, policy);
    if (!scope.tags.empty()) return Under(scope.tags, "", &by_tag_, policy);
    of_all_.push_back(policy);
  }

  // In the order in which they were added; those that do not cover the port may be among them.
  std::vector<size_t> For(const Resource& resource) const {
    std::vector<size_t> found = of_all_;
    auto add = [&](const Index& index, const std::string& key) {
      const auto under = index.find(key);
      if (under != index.end()) found.insert(found.end(), under->second.begin(), under->second.end());
    };
    add(by_domain_, resource.domain);
    for (const std::string& tag : resource.tags) add(by_tag_, tag);
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

 private:
  // `until`: where the part of a name that counts ends.
  static void Under(const std::vector<std::string>& names, const char* until, Index* index, size_t policy) {
    for (const std::string& name : names) {
      (*index)[*until ? name.substr(0, name.find(until)) : name].push_back(policy);
    }
  }

  Index by_domain_, by_tag_;
  std::vector<size_t> of_all_;
};

}  // namespace

struct Policies::Compiled {
  std::vector<CompiledPolicy> all;
  ScopeIndex scopes;
  mutable std::mutex mutex;
  mutable std::unordered_map<std::string, std::shared_ptr<const Bound>> bound;  // By Resource::version.
};

Policies::Policies() : compiled_(std::make_unique<Compiled>()) {}
Policies::~Policies() = default;

const std::vector<CompiledPolicy>& Policies::All() const { return compiled_->all; }
bool Policies::empty() const { return compiled_->all.empty(); }

Result<std::shared_ptr<const Policies>> Policies::Compile(std::vector<PolicyFile> files) {
  auto policies = std::shared_ptr<Policies>(new Policies());
  policies->files_ = std::move(files);
  std::vector<Problem> problems;
  policies->JudgePurposes(&problems);
  std::map<std::string_view, const Policy*> names;
  for (const PolicyFile& file : policies->files_) {
    for (const Policy& policy : file.policies) {
      const auto [other, fresh] = names.emplace(policy.name, &policy);
      if (!fresh) {
        problems.push_back(ProblemOf(
            policy, policy.place,
            fmt::format("the policy '{}' stands in {} too: rename one", policy.name, other->second->Where())));
      }
      CompiledPolicy compiled;
      compiled.policy = &policy;
      compiled.where = policy.Where();
      auto compile = [&](const Expression& expression, const cel::Environment& variables) {
        std::optional<cel::Program> made;
        if (expression.text.empty()) return made;
        auto program = CompileCondition(expression.text, variables);
        if (program) {
          made = program.TakeValue();
        } else {
          problems.push_back(ProblemOf(policy, expression.place, program.error().message));
        }
        return made;
      };
      const bool gate = policy.effect == Effect::kRequire;
      compiled.when = compile(policy.when, gate ? GateVariables() : DecisionVariables());
      if (compiled.when && !gate) compiled.when_names = NamedBy(*compiled.when);
      if (gate) {
        compiled.require = compile(policy.expression, GateVariables());
        auto mentions = [](const std::optional<cel::Program>& program) {
          return program && Mentions(program->expr(), "contract");
        };
        compiled.of_contract = mentions(compiled.require) || mentions(compiled.when);
      } else if (policy.effect == Effect::kFilter) {
        if (auto parsed = cel::Parse(policy.expression.text); !parsed) {
          problems.push_back(ProblemOf(policy, policy.expression.place, parsed.error().message));
        }
      }
      if (!gate) policies->compiled_->scopes.Add(policy.scope, policies->compiled_->all.size());
      policies->compiled_->all.push_back(std::move(compiled));
    }
  }
  if (!problems.empty()) {
    return Error{
        Code::kInvalid,
        fmt::format("{} in the policies, the first: {}", Count(problems.size(), "problem"), problems[0].Text()),
        std::move(problems)};
  }
  return std::shared_ptr<const Policies>(std::move(policies));
}

void Policies::JudgePurposes(std::vector<Problem>* problems) {
  std::vector<Purpose> all;
  for (const PolicyFile& file : files_) all.insert(all.end(), file.purposes.begin(), file.purposes.end());
  purposes_ = Purposes(std::move(all), problems);
  for (const PolicyFile& file : files_) {
    for (const Policy& policy : file.policies) {
      for (const Purpose::Named& purpose : policy.purposes) {
        if (Status known = purposes_.Check(purpose.name); !known) {
          problems->push_back(ProblemOf(policy, purpose.place, known.error().message));
        }
      }
    }
    for (const PolicyTest& test : file.tests) {
      if (Status known = purposes_.Check(test.purpose); !known) {
        problems->push_back({file.file, test.place.line, test.place.column, test.place.path, std::string(kPolicyRule),
                             fmt::format("test '{}': {}", test.name, known.error().message)});
      }
    }
  }
}

std::shared_ptr<const Policies::Bound> Policies::BoundTo(const Resource& resource) const {
  if (!resource.version.empty()) {
    std::lock_guard lock(compiled_->mutex);
    const auto known = compiled_->bound.find(resource.version);
    if (known != compiled_->bound.end()) return known->second;
  }
  auto bound = std::make_shared<Bound>();
  if (!resource.contract->schema.empty()) {
    if (auto schema = SchemaOf(resource.contract->schema.front(), nullptr)) bound->schema = schema.TakeValue();
  }
  for (const Field& field : bound->schema.fields) bound->columns.insert(field.name);
  for (size_t policy : compiled_->scopes.For(resource)) {
    const CompiledPolicy& compiled = compiled_->all[policy];
    if (!compiled.policy->scope.Covers(resource)) continue;
    const size_t index = bound->rules.size();
    bound->rules.push_back(Bind(compiled, *resource.contract, bound->schema));
    if (compiled.policy->principals.empty()) bound->everybody.push_back(index);
    for (const std::string& principal : compiled.policy->principals) bound->of_principals[principal].push_back(index);
  }
  if (resource.version.empty()) return bound;
  std::lock_guard lock(compiled_->mutex);
  if (compiled_->bound.size() >= kBoundPorts) compiled_->bound.clear();
  return compiled_->bound.emplace(resource.version, std::move(bound)).first->second;
}

// The rules that may be about a principal, in their order.
std::vector<size_t> Policies::About(const Bound& bound, const Principal& principal) const {
  std::vector<size_t> about = bound.everybody;
  auto add = [&](const std::string& name) {
    const auto rules = bound.of_principals.find(name);
    if (rules != bound.of_principals.end()) about.insert(about.end(), rules->second.begin(), rules->second.end());
  };
  if (bound.of_principals.empty()) return about;
  add(principal.name);
  for (const std::string& group : principal.groups) add("group:" + group);
  std::ranges::sort(about);
  about.erase(std::unique(about.begin(), about.end()), about.end());
  return about;
}

Chain Policies::ApprovalOf(const Principal& principal, const Resource& resource, const std::string& purpose,
                           Instant now) const {
  static const Chain kOwners{{{"owners"}, std::nullopt, std::nullopt, true}, {}};
  if (empty() || !resource.contract) return kOwners;
  const std::shared_ptr<const Bound> bound = BoundTo(resource);
  Asking asking(principal, Action::kRequest, resource, purpose, now);
  for (size_t index : About(*bound, principal)) asking.Ask(bound->rules[index], bound->schema, purposes_);
  std::vector<AppliedPolicy> notes = asking.TakeNotes();
  std::optional<Chain> chain;
  for (size_t i = 0; i < asking.approvals().size(); ++i) {
    Chain each{asking.approvals()[i]->approval, {}};
    // Where nobody is asked, nobody could be asked twice.
    each.asked.same = each.asked.same || each.automatic();
    each.policies.push_back(std::move(notes[i]));
    chain = chain ? Chain::Strictest(std::move(*chain), each) : std::move(each);
  }
  if (!chain) return kOwners;
  return *std::move(chain);
}

void Policies::Decide(const Principal& principal, Action action, const Resource& resource, const std::string& purpose,
                      Instant now, Decision* decision) const {
  if (empty() || action != Action::kRead) return;
  if (!resource.contract) {
    Restriction nothing;
    nothing.filters.push_back({{}, "false", ""});
    decision->restriction = std::make_shared<const Restriction>(std::move(nothing));
    return decision->Refuse({"what the policies would say is not known"}, "");
  }
  const std::shared_ptr<const Bound> bound = BoundTo(resource);
  const std::vector<size_t> about = About(*bound, principal);
  if (about.empty()) return;
  Asking asking(principal, action, resource, purpose, now);
  for (size_t index : about) asking.Ask(bound->rules[index], bound->schema, purposes_);
  decision->policies = asking.TakeNotes();
  Restriction restriction = asking.TakeRestriction();
  if (const Policy* allowed = asking.allowed()) {
    decision->permitted = true;
    decision->reasons.clear();
    decision->remedy.clear();
    decision->until.reset();
    decision->remind_at.reset();
    decision->right = "policy " + allowed->name;
  } else if (decision->restriction) {
    restriction.only = decision->restriction->only;
  }
  if (!restriction.masks.empty()) restriction.columns = bound->columns;
  decision->restriction = restriction.empty() ? nullptr : std::make_shared<const Restriction>(std::move(restriction));
  if (asking.denials().empty()) return;
  std::vector<std::string> reasons;
  for (const Policy* policy : asking.denials()) reasons.push_back(Said(*policy));
  decision->Refuse(std::move(reasons), "the governance group changes policies: weft policy list");
}

std::vector<Problem> Policies::Judge(const Resource& resource) const {
  std::vector<Problem> problems;
  if (empty() || !resource.contract) return problems;
  const std::shared_ptr<const Bound> bound = BoundTo(resource);
  for (const BoundRule& rule : bound->rules) {
    if (rule.broken.empty()) continue;
    const Policy& policy = *rule.compiled->policy;
    const Place& place = policy.effect == Effect::kFilter ? policy.expression.place : policy.place;
    problems.push_back(
        ProblemOf(policy, place, fmt::format("cannot be done for {}: {}", resource.Text(), rule.broken)));
  }
  return problems;
}

}  // namespace weft::model
