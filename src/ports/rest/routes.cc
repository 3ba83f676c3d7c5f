#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

using enum model::Action;

// Where an action is kBrowse although the request changes something, the handler or the room behind it decides about
// the port, domain or principal that the body names.
const gate::Route<Api> kRoutes[] = {
    {"GET", "/v1/health", kOpen, nullptr, Health},
    {"GET", "/v1/ready", kOpen, nullptr, Ready},
    {"GET", "/metrics", kOpen, nullptr, Metrics},
    {"GET", "/v1/node", kBrowse, nullptr, Node},
    {"GET", "/v1/whoami", kBrowse, nullptr, WhoAmI},
    {"POST", "/v1/plan", kBrowse, nullptr, MakePlan, {kPublish, kAdminister, kGovern, kGrant, kAudit}},
    {"POST", "/v1/apply", kBrowse, nullptr, Apply, {kPublish, kAdminister, kGovern, kGrant, kAudit}},
    {"PUT", "/v1/data/{sha256}", kPublish, WhereToPublish, PutData},
    {"GET", "/v1/products", kBrowse, nullptr, Products},
    {"GET", "/v1/products/{domain}/{product}", kBrowse, nullptr, Product},
    {"GET", "/v1/ports/{domain}/{product}/{port}", kBrowse, nullptr, Port, {kRead}},
    {"GET", "/v1/files/{domain}/{product}", kBrowse, nullptr, File},
    {"GET", "/v1/search", kBrowse, nullptr, Search},
    {"GET", "/v1/lineage", kBrowse, nullptr, Lineage},
    {"POST", "/v1/runs", kBrowse, nullptr, SubmitRuns, {kRun, kRead}},
    {"GET", "/v1/runs", kBrowse, nullptr, ListRuns, {kRun, kRead}},
    {"GET", "/v1/runs/{id}", kBrowse, nullptr, GetRun, {kRun, kRead}},
    {"POST", "/v1/runs/{id}/cancel", kBrowse, nullptr, CancelRun, {kRun, kRead}},
    {"POST", "/v1/runs/{id}/retry", kBrowse, nullptr, RetryRun, {kRun, kRead}},
    {"GET", "/v1/snapshots", kBrowse, nullptr, Snapshots, {kRead}},
    {"POST", "/v1/tags", kBrowse, nullptr, TagSnapshot, {kRun}},
    {"POST", "/v1/sweep", kAdminister, nullptr, Sweep},
    {"GET", "/v1/grants", kBrowse, nullptr, ListGrants},
    {"POST", "/v1/grants", kBrowse, nullptr, PutGrant, {kGrant}},
    {"DELETE", "/v1/grants", kBrowse, nullptr, RevokeGrants, {kGrant}},
    {"GET", "/v1/policies", kBrowse, nullptr, ListPolicies},
    {"GET", "/v1/purposes", kBrowse, nullptr, ListPurposes},
    {"GET", "/v1/requests", kBrowse, nullptr, ListRequests, {kGovern, kAudit}},
    {"POST", "/v1/requests", kBrowse, nullptr, MakeRequest, {kRequest}},
    {"GET", "/v1/requests/{id}", kBrowse, nullptr, GetRequest, {kGrant, kGovern, kAudit}},
    {"POST", "/v1/requests/{id}/approve", kApprove, WhichRequest, ApproveRequest, {kGrant, kGovern, kAudit}},
    {"POST", "/v1/requests/{id}/refuse", kApprove, WhichRequest, RefuseRequest, {kGrant, kGovern, kAudit}},
    {"POST", "/v1/requests/{id}/ask", kApprove, WhichRequest, AskRequest, {kGrant, kGovern, kAudit}},
    {"POST", "/v1/requests/{id}/answer", kRequest, WhichRequest, AnswerRequest, {kGrant, kGovern, kAudit}},
    {"POST", "/v1/requests/{id}/withdraw", kRequest, WhichRequest, WithdrawRequest, {kGrant, kGovern, kAudit}},
    {"GET", "/v1/delegations", kBrowse, nullptr, ListDelegations},
    {"POST", "/v1/delegations", kBrowse, nullptr, MakeDelegation, {kApprove}},
    {"DELETE", "/v1/delegations", kBrowse, nullptr, EndDelegation, {kApprove}},
    {"GET", "/v1/explain", kBrowse, nullptr, Explain, {kGovern, kAudit, kGrant}},
    {"GET", "/v1/tokens", kBrowse, nullptr, ListTokens, {kAdminister}},
    {"POST", "/v1/tokens", kBrowse, nullptr, CreateToken, {kAdminister}},
    {"DELETE", "/v1/tokens/{id}", kBrowse, nullptr, RevokeToken, {kAdminister}},
    {"GET", "/v1/entities", kBrowse, nullptr, ListEntities},
    {"GET", "/v1/entities/{entity}", kBrowse, nullptr, ShowEntity},
    {"POST", "/v1/entities/{entity}/rotate", kGovern, nullptr, RotateEntity},
    {"POST", "/v1/entities/{entity}/erase", kGovern, nullptr, EraseEntity},
    {"GET", "/v1/secrets", kBrowse, nullptr, ListSecrets, {kPublish}},
    {"POST", "/v1/secrets", kBrowse, nullptr, PutSecret, {kPublish}},
    {"POST", "/v1/secrets/reseal", kAdminister, nullptr, ResealSecrets},
    {"DELETE", "/v1/secrets/{domain}/{name}", kBrowse, nullptr, RemoveSecret, {kPublish}},
    {"GET", "/v1/users", kAdminister, nullptr, ListUsers},
    {"POST", "/v1/users", kAdminister, nullptr, CreateUser},
    {"POST", "/v1/users/{name}/password", kBrowse, nullptr, SetPassword, {kAdminister}},
    {"POST", "/v1/users/{name}/disable", kAdminister, nullptr, DisableAccount},
    {"POST", "/v1/users/{name}/enable", kAdminister, nullptr, EnableAccount},
    {"GET", "/v1/services", kAdminister, nullptr, ListServices},
    {"POST", "/v1/services", kAdminister, nullptr, CreateService},
    {"POST", "/v1/services/{name}/disable", kAdminister, nullptr, DisableAccount},
    {"POST", "/v1/services/{name}/enable", kAdminister, nullptr, EnableAccount},
    // What one signs in by is open: it asks for passwords, codes and secrets of its own.
    {"GET", "/.well-known/openid-configuration", kOpen, nullptr, Discovery},
    {"GET", "/.well-known/oauth-authorization-server", kOpen, nullptr, Discovery},
    {"GET", "/oauth/jwks", kOpen, nullptr, Jwks},
    {"POST", "/oauth/device_authorization", kOpen, nullptr, StartDevice},
    {"GET", "/oauth/device", kOpen, nullptr, DevicePage},
    {"POST", "/oauth/device", kOpen, nullptr, SettleDevice},
    {"GET", "/oauth/authorize", kOpen, nullptr, AuthorizePage},
    {"POST", "/oauth/authorize", kOpen, nullptr, Authorize},
    {"POST", "/oauth/token", kOpen, nullptr, GiveToken},
    {"POST", "/oauth/revoke", kOpen, nullptr, RevokeSignIn},
    {"GET", "/v1/audit", kAudit, nullptr, Audit},
    {"POST", "/v1/audit/verify", kAudit, nullptr, VerifyAudit},
    {"GET", "/v1/audit/who", kAudit, AuditedPort, WhoSawIt},
    {"GET", "/v1/audit/what", kBrowse, nullptr, WhatTheyDid, {kAudit}},
    {"GET", "/v1/audit/export", kAudit, nullptr, ExportAudit},
    {"GET", "/v1/audit/export/rows", kAudit, nullptr, ExportRows},
};

}  // namespace

std::span<const gate::Route<Api>> Routes() { return kRoutes; }

}  // namespace weft::rest
