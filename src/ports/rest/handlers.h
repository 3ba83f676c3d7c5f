// The handlers of the REST door's table, by subject, and what they share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "ports/rest/rest.h"
#include "state/catalog/catalog.h"
#include "state/runs/runs.h"

namespace weft::rest {

using Answer = Result<http::Response>;
using model::Caller;

// kInvalid names the parameter, quotes its value and says what would be right.
Status OnlyQuery(const http::Request& request, std::initializer_list<std::string_view> known);
Result<int64_t> QueryInt(const http::Request& request, std::string_view name, int64_t otherwise, int64_t least,
                         int64_t most);
Status OneOf(std::string_view name, const std::string& value, std::initializer_list<std::string_view> allowed);
// The body as a JSON object with no other keys than `known`.
Result<Json> BodyOf(const http::Request& request, std::initializer_list<std::string_view> known);
Result<std::string> NeedText(const Json& body, std::string_view key);
// Field columns: names; none where it is absent.
Result<std::vector<std::string>> ColumnsOf(const Json& body);
// Field principal, or another: a name as grants, tokens and mesh.yaml write principals.
Result<std::string> PrincipalName(const Json& body, std::string_view key = "principal");
Status NotPast(Clock& clock, std::string_view field, const std::optional<Instant>& time);
Result<std::optional<Instant>> TimeOf(const Json& body, std::string_view key);

Result<model::Address> AddressOf(store::Txn& txn, const std::string& text);  // Of this mesh.
Result<catalog::Port> PortOf(store::Txn& txn, const std::string& text);      // What an address with a port names.

Status Record(store::Txn& txn, Clock& clock, const Caller& caller, std::string kind, std::string address, Json detail);
Json OptionalTime(const std::optional<Instant>& time);
// After a commit that deleted or overwrote what must be nowhere: out of the store's log too. kUnavailable says that it
// is `done` all the same, and what to call `again`.
Status PurgeStore(Api& api, std::string_view done, std::string_view again);

// node.cc
Answer Health(Api& api, const Caller& caller, const http::Request& request);
Answer Ready(Api& api, const Caller& caller, const http::Request& request);
Answer Metrics(Api& api, const Caller& caller, const http::Request& request);
Answer Node(Api& api, const Caller& caller, const http::Request& request);
Answer WhoAmI(Api& api, const Caller& caller, const http::Request& request);
// publish.cc
Answer MakePlan(Api& api, const Caller& caller, const http::Request& request);
Answer Apply(Api& api, const Caller& caller, const http::Request& request);
Result<model::Resource> WhereToPublish(Api& api, const Caller& caller, const http::Request& request);
Answer PutData(Api& api, const Caller& caller, const http::Request& request);
// catalog.cc
Answer Products(Api& api, const Caller& caller, const http::Request& request);
Answer Product(Api& api, const Caller& caller, const http::Request& request);
Answer Port(Api& api, const Caller& caller, const http::Request& request);
Answer File(Api& api, const Caller& caller, const http::Request& request);
Answer Search(Api& api, const Caller& caller, const http::Request& request);
Answer Lineage(Api& api, const Caller& caller, const http::Request& request);
// runs.cc
Answer SubmitRuns(Api& api, const Caller& caller, const http::Request& request);
Answer ListRuns(Api& api, const Caller& caller, const http::Request& request);
Answer GetRun(Api& api, const Caller& caller, const http::Request& request);
Answer CancelRun(Api& api, const Caller& caller, const http::Request& request);
Answer RetryRun(Api& api, const Caller& caller, const http::Request& request);
// lake.cc
// How many rows there are tells those who see some of them how many are hidden.
bool MayCount(const model::Decision& decision);
Json SnapshotJson(const lake::Snapshot& snapshot, bool counts);
Answer Snapshots(Api& api, const Caller& caller, const http::Request& request);
Answer TagSnapshot(Api& api, const Caller& caller, const http::Request& request);
Answer Sweep(Api& api, const Caller& caller, const http::Request& request);
// access.cc
Answer ListGrants(Api& api, const Caller& caller, const http::Request& request);
Answer PutGrant(Api& api, const Caller& caller, const http::Request& request);
Answer RevokeGrants(Api& api, const Caller& caller, const http::Request& request);
Answer ListTokens(Api& api, const Caller& caller, const http::Request& request);
Answer CreateToken(Api& api, const Caller& caller, const http::Request& request);
Answer RevokeToken(Api& api, const Caller& caller, const http::Request& request);
// policies.cc
Json DecisionJson(const model::Decision& decision);
Answer Explain(Api& api, const Caller& caller, const http::Request& request);
Answer ListPurposes(Api& api, const Caller& caller, const http::Request& request);
Answer ListPolicies(Api& api, const Caller& caller, const http::Request& request);
// secrets.cc
Answer PutSecret(Api& api, const Caller& caller, const http::Request& request);
Answer ListSecrets(Api& api, const Caller& caller, const http::Request& request);
Answer RemoveSecret(Api& api, const Caller& caller, const http::Request& request);
Answer ResealSecrets(Api& api, const Caller& caller, const http::Request& request);
// accounts.cc
Answer ListUsers(Api& api, const Caller& caller, const http::Request& request);
Answer CreateUser(Api& api, const Caller& caller, const http::Request& request);
Answer SetPassword(Api& api, const Caller& caller, const http::Request& request);
Answer DisableUser(Api& api, const Caller& caller, const http::Request& request);
Answer EnableUser(Api& api, const Caller& caller, const http::Request& request);
Answer ListServices(Api& api, const Caller& caller, const http::Request& request);
Answer CreateService(Api& api, const Caller& caller, const http::Request& request);
Answer DisableService(Api& api, const Caller& caller, const http::Request& request);
Answer EnableService(Api& api, const Caller& caller, const http::Request& request);
// oauth.cc
Answer Discovery(Api& api, const Caller& caller, const http::Request& request);
Answer Jwks(Api& api, const Caller& caller, const http::Request& request);
Answer StartDevice(Api& api, const Caller& caller, const http::Request& request);
Answer DevicePage(Api& api, const Caller& caller, const http::Request& request);
Answer SettleDevice(Api& api, const Caller& caller, const http::Request& request);
Answer AuthorizePage(Api& api, const Caller& caller, const http::Request& request);
Answer Authorize(Api& api, const Caller& caller, const http::Request& request);
Answer GiveToken(Api& api, const Caller& caller, const http::Request& request);
Answer RevokeSignIn(Api& api, const Caller& caller, const http::Request& request);
// requests.cc
Result<model::Resource> WhichRequest(Api& api, const Caller& caller, const http::Request& request);
Answer ListRequests(Api& api, const Caller& caller, const http::Request& request);
Answer MakeRequest(Api& api, const Caller& caller, const http::Request& request);
Answer GetRequest(Api& api, const Caller& caller, const http::Request& request);
Answer ApproveRequest(Api& api, const Caller& caller, const http::Request& request);
Answer RefuseRequest(Api& api, const Caller& caller, const http::Request& request);
Answer AskRequest(Api& api, const Caller& caller, const http::Request& request);
Answer AnswerRequest(Api& api, const Caller& caller, const http::Request& request);
Answer WithdrawRequest(Api& api, const Caller& caller, const http::Request& request);
Answer ListDelegations(Api& api, const Caller& caller, const http::Request& request);
Answer MakeDelegation(Api& api, const Caller& caller, const http::Request& request);
Answer EndDelegation(Api& api, const Caller& caller, const http::Request& request);
// entities.cc
Answer ListEntities(Api& api, const Caller& caller, const http::Request& request);
Answer ShowEntity(Api& api, const Caller& caller, const http::Request& request);
Answer RotateEntity(Api& api, const Caller& caller, const http::Request& request);
Answer EraseEntity(Api& api, const Caller& caller, const http::Request& request);
// ledger.cc
Answer Audit(Api& api, const Caller& caller, const http::Request& request);
Answer VerifyAudit(Api& api, const Caller& caller, const http::Request& request);
// audit.cc
Result<model::Resource> AuditedPort(Api& api, const Caller& caller, const http::Request& request);
Answer WhoSawIt(Api& api, const Caller& caller, const http::Request& request);
Answer WhatTheyDid(Api& api, const Caller& caller, const http::Request& request);
Answer ExportAudit(Api& api, const Caller& caller, const http::Request& request);
Answer ExportRows(Api& api, const Caller& caller, const http::Request& request);

}  // namespace weft::rest
