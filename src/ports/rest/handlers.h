// The handlers of the REST door, by subject, and the small readers that they share.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "ports/rest/rest.h"
#include "state/catalog/catalog.h"

namespace weft::rest {

using Answer = Result<http::Response>;
using Handler = Answer(Api&, const model::Caller&, const http::Request&);

Handler Health, Ready, Metrics, Node, WhoAmI;
Handler MakePlan, Apply, PutData;
Handler ListProducts, ShowProduct, ShowPort, ShowFile, Search, Lineage;
Handler StartRuns, ListRuns, ShowRun, CancelRun, RetryRun;
Handler ListSnapshots, TagSnapshot, Sweep;
Handler ListGrants, PutGrant, DeleteGrants, ListTokens, CreateToken, DeleteToken;
Handler ListAudit, VerifyAudit;

// The request's JSON object; an empty body is an empty object.
Result<Json> BodyOf(const http::Request& request);
// A text that must be there: kInvalid names the field.
Result<std::string> TextField(const Json& body, std::string_view name);
// ?name= as a number from `least` to `most`; `otherwise` where absent.
Result<int64_t> NumberParam(const http::Request& request, std::string_view name, int64_t otherwise, int64_t least,
                            int64_t most);
Result<std::optional<Instant>> TimeField(const Json& body, std::string_view name);
Json OrNull(const std::optional<Instant>& at);
Json OrNull(const std::optional<int64_t>& number);

// The port that a text names, with its bundle: kNotFound says what there is.
Result<catalog::Port> PortAt(store::Txn& txn, const std::string& address);
// The port, once the caller may do `action` to it. Opens no transaction that could write: a denial writes its own row.
Result<catalog::Port> PermittedPort(Api& api, const model::Caller& caller, model::Action action,
                                    const std::string& address);
Json PortJson(const catalog::PortRow& row);

}  // namespace weft::rest
