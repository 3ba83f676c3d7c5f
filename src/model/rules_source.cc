#include <fmt/format.h>
#include <re2/re2.h>

#include <filesystem>

#include "base/yaml.h"
#include "model/address.h"
#include "model/glob.h"
#include "model/own.h"
#include "model/reading.h"
#include "model/rules.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using reading::PlaceOf;
using shape::Child;
using yaml::Node;

// At a key of a source; at the whole where the key is not there.
Problem At(const Source& source, const Node& node, std::string_view key, std::string rule, std::string message) {
  const Node& child = node[key];
  const Place place = PlaceOf(child.kind == Node::Kind::kMissing ? node : child, Child(source.place.path, key));
  return {source.file, place.line, place.column, place.path, std::move(rule), std::move(message)};
}

void FindUrls(const Node& node, const std::string& file, const std::string& path, std::vector<Problem>& problems) {
  static const RE2 kUserInfo(R"([A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*@)");
  if (node.kind == Node::Kind::kText && RE2::PartialMatch(node.scalar, kUserInfo)) {
    problems.push_back({file, node.line, node.column, path, "weft.secret",
                        "a URL must not carry a user or a password: remove what stands before the '@'"});
  }
  for (size_t i = 0; i < node.size(); ++i) {
    const Node::Entry& entry = node.entries[i];
    FindUrls(entry.value, file, node.kind == Node::Kind::kMap ? Child(path, entry.key) : Child(path, i), problems);
  }
}

}  // namespace

std::vector<Problem> JudgeUrls(const Node& document, const std::string& file) {
  std::vector<Problem> problems;
  FindUrls(document, file, "", problems);
  return problems;
}

std::string NormalPath(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

bool LeavesFolder(const std::string& normal) {
  return normal.starts_with("/") || normal == ".." || normal.starts_with("../");
}

std::vector<Problem> SourceJudge::Run(const Source& source, const Node& node) {
  shape::Checker checker(source.file, "weft.source", 0), done(source.file, "weft.unsupported", 0);
  checker.Check(node, own::kSource, source.place.path);
  own::UnsupportedOfSource(done, node, source.place.path);
  problems_ = checker.TakeProblems();
  for (Problem& problem : done.TakeProblems()) problems_.push_back(std::move(problem));
  if (problems_.empty() && own::ReadsFiles(source.kind)) ReadsFile(source, node);
  if (problems_.empty() && source.kind == "product") ReadsProduct(source, node);
  return std::move(problems_);
}

void SourceJudge::ReadsFile(const Source& source, const Node& node) {
  if (source.path.starts_with("/")) return;  // Under a root of the node, which judges it.
  const std::string wanted = NormalPath(source.path);
  if (LeavesFolder(wanted) || source.path.empty()) {
    problems_.push_back(
        At(source, node, "path", "weft.data",
           fmt::format("the path '{}' leaves the product's folder: put the file inside it", source.path)));
    return;
  }
  const std::string prefix = bundle_.folder.empty() ? "" : bundle_.folder + "/";
  bool found = false;
  for (const DataFile& file : around_.data) {
    if (!file.path.starts_with(prefix)) continue;
    if (!GlobMatches(wanted, std::string_view(file.path).substr(prefix.size())) && file.path != prefix + wanted)
      continue;
    found = true;
    if (kept_.insert(file.path).second) bundle_.data.push_back(file);
  }
  if (found) return;
  problems_.push_back(
      At(source, node, "path", "weft.data",
         fmt::format("no file of the product's folder is named '{}': add it, or correct the path", source.path)));
}

void SourceJudge::ReadsProduct(const Source& source, const Node& node) {
  auto say = [&](std::string rule, std::string message) {
    problems_.push_back(At(source, node, "address", std::move(rule), std::move(message)));
  };
  auto address = Address::Parse(source.address);
  if (!address) return say("weft.address", address.error().message);
  if (address->port.empty() || address->product.empty()) {
    return say("weft.address",
               fmt::format("'{}' names no output port: write domain/product/port@MAJOR", source.address));
  }
  if (!address->major || address->version) {
    return say("weft.address",
               fmt::format("'{}' must name the major it reads, such as {}/{}/{}@{}", source.address, address->domain,
                           address->product, address->port, address->major.value_or(1)));
  }
  if (around_.mesh && !address->mesh.empty() && address->mesh != around_.mesh->id) {
    say("weft.unsupported",
        fmt::format("'{}' is of the mesh '{}'; inputs of other meshes are not supported yet, those of '{}' are",
                    source.address, address->mesh, around_.mesh->id));
  }
}

}  // namespace weft::model
