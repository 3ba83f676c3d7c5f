#include "ports/rest/handlers.h"

namespace weft::rest {

Answer Health(Api&, const Caller&, const http::Request&) { return http::Response::Of(Json::Map({{"status", "ok"}})); }

Answer Ready(Api& api, const Caller&, const http::Request&) {
  TRY(api.ready());
  return http::Response::Of(Json::Map({{"status", "ready"}}));
}

Answer Metrics(Api& api, const Caller&, const http::Request&) {
  http::Response response = http::Response::Text(api.metrics());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Answer Node(Api& api, const Caller& caller, const http::Request&) {
  auto txn = TRY(api.store.Read());
  Json node = api.node;
  if (caller.principal.administrator) {
    for (const auto& [name, value] : api.storage.Members()) node.Set(name, value);
  }
  const auto mesh = TRY(catalog::MeshOf(*txn));  // The first apply names it.
  node.Set("mesh", mesh ? mesh->id : "");
  node.Set("environment", TRY(catalog::EnvironmentOf(*txn)));
  Json::Array environments;
  for (const model::Environment& each : mesh ? mesh->environments : std::vector<model::Environment>()) {
    environments.push_back(Json::Map({{"name", each.name}, {"node", each.node}, {"description", each.description}}));
  }
  node.Set("environments", std::move(environments));
  return http::Response::Of(node);
}

Answer WhoAmI(Api&, const Caller& caller, const http::Request&) {
  constexpr std::string_view kKinds[] = {"user", "service", "product"};
  const model::Principal& principal = caller.principal;
  return http::Response::Of(Json::Map({{"principal", principal.name},
                                       {"kind", kKinds[static_cast<int>(principal.kind)]},
                                       {"groups", principal.groups},
                                       {"administrator", principal.administrator},
                                       {"purpose", caller.purpose},
                                       {"token", caller.token_id}}));
}

}  // namespace weft::rest
