// Weft's own rules about one bundle, beyond its standards: codes "weft.*".
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/yaml.h"
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

// What a contract promises in words that any reader may take or leave, and that this version does not keep.
std::vector<Problem> JudgePromises(const Contract& contract, const yaml::Node& document);

// Custom properties of Weft's own, anywhere in a document, whose names are not known.
std::vector<Problem> JudgeOwnProperties(const yaml::Node& document, const std::string& file);

// The columns and checks of every contract, as far as they can be told from the folder alone: what cannot run.
std::vector<Problem> JudgeByChecks(const Repository& repository);

// What a build's mode asks of its contract (none: it is not there), and which of its keys belong to another mode.
// `node`: the build in the document `file`.
std::vector<Problem> JudgeMode(const Build& build, const Contract* contract, const yaml::Node& node,
                               const std::string& file);
// A URL with a user or a password in it, anywhere in a document.
std::vector<Problem> JudgeUrls(const yaml::Node& document, const std::string& file);

// "a/./b" as "a/b"; a path that leaves its folder keeps its "..".
std::string NormalPath(const std::string& path);
bool LeavesFolder(const std::string& normal);

// Judges the sources of one bundle, the descriptor's own and those of its environments, and fills its `data`.
class SourceJudge {
 public:
  SourceJudge(Bundle& bundle, const Surroundings& around) : bundle_(bundle), around_(around) {}
  std::vector<Problem> Run(const Source& source, const yaml::Node& node);

 private:
  void ReadsFile(const Source& source, const yaml::Node& node);
  void ReadsProduct(const Source& source, const yaml::Node& node);

  Bundle& bundle_;
  const Surroundings& around_;
  std::set<std::string> kept_;  // Paths of bundle_.data.
  std::vector<Problem> problems_;
};

// The files of all environments, laid over the product, whose document is `node`. Of the input ports in `unsound` the
// own source is wrong, which is told already.
std::vector<Problem> JudgeOverlays(const Bundle& bundle, const Surroundings& surroundings, const yaml::Node& node,
                                   const std::set<std::string>& unsound, SourceJudge& sources);

// Judges the bundle whole and fills its `builds` and `data`.
std::vector<Problem> JudgeBundle(Bundle& bundle, const Surroundings& surroundings);

}  // namespace weft::model
