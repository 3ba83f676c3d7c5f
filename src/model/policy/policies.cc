#include "model/policy/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "base/text.h"
#include "model/policy/asking.h"
#include "model/quarantine.h"

namespace weft::model {
namespace {

using Effect = Policy::Effect;

constexpr size_t kBoundPorts = 4096;

Problem ProblemOf(const Policy& policy, const Place& place, std::string message) {
  return {policy.file, place.line, place.column, place.path, std::string(kPolicyRule), std::move(message)};
}

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

// What is said of a port holds for its quarantine.
Resource AsItsPort(Resource quarantine) {
  quarantine.port = QuarantinedPort(quarantine.port);
  return quarantine;
}

}  // namespace

struct Policies::Compiled {
  std::vector<CompiledPolicy> all;
  ScopeIndex scopes;
  mutable RowFilters filters;
  mutable std::shared_mutex mutex;
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
      compiled.words = std::make_shared<const AppliedPolicy::Words>(
          AppliedPolicy::Words{policy.name, policy.Where(), std::string(EffectName(policy.effect)), policy.Why()});
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
      if (compiled.when && !gate) compiled.when_names = Named::By(compiled.when->expr());
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
      std::vector<std::string> said = {test.purpose};
      if (test.resource) said.push_back((*test.resource)["purpose"].Text());
      if (test.gate) said.push_back(test.gate->bundle->product.purpose);
      for (const std::string& purpose : said) {
        Status known = purposes_.Check(purpose);
        if (known) continue;
        problems->push_back({file.file, test.place.line, test.place.column, test.place.path, std::string(kPolicyRule),
                             fmt::format("test '{}': {}", test.name, known.error().message)});
      }
    }
  }
}

std::shared_ptr<const Policies::Bound> Policies::BoundTo(const Resource& resource) const {
  if (!resource.version.empty()) {
    std::shared_lock lock(compiled_->mutex);
    const auto known = compiled_->bound.find(resource.version);
    if (known != compiled_->bound.end()) return known->second;
  }
  auto bound = std::make_shared<Bound>();
  TableSchema schema;
  if (!resource.contract->schema.empty()) {
    if (auto made = SchemaOf(resource.contract->schema.front(), nullptr)) schema = made.TakeValue();
  }
  std::set<std::string> columns;
  for (const Field& field : schema.fields) columns.insert(field.name);
  bound->columns = std::make_shared<const std::set<std::string>>(std::move(columns));
  for (size_t policy : compiled_->scopes.For(resource)) {
    const CompiledPolicy& compiled = compiled_->all[policy];
    if (!compiled.policy->scope.Covers(resource)) continue;
    const auto index = static_cast<uint32_t>(bound->rules.size());
    bound->rules.push_back(Bind(compiled, *resource.contract, schema, &compiled_->filters));
    if (compiled.policy->principals.empty()) bound->everybody.push_back(index);
    for (const std::string& holder : compiled.policy->principals) {
      const bool group = holder.starts_with("group:");
      (group ? bound->of_groups[holder.substr(6)] : bound->of_principals[holder]).push_back(index);
    }
  }
  if (resource.version.empty()) return bound;
  std::unique_lock lock(compiled_->mutex);
  if (compiled_->bound.size() >= kBoundPorts) compiled_->bound.clear();
  return compiled_->bound.emplace(resource.version, std::move(bound)).first->second;
}

Chain Policies::ApprovalOf(const Principal& principal, const Resource& resource, const std::string& purpose,
                           Instant now) const {
  static const Chain kOwners{{{"owners"}, std::nullopt, std::nullopt, true}, {}};
  if (IsQuarantine(resource.port)) return ApprovalOf(principal, AsItsPort(resource), purpose, now);
  if (empty() || !resource.contract) return kOwners;
  const std::shared_ptr<const Bound> bound = BoundTo(resource);
  Asking asking(principal, Action::kRequest, resource, purpose, now);
  asking.AskAll(*bound, purposes_);
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
  if (IsQuarantine(resource.port)) return Decide(principal, action, AsItsPort(resource), purpose, now, decision);
  if (!resource.contract) {
    Restriction nothing;
    nothing.filters.push_back({NoRow("its columns are not known").asked, ""});
    decision->restriction = std::make_shared<const Restriction>(std::move(nothing));
    return decision->Refuse({"what the policies would say is not known"}, "");
  }
  const std::shared_ptr<const Bound> bound = BoundTo(resource);
  Asking asking(principal, action, resource, purpose, now);
  asking.AskAll(*bound, purposes_);
  if (asking.notes().empty()) return;
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
  decision->restriction = restriction.empty() ? nullptr : std::make_shared<const Restriction>(std::move(restriction));
  if (asking.denials().empty()) return;
  std::vector<std::string> reasons;
  for (const Policy* policy : asking.denials()) reasons.push_back(Said(*policy));
  decision->Refuse(std::move(reasons), "the governance group changes policies: weft policy list");
}

void Policies::DenyIncompatible(const Resource& resource, const std::string& purpose, Decision* decision) const {
  if (!decision->permitted || !purposes_.Incompatible(purpose, resource.purpose)) return;
  decision->Refuse({fmt::format("the product {}/{} is for the purpose '{}', which excludes the request's, '{}'",
                                resource.domain, resource.product, resource.purpose, purpose)},
                   fmt::format("ask for a purpose that goes with '{}': weft purpose list", resource.purpose));
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
