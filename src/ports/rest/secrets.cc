#include <fmt/format.h>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/secrets/secrets.h"

namespace weft::rest {
namespace {

constexpr std::string_view kKind = "secret";
constexpr size_t kMostBytes = size_t{64} << 10;

// A domain of the mesh, whose owners decide about its secrets.
Result<model::Resource> DomainOf(store::Txn& txn, const std::string& name) {
  if (name.empty()) return Error{Code::kInvalid, "the domain is missing: a secret belongs to one"};
  const std::optional<model::Mesh> mesh = TRY(catalog::MeshOf(txn));
  std::vector<std::string_view> names;
  for (const model::Mesh::Domain& domain : mesh ? mesh->domains : std::vector<model::Mesh::Domain>()) {
    if (domain.name != name) continue;
    model::Resource resource;
    resource.domain = name;
    resource.Add(domain);
    return resource;
  }
  if (mesh) {
    for (const model::Mesh::Domain& domain : mesh->domains) names.push_back(domain.name);
  }
  return Error{Code::kNotFound, fmt::format("there is no domain '{}'{}", name, DidYouMean(name, names))};
}

secrets::Name NameOf(const std::string& domain, const std::string& name) { return {std::string(kKind), domain, name}; }

Json Told(const std::string& domain, const std::string& name, const std::vector<std::string>& hosts = {}) {
  Json told = Json::Map({{"domain", domain}, {"name", name}});
  if (!hosts.empty()) told.Set("hosts", hosts);
  return told;
}

}  // namespace

// The value comes in and never goes out: no handler answers one.
Answer PutSecret(Api& api, const Caller& caller, const http::Request& request) {
  const Json body = TRY(BodyOf(request, {"name", "domain", "value", "hosts"}));
  const std::string name = TRY(NeedText(body, "name")), domain = body["domain"].Text();
  TRY(secrets::CheckName(name));
  if (!body["value"].is_text() || body["value"].Text().empty()) {
    return Error{Code::kInvalid, "field value is missing: it needs a text that is not empty"};
  }
  if (body["value"].Text().size() > kMostBytes) {
    return Error{Code::kInvalid, fmt::format("the value has {}; at most {}", HumanBytes(body["value"].Text().size()),
                                             HumanBytes(kMostBytes))};
  }
  std::vector<std::string> hosts = body["hosts"].Texts();
  if (body.Has("hosts") && hosts.empty())
    return Error{Code::kInvalid, "field hosts is a list of hosts: leave it out where there are none"};
  bool replaced = false;
  {
    auto txn = TRY(api.store.Begin());
    TRY(api.gate.Decide(*txn, caller, model::Action::kPublish, TRY(DomainOf(*txn, domain))));
    for (const secrets::Listed& each : TRY(secrets::List(*txn, std::string(kKind), domain))) {
      if (each.name.name != name) continue;
      replaced = true;
      if (hosts.empty()) hosts = each.hosts;  // It stays bound.
    }
    TRY(api.vault.Put(*txn, api.clock, NameOf(domain, name), body["value"].Text(), caller.principal.name));
    if (!hosts.empty()) TRY(secrets::BindToHosts(*txn, NameOf(domain, name), hosts));
    TRY(Record(*txn, api.clock, caller, "secret.put", domain, Told(domain, name, hosts)));
    TRY(txn->Commit());
  }
  if (replaced) TRY(PurgeStore(api, "the secret is sealed", "put it again, which clears the old one away"));
  return http::Response::Of(Told(domain, name, hosts));
}

// Those of the domains where the caller may put some.
Answer ListSecrets(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"domain"}));
  const std::string wanted = request.Query("domain");
  auto txn = TRY(api.store.Read());
  if (!wanted.empty()) {
    TRY(api.gate.Decide(*txn, caller, model::Action::kPublish, TRY(DomainOf(*txn, wanted))));
  }
  std::map<std::string, bool> may;
  Json::Array listed;
  for (const secrets::Listed& each : TRY(secrets::List(*txn, std::string(kKind), wanted))) {
    const std::string& domain = each.name.scope;
    if (!may.contains(domain)) {
      // A domain that is no more is nobody's but the administrators'.
      auto found = DomainOf(*txn, domain);
      model::Resource resource = found ? found.TakeValue() : model::Resource();
      resource.domain = domain;
      may[domain] = TRY(api.gate.Ask(*txn, caller, model::Action::kPublish, resource)).permitted;
    }
    if (!may[domain]) continue;
    Json secret = Told(domain, each.name.name);
    secret.Set("put_by", each.put_by).Set("put_at", each.put_at.Text()).Set("hosts", each.hosts);
    listed.push_back(std::move(secret));
  }
  return http::Response::Of(Json::Map({{"secrets", std::move(listed)}}));
}

Answer RemoveSecret(Api& api, const Caller& caller, const http::Request& request) {
  const std::string domain = request.captures.at("domain"), name = request.captures.at("name");
  {
    auto txn = TRY(api.store.Begin());
    TRY(api.gate.Decide(*txn, caller, model::Action::kPublish, TRY(DomainOf(*txn, domain))));
    TRY(secrets::Remove(*txn, NameOf(domain, name)));
    TRY(Record(*txn, api.clock, caller, "secret.removed", domain, Told(domain, name)));
    TRY(txn->Commit());
  }
  TRY(PurgeStore(api, "the secret is removed", "weft secret reseal, by an administrator"));
  return http::Response::Of(Told(domain, name));
}

// The old key leaves the file once nothing in the store is sealed with it.
Answer ResealSecrets(Api& api, const Caller& caller, const http::Request& request) {
  TRY(BodyOf(request, {}));
  auto txn = TRY(api.store.Begin());
  const int count = TRY(api.vault.Reseal(*txn));
  TRY(Record(*txn, api.clock, caller, "secret.resealed", "", Json::Map({{"values", count}})));
  TRY(txn->Commit());
  txn.reset();
  TRY(api.vault.Resealed(api.store));
  TRY(PurgeStore(api, "all is sealed anew", "weft secret reseal"));
  return http::Response::Of(Json::Map({{"values", count}}));
}

}  // namespace weft::rest
