#include "model/entity.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/own.h"
#include "model/reading.h"
#include "model/repository.h"
#include "model/schema.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using namespace shape;  // The tables below are made of its words.
using reading::Text;
using yaml::Node;

constexpr std::string_view kRule = "weft.entity";

constexpr Word kTypes[] = {{"string"}, {"integer"}};
constexpr shape::Type kEntityType{.kinds = kIsText, .words = kTypes};
constexpr shape::Type kExample{.kinds = kIsText | kIsInteger};
constexpr shape::Type kExamples = ListOf(kExample);
constexpr Key kEntityKeys[] = {{"name", &kText, kRequired}, {"description", &kText}, {"type", &kEntityType, kRequired},
                               {"pattern", &kText},         {"owner", &kText},       {"examples", &kExamples}};

bool Has(const Node& map, std::string_view key) { return map[key].kind != Node::Kind::kMissing; }

// The identifiers that are given as examples are some.
void ExamplesFit(Checker& checker, const Node& map, const std::string& path, const RE2* pattern) {
  const bool whole = Text(map["type"]) == "integer";
  for (size_t i = 0; i < map["examples"].size(); ++i) {
    const Node& example = map["examples"][i];
    const std::string at = Child(Child(path, "examples"), i);
    if (whole != (example.kind == Node::Kind::kInt)) {
      checker.Fail(example, at,
                   fmt::format("is {}, and the identifier is of type {}", Shown(example), Text(map["type"])));
    } else if (pattern && !RE2::PartialMatch(example.scalar, *pattern)) {
      checker.Fail(example, at,
                   fmt::format("'{}' does not match the pattern '{}'", example.scalar, pattern->pattern()));
    }
  }
}

void EntityRule(Checker& checker, const Node& map, const std::string& path) {
  if (map["name"].is_scalar()) {
    if (auto slug = CheckSlug(map["name"].scalar, "an entity"); !slug) {
      checker.Fail(map["name"], Child(path, "name"), slug.error().message);
    }
  }
  if (!Has(map, "pattern")) return ExamplesFit(checker, map, path, nullptr);
  const Node& pattern = map["pattern"];
  if (Text(map["type"]) == "integer") {
    return checker.Fail(pattern, Child(path, "pattern"),
                        "a pattern is for strings, and this identifier is an integer: "
                        "remove it");
  }
  const RE2 compiled(pattern.scalar, RE2::Quiet);
  if (compiled.ok()) return ExamplesFit(checker, map, path, &compiled);
  checker.Fail(pattern, Child(path, "pattern"),
               fmt::format("'{}' cannot be run: {}; look-around and back-references are not supported", pattern.scalar,
                           compiled.error()));
}
constexpr Shape kEntityShape{"an entity", kEntityKeys, 0, nullptr, EntityRule};
constexpr shape::Type kEntity = MapOf(kEntityShape);
constexpr shape::Type kEntityList = ListOf(kEntity);
constexpr Key kFileKeys[] = {{"entities", &kEntityList, kRequired}};
constexpr Shape kFileShape{"an entities file", kFileKeys};
constexpr shape::Type kFile = MapOf(kFileShape);

Entity EntityOf(const Node& node, const std::string& path, const std::string& file) {
  Entity entity;
  entity.name = Text(node["name"]);
  entity.description = Text(node["description"]);
  entity.type = Text(node["type"]);
  entity.pattern = Text(node["pattern"]);
  entity.owner = Text(node["owner"]);
  entity.examples = reading::Texts(node["examples"]);
  entity.file = file;
  entity.place = reading::PlaceOf(node, path);
  return entity;
}

// Whether a column's values can be the entity's identifiers.
bool Identifies(const Entity& entity, const model::Type& type) {
  if (entity.type == "string") return type.kind == model::Type::Kind::kString;
  return type.kind == model::Type::Kind::kInt || type.kind == model::Type::Kind::kLong;
}

