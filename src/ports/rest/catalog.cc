#include "state/catalog/catalog.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/checks.h"
#include "model/quarantine.h"
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

Result<Json> JoinsJson(store::Txn& txn, const model::Sight& sight, const model::PortKey& port) {
  constexpr size_t kMostJoins = 20;
  Json::Array list;
  for (const catalog::Join& join : TRY(catalog::JoinsOf(txn, sight, port, kMostJoins))) {
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

// What is no port of the mesh, such as a file, is told of with the port that read it.
Result<bool> IsEdgeSeen(const catalog::Seen& seen, const lineage::Edge& edge) {
  for (const std::string* end : {&edge.from, &edge.to}) {
    const auto port = model::PortKey::Parse(*end);
    if (port && !TRY(seen.Sees(*port))) return false;
  }
  return true;
}

// Where the port's runs set rows aside, and under what terms; null: its contract has no quarantine. Rows are told to
// those who may count them there.
Result<Json> QuarantineJson(Api& api, store::Txn& txn, const Caller& caller, const catalog::Port& port) {
  const auto terms = port.contract ? model::QuarantineTermsOf(*port.contract) : std::nullopt;
  if (!terms) return Json();
  const model::PortKey key = model::QuarantineKey(port.row.key);
  auto found = PortOf(api, txn, caller, key.Text());
  if (!found && found.error().code == Code::kNotFound) return Json();  // Of a draft, to who was granted the port alone.
  const catalog::Port own = TRY(std::move(found));
  const model::Decision decision = TRY(api.gate.Ask(txn, caller, model::Action::kRead, own.resource));
  const lake::View view = TRY(lake::Open(txn, key));
  const bool counts = decision.permitted && MayCount(decision);
  return Json::Map({{"address", key.Text()},
                    {"sql", PortJson(own.row)["sql"]},
                    {"max_rows", terms->max_rows ? Json(*terms->max_rows) : Json()},
                    {"max_share", terms->max_share ? Json(*terms->max_share) : Json()},
                    {"terms", terms->Text()},
                    {"snapshot", view.snapshot ? Json(std::to_string(view.snapshot->id)) : Json()},
                    {"rows", !counts         ? Json()
                             : view.snapshot ? Json(view.snapshot->rows)
                                             : Json(0)}});
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Whether an output port of a bundle may be known of, as the bundle itself has it.
bool IsSeen(const model::Sight& sight, const model::Bundle& bundle, const model::OutputPort& port,
            const model::Contract* contract) {
  const auto version = model::Version::Parse(port.version);
  const model::PortKey key{bundle.product.domain, bundle.product.name, port.name, version ? version->major : 0};
  return sight.Sees(key, model::PortStatus(bundle.product.status, contract ? contract->status : ""));
}

// What the names of files of the bundle must not say: of ports that are not seen, their contracts and builds that no
// other port has.
struct Unseen {
  std::set<std::string> ports, files;
};
Unseen UnseenOf(const model::Sight& sight, const model::Bundle& bundle) {
  Unseen unseen;
  std::set<std::string> seen;
  for (const model::OutputPort& port : bundle.product.outputs) {
    const model::Contract* contract = bundle.ContractOf(port);
    const bool is = IsSeen(sight, bundle, port, contract);
    std::set<std::string>& files = is ? seen : unseen.files;
    if (!is) unseen.ports.insert(port.name + "@" + port.version);
    if (contract) files.insert(contract->file);
    if (port.build) files.insert(port.build->sql_file);
  }
  for (const std::string& file : seen) unseen.files.erase(file);
  return unseen;
}

// The descriptor without ports that are not seen.
Json DocumentOf(const model::Bundle& bundle, const Unseen& unseen) {
  if (unseen.ports.empty()) return bundle.product.document;
  Json document = bundle.product.document, ports = Json::Array();
  for (const Json& port : document["outputPorts"].Items()) {
    if (!unseen.ports.contains(port["name"].Text() + "@" + port["version"].Text())) ports.Push(port);
  }
  document.Set("outputPorts", std::move(ports));
  return document;
}

// Its bytes as they were applied; JSON, which is YAML too, where something had to be left out.
std::string BytesOf(const model::Bundle& bundle, const Unseen& unseen) {
  return unseen.ports.empty() ? bundle.product.bytes : DocumentOf(bundle, unseen).Dump() + "\n";
}

// Ports of one version of a product that is not the newest: as its own bundle has them.
Json PortsOf(const model::Bundle& bundle, const model::Sight& sight) {
  Json::Array ports;
  for (const model::OutputPort& output : bundle.product.outputs) {
    const model::Contract* contract = bundle.ContractOf(output);
    if (!IsSeen(sight, bundle, output, contract)) continue;
    ports.push_back(Json::Map({{"name", output.name},
                               {"version", contract ? contract->version : output.version},
                               {"status", contract ? contract->status : ""},
                               {"contract", contract ? contract->document : Json()}}));
  }
  return ports;
}

// What this node's environment lays over the descriptor; null: nothing. It speaks of all ports, and so it is for those
// alone who see them all.
Json OverlayJson(const model::Bundle& bundle, const Unseen& unseen) {
  if (!unseen.ports.empty()) return {};
  const model::Overlay* overlay = bundle.OverlayOf(bundle.environment);
  if (!overlay) return {};
  return Json::Map({{"file", overlay->ShortName()}, {"values", model::LinesOf(*overlay)}});
}

}  // namespace

Answer Products(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"domain"}));
  auto txn = TRY(api.store.Read());
  TRY(KnownDomain(*txn, request.Query("domain")));
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  std::map<std::string, Json::Array> ports;
  const auto pauses = TRY(schedules::Pauses(*txn));
  for (const catalog::PortRow& row : TRY(seen.Ports(request.Query("domain")))) {
    Json port = PortJson(row);
    port.Set("paused", PauseJson(schedules::PauseOf(pauses, row.key)));
    ports[row.key.domain + "/" + row.key.product].push_back(std::move(port));
  }
  Json::Array products;
  for (const catalog::ProductRow& row : TRY(seen.Products(request.Query("domain")))) {
    Json product = ProductJson(row);
    product.Set("paused", PauseJson(schedules::PauseOf(pauses, {row.domain, row.name, "", 0})));
    product.Set("ports", ports[row.domain + "/" + row.name]);
    products.push_back(std::move(product));
  }
  return http::Response::Of(Json::Map({{"products", std::move(products)}}));
}

