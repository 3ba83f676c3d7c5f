#include <fmt/format.h>

#include <charconv>

#include "base/file.h"
#include "ports/rest/handlers.h"

namespace weft::rest {

Result<Json> BodyOf(const http::Request& request) {
  const std::string text = request.body_file.empty() ? request.body : TRY(ReadFile(request.body_file));
  if (text.empty()) return Json(Json::Object());
  Result<Json> body = Json::Parse(text);
  if (!body) return std::move(body.error()).With("the request's body");
  if (!body->is_object()) return Error{Code::kInvalid, "the request's body must be a JSON object"};
  return body;
}

Result<std::string> TextField(const Json& body, std::string_view name) {
  const Json& value = body[name];
  if (value.is_text() && !value.Text().empty()) return value.Text();
  return Error{Code::kInvalid, fmt::format("the request's body needs '{}', a text", name)};
}

Result<int64_t> NumberParam(const http::Request& request, std::string_view name, int64_t otherwise, int64_t least,
                            int64_t most) {
  const std::string text = request.Query(name);
  if (text.empty()) return otherwise;
  int64_t value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return Error{Code::kInvalid, fmt::format("'{}' must be a number from {} to {}, not '{}'", name, least, most, text)};
  }
  return value;
}

Result<std::optional<Instant>> TimeField(const Json& body, std::string_view name) {
  if (body[name].is_null()) return std::optional<Instant>();
  Result<Instant> at = Instant::Parse(body[name].Text());
  if (!at) return std::move(at.error()).With(name);
  return std::optional<Instant>(*at);
}

Json OrNull(const std::optional<Instant>& at) { return at ? Json(at->Text()) : Json(); }
Json OrNull(const std::optional<int64_t>& number) { return number ? Json(*number) : Json(); }

Result<catalog::Port> PortAt(store::Txn& txn, const std::string& address) {
  const model::Address parsed = TRY(model::Address::Parse(address));
  if (parsed.port.empty()) {
    return Error{Code::kInvalid, fmt::format("'{}' names no output port: write domain/product/port", address)};
  }
  return catalog::Load(txn, TRY(catalog::Resolve(txn, parsed)));
}

Result<catalog::Port> PermittedPort(Api& api, const model::Caller& caller, model::Action action,
                                    const std::string& address) {
  auto txn = TRY(api.store.Read());
  catalog::Port port = TRY(PortAt(*txn, address));
  txn.reset();
  TRY(api.gate.Decide(caller, action, port.resource));
  return port;
}

Json PortJson(const catalog::PortRow& row) {
  return Json::Map({{"address", row.key.Text()},
                    {"name", row.key.port},
                    {"major", row.key.major},
                    {"version", row.version},
                    {"status", row.status},
                    {"sql", row.key.SqlTable()},
                    {"description", row.description},
                    {"classification", row.classification},
                    {"tags", row.tags},
                    {"contract_id", row.contract_id}});
}

}  // namespace weft::rest
