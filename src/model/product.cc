#include "model/product.h"

#include <algorithm>
#include <cstdlib>

#include "base/id.h"
#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/cel/time.h"
#include "model/reading.h"
#include "model/standards.h"

namespace weft::model {
namespace {

using reading::PlaceOf;
using reading::Text;
using reading::Texts;
using shape::Child;
using yaml::Node;

// Weft's own custom property of a port and its path, or a missing node.
std::pair<const Node*, std::string> Own(const Node& port, const std::string& path, std::string_view name) {
  const Node& list = port["customProperties"];
  size_t at = reading::FindOwn(list, name);
  return {&list[at]["value"], Child(Child(Child(path, "customProperties"), at), "value")};
}

std::optional<Build> ReadBuild(const Node& port, const std::string& path) {
  auto [node, at] = Own(port, path, "build");
  if (node->kind == Node::Kind::kMissing) return std::nullopt;
  Build build;
  build.sql_file = Text((*node)["sql"]);
  if ((*node)["engine"].is_scalar()) build.engine = Text((*node)["engine"]);
  if ((*node)["mode"].is_scalar()) build.mode = Text((*node)["mode"]);
  build.schedule = Text((*node)["schedule"]);
  build.timezone = Text((*node)["timezone"]);
  build.trigger = Text((*node)["trigger"]);
  if ((*node)["priority"].is_scalar()) build.priority = Text((*node)["priority"]);
  if (const auto timeout = cel::ParseDuration(Text((*node)["timeout"])))
    build.timeout = Millis(timeout->nanos / 1'000'000);
  if ((*node)["retries"].is_scalar())
    build.retries = static_cast<int>(std::strtol(Text((*node)["retries"]).c_str(), nullptr, 10));
  build.cluster_by = Texts((*node)["cluster_by"]);
  build.snapshot_column = Text((*node)["snapshot_column"]);
  build.event_time = Text((*node)["event_time"]);
  build.arrival_time = Text((*node)["arrival_time"]);
  build.late = Text((*node)["late"]);
  build.nondeterministic = reading::IsTrue((*node)["nondeterministic"]);
  build.place = PlaceOf(*node, at);
  return build;
}

InputPort ReadInput(const Node& node, const std::string& path, const std::string& file) {
  InputPort port;
  port.name = Text(node["name"]);
  port.version = Text(node["version"]);
  port.contract_id = Text(node["contractId"]);
  const auto [source, at] = Own(node, path, "source");
  if (source->kind != Node::Kind::kMissing) port.source = Source::Of(*source, at, file);
  port.document = node.ToJson();
  port.place = PlaceOf(node, path);
  return port;
}

OutputPort ReadOutput(const Node& node, const std::string& path) {
  OutputPort port;
  port.id = Text(node["id"]);
  port.name = Text(node["name"]);
  port.description = Text(node["description"]);
  port.type = Text(node["type"]);
  port.version = Text(node["version"]);
  port.contract_id = Text(node["contractId"]);
  port.tags = Texts(node["tags"]);
  port.build = ReadBuild(node, path);
  const auto [storage, at] = Own(node, path, "storage");
  if (storage->kind != Node::Kind::kMissing) port.storage = Storage::Of(*storage);
  port.document = node.ToJson();
  port.place = PlaceOf(node, path);
  return port;
}

template <class Port>
const Port* FindPort(const std::vector<Port>& ports, std::string_view name) {
  auto at = std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
  return at == ports.end() ? nullptr : &*at;
}

}  // namespace

Source Source::Of(const Node& node, const std::string& path, const std::string& file) {
  Source source;
  source.file = file;
  source.kind = Text(node["kind"]);
  source.path = Text(node["path"]);
  source.format = Text(node["format"]);
  source.address = Text(node["address"]);
  Json::Object options;
  if (node.kind == Node::Kind::kMap) {
    for (const Node::Entry& entry : node.entries) {
      if (entry.key != "kind" && entry.key != "path" && entry.key != "format" && entry.key != "address") {
        options.emplace_back(entry.key, entry.value.ToJson());
      }
    }
  }
  source.options = std::move(options);
  source.place = PlaceOf(node, path);
  return source;
}

std::string Source::Digest() const {
  Hasher hasher;
  for (const std::string& part : {kind, path, format, address}) hasher.AddNamed("source", part);
  return hasher.AddNamed("options", options.Dump()).Hex();
}

Storage Storage::Of(const Node& node) { return {Text(node["compression"]), ""}; }

std::string InputPort::SqlName() const { return SqlNameOf(name); }

const InputPort* Product::Input(std::string_view wanted) const { return FindPort(inputs, wanted); }
const OutputPort* Product::Output(std::string_view wanted) const { return FindPort(outputs, wanted); }

Result<Product> Product::Parse(std::string_view text, const std::string& file) {
  const Node node = TRY(yaml::Parse(text, file));
  Product product = TRY(Of(node, file));
  product.bytes = text;
  return product;
}

Result<Product> Product::Of(const Node& node, const std::string& file) {
  shape::Checker checker(file, "odps", standards::OdpsVersion(node));
  checker.Check(node, standards::kOdps, "");
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return shape::AsError(std::move(problems));

  Product product;
  product.id = Text(node["id"]);
  const auto [purpose, purpose_path] = Own(node, "", "purpose");
  product.purpose = Text(*purpose);
  product.purpose_place = PlaceOf(*purpose, purpose_path);
  product.name = Text(node["name"]);
  product.domain = Text(node["domain"]);
  product.version = Text(node["version"]);
  product.status = Text(node["status"]);
  product.type = Text(node["type"]);
  product.description = reading::Description(node["description"]);
  product.tags = Texts(node["tags"]);
  for (const Node::Entry& member : node["team"]["members"].entries) {
    const std::string role = Lower(Text(member.value["role"])), name = Text(member.value["username"]);
    for (const auto& [known, names] : kTeamRoles) {
      if (role == known) (product.*names).push_back(name);
    }
  }
  const Node& inputs = node["inputPorts"];
  for (size_t i = 0; i < inputs.size(); ++i) {
    product.inputs.push_back(ReadInput(inputs[i], Child("inputPorts", i), file));
  }
  const Node& outputs = node["outputPorts"];
  for (size_t i = 0; i < outputs.size(); ++i)
    product.outputs.push_back(ReadOutput(outputs[i], Child("outputPorts", i)));
  product.document = node.ToJson();
  product.file = file;
  return product;
}

}  // namespace weft::model
