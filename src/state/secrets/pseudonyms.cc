#include "state/secrets/pseudonyms.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"

namespace weft::secrets {
namespace {

constexpr std::string_view kNode = "node";

Name KeyName(const std::string& entity, int generation) { return {"entity key", entity, std::to_string(generation)}; }

const Name& RunSecretName() {
  static const Name name{"run secret", std::string(kNode), "1"};
  return name;
}

Status Begin(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity, int generation,
             const std::string& principal) {
  TRY(txn.Run("INSERT INTO entity_keys (entity, generation, made_by, made_at) VALUES ($1, $2, $3, $4)",
              {entity, store::Int(generation), principal, clock.Now().Text()}));
  return vault.Put(txn, clock, KeyName(entity, generation), Secret::Random(kKeyBytes).bytes(), principal);
}

// The newest generation's number; 0 where there is none.
Result<int> Newest(store::Txn& txn, const std::string& entity) {
  const auto rows = TRY(txn.Run("SELECT coalesce(max(generation), 0) FROM entity_keys WHERE entity = $1", {entity}));
  return static_cast<int>(rows.at(0).integer(0));
}

}  // namespace

Result<std::vector<Generation>> Generations(store::Txn& txn, const std::string& entity) {
  std::vector<Generation> generations;
  for (const store::Row& row : TRY(txn.Run("SELECT generation, made_by, made_at, erased_at FROM entity_keys WHERE "
                                           "entity = $1 ORDER BY generation DESC",
                                           {entity}))) {
    Generation generation{static_cast<int>(row.integer(0)), row.text(1), TRY(row.time(2)), {}};
    generation.erased_at = TRY(row.maybe_time(3));
    generations.push_back(std::move(generation));
  }
  return generations;
}

Status EnsureKey(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity, const std::string& principal) {
  if (TRY(Newest(txn, entity)) > 0) return {};
  return Begin(txn, clock, vault, entity, 1, principal);
}

Result<int> RotateKey(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity,
                      const std::string& principal) {
  const int next = TRY(Newest(txn, entity)) + 1;
  TRY(Begin(txn, clock, vault, entity, next, principal));
  return next;
}

Result<std::vector<int>> EraseKeys(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity,
                                   std::optional<int> generation, const std::string& principal) {
  std::vector<int> erased;
  bool known = false;
  const std::vector<Generation> generations = TRY(Generations(txn, entity));
  for (const Generation& each : generations) {
    if (generation && each.number != *generation) continue;
    known = true;
    if (each.erased_at) continue;
    TRY(Remove(txn, KeyName(entity, each.number)));
    TRY(txn.Run("UPDATE entity_keys SET erased_at = $3 WHERE entity = $1 AND generation = $2",
                {entity, store::Int(each.number), clock.Now().Text()}));
    erased.push_back(each.number);
  }
  if (!known && generation) {
    return Error{Code::kNotFound, fmt::format("the entity '{}' has no generation {} of its key; weft entity show {} "
                                              "lists those that it has",
                                              entity, *generation, entity)};
  }
  if (!erased.empty() && erased.front() == generations.front().number) {
    TRY(RotateKey(txn, clock, vault, entity, principal));
  }
  return erased;
}

Result<std::vector<Pseudonym>> PseudonymsFor(store::Txn& txn, Vault& vault, const model::Restriction* restriction,
                                             const std::string& purpose) {
  std::vector<Pseudonym> pseudonyms;
  std::set<std::string> entities;
  for (const auto& [column, mask] : restriction ? restriction->masks : decltype(restriction->masks)()) {
    if (mask.action == model::MaskAction::kPseudonym) entities.insert(mask.entity);
  }
  for (const std::string& entity : entities) {
    const int generation = TRY(Newest(txn, entity));
    auto key = vault.Get(txn, KeyName(entity, generation));
    if (!key) {
      return Error{Code::kUnavailable,
                   fmt::format("pseudonyms of '{}' cannot be made: {}", entity, key.error().message)};
    }
    auto own = std::make_shared<const Secret>(Derive(*key, purpose, entity));
    pseudonyms.push_back({entity, generation, "weft_pseudonym_" + KeyId(*own), own});
  }
  return pseudonyms;
}

Result<bool> AreCurrent(store::Txn& txn, const std::vector<Pseudonym>& pseudonyms) {
  for (const Pseudonym& pseudonym : pseudonyms) {
    if (TRY(Newest(txn, pseudonym.entity)) != pseudonym.generation) return false;
  }
  return true;
}

std::map<std::string, std::string> FunctionsOf(const std::vector<Pseudonym>& pseudonyms) {
  std::map<std::string, std::string> functions;
  for (const Pseudonym& pseudonym : pseudonyms) functions[pseudonym.entity] = pseudonym.function;
  return functions;
}

Status Define(engine::Connection& connection, const std::vector<Pseudonym>& pseudonyms) {
  std::set<std::string> defined;
  for (const Pseudonym& pseudonym : pseudonyms) {
    if (defined.insert(pseudonym.function).second) TRY(connection.DefineTokens(pseudonym.function, *pseudonym.key));
  }
  return {};
}

Status EnsureRunSecret(store::Txn& txn, Clock& clock, Vault& vault) {
  const Name& name = RunSecretName();
  if (!TRY(List(txn, name.kind)).empty()) return {};
  return vault.Put(txn, clock, name, Secret::Random(kKeyBytes).bytes(), std::string(kNode));
}

Result<std::string> RunSalt(store::Txn& txn, Vault& vault, std::string_view about) {
  const Secret secret = TRY(vault.Get(txn, RunSecretName()));
  return Hex(Derive(secret, about, "run salt").bytes());
}

}  // namespace weft::secrets