Answer Product(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  const std::string domain = request.captures.at("domain"), name = request.captures.at("product");
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  const catalog::BundlePtr bundle = TRY(seen.Product(domain, name, request.Query("version")));
  const auto row = TRY(seen.FindProduct(domain, name));
  if (!row) return Error{Code::kNotFound, fmt::format("there is no product {}/{}", domain, name)};
  Json product = ProductJson(*row);
  const bool newest = bundle->product.version == row->version;
  std::set<std::string> versions = {row->version};
  Json::Array ports;
  for (const catalog::PortRow& port : TRY(seen.Ports(domain, name))) {
    versions.insert(port.product_version);
    const catalog::Port loaded = TRY(seen.Load(port));
    Json json = PortJson(port);
    json.Set("contract", loaded.contract ? loaded.contract->document : Json());
    ports.push_back(std::move(json));
  }
  product.Set("version", bundle->product.version);
  if (!newest) product.Set("status", bundle->product.status);
  product.Set("document", DocumentOf(*bundle, UnseenOf(sight, *bundle)));
  product.Set("environment", TRY(catalog::EnvironmentOf(*txn)));
  product.Set("overlay", OverlayJson(*bundle, UnseenOf(sight, *bundle)));
  const model::Deprecation says = model::DeprecationOf(*bundle, nullptr);
  TRY(TellEnd(*txn, api.clock.Now(), says, domain + "/" + name, &product));
  const auto pauses = TRY(schedules::Pauses(*txn));
  product.Set("paused", PauseJson(schedules::PauseOf(pauses, {domain, name, "", 0})));
  product.Set("terms", TRY(TermsJson(*txn, model::TermsOf(bundle->product))));
  product.Set("ports", newest ? Json(std::move(ports)) : PortsOf(*bundle, sight));
  product.Set("feedback", TRY(FeedbackJson(*txn, seen, domain, name)));
  product.Set("versions", std::vector<std::string>(versions.begin(), versions.end()));
  return WithEnd(http::Response::Of(product), product);
}

