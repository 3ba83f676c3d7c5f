// Keys of entities, by generation, and the tokens of one purpose that are made with them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "drivers/engine/engine.h"
#include "model/policy/restriction.h"
#include "state/secrets/secrets.h"

namespace weft::secrets {

struct Generation {
  int number = 0;  // From 1.
  std::string made_by;
  Instant made_at;
  std::optional<Instant> erased_at;  // Then nobody can make its tokens again.
};
// The newest first, which is the one that tokens are made with.
Result<std::vector<Generation>> Generations(store::Txn& txn, const std::string& entity);

// Makes the first generation where there is none.
Status EnsureKey(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity, const std::string& principal);
// Begins a new generation; earlier ones stay sealed. Answers its number.
Result<int> RotateKey(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity,
                      const std::string& principal);
// Overwrites the key of one generation, or of all; where it is the newest, another begins. Answers those that were
// erased by this. Store::Purge, after the commit, takes it out of the store's log too.
Result<std::vector<int>> EraseKeys(store::Txn& txn, Clock& clock, Vault& vault, const std::string& entity,
                                   std::optional<int> generation, const std::string& principal);

// The tokens of one entity for one purpose, as a function of the engine.
struct Pseudonym {
  std::string entity;
  int generation = 0;
  std::string function;               // Named after the key, so that no two keys share one.
  std::shared_ptr<const Secret> key;  // Shared by the statement and what runs it; wiped with the last of them.
};
// What the restriction's masks need for the purpose; nothing where it pseudonymises nothing.
Result<std::vector<Pseudonym>> PseudonymsFor(store::Txn& txn, Vault& vault, const model::Restriction* restriction,
                                             const std::string& purpose);
// Whether all are of their entities' newest generations still.
Result<bool> AreCurrent(store::Txn& txn, const std::vector<Pseudonym>& pseudonyms);
// The functions' names, for the masks' SQL.
std::map<std::string, std::string> FunctionsOf(const std::vector<Pseudonym>& pseudonyms);
// Makes the functions, each once, in the connection's instance.
Status Define(engine::Connection& connection, const std::vector<Pseudonym>& pseudonyms);

// A secret of the node, from which runs derive what must be random to others and the same when they run again.
Status EnsureRunSecret(store::Txn& txn, Clock& clock, Vault& vault);
// At least 16 bytes in hexadecimal, a function of the node and of `about`.
Result<std::string> RunSalt(store::Txn& txn, Vault& vault, std::string_view about);

}  // namespace weft::secrets
