#include "model/policy/published.h"

#include <algorithm>
#include <utility>

#include "model/reading.h"
#include "model/repository.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using reading::Text;
using reading::Texts;
using shape::Child;
using yaml::Node;

// What is added stands where the document does.
Node At(const Node& place, Node::Kind kind, std::string_view text = "") {
  Node node;
  node.kind = kind;
  node.line = place.line;
  node.column = place.column;
  node.scalar = text;
  return node;
}

void Add(Node* map, std::string_view key, Node value) {
  if ((*map)[key].kind != Node::Kind::kMissing) return;
  map->entries.push_back({std::string(key), map->line, map->column, std::move(value)});
}

void AddTexts(Node* map, std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
  for (const auto& [key, text] : texts) Add(map, key, At(*map, Node::Kind::kText, text));
}

Node ListOf(Node map) {
  Node list = At(map, Node::Kind::kList);
  list.entries.push_back({"", map.line, map.column, std::move(map)});
  return list;
}

std::string Or(const Node& node, const std::string& otherwise) { return node.is_scalar() ? node.scalar : otherwise; }

Node WholeProduct(Node product, const std::string& contract_id) {
  const std::string name = Or(product["name"], "example");
  AddTexts(&product, {{"apiVersion", "v1.1.0"},
                      {"kind", "DataProduct"},
                      {"id", name},
                      {"name", name},
                      {"domain", "example"},
                      {"version", "1.0.0"},
                      {"status", "active"}});
  Node port = At(product, Node::Kind::kMap);
  AddTexts(&port, {{"name", name}, {"version", Or(product["version"], "1.0.0")}, {"contractId", contract_id}});
  Add(&product, "outputPorts", ListOf(std::move(port)));
  return product;
}

// Of a port of the product, and as finished as it.
Node WholeContract(Node contract, const Node& product) {
  const Node& port = product["outputPorts"][0];
  const std::string id = Or(port["contractId"], "example"), version = Or(port["version"], "1.0.0");
  AddTexts(&contract, {{"apiVersion", "v3.2.0"},
                       {"kind", "DataContract"},
                       {"id", id},
                       {"name", id},
                       {"version", version},
                       {"status", Or(product["status"], "active")}});
  Node table = At(contract, Node::Kind::kMap);
  AddTexts(&table, {{"name", Or(port["name"], "example")}});
  Add(&table, "properties", At(table, Node::Kind::kList));
  Add(&contract, "schema", ListOf(std::move(table)));
  return contract;
}

// The document, or its problems as those of the test's key.
template <class Document>
std::optional<Document> Read(const Node& node, const std::string& path, const std::string& file,
                             std::vector<Problem>* problems) {
  auto document = Document::Of(node, file);
  if (document) return document.TakeValue();
  for (Problem& problem : document.TakeError().problems) {
    problem.path = problem.path.empty() ? path : path + "." + problem.path;
    problems->push_back(std::move(problem));
  }
  return std::nullopt;
}

}  // namespace

std::optional<GateTest> GateTestOf(const Node& test, const std::string& path, const std::string& file,
                                   std::vector<Problem>* problems) {
  const Node& expect = test["expect"];
  GateTest gate;
  gate.policy = Text(test["policy"]);
  gate.message = Text(test["message"]);
  gate.outcome = Text(expect) == "passes"  ? GateOutcome::kPasses
                 : Text(expect) == "warns" ? GateOutcome::kWarns
                                           : GateOutcome::kRefused;
  for (const auto& [role, names] : kTeamRoles) gate.team.*names = Texts(test["domain"][std::string(role) + "s"]);

  // A key that is absent stands where the test does.
  const Node here = At(test, Node::Kind::kMap);
  auto part = [&](std::string_view key) { return test[key].kind == Node::Kind::kMap ? test[key] : here; };
  const Node product_node = WholeProduct(part("product"), Or(test["contract"]["id"], "example"));
  const Node contract_node = WholeContract(part("contract"), product_node);
  auto product = Read<Product>(product_node, Child(path, "product"), file, problems);
  auto contract = Read<Contract>(contract_node, Child(path, "contract"), file, problems);
  if (!product || !contract) return std::nullopt;
  auto bundle = std::make_shared<Bundle>();
  bundle->product = *std::move(product);
  bundle->contracts.push_back(*std::move(contract));
  const bool has_port = std::ranges::any_of(
      bundle->product.outputs, [&](const OutputPort& port) { return bundle->ContractOf(port) != nullptr; });
  if (!has_port) {
    problems->push_back({file, contract_node.line, contract_node.column, Child(path, "contract"), "weft.policy",
                         "no output port of the product has this contract: give one the contractId '" +
                             bundle->contracts[0].id + "', or the contract another id"});
    return std::nullopt;
  }
  gate.bundle = std::move(bundle);
  if (test["previous"].kind != Node::Kind::kMap) return gate;
  auto previous = Read<Product>(WholeProduct(test["previous"], "example"), Child(path, "previous"), file, problems);
  if (!previous) return std::nullopt;
  auto before = std::make_shared<Bundle>();
  before->product = *std::move(previous);
  gate.previous = std::move(before);
  return gate;
}

}  // namespace weft::model
