#include "apps/weft/environments.h"

#include <fmt/format.h>

#include "base/file.h"
#include "model/repository.h"

namespace weft::app {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

struct Known {
  std::string where;  // As messages say it.
  model::Mesh mesh;
};

// None: neither the folder nor one above it has a mesh.yaml.
Result<std::optional<Known>> OfFolder(const std::string& folder) {
  if (folder.empty()) return std::optional<Known>();
  std::error_code failure;
  for (fs::path at = fs::weakly_canonical(folder, failure); !failure; at = at.parent_path()) {
    const fs::path file = at / "mesh.yaml";
    if (fs::is_regular_file(file, failure)) {
      const std::string text = TRY(ReadFile(file, kMostBytes));
      return std::optional(Known{Safe(file.string()), TRY(model::Mesh::Parse(text, file.string()))});
    }
    failure.clear();
    if (at == at.root_path() || at.empty()) break;
  }
  return std::optional<Known>();
}

// The present node's, whatever environment it is of.
Result<Known> OfNode(const Session& session) {
  GlobalOptions here = session.options();
  here.environment.clear();
  here.quiet = true;
  const Json node = TRY(Session(here).Get("/v1/node"));
  Known known{"the mesh.yaml that the node at " + here.node + " has", {}};
  for (const Json& each : node["environments"].Items()) {
    known.mesh.environments.push_back({each["name"].Text(), each["node"].Text(), each["description"].Text()});
  }
  return known;
}

}  // namespace

Result<std::string> NodeOfEnvironment(const Session& session, const std::string& environment,
                                      const std::string& folder) {
  std::optional<Known> known = TRY(OfFolder(folder));
  if (!known) {
    auto asked = OfNode(session);
    if (!asked) {
      return asked.TakeError().With(fmt::format(
          "where the node of '{}' is says a mesh.yaml, which no folder of this command has: name the node with --node",
          Safe(environment)));
    }
    known = asked.TakeValue();
  }
  const model::Environment* found = known->mesh.FindEnvironment(environment);
  if (!found) {
    return Error{Code::kNotFound,
                 fmt::format("{} ({})", Safe(known->mesh.UnknownEnvironment(environment)), known->where)};
  }
  if (!found->node.empty()) return found->node;
  return Error{Code::kInvalid, fmt::format("{} does not say where the node of '{}' is: add node: URL there, or name it "
                                           "with --node",
                                           known->where, Safe(environment))};
}

}  // namespace weft::app
