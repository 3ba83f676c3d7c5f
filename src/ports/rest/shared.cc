#include <fmt/format.h>

#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/access/granted.h"

namespace weft::rest {
namespace {

constexpr size_t kBodyLimit = size_t{64} << 20;

Error Invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }

}  // namespace

Status OnlyQuery(const http::Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Invalid(fmt::format("'{}' is no parameter of {} {}{}", name, request.method, request.path,
                               DidYouMean(name, std::span(known.begin(), known.size()))));
  }
  return {};
}

Result<int64_t> QueryInt(const http::Request& request, std::string_view name, int64_t otherwise, int64_t least,
                         int64_t most) {
  const std::string text = request.Query(name);
  if (text.empty()) return otherwise;
  int64_t number = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    const std::string range =
        most == INT64_MAX ? fmt::format("at least {}", least) : fmt::format("{} to {}", least, most);
    return Invalid(fmt::format("parameter {}: '{}' is no whole number of {}", name, text, range));
  }
  return number;
}

Status OneOf(std::string_view name, const std::string& value, std::initializer_list<std::string_view> allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
  return Invalid(fmt::format("parameter {}: '{}' is none of {}{}", name, value, fmt::join(allowed, ", "),
                             DidYouMean(value, std::span(allowed.begin(), allowed.size()))));
}

Result<Json> BodyOf(const http::Request& request, std::initializer_list<std::string_view> known) {
  std::string spooled;
  if (!request.body_file.empty()) spooled = TRY(ReadFile(request.body_file, kBodyLimit));
  const std::string& text = request.body_file.empty() ? request.body : spooled;
  auto body = text.empty() ? Result<Json>(Json::Map({})) : Json::Parse(text);
  if (!body) return body.TakeError().With("the request's body is no JSON");
  if (!body->is_object()) return Invalid("the request's body is no JSON object");
  for (const auto& [key, value] : body->Members()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return Invalid(fmt::format("'{}' is no field of {} {}{}", key, request.method, request.path,
                               DidYouMean(key, std::span(known.begin(), known.size()))));
  }
  return body;
}

Result<std::string> NeedText(const Json& body, std::string_view key) {
  const Json& value = body[key];
  if (value.is_text() && !value.Text().empty()) return value.Text();
  if (value.is_null() || value.is_text()) return Invalid(fmt::format("field {} is missing: it needs a text", key));
  return Invalid(fmt::format("field {}: {} is no text", key, value.Dump()));
}

Result<std::optional<Instant>> TimeOf(const Json& body, std::string_view key) {
  const Json& value = body[key];
  if (value.is_null() || (value.is_text() && value.Text().empty())) return std::optional<Instant>();
  auto time = Instant::Parse(value.Text());
  if (!time) {
    return Invalid(fmt::format("field {}: {} is no time: write it like \"2026-01-31T12:00:00Z\"", key, value.Dump()));
  }
  return std::optional<Instant>(*time);
}

Status NotPast(Clock& clock, std::string_view field, const std::optional<Instant>& time) {
  if (!time || *time > clock.Now()) return {};
  return Error{Code::kInvalid, fmt::format("field {}: {} is past", field, time->Text())};
}

Result<std::vector<std::string>> ColumnsOf(const Json& body) {
  const Json& columns = body["columns"];
  if (columns.is_null()) return std::vector<std::string>();
  const std::vector<std::string> names = columns.Texts();
  if (columns.is_array() && !names.empty() && names.size() == columns.size()) return names;
  return Invalid(fmt::format("field columns: {} is no list of columns' names", columns.Dump()));
}

Result<std::string> PrincipalName(const Json& body, std::string_view key) {
  const std::string name = TRY(NeedText(body, key));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:@/+").find(c) != std::string_view::npos;
  });
  if (plain && name.size() <= 200) return name;
  return Invalid(fmt::format("field {}: '{}' is no principal: letters, digits and -_.:@/+", key, name));
}

Result<model::Address> AddressOf(store::Txn& txn, const std::string& text) {
  if (text.empty()) return Invalid("address is missing: write it like domain/product/port@1");
  model::Address address = TRY(model::Address::Parse(text));
  if (address.mesh.empty()) return address;
  const std::string mesh = TRY(catalog::MeshId(txn));
  if (mesh == address.mesh) return address;
  return Error{Code::kNotFound, fmt::format("'{}' is of the mesh '{}'; this node's is '{}'", text, address.mesh, mesh)};
}

Result<model::Sight> SightOf(const Api& api, store::Txn& txn, const Caller& caller) {
  return catalog::SightOf(txn, caller.principal, TRY(access::GrantedTo(txn, api.clock, caller.principal)));
}

Result<catalog::Port> PortOf(const Api& api, store::Txn& txn, const Caller& caller, const std::string& text) {
  const model::Address address = TRY(AddressOf(txn, text));
  if (address.port.empty())
    return Invalid(fmt::format("'{}' names no output port: write it like domain/product/port@1", text));
  const model::Sight sight = TRY(SightOf(api, txn, caller));
  const catalog::Seen seen(txn, sight);
  return seen.Load(TRY(seen.Resolve(address)));
}

Status KnownDomain(store::Txn& txn, const std::string& domain) {
  if (domain.empty()) return {};
  const auto mesh = TRY(catalog::MeshOf(txn));
  std::vector<std::string_view> names;
  for (size_t i = 0; mesh && i < mesh->domains.size(); ++i) names.push_back(mesh->domains[i].name);
  if (std::find(names.begin(), names.end(), domain) != names.end()) return {};
  return Error{Code::kNotFound, fmt::format("the mesh has no domain '{}'{}", domain, DidYouMean(domain, names))};
}

Result<model::Resource> ResourceAt(const Api& api, store::Txn& txn, const Caller& caller, const std::string& text) {
  model::Resource resource;
  if (text.empty()) return resource;
  const model::Address address = TRY(AddressOf(txn, text));
  if (!address.port.empty()) {
    catalog::Port port = TRY(PortOf(api, txn, caller, text));
    return std::move(port.resource);
  }
  TRY(KnownDomain(txn, address.domain));
  resource.domain = address.domain;
  resource.product = address.product;
  if (address.product.empty()) {
    resource.Add(TRY(catalog::TeamOf(txn, address.domain)));
    return resource;
  }
  const model::Sight sight = TRY(SightOf(api, txn, caller));
  TRY(catalog::Seen(txn, sight).Product(address.domain, address.product));
  resource.Add(TRY(catalog::WholeTeamOf(txn, address.domain, address.product)));
  return resource;
}

Status Record(store::Txn& txn, Clock& clock, const Caller& caller, std::string kind, std::string address, Json detail) {
  return ledger::Append(
      txn, clock, {std::move(kind), caller.principal.name, caller.purpose, std::move(address), std::move(detail)});
}

Status PurgeStore(Api& api, std::string_view done, std::string_view again) {
  Status purged = secrets::Purge(api.store);
  if (purged) return {};
  return Error{purged.error().code, fmt::format("{}, but {}: {}", done, purged.error().message, again)};
}

Json OptionalText(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json OptionalTime(const std::optional<Instant>& time) { return time ? Json(time->Text()) : Json(); }

}  // namespace weft::rest
