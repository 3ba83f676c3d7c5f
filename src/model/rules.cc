#include "model/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/incremental.h"
#include "model/own.h"
#include "model/quarantine.h"
#include "model/reading.h"
#include "model/schedule.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using reading::PlaceOf;
using reading::Text;
using shape::Child;
using shape::Word;
using yaml::Node;

constexpr Word kStatuses[] = {{"proposed"}, {"draft"}, {"active"}, {"deprecated"}, {"retired"}};
constexpr shape::Type kStatus{.kinds = shape::kIsText, .words = kStatuses};
constexpr Word kProductTypes[] = {{"sourceAligned"}, {"aggregate"}, {"consumerAligned"}};
constexpr shape::Type kProductType{.kinds = shape::kIsText, .words = kProductTypes};

bool IsMissing(const Node& node) { return node.kind == Node::Kind::kMissing; }

// One bundle under judgement.
class Judge {
 public:
  Judge(Bundle& bundle, const Surroundings& around)
      : bundle_(bundle), around_(around), product_(bundle.product), sources_(bundle, around) {
    if (auto node = yaml::Parse(product_.bytes, product_.file)) node_ = node.TakeValue();
  }

  std::vector<Problem> Run() {
    Names();
    Owner();
    Tell(JudgeUrls(node_, product_.file));
    Tell(JudgeOwnProperties(node_, product_.file));
    for (const Contract& contract : bundle_.contracts) JudgeContract(contract);
    for (size_t i = 0; i < product_.inputs.size(); ++i) Input(product_.inputs[i], i);
    for (size_t i = 0; i < product_.outputs.size(); ++i) Output(product_.outputs[i], i);
    Tell(JudgeOverlays(bundle_, around_, node_, unsound_, sources_));
    Unused();
    return std::move(problems_);
  }

 private:
  void Say(const std::string& rule, const std::string& file, const Place& place, std::string message,
           Problem::Level level = Problem::Level::kError) {
    problems_.push_back({file, place.line, place.column, place.path, "weft." + rule, std::move(message), level});
  }
  void Say(const std::string& rule, const Place& place, std::string message) {
    Say(rule, product_.file, place, std::move(message));
  }
  void Tell(std::vector<Problem> problems) { std::ranges::move(problems, std::back_inserter(problems_)); }
  // At a key of the product, or of one of its ports; at the whole where the key is not there.
  Place At(const Node& node, const std::string& path, std::string_view key) const {
    return IsMissing(node[key]) ? PlaceOf(node, Child(path, key)) : PlaceOf(node[key], Child(path, key));
  }
  Place At(std::string_view key) const { return At(node_, "", key); }

  // Holds a node against one of Weft's own tables.
  void Shape(const std::string& rule, const std::string& file, const Node& node, const shape::Type& type,
             const std::string& path, void (*also)(shape::Checker&, const Node&, const std::string&) = nullptr) {
    shape::Checker checker(file, "weft." + rule, 0);
    if (also) {
      also(checker, node, path);
    } else {
      checker.Check(node, type, path);
    }
    Tell(checker.TakeProblems());
  }

  void Slug(const std::string& name, std::string_view what, const Place& place) {
    if (auto slug = CheckSlug(name, what); !slug) Say("slug", place, slug.error().message);
  }
  std::optional<Version> Semver(const std::string& text, const std::string& file, const Place& place) {
    auto version = Version::Parse(text);
    if (version) return *version;
    Say("version", file, place,
        text.empty() ? "has no version; write one such as version: 1.0.0" : version.error().message);
    return std::nullopt;
  }

  void Names();
  void Owner();
  void JudgeContract(const Contract& contract);
  void Input(const InputPort& port, size_t index);
  void Output(const OutputPort& port, size_t index);
  void ContractOfPort(const OutputPort& port, const Node& node);
  void BuildOfPort(const OutputPort& port, const Node& node);
  void QuarantineOfPort(const OutputPort& port, const Place& place);
  void StorageOfPort(const Node& node, const std::string& path);
  void SqlOfBuild(const Build& build, const Node& node);
  void Unused();

