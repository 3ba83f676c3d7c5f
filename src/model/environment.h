// Environments: the stages of a mesh, such as dev and prod, and what of a product differs between them. A product's
// folder may have env/<name>.yaml for each, whose sources, schedules and storage are laid over the descriptor's own;
// contracts, SQL, names and owners are the same everywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "model/product.h"

namespace weft::model {

// As mesh.yaml names it.
struct Environment {
  std::string name;
  std::string node;  // The URL of its node; empty: not told.
  std::string description;
};

// A product's file of one environment, as it was written.
struct Overlay {
  std::string environment;
  std::string file;  // Within the repository.
  std::string bytes;

  std::string ShortName() const { return "env/" + environment + ".yaml"; }  // Within the product's folder.
  bool operator==(const Overlay& other) const { return environment == other.environment && bytes == other.bytes; }
};

// "prod" of "env/prod.yaml", a path within a product's folder; empty of any other file.
std::string EnvironmentOfFile(std::string_view inside);

// The keys of `over` in place of those of `base`; null takes one away. What is left of `base` stands where `over` does:
// whoever is told that the two do not go together looks there.
yaml::Node LaidOver(const yaml::Node& base, const yaml::Node& over);
// The same of a source: another `kind` leaves nothing of `base`.
yaml::Node LaidOverSource(const yaml::Node& base, const yaml::Node& over);

// The product as the overlay's environment has it; its bytes and document stay those of the descriptor. What no judge
// would let pass is passed over.
Product LaidOver(const Product& product, const Overlay& overlay);

// A line for each port of which the overlay says something: "source of orders: host db.example.com, database sales".
std::vector<std::string> LinesOf(const Overlay& overlay);

}  // namespace weft::model
