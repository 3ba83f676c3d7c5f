#include <fmt/format.h>

#include <algorithm>

#include "model/policy/bound.h"

namespace weft::model {
namespace {

TableSchema SchemaIn(const Resource& resource) {
  if (!resource.contract || resource.contract->schema.empty()) return {};
  auto schema = SchemaOf(resource.contract->schema.front(), nullptr);
  return schema ? schema.TakeValue() : TableSchema();
}

// "mail, name": the columns that a mask is about before and no longer after, though they are there.
std::string Unmasked(const CompiledPolicy& compiled, const Resource& before, const Resource& after, bool holds) {
  const TableSchema now = SchemaIn(after);
  RowFilters filters;
  const BoundRule was = Bind(compiled, *before.contract, SchemaIn(before), &filters);
  const BoundRule is = holds ? Bind(compiled, *after.contract, now, &filters) : BoundRule();
  std::string columns;
  for (const BoundRule::Mask& mask : was.masks) {
    const bool still = std::ranges::find(is.masks, mask.column, &BoundRule::Mask::column) != is.masks.end();
    if (!still && now.Find(mask.column)) columns += (columns.empty() ? "" : ", ") + mask.column;
  }
  return columns;
}

}  // namespace

std::vector<std::string> Policies::Loosened(const Resource& before, const Resource& after) const {
  std::vector<std::string> told;
  if (!before.contract || !after.contract) return told;
  for (const CompiledPolicy& compiled : All()) {
    const Policy& policy = *compiled.policy;
    if (!policy.scope.Covers(before)) continue;
    const bool holds = policy.scope.Covers(after);
    auto say = [&](std::string_view what) {
      told.push_back(fmt::format("the policy '{}' ({}) no longer {}", policy.name, compiled.words->where, what));
    };
    switch (policy.effect) {
      case Policy::Effect::kMask:
        if (const std::string columns = Unmasked(compiled, before, after, holds); !columns.empty()) {
          say("masks " + columns);
        }
        break;
      case Policy::Effect::kFilter:
        if (!holds) say("leaves rows out");
        break;
      case Policy::Effect::kDeny:
        if (!holds) say("denies it to anybody");
        break;
      case Policy::Effect::kApprove:
        if (!holds && !policy.approval.steps.empty()) say("asks for approval");
        break;
      default:
        break;
    }
  }
  return told;
}

}  // namespace weft::model