Answer Port(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, AddressIn(request)));
  const model::Decision decision = TRY(api.gate.Ask(*txn, caller, model::Action::kRead, port.resource));
  Json answer = PortJson(port.row);
  answer.Set("owners", port.resource.owners);
  if (port.contract) {
    answer.Set("contract", port.contract->document);
    answer.Set("columns", ColumnsJson(*port.contract));
    answer.Set("joins", TRY(JoinsJson(*txn, TRY(SightOf(api, *txn, caller)), port.row.key)));
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
  const upkeep::Need need = TRY(api.upkeep.Look(*txn, port, false));
  answer.Set("storage",
             counts ? Json::Map({{"files", need.files}, {"bytes", need.bytes}, {"small_files", need.small}}) : Json());
  const std::string product = port.row.key.domain + "/" + port.row.key.product;
  TRY(TellEnd(*txn, api.clock.Now(), model::DeprecationOf(*port.bundle, port.contract), product, &answer));
  answer.Set("quarantine", TRY(QuarantineJson(api, *txn, caller, port)));
  answer.Set("runs", TRY(ScheduleJson(api, *txn, port.row.key)));
  answer.Set("granted", decision.permitted);
  answer.Set("remedy", decision.permitted ? "" : decision.remedy);
  answer.Set("sight", DecisionJson(decision));
  return WithEnd(http::Response::Of(answer), answer);
}

Answer File(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"name", "version"}));
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::BundlePtr bundle =
      TRY(catalog::Seen(*txn, sight)
              .Product(request.captures.at("domain"), request.captures.at("product"), request.Query("version")));
  const Unseen unseen = UnseenOf(sight, *bundle);
  const std::string descriptor = BytesOf(*bundle, unseen);
  std::map<std::string, const std::string*> files = {{BaseName(bundle->product.file), &descriptor}};
  for (const model::Contract& contract : bundle->contracts) {
    if (!unseen.files.contains(contract.file)) files[BaseName(contract.file)] = &contract.bytes;
  }
  for (const auto& [name, text] : bundle->builds) {
    if (!unseen.files.contains(name)) files[name] = &text;
  }
  for (const model::Overlay& overlay : bundle->overlays) {
    if (unseen.ports.empty()) files[overlay.ShortName()] = &overlay.bytes;
  }
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

Answer ProductDescriptor(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::BundlePtr bundle =
      TRY(catalog::Seen(*txn, sight)
              .Product(request.captures.at("domain"), request.captures.at("product"), request.Query("version")));
  const Unseen unseen = UnseenOf(sight, *bundle);
  return Yaml(BytesOf(*bundle, unseen));
}

Answer PortDescriptor(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"version"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, AddressIn(request)));
  return Yaml(port.contract->bytes);
}

Answer Lineage(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"address", "direction"}));
  const std::string direction = request.Query("direction").empty() ? "both" : request.Query("direction");
  TRY(OneOf("direction", direction, {"up", "down", "both"}));
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortOf(api, *txn, caller, request.Query("address")));
  std::vector<lineage::Edge> edges;
  auto add = [&](lineage::Direction way) -> Status {
    for (lineage::Edge& edge : TRY(lineage::Walk(*txn, port.row.key.Text(), way))) edges.push_back(std::move(edge));
    return {};
  };
  if (direction != "down") TRY(add(lineage::Direction::kUp));
  if (direction != "up") TRY(add(lineage::Direction::kDown));
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Seen seen(*txn, sight);
  Json::Array list;
  for (const lineage::Edge& edge : edges) {
    if (!TRY(IsEdgeSeen(seen, edge))) continue;
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
