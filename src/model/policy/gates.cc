// Publish gates and the policies' own tests: what `weft check`, `plan` and `apply` ask of a folder.
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

// The port that a test describes by itself.
Result<Resource> Described(const Json& json) {
  auto bundle = std::make_shared<Bundle>();
  bundle->product.domain = json["domain"].Text();
  bundle->product.name = json["product"].Text();
  OutputPort port;
  port.name = json["port"].Text();
  port.version = "1.0.0";
  Contract contract;
  contract.tags = json["tags"].Texts();
  SchemaObject object;
  for (const Json& column : json["columns"].Items()) {
    Property property;
    property.name = column["name"].Text();
    property.logical_type = column["type"].Text();
    property.tags = column["tags"].Texts();
    property.classification = column["classification"].Text();
    property.required = column["required"].Bool();
    object.properties.push_back(std::move(property));
  }
  TRY(SchemaOf(object, nullptr));
  contract.schema.push_back(std::move(object));
  bundle->contracts.push_back(std::move(contract));
  const std::shared_ptr<const Bundle> shared = bundle;
  Resource resource = ResourceOf(shared, port, shared->contracts[0]);
  if (json["classification"].is_text()) resource.classification = json["classification"].Text();
  return resource;
}

// By its address with a major version, or the newest of those that it has.
const Resource* Find(const std::map<std::string, Resource>& ports, const std::string& address) {
  const auto exact = ports.find(address);
  if (exact != ports.end()) return &exact->second;
  const Resource* newest = nullptr;
  for (auto at = ports.lower_bound(address + "@"); at != ports.end() && at->first.starts_with(address + "@"); ++at) {
    if (!newest || at->second.major > newest->major) newest = &at->second;
  }
  return newest;
}

// Why the rows that a test lists are not seen as it says; empty where they are.
Result<std::string> RowsFault(const PolicyTest& test, const Resource& resource, const Decision& decision) {
  const TableSchema schema = TRY(SchemaOf(resource.contract->schema.front(), nullptr));
  const cel::Type row_type = RowType(schema);
  cel::Environment variables;
  variables.Add("row", row_type);
  std::vector<cel::Program> filters;
  if (decision.restriction) {
    for (const Restriction::Filter& filter : decision.restriction->filters) {
      filters.push_back(TRY(cel::Program::Compile(TRY(cel::Parse(filter.text())), variables, false)));
    }
  }
  Json::Array visible;
  for (const Json& row : test.rows->Items()) {
    // A column that the row does not give is null.
    Json whole;
    for (const cel::Type::Field& field : row_type.fields()) whole.Set(field.name, row[field.name]);
    const cel::Bindings bindings = { TRY(Value::FromJson(whole, row_type)) };
    const bool seen =
        std::ranges::all_of(filters, [&](const cel::Program& filter) { return IsTrue(filter.Evaluate(bindings)); });
    if (seen) visible.push_back(row);
  }
  if (Json(visible) == *test.visible) return std::string();
  return fmt::format("rows {} are seen, and {} expected", Json(visible).Dump(), test.visible->Dump());
}

// Why the test fails; empty where it does not.
Result<std::string> TestFault(const Policies& policies, const PolicyTest& test, const Resource& resource) {
  Decision decision;
  decision.permitted = true;
  const Instant now = TRY(Instant::Parse("2030-01-01T00:00:00Z"));
  if (test.approve) {
    const Chain chain = policies.ApprovalOf(test.principal, resource, test.purpose, now);
    if (chain.asked.steps == *test.approve) return std::string();
    auto text = [](const std::vector<std::string>& steps) { return steps.empty() ? "nobody" : Join(steps, ", "); };
    return fmt::format("{} would approve, and {} expected", text(chain.asked.steps), text(*test.approve));
  }
  policies.Decide(test.principal, Action::kRead, resource, test.purpose, now, &decision);
  if (decision.permitted != test.permitted) {
    return decision.permitted ? std::string("it is permitted, and deny expected")
                              : fmt::format("it is denied, and permit expected: {}", Join(decision.reasons, "; "));
  }
  if (test.masked) {
    std::map<std::string, std::string> masked;
    if (decision.restriction) {
      for (const auto& [column, mask] : decision.restriction->masks) masked[column] = MaskActionName(mask.action);
    }
    auto text = [](const std::map<std::string, std::string>& masks) {
      std::string all;
      for (const auto& [column, action] : masks)
        all += fmt::format("{}{}: {}", all.empty() ? "" : ", ", column, action);
      return all.empty() ? std::string("nothing") : all;
    };
    if (masked != *test.masked) return fmt::format("masked is {}, and {} expected", text(masked), text(*test.masked));
  }
  if (test.rows && decision.permitted) return RowsFault(test, resource, decision);
  return std::string();
}

}  // namespace

std::vector<Problem> Policies::JudgeBundle(const Bundle& bundle, const Bundle* previous, const Team& team) const {
  std::vector<Problem> problems;
  if (Status known = purposes_.Check(bundle.product.purpose); !known) {
    const Place& place = bundle.product.purpose_place;
    problems.push_back(
        {bundle.product.file, place.line, place.column, place.path, std::string(kPolicyRule), known.error().message});
  }
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
        problems.push_back({compiled.of_contract ? resources[i].contract->file : bundle.product.file, 1, 1, "",
                            std::string(kPolicyRule), std::move(fault),
                            policy.warns ? Problem::Level::kWarning : Problem::Level::kError});
      }
      if (!compiled.of_contract) break;  // What is of the product alone is asked once.
    }
  }
  return problems;
}

std::vector<Problem> Policies::RunTests(const std::map<std::string, Resource>& ports, bool some) const {
  std::vector<Problem> problems;
  for (const PolicyFile& file : files_) {
    for (const PolicyTest& test : file.tests) {
      auto level = Problem::Level::kError;
      auto fault = [&]() -> Result<std::string> {
        if (test.resource) return TestFault(*this, test, TRY(Described(*test.resource)));
        const Resource* resource = Find(ports, test.address);
        if (resource) return TestFault(*this, test, *resource);
        if (!some) return fmt::format("there is no port '{}'", test.address);
        level = Problem::Level::kWarning;
        return fmt::format(
            "the port '{}' is not in this folder: the test runs with `weft plan`, which knows the mesh's "
            "ports",
            test.address);
      }();
      if (fault && fault->empty()) continue;
      problems.push_back({file.file, test.place.line, test.place.column, test.place.path, std::string(kPolicyRule),
                          fmt::format("test '{}': {}", test.name, fault ? *fault : fault.error().message), level});
    }
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
