#include "work/publish/entities.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/secrets/pseudonyms.h"

namespace weft::publish {
namespace {

constexpr std::string_view kRule = "weft.entity";
constexpr size_t kMostTold = 5;

}  // namespace

Result<EntityPlan> PlanEntities(store::Txn& txn, const std::vector<model::EntityFile>& files,
                                const std::optional<model::Mesh>& mesh) {
  auto notes = [](const model::EntityFile& file) {
    std::vector<std::string> told;
    for (const model::Entity& entity : file.entities) {
      told.push_back(fmt::format("entity {}: {}", entity.name, entity.type));
    }
    return told;
  };
  EntityPlan plan = LayOver(TRY(catalog::EntitiesOf(txn)), files, notes, model::Entities::Of);
  if (mesh) std::ranges::move(model::JudgeOwners(plan.put, *mesh), std::back_inserter(plan.problems));
  return plan;
}

Result<std::vector<Problem>> StillUsed(store::Txn& txn, const catalog::Seen& seen, const model::Entities& before,
                                       const model::Entities& next, const std::set<model::PortKey>& replaced) {
  std::vector<Problem> problems;
  for (const auto& [name, entity] : before.all()) {
    const model::Entity* now = next.Find(name);
    if (now && now->type == entity->type) continue;
    std::vector<std::string> users;
    for (const catalog::EntityColumn& column : TRY(catalog::EntityColumns(txn, name))) {
      if (replaced.contains(column.port) || !TRY(seen.Sees(column.port))) continue;
      users.push_back(fmt::format("{}: {}", column.port.Text(), column.column));
    }
    if (users.empty()) continue;
    const size_t count = users.size();
    if (count > kMostTold) users.resize(kMostTold);
    const std::string more = count > kMostTold ? fmt::format(" and {} more", count - kMostTold) : "";
    Problem problem{entity->file, 1, 1, "entities", std::string(kRule), ""};
    if (now) problem = {now->file, now->place.line, now->place.column, now->place.path, std::string(kRule), ""};
    problem.message = fmt::format("the entity '{}' {} while columns identify it: {}{}", name,
                                  now ? fmt::format("cannot change its type from {} to {}", entity->type, now->type)
                                      : std::string("cannot be removed"),
                                  Join(users, ", "), more);
    problems.push_back(std::move(problem));
  }
  return problems;
}

Status PutEntities(Context& context, store::Txn& txn, const model::Caller& caller,
                   const std::vector<model::EntityFile>& files, const std::set<model::PortKey>& replaced) {
  const auto before = TRY(catalog::EntitiesOf(txn));
  TRY(catalog::PutEntities(txn, context.clock, files, caller.principal.name));
  auto together = catalog::EntitiesOf(txn);
  if (!together) {
    return Error{Code::kConflict,
                 "entities were applied by another meanwhile, and do not fit these: " + together.error().message};
  }
  std::vector<Problem> problems = TRY(StillUsed(txn, catalog::Everything(txn), *before, **together, replaced));
  if (!problems.empty()) {
    return Error{Code::kConflict, "products were applied by another meanwhile: " + problems[0].message,
                 std::move(problems)};
  }
  for (const auto& [name, entity] : (*together)->all()) {
    TRY(secrets::EnsureKey(txn, context.clock, context.vault, name, caller.principal.name));
  }
  return RecordFiles(txn, context.clock, caller, files, "entities", &model::EntityFile::entities);
}

}  // namespace weft::publish
