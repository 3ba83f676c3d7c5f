// Weft's own rules about one bundle, beyond its standards: codes "weft.*".
#pragma once

#include <string>
#include <vector>

#include "model/repository.h"

namespace weft::model {

// What stands beside a bundle in its repository.
struct Surroundings {
  const Mesh* mesh = nullptr;  // None where the folder holds no mesh.yaml.
  bool mesh_complete = true;   // There is no mesh.yaml that could not be read.
  std::string domain;          // The names of its folders; empty for a product at the root.
  std::string product;
  bool contracts_complete = true;  // Every contract of the folder could be read.
  std::vector<TextFile> sql;       // Paths within the bundle's folder.
  std::vector<DataFile> data;      // Paths within the repository.
};

// Judges the bundle whole and fills its `builds` and `data`.
std::vector<Problem> JudgeBundle(Bundle& bundle, const Surroundings& surroundings);

}  // namespace weft::model
