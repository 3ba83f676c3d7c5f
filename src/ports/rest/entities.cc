#include "model/entity.h"

#include <fmt/format.h>

#include <climits>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/secrets/pseudonyms.h"

namespace weft::rest {
namespace {

Json EntityJson(const model::Entity& entity) {
  return Json::Map({{"name", entity.name},
                    {"description", entity.description},
                    {"type", entity.type},
                    {"pattern", entity.pattern},
                    {"owner", entity.owner},
                    {"examples", entity.examples},
                    {"where", entity.Where()}});
}

// kNotFound with near names.
Result<const model::Entity*> EntityNamed(const model::Entities& entities, const std::string& name) {
  if (const model::Entity* entity = entities.Find(name)) return entity;
  std::vector<std::string_view> names;
  for (const auto& [each, entity] : entities.all()) names.push_back(each);
  return Error{Code::kNotFound, fmt::format("the mesh has no entity '{}'{}", name, DidYouMean(name, names))};
}

// None: all of them.
Result<std::optional<int>> GenerationOf(const Json& body) {
  const Json& wanted = body["generation"];
  if (wanted.is_null()) return std::optional<int>();
  const int64_t number = wanted.is_number() ? wanted.Int() : 0;
  if (number >= 1 && number <= INT_MAX) return std::optional<int>(static_cast<int>(number));
  return Error{Code::kInvalid,
               fmt::format("field generation: {} is no number of a generation: they begin with 1", wanted.Dump())};
}

}  // namespace

Answer ListEntities(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  const auto entities = TRY(catalog::EntitiesOf(*txn));
  std::map<std::string, int64_t> columns;
  std::map<std::string, std::set<std::string>> domains;
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  for (const catalog::EntityColumn& column : TRY(catalog::EntityColumns(*txn))) {
    if (!TRY(seen.Sees(column.port))) continue;
    ++columns[column.entity];
    domains[column.entity].insert(column.port.domain);
  }
  Json::Array list;
  for (const auto& [name, entity] : entities->all()) {
    Json json = EntityJson(*entity);
    json.Set("columns", columns[name]);
    json.Set("domains", std::vector<std::string>(domains[name].begin(), domains[name].end()));
    list.push_back(std::move(json));
  }
  return http::Response::Of(Json::Map({{"entities", std::move(list)}}));
}

Answer ShowEntity(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  const auto entities = TRY(catalog::EntitiesOf(*txn));
  const model::Entity& entity = *TRY(EntityNamed(*entities, request.captures.at("entity")));
  Json json = EntityJson(entity);
  Json::Array columns;
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  for (const catalog::EntityColumn& column : TRY(catalog::EntityColumns(*txn, entity.name))) {
    if (!TRY(seen.Sees(column.port))) continue;
    columns.push_back(
        Json::Map({{"domain", column.port.domain}, {"address", column.port.Text()}, {"column", column.column}}));
  }
  json.Set("columns", std::move(columns));
  Json::Array generations;
  for (const secrets::Generation& generation : TRY(secrets::Generations(*txn, entity.name))) {
    generations.push_back(Json::Map({{"generation", generation.number},
                                     {"made_by", generation.made_by},
                                     {"made_at", generation.made_at.Text()},
                                     {"erased_at", OptionalTime(generation.erased_at)}}));
  }
  json.Set("generations", std::move(generations));
  return http::Response::Of(json);
}

Answer RotateEntity(Api& api, const Caller& caller, const http::Request& request) {
  TRY(BodyOf(request, {}));
  const std::string name = request.captures.at("entity");
  auto txn = TRY(api.store.Begin());
  const auto entities = TRY(catalog::EntitiesOf(*txn));
  TRY(EntityNamed(*entities, name));
  const int generation = TRY(secrets::RotateKey(*txn, api.clock, api.vault, name, caller.principal.name));
  TRY(Record(*txn, api.clock, caller, "entity.rotated", name,
             Json::Map({{"entity", name}, {"generation", generation}})));
  TRY(txn->Commit());
  return http::Response::Of(Json::Map({{"entity", name}, {"generation", generation}}));
}

// Again is right: where the store's log could not be cleared, it is then.
Answer EraseEntity(Api& api, const Caller& caller, const http::Request& request) {
  const std::string name = request.captures.at("entity");
  const Json body = TRY(BodyOf(request, {"generation"}));
  const std::optional<int> generation = TRY(GenerationOf(body));
  auto txn = TRY(api.store.Begin());
  const auto entities = TRY(catalog::EntitiesOf(*txn));
  // What the mesh no longer has may have keys nevertheless.
  if (TRY(secrets::Generations(*txn, name)).empty()) TRY(EntityNamed(*entities, name));
  const std::vector<int> erased =
      TRY(secrets::EraseKeys(*txn, api.clock, api.vault, name, generation, caller.principal.name));
  Json numbers{Json::Array()};
  for (int number : erased) numbers.Push(number);
  if (!erased.empty()) {
    TRY(Record(*txn, api.clock, caller, "entity.erased", name,
               Json::Map({{"entity", name}, {"generations", numbers}})));
  }
  const std::vector<secrets::Generation> generations = TRY(secrets::Generations(*txn, name));
  TRY(txn->Commit());
  TRY(PurgeStore(api, "the key is erased",
                 fmt::format("weft entity erase {} --generation {}", name,
                             erased.empty() ? generation.value_or(1) : erased.front())));
  return http::Response::Of(
      Json::Map({{"entity", name}, {"erased", std::move(numbers)}, {"generation", generations.front().number}}));
}

}  // namespace weft::rest
