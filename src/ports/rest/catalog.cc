#include "state/catalog/catalog.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/checks.h"
#include "model/schema.h"
#include "ports/rest/handlers.h"
#include "state/access/access.h"
#include "state/catalog/related.h"
#include "state/catalog/terms.h"
#include "state/ledger/ledger.h"
#include "state/lineage/lineage.h"

namespace weft::rest {
namespace {

Json PortJson(const catalog::PortRow& row) {
  return Json::Map({{"address", row.key.Text()},
                    {"name", row.key.port},
                    {"version", row.version},
                    {"status", row.status},
                    {"sql", row.key.SqlTable()},
                    {"description", row.description},
                    {"classification", row.classification},
                    {"tags", row.tags}});
}

Json ProductJson(const catalog::ProductRow& row) {
  return Json::Map({{"address", row.domain + "/" + row.name},
                    {"domain", row.domain},
                    {"name", row.name},
                    {"version", row.version},
                    {"status", row.status},
                    {"type", row.type},
                    {"description", row.description},
                    {"owners", row.team.owners},
                    {"stewards", row.team.stewards},
                    {"engineers", row.team.engineers},
                    {"tags", row.tags},
                    {"published_by", row.published_by},
                    {"published_at", row.published_at.Text()}});
}

Json ColumnsJson(const model::Contract& contract) {
  Json::Array columns;
  if (contract.schema.empty()) return columns;
  for (const model::Property& property : contract.schema[0].properties) {
    auto type = model::TypeOf(property);
    columns.push_back(Json::Map({{"name", property.name},
                                 {"type", type ? type->DuckDb() : property.logical_type},
                                 {"required", property.required || property.primary_key},
                                 {"description", property.description},
                                 {"classification", property.classification},
                                 {"entity", property.entity ? property.entity->name : ""}}));
  }
  return columns;
}

// What the mesh means by what the port, its product and its columns are about.
Result<Json> TermsJson(store::Txn& txn, const std::vector<model::TermUse>& uses) {
  const auto terms = TRY(catalog::TermsOf(txn));
  Json::Array list;
  for (const model::TermUse& use : uses) {
    const model::Term* term = terms->Find(use.term);
    list.push_back(
        Json::Map({{"column", use.column}, {"term", use.term}, {"definition", term ? term->definition : ""}}));
  }
  return Json(std::move(list));
}

Result<Json> JoinsJson(store::Txn& txn, const model::PortKey& port) {
  constexpr size_t kMostJoins = 20;
  Json::Array list;
  for (const catalog::Join& join : TRY(catalog::JoinsOf(txn, port, kMostJoins))) {
    list.push_back(Json::Map({{"columns", join.columns},
                              {"address", join.other.Text()},
                              {"other_columns", join.other_columns},
                              {"why", join.entity.empty() ? "foreign key" : "same entity"},
                              {"entity", join.entity}}));
  }
  return Json(std::move(list));
}

// What every commit is held to, in words.
Json ChecksJson(const model::Contract& contract, const model::Entities& entities) {
  Json::Array list;
  if (contract.schema.empty()) return list;
  auto schema = model::SchemaOf(contract.schema[0], nullptr);
  if (!schema) return list;  // A table that cannot be built has no checks; its runs say why.
  auto checks = model::CompileChecks(contract, *schema, entities);
  if (!checks) return list;
  for (const model::Check& check : *checks) {
    const bool listed = check.kind == model::Check::Kind::kListed;
    list.push_back(Json::Map({{"id", check.id},
                              {"description", check.description},
                              {"severity", listed          ? "listed"
                                           : check.warning ? "warning"
                                                           : "error"},
                              {"expected", listed ? "" : check.Expected()},
                              {"dimension", check.dimension},
                              {"line", check.place.line}}));
  }
  return list;
}

// A port by the request's path, in the version that it asks for.
std::string AddressIn(const http::Request& request) {
  const auto& at = request.captures;
  std::string text = at.at("domain") + "/" + at.at("product") + "/" + at.at("port");
  if (!request.Query("version").empty()) text += "@" + request.Query("version");
  return text;
}

// The bytes as they were applied.
http::Response Yaml(const std::string& bytes) {
  http::Response response = http::Response::Text(bytes);
  response.content_type = "application/yaml";
  return response;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Ports of one version of a product that is not the newest: as its own bundle has them.
Json PortsOf(const model::Bundle& bundle) {
  Json::Array ports;
  for (const model::OutputPort& output : bundle.product.outputs) {
    const model::Contract* contract = bundle.ContractOf(output);
    ports.push_back(Json::Map({{"name", output.name},
                               {"version", contract ? contract->version : output.version},
                               {"status", contract ? contract->status : ""},
                               {"contract", contract ? contract->document : Json()}}));
  }
  return ports;
}

// What this node's environment lays over the descriptor; null: nothing.
Json OverlayJson(const model::Bundle& bundle) {
  const model::Overlay* overlay = bundle.OverlayOf(bundle.environment);
  if (!overlay) return {};
  return Json::Map({{"file", overlay->ShortName()}, {"values", model::LinesOf(*overlay)}});
}

}  // namespace

Answer Products(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"domain"}));
  auto txn = TRY(api.store.Read());
  TRY(KnownDomain(*txn, request.Query("domain")));
  std::map<std::string, Json::Array> ports;
  const auto pauses = TRY(schedules::Pauses(*txn));
  for (const catalog::PortRow& row : TRY(catalog::Ports(*txn, request.Query("domain")))) {
    Json port = PortJson(row);
    port.Set("paused", PauseJson(schedules::PauseOf(pauses, row.key)));
    ports[row.key.domain + "/" + row.key.product].push_back(std::move(port));
  }
  Json::Array products;
  for (const catalog::ProductRow& row : TRY(catalog::Products(*txn, request.Query("domain")))) {
    Json product = ProductJson(row);
    product.Set("paused", PauseJson(schedules::PauseOf(pauses, {row.domain, row.name, "", 0})));
    product.Set("ports", ports[row.domain + "/" + row.name]);
    products.push_back(std::move(product));
  }
  return http::Response::Of(Json::Map({{"products", std::move(products)}}));
}

