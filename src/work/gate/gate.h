// The gate: who asks, may they, write it down. No request reaches a handler by another way.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/http/message.h"
#include "drivers/store/store.h"
#include "drivers/token/provider.h"
#include "model/access.h"
#include "state/ledger/ledger.h"

namespace weft::gate {

// Whose tokens are taken besides this node's own, and which of their claims name the principal and its groups.
struct Oidc {
  token::Provider* provider = nullptr;  // None: no others'.
  std::string principal_claim = "preferred_username";
  std::string groups_claim = "groups";
};

// Thread-safe.
class Gate {
 public:
  Gate(store::Store& store, ledger::Ledger& ledger, Clock& clock, Oidc oidc = {})
      : store_(store), ledger_(ledger), clock_(clock), oidc_(std::move(oidc)) {}

  // kUnauthenticated without a valid token, saying how to get one; kUnavailable where the identity provider would have
  // to be asked and does not answer.
  Result<model::Caller> Authenticate(std::string_view secret, std::string purpose, std::string door, std::string peer);
  // kDenied with reasons and remedy, after the denial is in the ledger.
  Result<model::Decision> Decide(const model::Caller& caller, model::Action action, const model::Resource& resource);
  // The same inside a transaction that goes on: the answer belongs to what the transaction sees. A denial is recorded
  // by a commit of its own, which is not waited for: `txn` may hold the writer's turn.
  Result<model::Decision> Decide(store::Txn& txn, const model::Caller& caller, model::Action action,
                                 const model::Resource& resource);

  // When a token was last seen, where that is newer than what the store has.
  std::optional<Instant> LastUse(const std::string& token_id) const;
  // Writes what has been seen since the last call; what calls it keeps that off the way of requests.
  Status WriteUses();

 private:
  Result<model::Caller> AuthenticateJwt(std::string_view jwt);

  store::Store& store_;
  ledger::Ledger& ledger_;
  Clock& clock_;
  const Oidc oidc_;
  mutable std::mutex mutex_;
  std::map<std::string, Instant> uses_;  // By token, not yet written.
};

// One row of a door's table. `action` has no default: an entry without a policy does not compile. What the action is
// about comes from `resource`, which reads it off the request ({} where it is about the mesh).
template <class Api>
struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/runs/{id}", "/v1/products/{domain}/{product}"; a last "{rest*}" takes slashes too.
  model::Action action;
  model::Resource (*resource)(const http::Request&);
  Result<http::Response> (*handler)(Api&, const model::Caller&, const http::Request&);

  Route(std::string_view m, std::string_view p, model::Action a, model::Resource (*r)(const http::Request&),
        Result<http::Response> (*h)(Api&, const model::Caller&, const http::Request&))
      : method(m), pattern(p), action(a), resource(r), handler(h) {}
};

// Fills request.captures where the whole path fits; a {name} takes one segment, never an empty one.
bool Match(std::string_view pattern, http::Request& request);

// The bearer token comes from Authorization, the purpose from X-Weft-Purpose. kOpen needs neither.
template <class Api>
http::Response Serve(Gate& gate, Api& api, std::span<const Route<Api>> routes, http::Request& request) {
  bool path_known = false;
  for (const Route<Api>& route : routes) {
    if (!Match(route.pattern, request)) continue;
    path_known = true;
    if (route.method != request.method) continue;
    auto answer = [&]() -> Result<http::Response> {
      model::Caller caller;
      if (route.action != model::Action::kOpen) {
        std::string bearer = request.Header("authorization");
        bearer = bearer.starts_with("Bearer ") ? bearer.substr(7) : "";
        caller = TRY(gate.Authenticate(bearer, request.Header("x-weft-purpose"), "rest", request.peer));
        TRY(gate.Decide(caller, route.action, route.resource ? route.resource(request) : model::Resource{}));
      }
      return route.handler(api, caller, request);
    }();
    return answer ? answer.TakeValue() : http::ToResponse(answer.error());
  }
  if (!path_known) return http::ToResponse({Code::kNotFound, "no such endpoint: " + request.path});
  http::Response response = http::ToResponse({Code::kInvalid, request.method + " is not allowed on " + request.path});
  response.status = 405;
  return response;
}

}  // namespace weft::gate
