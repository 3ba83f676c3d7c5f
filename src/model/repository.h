// A folder of plain files as one value: the mesh, its products with their contracts and builds, and all that is wrong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/contract.h"
#include "model/entity.h"
#include "model/environment.h"
#include "model/policy/policy.h"
#include "model/product.h"

namespace weft::model {

// mesh.yaml: id, domains [{name, description?, owners, stewards and engineers: [principal or group:NAME]}],
// groups {NAME: [principal]}, attributes {principal or group:NAME: {NAME: text or [text]}}, environments [{name, node?,
// description?}].
struct Mesh {
  struct Domain : Team {
    std::string name;
    std::string description;
  };
  std::string id;
  std::string description;
  std::vector<Domain> domains;
  std::map<std::string, std::vector<std::string>> groups;
  std::map<std::string, std::map<std::string, std::vector<std::string>>>
      attributes;  // What policies ask of principals.
  std::vector<Environment> environments;
  std::string bytes;

  static Result<Mesh> Parse(std::string_view text, const std::string& file);
  Team TeamOf(std::string_view domain) const;  // Nobody where there is no such domain.
  const Environment* FindEnvironment(std::string_view name) const;
  // What is wrong with the name of an environment: that the mesh has none such, and what is near. Empty: nothing.
  std::string UnknownEnvironment(std::string_view name) const;
  // What is wrong with the name of one who holds, owns or is spoken of: a group that is neither in `groups` nor one
  // whose members have a role (model/roles.h). Empty: nothing.
  std::string UnknownGroup(std::string_view holder) const;
};

struct TextFile {
  std::string path;  // Relative to the repository, with '/'.
  std::string text;
};

// A data file that travels with a product but is not part of its version.
struct DataFile {
  std::string path;  // Relative to the repository.
  std::string sha256;
  int64_t bytes = 0;
};

// The atom of publishing: a product with its contracts and build texts.
struct Bundle {
  std::string folder;                         // "domains/operations/flights"
  Product product;                            // As the environment that was asked for has it.
  std::vector<Contract> contracts;            // One of each output port, and any of input ports.
  std::map<std::string, std::string> builds;  // SQL file name → text.
  std::vector<Overlay> overlays;              // One of each environment that has a file, by its name.
  std::string environment;                    // Whose overlay is laid over `product`; empty: none's.
  std::vector<DataFile> data;                 // Files under the folder that a source of any environment names.

  const Contract* ContractOf(const OutputPort& port) const;
  const Contract* ContractById(std::string_view id) const;
  const Overlay* OverlayOf(std::string_view environment) const;
  std::string Digest() const;  // Hash of every version byte: product, contracts, builds, overlays; not of data.
};

struct Repository {
  std::optional<Mesh> mesh;
  std::vector<PolicyFile> policies;
  std::vector<EntityFile> entities;
  std::vector<Bundle> bundles;    // Those that parse, each judged whole.
  std::vector<Problem> problems;  // Of all files, sorted by file and line.
};

// Reads every file that has a place in a mesh: mesh.yaml, domains/<domain>/<product>/*, or (a single product's
// folder) product.odps.yaml at the root. With `offline`, judges each descriptor by its standard alone.
// Weft's rules have codes "weft.*" in Problem::rule; what is valid but not done yet is "weft.unsupported". Where the
// files have no mesh.yaml, `registered` is the mesh that they are for; null: not known. The overlays of all
// environments are judged, and that of `environment` is laid over each product; empty: none is.
Repository ReadRepository(const std::vector<TextFile>& files, const std::vector<DataFile>& data, bool offline,
                          const Mesh* registered = nullptr, const std::string& environment = "");

// A descriptor's text with its own `status` line blanked: what a transition from one status to the next leaves alone.
std::string WithoutStatus(const std::string& text);

}  // namespace weft::model