  Bundle& bundle_;
  const Surroundings& around_;
  const Product& product_;
  Node node_;
  std::vector<Problem> problems_;
  std::set<std::string> sql_names_;                     // Of input ports, as build SQL reads them.
  std::map<std::pair<std::string, int>, Place> ports_;  // Output ports seen: name and major.
  std::set<const Contract*> used_contracts_;
  std::set<std::string> used_sql_;
  std::set<std::string> unsound_;  // Input ports whose own source is wrong.
  SourceJudge sources_;
  bool contract_missing_ = false;  // A port's: then nothing is told about unused ones, which may be meant.
  bool sql_missing_ = false;
};

void Judge::Names() {
  if (Text(node_["apiVersion"]) == "v0.9.0") {
    Say("unsupported", At("apiVersion"), "apiVersion 'v0.9.0' is not supported; v1.0.0 and v1.1.0 are");
  }
  Slug(product_.name, "a product", At("name"));
  Slug(product_.domain, "a domain", At("domain"));
  Semver(product_.version, product_.file, At("version"));
  if (!IsMissing(node_["status"])) Shape("status", product_.file, node_["status"], kStatus, "status");
  if (!IsMissing(node_["type"])) Shape("type", product_.file, node_["type"], kProductType, "type");
  if (!around_.product.empty() && product_.name != around_.product) {
    Say("folder", At("name"),
        fmt::format("the name is '{}' and the folder '{}': make them equal", product_.name, around_.product));
  }
  if (!around_.domain.empty() && product_.domain != around_.domain) {
    Say("folder", At("domain"),
        fmt::format("the domain is '{}' and the folder '{}': make them equal", product_.domain, around_.domain));
  }
  const Node& own = node_["customProperties"];
  if (const size_t at = reading::FindOwn(own, "purpose"); !IsMissing(own[at])) {
    const Place place = PlaceOf(own[at]["value"], Child(Child("customProperties", at), "value"));
    if (!own[at]["value"].is_scalar())
      Say("slug", place, "the purpose is one word: value: forecasting");
    else
      Slug(product_.purpose, "a purpose", place);
  }
  if (product_.outputs.empty()) Say("port", At("outputPorts"), "a product must have at least one output port");
}

void Judge::Owner() {
  const Mesh::Domain* domain = nullptr;
  if (around_.mesh) {
    std::vector<std::string_view> names;
    for (const Mesh::Domain& each : around_.mesh->domains) {
      names.push_back(each.name);
      if (each.name == product_.domain) domain = &each;
    }
    if (!domain && !product_.domain.empty()) {
      return Say(
          "domain", At("domain"),
          fmt::format("the domain '{}' is not in mesh.yaml{}", product_.domain, DidYouMean(product_.domain, names)));
    }
  }
  if (!product_.owners.empty() || (domain && !domain->owners.empty()) || !around_.mesh_complete) return;
  // Where nobody knows the mesh, its domain may well have some.
  const bool known = around_.mesh != nullptr;
  Say("owner", product_.file, At("team"),
      known ? "has no owner: add a team member with role: owner, or owners to the domain in mesh.yaml"
            : "has no owner of its own, and the mesh.yaml that may name the domain's is not in this folder",
      known ? Problem::Level::kError : Problem::Level::kWarning);
}

void Judge::JudgeContract(const Contract& contract) {
  auto parsed = yaml::Parse(contract.bytes, contract.file);
  if (!parsed) return;
  const Node node = parsed.TakeValue();
  Tell(JudgeUrls(node, contract.file));
  if (contract.api_version.starts_with("v2.")) {
    Say("unsupported", contract.file, At(node, "", "apiVersion"),
        fmt::format("apiVersion '{}' is not supported; v3.0.0 to v3.2.0 are", contract.api_version));
  }
  Semver(contract.version, contract.file, At(node, "", "version"));
  if (!IsMissing(node["status"])) Shape("status", contract.file, node["status"], kStatus, "status");
  for (const Contract& other : bundle_.contracts) {
    if (&other == &contract) break;
    if (other.id != contract.id || other.version != contract.version) continue;
    Say("contract", contract.file, At(node, "", "id"),
        fmt::format("{} has this id and version too: give each contract an id of its own", other.file));
  }
  Tell(JudgePromises(contract, node));
  const bool written = std::ranges::any_of(
      product_.outputs, [&](const OutputPort& port) { return bundle_.ContractOf(port) == &contract; });
  for (const SchemaObject& object : contract.schema) {
    if (written || !QuarantineTermsOf(contract)) continue;
    Say("quarantine", contract.file, object.place,
        "is of the contract of an output port, whose runs set rows aside; this one is of none: remove it");
  }
}