Answer Product(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  const std::string domain = request.captures.at("domain"), name = request.captures.at("product");
  auto txn = TRY(api.store.Read());
  const catalog::BundlePtr bundle = TRY(catalog::Product(*txn, domain, name, request.Query("version")));
  const auto row = TRY(catalog::FindProduct(*txn, domain, name));
  if (!row) return Error{Code::kNotFound, fmt::format("there is no product {}/{}", domain, name)};
  Json product = ProductJson(*row);
  const bool newest = bundle->product.version == row->version;
  std::set<std::string> versions = {row->version};
  Json::Array ports;
  for (const catalog::PortRow& port : TRY(catalog::Ports(*txn, domain, name))) {
    versions.insert(port.product_version);
    const catalog::Port loaded = TRY(catalog::Load(*txn, port));
    Json json = PortJson(port);
    json.Set("contract", loaded.contract ? loaded.contract->document : Json());
    ports.push_back(std::move(json));
  }
  product.Set("version", bundle->product.version);
  if (!newest) product.Set("status", bundle->product.status);
  product.Set("document", bundle->product.document);
  product.Set("environment", TRY(catalog::EnvironmentOf(*txn)));
  product.Set("overlay", OverlayJson(*bundle));
  const model::Deprecation says = model::DeprecationOf(*bundle, nullptr);
  TRY(TellEnd(*txn, api.clock.Now(), says, domain + "/" + name, &product));
  const auto pauses = TRY(schedules::Pauses(*txn));
  product.Set("paused", PauseJson(schedules::PauseOf(pauses, {domain, name, "", 0})));
  product.Set("terms", TRY(TermsJson(*txn, model::TermsOf(bundle->product))));
  product.Set("ports", newest ? Json(std::move(ports)) : PortsOf(*bundle));
  product.Set("feedback", TRY(FeedbackJson(*txn, domain, name)));
  product.Set("versions", std::vector<std::string>(versions.begin(), versions.end()));
  return WithEnd(http::Response::Of(product), product);
}

