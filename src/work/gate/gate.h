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
#include "model/roles.h"
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

  // kUnauthenticated without a valid token, saying how to get one; kInvalid for a purpose that is no slug; kUnavailable
  // where the identity provider would have to be asked and does not answer.
  Result<model::Caller> Authenticate(std::string_view secret, std::string purpose, std::string door, std::string peer);
  // kConflict where a request is meant for another environment than this mesh's; an empty name is meant for any.
  Status CheckEnvironment(std::string_view wanted);
  // kDenied with reasons and remedy, after the denial is in the ledger.
  Result<model::Decision> Decide(const model::Caller& caller, model::Action action, const model::Resource& resource);
  // The same inside a transaction that goes on: the answer belongs to what the transaction sees. A denial is recorded
  // by a commit of its own, which is not waited for: `txn` may hold the writer's turn.
  Result<model::Decision> Decide(store::Txn& txn, const model::Caller& caller, model::Action action,
                                 const model::Resource& resource);

  // The answer alone, permitted or not: nothing is recorded, and nothing may leave by it.
  Result<model::Decision> Ask(store::Txn& txn, const model::Caller& caller, model::Action action,
                              const model::Resource& resource) const;

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
// about comes from `resource`, which sees the request's head alone (null where it is about the mesh).
template <class Api>
struct Route {
  using Resource = Result<model::Resource> (*)(Api&, const model::Caller&, const http::Request&);

  std::string_view method;
  std::string_view pattern;  // "/v1/runs/{id}", "/v1/products/{domain}/{product}"; a last "{rest*}" takes slashes too.
  model::Action action;
  Resource resource;
  Result<http::Response> (*handler)(Api&, const model::Caller&, const http::Request&);
  // What the handler, or the room behind it, asks about what the body or the query names: a bit of each.
  unsigned within = 0;

  Route(std::string_view m, std::string_view p, model::Action a, Resource r,
        Result<http::Response> (*h)(Api&, const model::Caller&, const http::Request&),
        std::initializer_list<model::Action> asked = {})
      : method(m), pattern(p), action(a), resource(r), handler(h) {
    for (const model::Action each : asked) within |= model::Bits(each);
  }
};

// Fills request.captures where the whole path fits; a {name} takes one segment, never an empty one.
bool Match(std::string_view pattern, http::Request& request);

// The token of "Bearer TOKEN"; empty where the header is another.
std::string BearerOf(std::string_view authorization);

// What a request's head says: which row of the table it is for and who asks; `refusal` where it may not be.
template <class Api>
struct Entered {
  const Route<Api>* route = nullptr;
  model::Caller caller;
  std::optional<http::Response> refusal;
};

// Judges the head alone: no body need have been read. The bearer token comes from Authorization, the purpose from
// X-Weft-Purpose, and X-Weft-Environment says for which environment the request is meant; kOpen needs none of them.
template <class Api>
Entered<Api> Enter(Gate& gate, Api& api, std::span<const Route<Api>> routes, http::Request& request) {
  Entered<Api> entered;
  bool path_known = false;
  for (const Route<Api>& route : routes) {
    if (!Match(route.pattern, request)) continue;
    path_known = true;
    if (route.method != request.method) continue;
    entered.route = &route;
    if (route.action == model::Action::kOpen) return entered;
    Status may = [&]() -> Status {
      entered.caller = TRY(gate.Authenticate(BearerOf(request.Header("authorization")),
                                             request.Header("x-weft-purpose"), "rest", request.peer));
      TRY(gate.CheckEnvironment(request.Header("x-weft-environment")));
      model::Resource resource;
      if (route.resource) resource = TRY(route.resource(api, entered.caller, request));
      TRY(gate.Decide(entered.caller, route.action, resource));
      return {};
    }();
    if (!may) entered.refusal = http::ToResponse(may.error());
    return entered;
  }
  entered.refusal = path_known
                        ? http::ToResponse({Code::kInvalid, request.method + " is not allowed on " + request.path}, 405)
                        : http::ToResponse({Code::kNotFound, "no such endpoint: " + request.path});
  return entered;
}

// A form on which one signs in; more is not taken of somebody who is not known.
inline constexpr size_t kOpenBodyLimit = size_t{16} << 10;
bool IsShort(const http::Request& request);  // Says that its body is no longer than that.

// Whether a request with a body may send it; the answer where not. What needs no identity takes a short form at most.
template <class Api>
std::optional<http::Response> Admit(Gate& gate, Api& api, std::span<const Route<Api>> routes, http::Request& request) {
  Entered<Api> entered = Enter(gate, api, routes, request);
  if (entered.refusal || entered.route->action != model::Action::kOpen) return std::move(entered.refusal);
  if (entered.route->method == "POST" && IsShort(request)) return std::nullopt;
  return http::ToResponse({Code::kInvalid, request.method + " " + request.path + " takes no such body"});
}

// Judged again although Admit may have let its body in: the body may have taken its time.
template <class Api>
http::Response Serve(Gate& gate, Api& api, std::span<const Route<Api>> routes, http::Request& request) {
  Entered<Api> entered = Enter(gate, api, routes, request);
  if (entered.refusal) return std::move(*entered.refusal);
  auto answer = entered.route->handler(api, entered.caller, request);
  return answer ? answer.TakeValue() : http::ToResponse(answer.error());
}

}  // namespace weft::gate
