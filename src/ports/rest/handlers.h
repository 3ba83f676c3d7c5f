// The handlers of the REST door's table, by subject, and what they share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "model/lifecycle.h"
#include "ports/rest/rest.h"
#include "state/catalog/seen.h"
#include "state/runs/runs.h"
#include "state/schedules/schedules.h"

namespace weft::rest {

using Answer = Result<http::Response>;
using model::Caller;
using Handler = Answer(Api& api, const Caller& caller, const http::Request& request);

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
// What the caller may know of.
Result<model::Sight> SightOf(const Api& api, store::Txn& txn, const Caller& caller);
// What an address with a port names, of what they may know of.
Result<catalog::Port> PortOf(const Api& api, store::Txn& txn, const Caller& caller, const std::string& text);

// kNotFound with near names where the mesh has no such domain; "" is all of them.
Status KnownDomain(store::Txn& txn, const std::string& domain);
// What an address names, with its team: a domain, a product or an output port that is there, and of which the caller
// may know; "" is the mesh.
Result<model::Resource> ResourceAt(const Api& api, store::Txn& txn, const Caller& caller, const std::string& text);

Status Record(store::Txn& txn, Clock& clock, const Caller& caller, std::string kind, std::string address, Json detail);
Json OptionalText(const std::string& text);  // Null where it is empty.
Json OptionalTime(const std::optional<Instant>& time);
// After a commit that deleted or overwrote what must be nowhere: out of the store's log too. kUnavailable says that it
// is `done` all the same, and what to call `again`.
Status PurgeStore(Api& api, std::string_view done, std::string_view again);

// node.cc
Handler Health, Ready, Metrics, Node, WhoAmI;
// publish.cc
Handler MakePlan, Apply;
Result<model::Resource> WhereToPublish(Api& api, const Caller& caller, const http::Request& request);
Handler PutData;
// promote.cc
Handler Receipt, NotePromotion;
// catalog.cc
// lifecycle.cc
// Sets "deprecated" and "retired" of what an answer is about, by its "status" and "address": null where it is not so.
Status TellEnd(store::Txn& txn, Instant now, const model::Deprecation& says, const std::string& product, Json* what);
// With the headers Deprecation (RFC 9745) and Sunset (RFC 8594) where `what` has been told to be deprecated.
http::Response WithEnd(http::Response response, const Json& what);
Handler Deprecations;
Handler Products, Product, Port, File, ProductDescriptor, PortDescriptor, Lineage;
// search.cc
Handler Search, Alike;
// terms.cc
Handler ListTerms, ShowTerm;
// runs.cc
// The message of a run as the caller may know it: it may quote what was read.
Result<std::string> MessageFor(Api& api, store::Txn& txn, const Caller& caller, const runs::Run& run);
// The output ports that an address stands for: a product's or domain's are those that are not retired.
Result<std::vector<model::PortKey>> PortsUnder(store::Txn& txn, const catalog::Seen& seen, const std::string& text);
Answer SubmittedRuns(Api& api, const Caller& caller, const std::vector<runs::Run>& list);
Handler SubmitRuns, Rollback, ListRuns, GetRun, CancelRun, RetryRun;
// fixes.cc
Handler Fix;
// schedules.cc
// What is told of a port's or product's schedules where it is shown: {"schedule", "next", "zone", "paused"}.
Result<Json> ScheduleJson(Api& api, store::Txn& txn, const model::PortKey& port);
Json PauseJson(const schedules::Pause* pause);
Handler WhyNot, MakePause, EndPause;
// lake.cc
// How many rows there are tells those who see some of them how many are hidden.
bool MayCount(const model::Decision& decision);
Json SnapshotJson(const lake::Snapshot& snapshot, bool counts);
Handler Snapshots, TagSnapshot, Sweep, Backup;
// upkeep.cc
// As a run is told. `counts`: whether numbers of the table are.
Json ActJson(Api& api, const lake::Act& act, bool counts);
Handler TendPorts;
// access.cc
Handler ListGrants, PutGrant, RevokeGrants, ListTokens, CreateToken, RevokeToken;
// policies.cc
Json DecisionJson(const model::Decision& decision);
Handler Explain, ListPurposes, ListPolicies;
// secrets.cc
Handler PutSecret, ListSecrets, RemoveSecret, ResealSecrets;
// accounts.cc
Handler ListUsers, CreateUser, SetPassword, ListServices, CreateService;
// Of users or of services, as the path says.
Handler DisableAccount, EnableAccount;
// oauth.cc
Handler Discovery, Jwks, StartDevice, DevicePage, SettleDevice, AuthorizePage, Authorize, GiveToken, RevokeSignIn;
// requests.cc
Result<model::Resource> WhichRequest(Api& api, const Caller& caller, const http::Request& request);
Handler ListRequests, MakeRequest, GetRequest, ApproveRequest, RefuseRequest, AskRequest, AnswerRequest,
    WithdrawRequest, ListDelegations, MakeDelegation, EndDelegation;
// events.cc
Handler Events, Feed, ListSubscriptions, MakeSubscription, EndSubscription;
// feedback.cc
// {"ratings", "stars", "open_questions", "open_issues"} of a product.
Result<Json> FeedbackJson(store::Txn& txn, const catalog::Seen& seen, const std::string& domain,
                          const std::string& product);
Handler ListFeedback, GiveFeedback, AnswerFeedback, RemoveFeedback;
// entities.cc
Handler ListEntities, ShowEntity, RotateEntity, EraseEntity;
// ledger.cc
Handler Audit, VerifyAudit;
// audit.cc
Result<model::Resource> AuditedPort(Api& api, const Caller& caller, const http::Request& request);
Handler WhoSawIt, WhatTheyDid, ExportAudit, ExportRows;

}  // namespace weft::rest