// Tells of what is said within a column.
void Within(const Property& property, const std::string& column, const std::string& file,
            std::vector<Problem>* problems) {
  for (const auto* inner : {&property.properties, &property.items, &property.map}) {
    for (const Property& each : *inner) {
      if (each.entity) {
        problems->push_back({file, each.entity->place.line, each.entity->place.column, each.entity->place.path,
                             std::string(kRule),
                             fmt::format("a column identifies an entity, not a value within one: make a column of "
                                         "'{}.{}', or remove this",
                                         column, each.name)});
      }
      Within(each, column + "." + each.name, file, problems);
    }
  }
}

}  // namespace

namespace own {
constexpr shape::Type kEntitiesFile = kFile;
}  // namespace own

std::string Entity::Where() const { return fmt::format("{}:{}", file, place.line); }

Result<EntityFile> EntityFile::Parse(std::string_view text, const std::string& file) {
  const Node node = TRY(yaml::Parse(text, file));
  Checker checker(file, std::string(kRule), 0);
  checker.Check(node, kFile, "");
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return AsError(std::move(problems));
  EntityFile parsed;
  parsed.file = file;
  parsed.bytes = text;
  for (size_t i = 0; i < node["entities"].size(); ++i) {
    parsed.entities.push_back(EntityOf(node["entities"][i], Child("entities", i), file));
  }
  return parsed;
}

Result<std::shared_ptr<const Entities>> Entities::Of(std::vector<EntityFile> files) {
  auto entities = std::make_shared<Entities>();
  entities->files_ = std::move(files);
  std::vector<Problem> problems;
  for (const EntityFile& file : entities->files_) {
    for (const Entity& entity : file.entities) {
      const auto [other, fresh] = entities->by_name_.emplace(entity.name, &entity);
      if (fresh) continue;
      problems.push_back(
          {file.file, entity.place.line, entity.place.column, entity.place.path, std::string(kRule),
           fmt::format("the entity '{}' stands in {} too: rename one", entity.name, other->second->Where())});
    }
  }
  if (!problems.empty()) return AsError(std::move(problems));
  return std::shared_ptr<const Entities>(std::move(entities));
}

const Entity* Entities::Find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

std::vector<Problem> Entities::Judge(const Contract& contract) const {
  std::vector<Problem> problems;
  for (const SchemaObject& object : contract.schema) {
    for (const Property& property : object.properties) {
      Within(property, property.name, contract.file, &problems);
      if (!property.entity) continue;
      auto tell = [&](std::string message) {
        const Place& place = property.entity->place;
        problems.push_back(
            {contract.file, place.line, place.column, place.path, std::string(kRule), std::move(message)});
      };
      const Entity* entity = Find(property.entity->name);
      if (!entity) {
        std::vector<std::string_view> names;
        for (const auto& [name, each] : by_name_) names.push_back(name);
        tell(fmt::format("the column '{}' identifies the entity '{}', which entities/*.yaml do not have{}",
                         property.name, property.entity->name, DidYouMean(property.entity->name, names)));
        continue;
      }
      auto type = TypeOf(property);
      if (!type || Identifies(*entity, *type)) continue;  // A type that is none is told elsewhere.
      tell(fmt::format("the column '{}' is {}, and the entity '{}' ({}) is identified by type {}", property.name,
                       type->DuckDb(), entity->name, entity->Where(), entity->type));
    }
  }
  return problems;
}

std::vector<Problem> JudgeOwners(const std::vector<EntityFile>& files, const Mesh& mesh) {
  std::vector<Problem> problems;
  for (const EntityFile& file : files) {
    for (const Entity& entity : file.entities) {
      std::string unknown = mesh.UnknownGroup(entity.owner);
      if (unknown.empty()) continue;
      problems.push_back({file.file, entity.place.line, entity.place.column, Child(entity.place.path, "owner"),
                          std::string(kRule), std::move(unknown)});
    }
  }
  return problems;
}

std::vector<Problem> JudgeByEntities(const Repository& repository) {
  auto entities = Entities::Of(repository.entities);
  if (!entities) return entities.TakeError().problems;
  std::vector<Problem> problems;
  if (repository.mesh) problems = JudgeOwners(repository.entities, *repository.mesh);
  if (!repository.mesh) return problems;
  for (const Bundle& bundle : repository.bundles) {
    for (const Contract& contract : bundle.contracts) {
      std::ranges::move((*entities)->Judge(contract), std::back_inserter(problems));
    }
  }
  return problems;
}

}  // namespace weft::model
