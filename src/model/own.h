// Weft's own parts of descriptors: `source` of an input port, `build` and `storage` of an output port, mesh.yaml, the
// files of environments, policies and entities, as tables.
#pragma once

#include "base/yaml.h"
#include "model/shape.h"

namespace weft::model::own {

extern const shape::Type kMesh;
extern const shape::Type kSource;
extern const shape::Type kBuild;
extern const shape::Type kStorage;
extern const shape::Type kQuarantine;
extern const shape::Type kOverlay;
extern const shape::Type kPoliciesFile;
extern const shape::Type kEntitiesFile;

// What is written well but is not done by this version, each with what is done: rule "weft.unsupported".
void UnsupportedOfSource(shape::Checker& checker, const yaml::Node& source, const std::string& path);
void UnsupportedOfBuild(shape::Checker& checker, const yaml::Node& build, const std::string& path);

// Whether a source of that kind reads files, which may travel with the product.
bool ReadsFiles(std::string_view kind);

// What the name of a file of rows tells: its format is csv, json or parquet, and empty where it does not tell.
struct FileKind {
  std::string_view format;
  std::string_view compression;  // none, gzip, zstd
  std::string_view ending;       // ".csv", without what packs it.
};
FileKind KindOf(std::string_view path);

}  // namespace weft::model::own
