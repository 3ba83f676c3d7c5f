#include "model/repository.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/id.h"
#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/roles.h"
#include "model/rules.h"
#include "model/shape.h"

namespace weft::model {
namespace {

constexpr std::string_view kMeshFile = "mesh.yaml";
constexpr std::string_view kProductFile = "product.odps.yaml";

bool IsProduct(std::string_view name) { return name.ends_with(".odps.yaml"); }
bool IsContract(std::string_view name) { return name.ends_with(".odcs.yaml"); }
bool IsYaml(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

// The files of one product's folder, by what they are.
struct Folder {
  const TextFile* product = nullptr;
  std::vector<const TextFile*> contracts;
  std::vector<TextFile> sql;  // Paths within the folder.
  std::vector<Overlay> overlays;
};

// Sorts files into folders and judges each; `offline` judges each file alone.
class Reader {
 public:
  Reader(const std::vector<TextFile>& files, const std::vector<DataFile>& data, bool offline, const Mesh* registered,
         const std::string& environment)
      : files_(files), data_(data), offline_(offline), registered_(registered), environment_(environment) {
    std::ranges::sort(data_, {}, &DataFile::path);
  }

  Repository Run() {
    for (const TextFile& file : files_) offline_ ? Alone(file) : Sort(file);
    for (const auto& [path, folder] : folders_) ReadFolder(path, folder);
    std::stable_sort(out_.problems.begin(), out_.problems.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
    return std::move(out_);
  }

 private:
  void Say(const std::string& file, const std::string& rule, std::string message) {
    out_.problems.push_back({file, 0, 0, "", rule, std::move(message)});
  }
  template <class T>
  std::optional<T> Take(Result<T> parsed) {
    if (parsed) return parsed.TakeValue();
    Error error = parsed.TakeError();
    for (Problem& problem : error.problems) out_.problems.push_back(std::move(problem));
    return std::nullopt;
  }

  void Alone(const TextFile& file) {
    if (IsProduct(file.path)) {
      if (auto product = Take(Product::Parse(file.text, file.path))) {
        Bundle bundle;
        size_t slash = file.path.rfind('/');
        bundle.folder = slash == file.path.npos ? "" : file.path.substr(0, slash);
        bundle.product = std::move(*product);
        out_.bundles.push_back(std::move(bundle));
      }
    } else if (IsContract(file.path)) {
      Take(Contract::Parse(file.text, file.path));
    }
  }

  // Every file has one place; what has none and looks like a descriptor is a mistake.
  void Sort(const TextFile& file) {
    std::vector<std::string> steps = Split(file.path, '/');
    const std::string& name = steps.back();
    if (file.path == kMeshFile) return ReadMesh(file);
    if (steps.size() > 1 && (steps[0] == "policies" || steps[0] == "entities")) {
      if (name.ends_with(".yml")) return Say(file.path, "weft.folder", "must end in .yaml to be read: rename it");
      if (!IsYaml(name)) return;
      if (steps[0] == "entities") {
        if (auto entities = Take(EntityFile::Parse(file.text, file.path)))
          out_.entities.push_back(std::move(*entities));
      } else if (auto policies = Take(PolicyFile::Parse(file.text, file.path))) {
        out_.policies.push_back(std::move(*policies));
      }
      return;
    }
    bool in_product = steps.size() >= 4 && steps[0] == "domains";
    if (!in_product && steps.size() > 1 && steps[0] == "domains") {
      if (IsYaml(name) || name.ends_with(".sql")) {
        Say(file.path, "weft.folder", "has no place here: a product's files stand in domains/<domain>/<product>/");
      }
      return;
    }
    std::string folder = in_product ? Join(std::span(steps).first(3), "/") : "";
    std::string inside = in_product ? file.path.substr(folder.size() + 1) : file.path;
    Place(file, folder, inside);
  }

  void Place(const TextFile& file, const std::string& folder, const std::string& inside) {
    if (inside.ends_with(".sql")) {
      folders_[folder].sql.push_back({inside, file.text});
    } else if (inside == kProductFile) {
      folders_[folder].product = &file;
    } else if (IsContract(inside) && inside.find('/') == inside.npos) {
      folders_[folder].contracts.push_back(&file);
    } else if (IsProduct(inside) || IsContract(inside)) {
      Say(file.path, "weft.folder",
          fmt::format("has no place here: a product is described by {} and its contracts by <port>.odcs.yaml beside it",
                      kProductFile));
    } else if (const std::string environment = EnvironmentOfFile(inside); !environment.empty()) {
      folders_[folder].overlays.push_back({environment, file.path, file.text});
    } else if (!folder.empty() && inside.starts_with("env/") && inside.ends_with(".yaml")) {
      Say(file.path, "weft.folder", "has no place here: an environment's file is env/<name>.yaml");
    } else if (inside.ends_with(".odps.yml") || inside.ends_with(".odcs.yml") || inside == "mesh.yml" ||
               (!folder.empty() && inside.starts_with("env/") && inside.ends_with(".yml"))) {
      Say(file.path, "weft.folder", "must end in .yaml to be read: rename it");
    }
  }

  void ReadMesh(const TextFile& file) {
    auto mesh = Take(Mesh::Parse(file.text, file.path));
    mesh_complete_ = mesh.has_value();
    if (!mesh) return;
    auto parsed = yaml::Parse(file.text, file.path);
    const yaml::Node node = parsed ? parsed.TakeValue() : yaml::Node();
    auto slug = [&](const std::string& name, std::string_view what, const yaml::Node& at, std::string path) {
      if (auto ok = CheckSlug(name, what); !ok) {
        out_.problems.push_back({file.path, at.line, at.column, std::move(path), "weft.slug", ok.error().message});
      }
    };
    slug(mesh->id, "a mesh", node["id"], "id");
    std::set<std::string> seen;
    for (size_t i = 0; i < mesh->domains.size(); ++i) {
      const std::string& name = mesh->domains[i].name;
      const yaml::Node& at = node["domains"][i]["name"];
      std::string path = fmt::format("domains[{}].name", i);
      slug(name, "a domain", at, path);
      if (!seen.insert(name).second) {
        out_.problems.push_back({file.path, at.line, at.column, path, "weft.mesh",
                                 fmt::format("the domain '{}' stands twice: remove one", name)});
      }
      for (const auto& [role, names] : kTeamRoles) {
        for (const std::string& holder : mesh->domains[i].*names) UnknownGroup(*mesh, holder, file.path, at, path);
      }
    }
    for (const yaml::Node::Entry& holder : node["attributes"].entries) {
      UnknownGroup(*mesh, holder.key, file.path, holder.value, "attributes." + holder.key);
    }
    Environments(*mesh, file.path, node["environments"]);
    out_.mesh = std::move(mesh);
  }

  void Environments(const Mesh& mesh, const std::string& file, const yaml::Node& list) {
    static const RE2 kNodeUrl(R"(https?://[^/?#@\s]+(/[^?#@\s]*)?)");
    std::set<std::string> seen;
    for (size_t i = 0; i < mesh.environments.size(); ++i) {
      const Environment& environment = mesh.environments[i];
      auto say = [&](std::string_view key, std::string rule, std::string message) {
        const yaml::Node& at = list[i][key];
        out_.problems.push_back({file, at.line, at.column, fmt::format("environments[{}].{}", i, key), std::move(rule),
                                 std::move(message)});
      };
      if (auto slug = CheckSlug(environment.name, "an environment"); !slug) {
        say("name", "weft.slug", slug.error().message);
      } else if (!seen.insert(environment.name).second) {
        say("name", "weft.mesh", fmt::format("the environment '{}' stands twice: remove one", environment.name));
      }
      if (environment.node.empty() || RE2::FullMatch(environment.node, kNodeUrl)) continue;
      // Of a URL with a user in it no more is told.
      say("node", "weft.mesh",
          environment.node.find('@') == std::string::npos
              ? fmt::format("'{}' is no URL of a node: write it such as https://prod.example.com:7470",
                            environment.node)
              : std::string("a URL must not carry a user or a password: remove what stands before the '@'"));
    }
  }

  void UnknownGroup(const Mesh& mesh, const std::string& holder, const std::string& file, const yaml::Node& at,
                    const std::string& path) {
    std::string unknown = mesh.UnknownGroup(holder);
    if (!unknown.empty()) out_.problems.push_back({file, at.line, at.column, path, "weft.mesh", std::move(unknown)});
  }

  void ReadFolder(const std::string& path, const Folder& folder) {
    if (!folder.product) {
      if (path.empty() && folder.contracts.empty()) return;  // Stray files beside the domains.
      return Say(folder.contracts.empty() ? path : folder.contracts[0]->path, "weft.folder",
                 fmt::format("stands in a folder without {}: add it", kProductFile));
    }
    Surroundings around;
    around.mesh = out_.mesh ? &*out_.mesh : registered_;
    around.mesh_complete = mesh_complete_;
    around.sql = folder.sql;
    const std::string home = path.empty() ? "" : path + "/";
    auto data = std::ranges::lower_bound(data_, home, {}, &DataFile::path);
    for (; data != data_.end() && data->path.starts_with(home); ++data) around.data.push_back(*data);
    if (!path.empty()) {
      std::vector<std::string> steps = Split(path, '/');
      around.domain = steps[1];
      around.product = steps[2];
    }
    Bundle bundle;
    bundle.folder = path;
    for (const TextFile* file : folder.contracts) {
      auto contract = Take(Contract::Parse(file->text, file->path));
      around.contracts_complete = around.contracts_complete && contract;
      if (contract) bundle.contracts.push_back(std::move(*contract));
    }
    bundle.overlays = folder.overlays;
    std::ranges::sort(bundle.overlays, {}, &Overlay::environment);
    auto product = Take(Product::Parse(folder.product->text, folder.product->path));
    if (!product) return;
    bundle.product = std::move(*product);
    for (Problem& problem : JudgeBundle(bundle, around)) out_.problems.push_back(std::move(problem));
    if (const Overlay* overlay = bundle.OverlayOf(environment_)) {
      bundle.product = LaidOver(bundle.product, *overlay);
      bundle.environment = environment_;
    }
    out_.bundles.push_back(std::move(bundle));
  }

  const std::vector<TextFile>& files_;
  std::vector<DataFile> data_;  // By path.
  const bool offline_;
  const Mesh* const registered_;
  const std::string& environment_;
  std::map<std::string, Folder> folders_;
  bool mesh_complete_ = true;
  Repository out_;
};

}  // namespace

std::string Mesh::UnknownGroup(std::string_view holder) const {
  if (!holder.starts_with("group:")) return "";
  const std::string group(holder.substr(6));
  if (groups.contains(group)) return "";
  std::vector<std::string_view> names;
  for (const auto& [name, members] : groups) names.push_back(name);
  for (const RoleEntry& entry : kRoles) {
    if (const std::string_view name = GroupOf(entry.role); !name.empty()) names.push_back(name);
  }
  if (std::ranges::find(names, group) != names.end()) return "";
  return fmt::format("'{}' is no group of mesh.yaml{}", holder, DidYouMean(group, names));
}

const Environment* Mesh::FindEnvironment(std::string_view name) const {
  const auto at = std::ranges::find(environments, name, &Environment::name);
  return at == environments.end() ? nullptr : &*at;
}

std::string Mesh::UnknownEnvironment(std::string_view name) const {
  if (FindEnvironment(name)) return "";
  std::vector<std::string> names;
  for (const Environment& each : environments) names.push_back(each.name);
  if (names.empty()) {
    return fmt::format("mesh.yaml names no environments: add {{name: {}}} to its list `environments`", name);
  }
  const std::string near = DidYouMean(name, std::vector<std::string_view>(names.begin(), names.end()));
  return fmt::format("mesh.yaml names no environment '{}'{}", name,
                     near.empty() ? "; it has " + Join(names, ", ") : near);
}

Team Mesh::TeamOf(std::string_view domain) const {
  const auto at = std::ranges::find(domains, domain, &Domain::name);
  return at == domains.end() ? Team() : static_cast<const Team&>(*at);
}

const Contract* Bundle::ContractOf(const OutputPort& port) const {
  for (const Contract& contract : contracts) {
    if (contract.id == port.contract_id && contract.version == port.version) return &contract;
  }
  return ContractById(port.contract_id);
}

const Contract* Bundle::ContractById(std::string_view id) const {
  auto at = std::find_if(contracts.begin(), contracts.end(), [&](const Contract& each) { return each.id == id; });
  return at == contracts.end() || id.empty() ? nullptr : &*at;
}

const Overlay* Bundle::OverlayOf(std::string_view name) const {
  const auto at = std::ranges::find(overlays, name, &Overlay::environment);
  return at == overlays.end() ? nullptr : &*at;
}

std::string Bundle::Digest() const {
  Hasher hasher;
  auto add = [&](std::string_view kind, std::string_view name, std::string_view bytes) {
    hasher.Add(fmt::format("{} {} {} {}\n", kind, name.size(), name, bytes.size())).Add(bytes);
  };
  add("product", "", product.bytes);
  std::vector<const Contract*> sorted;
  for (const Contract& contract : contracts) sorted.push_back(&contract);
  std::sort(sorted.begin(), sorted.end(), [](const Contract* a, const Contract* b) {
    return std::tie(a->id, a->version, a->bytes) < std::tie(b->id, b->version, b->bytes);
  });
  for (const Contract* contract : sorted) add("contract", contract->id, contract->bytes);
  for (const auto& [name, text] : builds) add("build", name, text);
  for (const Overlay& overlay : overlays) add("environment", overlay.environment, overlay.bytes);
  return hasher.Hex();
}

std::string WithoutStatus(const std::string& text) {
  std::vector<std::string> lines = Split(text, '\n');
  for (std::string& line : lines) {
    if (line.starts_with("status:")) line = "status:";
  }
  return Join(lines, "\n");
}

Repository ReadRepository(const std::vector<TextFile>& files, const std::vector<DataFile>& data, bool offline,
                          const Mesh* registered, const std::string& environment) {
  return Reader(files, data, offline, registered, environment).Run();
}

}  // namespace weft::model