void Judge::Input(const InputPort& port, size_t index) {
  const Node& node = node_["inputPorts"][index];
  const std::string& path = port.place.path;
  Slug(port.name, "an input port", At(node, path, "name"));
  if (!sql_names_.insert(port.SqlName()).second) {
    Say("port", At(node, path, "name"),
        fmt::format("another input port is read as '{}' too: rename one", port.SqlName()));
  }
  if (const Contract* contract = bundle_.ContractById(port.contract_id)) used_contracts_.insert(contract);
  if (!port.source) {
    return Say(
        "source", port.place,
        fmt::format("input port '{}' has no source: add a custom property with property: source, vendor: weft and "
                    "value: {{kind: file, path: …}}",
                    port.name));
  }
  std::vector<Problem> wrong = sources_.Run(*port.source, reading::OwnValue(node, "source"));
  if (!wrong.empty()) unsound_.insert(port.name);
  Tell(std::move(wrong));
}

void Judge::Output(const OutputPort& port, size_t index) {
  const Node& node = node_["outputPorts"][index];
  const std::string& path = port.place.path;
  Slug(port.name, "an output port", At(node, path, "name"));
  QuarantineOfPort(port, At(node, path, "name"));
  if (!port.type.empty() && port.type != "table") {
    Say("unsupported", At(node, path, "type"), fmt::format("type '{}' is not supported yet; table is", port.type));
  }
  std::optional<Version> version = Semver(port.version, product_.file, At(node, path, "version"));
  if (version) {
    auto [other, fresh] = ports_.emplace(std::pair(port.name, version->major), port.place);
    if (!fresh) {
      Say("port", At(node, path, "name"),
          fmt::format("line {} has the port '{}' with major {} too: rename one, or remove it", other->second.line,
                      port.name, version->major));
    }
  }
  ContractOfPort(port, node);
  BuildOfPort(port, node);
  StorageOfPort(node, path);
}

void Judge::QuarantineOfPort(const OutputPort& port, const Place& place) {
  if (IsQuarantine(port.name)) {
    Say("port", place,
        fmt::format("'{}' is the platform's own name, of what the runs of '{}' set aside: rename the port", port.name,
                    QuarantinedPort(port.name)));
  }
  const Contract* contract = bundle_.ContractOf(port);
  if (contract && QuarantineTermsOf(*contract) && !CheckSlug(QuarantineName(port.name), "")) {
    Say("port", place,
        fmt::format("'{}' is too long for a port with a quarantine, whose name is '{}': shorten it", port.name,
                    QuarantineName(port.name)));
  }
}

void Judge::StorageOfPort(const Node& node, const std::string& path) {
  const Node& list = node["customProperties"];
  const size_t at = reading::FindOwn(list, "storage");
  if (IsMissing(list[at])) return;
  Shape("storage", product_.file, list[at]["value"], own::kStorage,
        Child(Child(Child(path, "customProperties"), at), "value"));
}

void Judge::ContractOfPort(const OutputPort& port, const Node& node) {
  const std::string& path = port.place.path;
  if (port.contract_id.empty()) {
    return Say("contract", At(node, path, "contractId"),
               fmt::format("output port '{}' needs a contractId: the id of its contract", port.name));
  }
  const Contract* contract = bundle_.ContractOf(port);
  if (!contract) {
    contract_missing_ = true;
    if (!around_.contracts_complete) return;  // It may be the one that could not be read.
    std::vector<std::string_view> ids;
    for (const Contract& each : bundle_.contracts) ids.push_back(each.id);
    return Say("contract", At(node, path, "contractId"),
               fmt::format("no contract of this folder has the id '{}'{}", port.contract_id,
                           DidYouMean(port.contract_id, ids)));
  }
  used_contracts_.insert(contract);
  if (!port.version.empty() && port.version != contract->version) {
    Say("version", At(node, path, "version"),
        fmt::format("is '{}', and the contract {} has version '{}': make them equal", port.version, contract->file,
                    contract->version));
  }
  if (contract->schema.size() != 1) {
    Place place = contract->schema.empty() ? Place{1, 1, "schema"} : contract->schema[1].place;
    Say("schema", contract->file, place,
        fmt::format("the contract of a table port has exactly one schema object; this one has {}",
                    contract->schema.size()));
  }
}

