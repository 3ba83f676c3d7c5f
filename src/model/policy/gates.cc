// Publish gates: what `weft check`, `plan` and `apply` ask of a product.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/policy/bound.h"

namespace weft::model {
namespace {

using cel::Value;
using Effect = Policy::Effect;

std::optional<Value> DocumentOf(const Json& document) {
  auto value = Value::FromJson(document);
  return value ? std::optional(value.TakeValue()) : std::nullopt;
}

// A gate's answer for one binding: empty where it holds, else why it does not.
std::string Fault(const CompiledPolicy& compiled, const cel::Bindings& bindings) {
  const Policy& policy = *compiled.policy;
  if (compiled.when) {
    auto applies = compiled.when->Evaluate(bindings);
    if (applies && applies->is(Value::Kind::kBool) && !applies->AsBool()) return "";
  }
  const auto holds = compiled.require->Evaluate(bindings);
  if (IsTrue(holds)) return "";
  std::string why = policy.Why();
  if (why.empty()) why = policy.expression.text + " does not hold";
  if (!holds) why += fmt::format(" (it cannot be judged: {})", holds.error().message);
  return fmt::format("policy '{}' ({}): {}", policy.name, policy.Where(), why);
}

}  // namespace

std::vector<GateFinding> Policies::AskGates(const Bundle& bundle, const Bundle* previous, const Team& team) const {
  std::vector<GateFinding> findings;
  const Value domain = Record({{"name", Value::Text(bundle.product.domain)},
                               {"owners", Texts(team.owners)},
                               {"stewards", Texts(team.stewards)},
                               {"engineers", Texts(team.engineers)}});
  cel::Bindings bindings = {DocumentOf(bundle.product.document), std::nullopt, Value(), domain};
  if (previous) bindings[kPrevious] = DocumentOf(previous->product.document);
  const std::vector<Resource> resources = ResourcesOf(bundle, team);
  std::vector<std::optional<Value>> contracts;
  for (const Resource& resource : resources) contracts.push_back(DocumentOf(resource.contract->document));
  for (const CompiledPolicy& compiled : All()) {
    const Policy& policy = *compiled.policy;
    if (policy.effect != Effect::kRequire) continue;
    for (size_t i = 0; i < resources.size(); ++i) {
      if (!policy.scope.Covers(resources[i])) continue;
      bindings[kContract] = compiled.of_contract ? contracts[i] : std::nullopt;
      if (std::string fault = Fault(compiled, bindings); !fault.empty()) {
        findings.push_back({&policy, compiled.of_contract ? resources[i].contract.get() : nullptr, std::move(fault)});
      }
      if (!compiled.of_contract) break;  // What is of the product alone is asked once.
    }
  }
  return findings;
}

std::vector<Problem> Policies::JudgeBundle(const Bundle& bundle, const Bundle* previous, const Team& team) const {
  std::vector<Problem> problems;
  if (Status known = purposes_.Check(bundle.product.purpose); !known) {
    const Place& place = bundle.product.purpose_place;
    problems.push_back(
        {bundle.product.file, place.line, place.column, place.path, std::string(kPolicyRule), known.error().message});
  }
  for (GateFinding& finding : AskGates(bundle, previous, team)) {
    problems.push_back({finding.contract ? finding.contract->file : bundle.product.file, 1, 1, "",
                        std::string(kPolicyRule), std::move(finding.told),
                        finding.policy->warns ? Problem::Level::kWarning : Problem::Level::kError});
  }
  return problems;
}

std::vector<Problem> JudgeHolders(const std::vector<PolicyFile>& files, const Mesh& mesh) {
  std::vector<Problem> problems;
  for (const PolicyFile& file : files) {
    for (const Policy& policy : file.policies) {
      auto judge = [&](const std::vector<std::string>& names, std::string_view key) {
        for (size_t i = 0; i < names.size(); ++i) {
          std::string unknown = mesh.UnknownGroup(names[i]);
          if (unknown.empty()) continue;
          problems.push_back({file.file, policy.place.line, policy.place.column,
                              fmt::format("{}.{}[{}]", policy.place.path, key, i), std::string(kPolicyRule),
                              std::move(unknown)});
        }
      };
      judge(policy.principals, "principals");
      judge(policy.approval.steps, "approve.steps");
    }
  }
  return problems;
}

std::vector<Problem> JudgeByPolicies(const Repository& repository) {
  if (repository.policies.empty()) return {};
  auto compiled = Policies::Compile(repository.policies);
  if (!compiled) return compiled.TakeError().problems;
  const Policies& policies = **compiled;
  std::vector<Problem> problems;
  auto tell = [&](std::vector<Problem> more) { std::ranges::move(more, std::back_inserter(problems)); };
  std::map<std::string, Resource> ports;
  for (const Bundle& bundle : repository.bundles) {
    const Team team = repository.mesh ? repository.mesh->TeamOf(bundle.product.domain) : Team();
    tell(policies.JudgeBundle(bundle, nullptr, team));
    for (Resource& resource : ResourcesOf(bundle, team)) {
      tell(policies.Judge(resource));
      const std::string address = resource.Text();
      ports.insert_or_assign(address, std::move(resource));
    }
  }
  if (repository.mesh) tell(JudgeHolders(repository.policies, *repository.mesh));
  tell(policies.RunTests(ports, repository.bundles.empty()));
  return problems;
}

}  // namespace weft::model