Answer Port(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(*txn, AddressIn(request)));
  const model::Decision decision = TRY(api.gate.Ask(*txn, caller, model::Action::kRead, port.resource));
  Json answer = PortJson(port.row);
  answer.Set("owners", port.resource.owners);
  if (port.contract) {
    answer.Set("contract", port.contract->document);
    answer.Set("columns", ColumnsJson(*port.contract));
    answer.Set("joins", TRY(JoinsJson(*txn, port.row.key)));
    answer.Set("terms", TRY(TermsJson(*txn, model::TermsOf(*port.contract))));
    answer.Set("checks", ChecksJson(*port.contract, *TRY(catalog::EntitiesOf(*txn))));
  }
  const std::vector<lake::Snapshot> history = TRY(lake::History(*txn, port.row.key));
  const auto table = TRY(lake::Find(*txn, port.row.key));
  Json::Array snapshots;
  const bool counts = MayCount(decision);
  answer.Set("snapshot", Json());
  answer.Set("rows", counts ? Json(0) : Json());
  for (const lake::Snapshot& snapshot : history) {
    if (table && table->snapshot_id == snapshot.id) {
      answer.Set("snapshot", std::to_string(snapshot.id));
      if (counts) answer.Set("rows", snapshot.rows);
    }
    snapshots.push_back(SnapshotJson(snapshot, counts));
  }
  // History's order is the lake's own; newest first is this door's promise.
  std::sort(snapshots.begin(), snapshots.end(),
            [](const Json& a, const Json& b) { return a["sequence"].Int() > b["sequence"].Int(); });
  if (snapshots.size() > 10) snapshots.resize(10);
  answer.Set("snapshots", std::move(snapshots));
  const std::string product = port.row.key.domain + "/" + port.row.key.product;
  TRY(TellEnd(*txn, api.clock.Now(), model::DeprecationOf(*port.bundle, port.contract), product, &answer));
  answer.Set("runs", TRY(ScheduleJson(api, *txn, port.row.key)));
  answer.Set("granted", decision.permitted);
  answer.Set("remedy", decision.permitted ? "" : decision.remedy);
  answer.Set("sight", DecisionJson(decision));
  return WithEnd(http::Response::Of(answer), answer);
}

Answer File(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"name", "version"}));
  auto txn = TRY(api.store.Read());
  const catalog::BundlePtr bundle = TRY(
      catalog::Product(*txn, request.captures.at("domain"), request.captures.at("product"), request.Query("version")));
  std::map<std::string, const std::string*> files = {{BaseName(bundle->product.file), &bundle->product.bytes}};
  for (const model::Contract& contract : bundle->contracts) files[BaseName(contract.file)] = &contract.bytes;
  for (const auto& [name, text] : bundle->builds) files[name] = &text;
  for (const model::Overlay& overlay : bundle->overlays) files[overlay.ShortName()] = &overlay.bytes;
  std::vector<std::string> names;
  for (const auto& [name, text] : files) names.push_back(name);
  const std::string wanted = request.Query("name");
  if (wanted.empty()) return http::Response::Of(Json::Map({{"files", names}}));
  auto found = files.find(wanted);
  if (found == files.end()) {
    return Error{Code::kNotFound, fmt::format("there is no file '{}'; there are: {}", wanted, Join(names, ", "))};
  }
  return wanted.ends_with(".yaml") ? Yaml(*found->second) : http::Response::Text(*found->second);
}

Answer ProductDescriptor(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const catalog::BundlePtr bundle = TRY(
      catalog::Product(*txn, request.captures.at("domain"), request.captures.at("product"), request.Query("version")));
  return Yaml(bundle->product.bytes);
}

Answer PortDescriptor(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(*txn, AddressIn(request)));
  return Yaml(port.contract->bytes);
}

Answer Lineage(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "direction"}));
  const std::string direction = request.Query("direction").empty() ? "both" : request.Query("direction");
  TRY(OneOf("direction", direction, {"up", "down", "both"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(*txn, request.Query("address")));
  std::vector<lineage::Edge> edges;
  auto add = [&](lineage::Direction way) -> Status {
    for (lineage::Edge& edge : TRY(lineage::Walk(*txn, port.row.key.Text(), way))) edges.push_back(std::move(edge));
    return {};
  };
  if (direction != "down") TRY(add(lineage::Direction::kUp));
  if (direction != "up") TRY(add(lineage::Direction::kDown));
  Json::Array list;
  for (const lineage::Edge& edge : edges) {
    Json::Array columns;
    for (const lineage::ColumnEdge& column : edge.columns) {
      columns.push_back(Json::Map({{"column", column.column},
                                   {"input", column.input},
                                   {"input_column", column.input_column},
                                   {"how", column.how}}));
    }
    list.push_back(Json::Map({{"from", edge.from},
                              {"from_snapshot", edge.from_snapshot},
                              {"to", edge.to},
                              {"to_snapshot", edge.to_snapshot},
                              {"run", edge.run_id},
                              {"columns", std::move(columns)}}));
  }
  return http::Response::Of(Json::Map({{"edges", std::move(list)}}));
}

}  // namespace weft::rest
