// Federated entities: what several domains speak of under one identifier. What entities/*.yaml say, as values.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/contract.h"

namespace weft::model {

struct Mesh;
struct Repository;

struct Entity {
  std::string name;  // "listener"
  std::string description;
  std::string type;     // Of its identifier: "string" or "integer".
  std::string pattern;  // Of a string, RE2; the identifiers are held to it as to a contract's own.
  std::string owner;    // A principal, or "group:NAME".
  std::vector<std::string> examples;
  std::string file;
  Place place;

  std::string Where() const;  // "entities/people.yaml:2"
};

struct EntityFile {
  std::vector<Entity> entities;
  std::string file;  // "entities/people.yaml"
  std::string bytes;

  // kInvalid carries every problem, rule "weft.entity".
  static Result<EntityFile> Parse(std::string_view text, const std::string& file);
};

// Every entity of the mesh by its name. Thread-safe; does not change.
class Entities {
 public:
  // kInvalid carries a problem for each name that stands twice.
  static Result<std::shared_ptr<const Entities>> Of(std::vector<EntityFile> files);

  const Entity* Find(std::string_view name) const;
  const std::vector<EntityFile>& files() const { return files_; }
  const std::map<std::string, const Entity*, std::less<>>& all() const { return by_name_; }

  // What a contract's columns say of entities and cannot: of unknown ones, of other types, or of values within a
  // column. Rule "weft.entity".
  std::vector<Problem> Judge(const Contract& contract) const;

 private:
  std::vector<EntityFile> files_;
  std::map<std::string, const Entity*, std::less<>> by_name_;
};

// Owners that are no group of the mesh.
std::vector<Problem> JudgeOwners(const std::vector<EntityFile>& files, const Mesh& mesh);
// A folder by its own entities alone: what stands in a folder without mesh.yaml may speak of those that the mesh has.
std::vector<Problem> JudgeByEntities(const Repository& repository);

}  // namespace weft::model
