// Health, readiness, metrics, and who and what one is talking to.
#include "ports/rest/handlers.h"

namespace weft::rest {

Answer Health(Api&, const model::Caller&, const http::Request&) {
  return http::Response::Of(Json::Map({{"status", "ok"}}));
}

Answer Ready(Api& api, const model::Caller&, const http::Request&) {
  TRY(api.ready());
  return http::Response::Of(Json::Map({{"status", "ready"}}));
}

Answer Metrics(Api& api, const model::Caller&, const http::Request&) {
  http::Response response = http::Response::Text(api.metrics());
  response.content_type = "text/plain; version=0.0.4";
  return response;
}

Answer Node(Api& api, const model::Caller&, const http::Request&) {
  auto txn = TRY(api.store.Read());
  Json node = api.node;
  node.Set("mesh", TRY(catalog::MeshId(*txn)));
  node.Set("products", static_cast<int64_t>(TRY(catalog::Products(*txn)).size()));
  return http::Response::Of(node);
}

Answer WhoAmI(Api&, const model::Caller& caller, const http::Request&) {
  constexpr const char* kKinds[] = {"user", "service", "product"};
  return http::Response::Of(Json::Map({{"principal", caller.principal.name},
                                       {"kind", kKinds[static_cast<int>(caller.principal.kind)]},
                                       {"groups", caller.principal.groups},
                                       {"administrator", caller.principal.administrator},
                                       {"purpose", caller.purpose},
                                       {"token", caller.token_id}}));
}

}  // namespace weft::rest
