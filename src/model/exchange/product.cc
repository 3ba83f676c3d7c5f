#include "model/exchange/product.h"

#include <fmt/format.h>

#include "model/exchange/part.h"
#include "model/exchange/text.h"

namespace weft::model::exchange {
namespace {

void Merge(Json& into, const Json& more) {
  for (const auto& [key, value] : more.Members()) {
    if (key != "customProperties") {
      Put(into, key, value);
      continue;
    }
    Json all = into[key];
    for (const Json& custom : value.Items()) all.Push(custom);
    Put(into, key, all);
  }
}

Json InputPort(const ProductDraft::Input& input) {
  Json port = Json::Map({{"name", input.name}});
  if (!input.contract.is_null()) {
    port.Set("version", input.contract["version"]);
    port.Set("contractId", input.contract["id"]);
  }
  if (!input.source.is_null()) AddCustom(port, "source", input.source, "weft");
  Merge(port, input.more);
  return port;
}

Json OutputPort(const ProductDraft::Port& output) {
  const Json& table = output.contract["schema"][size_t{0}];
  Json port = Json::Map({{"name", output.name}});
  Put(port, "description", table["description"].Text(output.contract["description"]["purpose"].Text()));
  port.Set("type", "table");
  port.Set("version", output.contract["version"]);
  port.Set("contractId", output.contract["id"]);
  if (!output.sql.empty()) {
    const std::string file = output.more["build"].Text(output.name + ".sql");
    AddCustom(port, "build", Json::Map({{"sql", file}, {"mode", "replace"}}), "weft");
  }
  Json more = output.more;
  more.Set("build", Json());
  Merge(port, more);
  return port;
}

}  // namespace

Imported DraftedProduct(const ProductDraft& draft) {
  Imported imported;
  imported.domain = draft.domain;
  imported.product = draft.product;
  Json product = Json::Map({{"apiVersion", "v1.1.0"},
                            {"kind", "DataProduct"},
                            {"id", draft.domain.empty() ? draft.product : draft.domain + "-" + draft.product},
                            {"name", draft.product},
                            {"version", draft.version},
                            {"status", draft.status},
                            {"domain", draft.domain}});
  if (!draft.purpose.empty()) product.Set("description", Json::Map({{"purpose", draft.purpose}}));
  Json inputs = Json::Array(), outputs = Json::Array();
  auto file_of = [&](const Json& contract, const std::string& port) {
    std::string name = port + ".odcs.yaml";
    // Majors side by side have a file each.
    if (imported.files.contains(name)) name = fmt::format("{}-{}.odcs.yaml", port, contract["version"].Text());
    imported.files[name] = YamlText(contract);
  };
  for (const ProductDraft::Input& input : draft.inputs) {
    inputs.Push(InputPort(input));
    if (!input.contract.is_null()) file_of(input.contract, input.name + "-input");
  }
  for (const ProductDraft::Port& port : draft.ports) {
    outputs.Push(OutputPort(port));
    file_of(port.contract, port.name);
    if (!port.sql.empty()) imported.files[port.more["build"].Text(port.name + ".sql")] = port.sql;
  }
  Put(product, "inputPorts", inputs);
  product.Set("outputPorts", outputs);
  Merge(product, draft.more);
  if (!draft.owner.empty() && product["team"].is_null()) {
    product.Set("team", Json::Map({{"name", draft.owner}}));
  }
  imported.files["product.odps.yaml"] = YamlText(product);
  return imported;
}

}  // namespace weft::model::exchange