void Judge::BuildOfPort(const OutputPort& port, const Node& node) {
  if (port.build) {
    const Node& build = reading::OwnValue(node, "build");
    Shape("build", product_.file, build, own::kBuild, port.build->place.path);
    Shape("unsupported", product_.file, build, own::kBuild, port.build->place.path, own::UnsupportedOfBuild);
    const Contract* contract = bundle_.ContractOf(port);
    if (std::string why = ProblemOfTrigger(*port.build, product_, contract); !why.empty()) {
      Say("build", At(build, port.build->place.path, "trigger"), std::move(why));
    }
    for (size_t i = 0; i < port.build->cluster_by.size() && contract && contract->schema.size() == 1; ++i) {
      const std::string& column = port.build->cluster_by[i];
      if (contract->schema[0].Find(column)) continue;
      std::vector<std::string_view> names;
      for (const Property& property : contract->schema[0].properties) names.push_back(property.name);
      Say("build", PlaceOf(build["cluster_by"][i], Child(Child(port.build->place.path, "cluster_by"), i)),
          fmt::format("'{}' is no column of the contract{}", column, DidYouMean(column, names)));
    }
    Tell(JudgeMode(*port.build, contract, build, product_.file));
    if (!port.build->sql_file.empty()) return SqlOfBuild(*port.build, build);
  }
  if (product_.inputs.size() == 1) {  // Projected onto the contract.
    const std::string why = WhyNotOnlyNew(product_.inputs[0], port.build.value_or(Build{}), bundle_.ContractOf(port));
    if (!why.empty()) Say("build", port.build ? port.build->place : port.place, why);
    return;
  }
  if (product_.inputs.empty()) {
    return Say("build", product_.file, port.place,
               fmt::format("output port '{}' has neither an input nor SQL: no run can fill it", port.name),
               Problem::Level::kWarning);
  }
  Say("build", port.place,
      fmt::format(
          "output port '{}' has no SQL and there are {} input ports: add a custom property with property: build, "
          "vendor: weft and value: {{sql: {}.sql}}",
          port.name, product_.inputs.size(), port.name));
}

void Judge::SqlOfBuild(const Build& build, const Node& node) {
  Place place = At(node, build.place.path, "sql");
  std::string wanted = NormalPath(build.sql_file);
  if (LeavesFolder(wanted)) {
    sql_missing_ = true;
    return Say("sql", place, fmt::format("'{}' leaves the product's folder: put the file inside it", build.sql_file));
  }
  std::vector<std::string_view> names;
  for (const TextFile& file : around_.sql) {
    names.push_back(file.path);
    if (file.path != wanted) continue;
    used_sql_.insert(file.path);
    bundle_.builds[build.sql_file] = file.text;
    return;
  }
  sql_missing_ = true;
  Say("sql", place, fmt::format("the product's folder has no file '{}'{}", build.sql_file, DidYouMean(wanted, names)));
}

void Judge::Unused() {
  std::string prefix = bundle_.folder.empty() ? "" : bundle_.folder + "/";
  for (const TextFile& file : around_.sql) {
    if (used_sql_.contains(file.path) || sql_missing_) continue;
    Say("sql", prefix + file.path, {},
        "no build names this file: name it in the build of an output port, or remove it");
  }
  for (const Contract& contract : bundle_.contracts) {
    if (used_contracts_.contains(&contract) || contract_missing_) continue;
    Say("contract", contract.file, {1, 1, "id"},
        fmt::format("no port of the product has the contractId '{}'", contract.id), Problem::Level::kWarning);
  }
}

}  // namespace

std::vector<Problem> JudgeBundle(Bundle& bundle, const Surroundings& surroundings) {
  return Judge(bundle, surroundings).Run();
}

}  // namespace weft::model
