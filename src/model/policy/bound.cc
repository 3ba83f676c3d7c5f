#include "model/policy/bound.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {
namespace {

using CelType = cel::Type;
using TypeKind = cel::Type::Kind;

bool AnyOf(const std::vector<std::string>& wanted, const std::vector<std::string>& has) {
  return std::ranges::any_of(has,
                             [&](const std::string& each) { return std::ranges::find(wanted, each) != wanted.end(); });
}

bool Selects(const PolicyColumns& columns, const Property& property) {
  if (!columns.names.empty() && !AnyOf(columns.names, {property.name})) return false;
  if (!columns.tags.empty() && !AnyOf(columns.tags, property.tags)) return false;
  return columns.classifications.empty() || AnyOf(columns.classifications, {property.classification});
}

// The column, or something within it: what is within cannot leave without it.
bool SelectsWithin(const PolicyColumns& columns, const Property& property) {
  if (Selects(columns, property)) return true;
  for (const auto* inner : {&property.properties, &property.items, &property.map}) {
    for (const Property& each : *inner) {
      if (SelectsWithin(columns, each)) return true;
    }
  }
  return false;
}

void BindMasks(const Policy& policy, const Contract& contract, const TableSchema& schema, BoundRule* rule) {
  for (const Property& property : contract.schema.front().properties) {
    if (!SelectsWithin(policy.columns, property)) continue;
    const Field* field = schema.Find(property.name);
    if (!field) {
      if (rule->broken.empty()) rule->broken = fmt::format("column '{}' has no type", property.name);
      rule->masks.push_back({property.name, MaskAction::kMaskToFixedValue});
      continue;
    }
    const std::string_view logical = field->type.Logical();
    const auto by_type = policy.by_type.find(std::string(logical));
    std::optional<MaskAction> action = policy.otherwise;
    if (by_type != policy.by_type.end()) action = by_type->second;
    Status fits =
        action ? CheckMask(*action, field->type, property.required)
               : Error{Code::kInvalid, fmt::format("no mask is chosen for type {}: add it, or otherwise", logical)};
    if (fits && *action == MaskAction::kPseudonym && !property.entity) {
      fits = Error{Code::kInvalid,
                   "pseudonym is for columns that identify an entity, and this one says none: add "
                   "customProperties {property: entity, vendor: weft, value: NAME} to it in the "
                   "contract, or choose sha-256-query-local"};
    }
    if (fits) {
      rule->masks.push_back({property.name, *action, *action == MaskAction::kPseudonym ? property.entity->name : ""});
      continue;
    }
    if (rule->broken.empty()) rule->broken = fmt::format("column '{}': {}", property.name, fits.error().message);
    rule->masks.push_back({property.name, MaskAction::kMaskToFixedValue});
  }
}

}  // namespace

const cel::Environment& GateVariables() {
  static const cel::Environment kVariables = [] {
    cel::Environment variables;
    variables.Add("product");
    variables.Add("contract");
    variables.Add("previous");
    const CelType texts = CelType::List(TypeKind::kString);
    variables.Add(
        "domain",
        CelType::Record({{"name", TypeKind::kString}, {"owners", texts}, {"stewards", texts}, {"engineers", texts}}));
    return variables;
  }();
  return kVariables;
}

Result<cel::Program> CompileCondition(const std::string& text, const cel::Environment& variables) {
  cel::Program program = TRY(cel::Program::Compile(text, variables));
  if (program.type().kind() == TypeKind::kBool || program.type().is_dyn()) return program;
  return Error{Code::kInvalid, fmt::format("must be true or false, and is {}", program.type().Text())};
}

bool IsTrue(const Result<cel::Value>& answer) {
  return answer && answer->is(cel::Value::Kind::kBool) && answer->AsBool();
}

MaskAction ActionFor(const BoundRule::Mask& mask, const std::string& purpose) {
  return mask.action == MaskAction::kPseudonym && purpose.empty() ? MaskAction::kMaskToFixedValue : mask.action;
}

std::string MaskedText(const std::vector<BoundRule::Mask>& masks, const std::string& purpose) {
  std::string text;
  for (const BoundRule::Mask& mask : masks) {
    const MaskAction action = ActionFor(mask, purpose);
    text += fmt::format("{}{}: {}{}", text.empty() ? "" : ", ", mask.column, MaskActionName(action),
                        action == mask.action ? "" : " (a pseudonym is for a purpose, and none is given)");
  }
  return text;
}

BoundRule Bind(const CompiledPolicy& compiled, const Contract& contract, const TableSchema& schema,
               RowFilters* filters) {
  BoundRule rule;
  rule.compiled = &compiled;
  const Policy& policy = *compiled.policy;
  rule.effect = policy.effect;
  if (contract.schema.empty()) {
    if (policy.effect == Policy::Effect::kFilter) rule.broken = "the port has no columns";
    return rule;
  }
  if (policy.effect == Policy::Effect::kMask) {
    BindMasks(policy, contract, schema, &rule);
    rule.masked = std::make_shared<const std::string>(MaskedText(rule.masks, "any"));
  }
  if (policy.effect == Policy::Effect::kFilter) {
    auto filter = filters->Of(policy.expression.text, schema);
    if (filter) {
      rule.filter = filter.TakeValue();
    } else {
      rule.broken = filter.error().message;
    }
  }
  return rule;
}

}  // namespace weft::model
