// Finding and showing what the mesh offers.
#include "state/catalog/catalog.h"

#include <fmt/format.h>

#include "ports/rest/handlers.h"
#include "state/access/access.h"
#include "state/lineage/lineage.h"

namespace weft::rest {
namespace {

Json ProductJson(const catalog::ProductRow& row, const std::vector<catalog::PortRow>& ports) {
  Json list = Json::Array();
  for (const catalog::PortRow& port : ports) {
    if (port.key.domain == row.domain && port.key.product == row.name) list.Push(PortJson(port));
  }
  return Json::Map({{"address", row.domain + "/" + row.name},
                    {"domain", row.domain},
                    {"name", row.name},
                    {"version", row.version},
                    {"status", row.status},
                    {"type", row.type},
                    {"description", row.description},
                    {"owners", row.owners},
                    {"tags", row.tags},
                    {"published_at", row.published_at.Text()},
                    {"published_by", row.published_by},
                    {"ports", std::move(list)}});
}

Json ColumnsJson(const model::Contract& contract) {
  Json columns = Json::Array();
  if (contract.schema.empty()) return columns;
  for (const model::Property& property : contract.schema[0].properties) {
    columns.Push(Json::Map({{"name", property.name},
                            {"type", property.physical_type.empty() ? property.logical_type : property.physical_type},
                            {"logical_type", property.logical_type},
                            {"required", property.required},
                            {"primary_key", property.primary_key},
                            {"description", property.description},
                            {"classification", property.classification},
                            {"tags", property.tags}}));
  }
  return columns;
}

Json SnapshotsBrief(const std::vector<lake::Snapshot>& snapshots) {
  Json list = Json::Array();
  for (const lake::Snapshot& s : snapshots) {
    if (list.size() == 10) break;
    list.Push(Json::Map({{"id", std::to_string(s.id)}, {"at", s.at.Text()}, {"rows", s.rows}, {"tags", s.tags}}));
  }
  return list;
}

}  // namespace

Answer ListProducts(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  const std::string domain = request.Query("domain");
  const std::vector<catalog::PortRow> ports = TRY(catalog::Ports(*txn, domain));
  Json products = Json::Array();
  for (const catalog::ProductRow& row : TRY(catalog::Products(*txn, domain))) products.Push(ProductJson(row, ports));
  return http::Response::Of(Json::Map({{"products", std::move(products)}}));
}

Answer ShowProduct(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  const std::string& domain = request.captures.at("domain");
  const std::string& name = request.captures.at("product");
  const catalog::BundlePtr bundle = TRY(catalog::Product(*txn, domain, name, request.Query("version")));
  const auto row = TRY(catalog::FindProduct(*txn, domain, name));
  if (!row) return Error{Code::kNotFound, fmt::format("there is no product {}/{}", domain, name)};
  Json product = ProductJson(*row, TRY(catalog::Ports(*txn, domain, name)));
  product.Set("version", bundle->product.version);
  product.Set("document", bundle->product.document);
  Json contracts = Json::Array();
  for (const model::Contract& contract : bundle->contracts) {
    contracts.Push(Json::Map({{"file", contract.file}, {"document", contract.document}}));
  }
  product.Set("contracts", std::move(contracts));
  return http::Response::Of(product);
}

Answer ShowPort(Api& api, const model::Caller& caller, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  std::string address = fmt::format("{}/{}/{}", request.captures.at("domain"), request.captures.at("product"),
                                    request.captures.at("port"));
  if (!request.Query("version").empty()) address += "@" + request.Query("version");
  const catalog::Port port = TRY(PortAt(*txn, address));
  Json answer = PortJson(port.row);
  answer.Set("owners", port.resource.owners);
  answer.Set("product", Json::Map({{"description", port.bundle->product.description},
                                   {"version", port.row.product_version},
                                   {"type", port.bundle->product.type}}));
  answer.Set("columns", ColumnsJson(*port.contract));
  answer.Set("contract", port.contract->document);
  const std::vector<lake::Snapshot> history = TRY(lake::History(*txn, port.row.key));
  answer.Set("snapshot", history.empty() ? Json() : Json(std::to_string(history.front().id)));
  answer.Set("rows", history.empty() ? Json() : Json(history.front().rows));
  answer.Set("updated_at", history.empty() ? Json() : Json(history.front().at.Text()));
  answer.Set("snapshots", SnapshotsBrief(history));
  const model::Decision decision =
      TRY(access::Decide(*txn, api.clock, caller.principal, model::Action::kRead, port.resource, caller.purpose));
  answer.Set("granted", decision.permitted);
  answer.Set("remedy", decision.remedy);
  return http::Response::Of(answer);
}

Answer ShowFile(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  const std::string name = request.Query("name");
  const catalog::BundlePtr bundle = TRY(
      catalog::Product(*txn, request.captures.at("domain"), request.captures.at("product"), request.Query("version")));
  auto is_named = [&](const std::string& file) { return file == name || file.ends_with("/" + name); };
  std::vector<std::string> names;
  if (is_named(bundle->product.file)) return http::Response::Text(bundle->product.bytes);
  names.push_back(bundle->product.file);
  for (const model::Contract& contract : bundle->contracts) {
    if (is_named(contract.file)) return http::Response::Text(contract.bytes);
    names.push_back(contract.file);
  }
  for (const auto& [file, text] : bundle->builds) {
    if (is_named(file)) return http::Response::Text(text);
    names.push_back(file);
  }
  return Error{Code::kNotFound, fmt::format("the product has no file '{}'; it has {}", name, fmt::join(names, ", "))};
}

Answer Search(Api& api, const model::Caller&, const http::Request& request) {
  const std::string words = request.Query("q");
  if (words.empty()) return Error{Code::kInvalid, "what to search for? give words in ?q="};
  const int64_t limit = TRY(NumberParam(request, "limit", 20, 1, 1000));
  auto txn = TRY(api.store.Read());
  Json hits = Json::Array();
  for (const catalog::Hit& hit : TRY(catalog::Search(*txn, words, request.Query("domain"), static_cast<int>(limit)))) {
    hits.Push(Json::Map({{"kind", hit.kind},
                         {"address", hit.address},
                         {"title", hit.title},
                         {"snippet", hit.snippet},
                         {"status", hit.status}}));
  }
  return http::Response::Of(Json::Map({{"hits", std::move(hits)}}));
}

Answer Lineage(Api& api, const model::Caller&, const http::Request& request) {
  auto txn = TRY(api.store.Read());
  const catalog::Port port = TRY(PortAt(*txn, request.Query("address")));
  const std::string direction = request.Query("direction");
  if (!direction.empty() && direction != "up" && direction != "down" && direction != "both") {
    return Error{Code::kInvalid, fmt::format("'direction' is up, down or both, not '{}'", direction)};
  }
  Json edges = Json::Array();
  auto add = [&](lineage::Direction way) -> Status {
    for (const lineage::Edge& edge : TRY(lineage::Walk(*txn, port.row.key.Text(), way))) {
      Json columns = Json::Array();
      for (const lineage::ColumnEdge& c : edge.columns) {
        columns.Push(
            Json::Map({{"column", c.column}, {"input", c.input}, {"input_column", c.input_column}, {"how", c.how}}));
      }
      edges.Push(Json::Map({{"from", edge.from},
                            {"from_snapshot", edge.from_snapshot},
                            {"to", edge.to},
                            {"to_snapshot", edge.to_snapshot},
                            {"run", edge.run_id},
                            {"columns", std::move(columns)}}));
    }
    return {};
  };
  if (direction != "down") TRY(add(lineage::Direction::kUp));
  if (direction != "up") TRY(add(lineage::Direction::kDown));
  return http::Response::Of(Json::Map({{"address", port.row.key.Text()}, {"edges", std::move(edges)}}));
}

}  // namespace weft::rest
