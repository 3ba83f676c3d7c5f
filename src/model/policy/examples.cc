// The policies' own tests: examples that must hold.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/policy/bound.h"

namespace weft::model {
namespace {

using cel::Value;

std::string_view OutcomeText(GateOutcome outcome) {
  switch (outcome) {
    case GateOutcome::kPasses:
      return "passes";
    case GateOutcome::kWarns:
      return "warns";
    case GateOutcome::kRefused:
      return "is refused";
  }
  return "";
}

// The port that a test describes by itself.
Result<Resource> Described(const Json& json) {
  auto bundle = std::make_shared<Bundle>();
  bundle->product.domain = json["domain"].Text();
  bundle->product.name = json["product"].Text();
  bundle->product.purpose = json["purpose"].Text();
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
    const cel::Bindings bindings = {TRY(Value::FromJson(whole, row_type))};
    const bool seen =
        std::ranges::all_of(filters, [&](const cel::Program& filter) { return IsTrue(filter.Evaluate(bindings)); });
    if (seen) visible.push_back(row);
  }
  if (Json(visible) == *test.visible) return std::string();
  return fmt::format("rows {} are seen, and {} expected", Json(visible).Dump(), test.visible->Dump());
}

// Why other steps would be asked for, or another time given, than a test says; empty where they are not.
std::string ApprovalFault(const PolicyTest& test, const Chain& chain) {
  if (chain.asked.steps != *test.approve) {
    auto text = [](const std::vector<std::string>& steps) { return steps.empty() ? "nobody" : Join(steps, ", "); };
    return fmt::format("{} would approve, and {} expected", text(chain.asked.steps), text(*test.approve));
  }
  if (!test.until_s || chain.asked.until_s == test.until_s) return "";
  return fmt::format("what is granted would hold {}, and {} expected",
                     chain.asked.until_s ? DurationText(*chain.asked.until_s) : "without end",
                     DurationText(*test.until_s));
}

// Why the test fails; empty where it does not.
Result<std::string> TestFault(const Policies& policies, const PolicyTest& test, const Resource& resource) {
  Decision decision;
  decision.permitted = true;
  const Instant now = TRY(Instant::Parse("2030-01-01T00:00:00Z"));
  if (test.approve) {
    return ApprovalFault(test, policies.ApprovalOf(test.principal, resource, test.purpose, now));
  }
  policies.Decide(test.principal, Action::kRead, resource, test.purpose, now, &decision);
  policies.DenyIncompatible(resource, test.purpose, &decision);
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

// Why a gate says something else than the test; empty where it does not.
Result<std::string> Policies::GateFault(const GateTest& test) const {
  if (!test.policy.empty()) {
    std::vector<std::string_view> gates;
    for (const CompiledPolicy& compiled : All()) {
      if (compiled.policy->effect == Policy::Effect::kRequire) gates.push_back(compiled.policy->name);
    }
    if (std::ranges::find(gates, test.policy) == gates.end()) {
      return fmt::format("there is no policy '{}' that requires something{}", test.policy,
                         DidYouMean(test.policy, gates));
    }
  }
  GateOutcome outcome = GateOutcome::kPasses;
  std::vector<std::string> told;
  bool as_said = test.message.empty();
  for (const GateFinding& finding : AskGates(*test.bundle, test.previous.get(), test.team)) {
    if (!test.policy.empty() && finding.policy->name != test.policy) continue;
    outcome = std::max(outcome, finding.policy->warns ? GateOutcome::kWarns : GateOutcome::kRefused);
    as_said = as_said || finding.told.find(test.message) != std::string::npos;
    told.push_back(finding.told);
  }
  const std::string why = told.empty() ? "" : ": " + Join(told, "; ");
  if (outcome != test.outcome) {
    return fmt::format("it {}, where the test expects that it {}{}", OutcomeText(outcome), OutcomeText(test.outcome),
                       why);
  }
  if (!as_said) return fmt::format("'{}' is not part of what is told{}", test.message, why);
  return std::string();
}

std::vector<Problem> Policies::RunTests(const std::map<std::string, Resource>& ports, bool some) const {
  std::vector<Problem> problems;
  for (const PolicyFile& file : files_) {
    for (const PolicyTest& test : file.tests) {
      auto level = Problem::Level::kError;
      auto fault = [&]() -> Result<std::string> {
        if (test.gate) return GateFault(*test.gate);
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

}  // namespace weft::model
