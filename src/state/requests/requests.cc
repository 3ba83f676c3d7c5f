#include "state/requests/requests.h"

#include <fmt/format.h>

#include "base/json.h"

namespace weft::requests {
namespace {

constexpr store::Migration kMigrations[] = {{"requests", 1, R"(
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  requester TEXT NOT NULL,
  groups_then TEXT NOT NULL,
  principal TEXT NOT NULL,
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  of_columns TEXT NOT NULL,
  until TEXT,
  because TEXT NOT NULL,
  status TEXT NOT NULL,
  contract_version TEXT NOT NULL,
  terms TEXT NOT NULL,
  chain TEXT NOT NULL,
  made_at TEXT NOT NULL,
  grant_id TEXT NOT NULL
);
CREATE INDEX requests_status ON requests (status, made_at);
CREATE INDEX requests_requester ON requests (requester, made_at);
CREATE INDEX requests_principal ON requests (principal, made_at);
CREATE TABLE request_events (
  request TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  who TEXT NOT NULL,
  in_stead TEXT NOT NULL,
  step TEXT NOT NULL,
  said TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (request, number)
);
CREATE TABLE delegations (
  delegator TEXT NOT NULL,
  delegate TEXT NOT NULL,
  on_address TEXT NOT NULL,
  until TEXT,
  made_at TEXT NOT NULL,
  PRIMARY KEY (delegator, delegate, on_address)
);
CREATE INDEX delegations_delegate ON delegations (delegate);
)"}};

constexpr std::string_view kColumns =
    "id, requester, groups_then, principal, domain, product, port, major, purpose, of_columns, until, because, status, "
    "contract_version, terms, chain, made_at, grant_id";

std::string ChainText(const model::Chain& chain) {
  Json::Array policies;
  for (const model::AppliedPolicy& policy : chain.policies) {
    policies.push_back(Json::Map({{"name", policy.policy->name},
                                  {"where", policy.policy->where},
                                  {"detail", policy.Detail()},
                                  {"message", policy.policy->message}}));
  }
  auto seconds = [](const std::optional<int64_t>& value) { return value ? Json(*value) : Json(); };
  return Json::Map({{"steps", chain.asked.steps},
                    {"until_s", seconds(chain.asked.until_s)},
                    {"remind_s", seconds(chain.asked.remind_s)},
                    {"same", chain.asked.same},
                    {"policies", std::move(policies)}})
      .Dump();
}

Result<model::Chain> ChainOf(const std::string& text) {
  const Json json = TRY(Json::Parse(text));
  model::Chain chain;
  chain.asked.steps = json["steps"].Texts();
  if (!json["until_s"].is_null()) chain.asked.until_s = json["until_s"].Int();
  if (!json["remind_s"].is_null()) chain.asked.remind_s = json["remind_s"].Int();
  chain.asked.same = json["same"].Bool();
  for (const Json& policy : json["policies"].Items()) {
    model::AppliedPolicy::Words words{policy["name"].Text(), policy["where"].Text(), "approve",
                                      policy["message"].Text()};
    chain.policies.push_back({std::make_shared<const model::AppliedPolicy::Words>(std::move(words)),
                              std::make_shared<const std::string>(policy["detail"].Text())});
  }
  return chain;
}

Result<Request> RequestOf(const store::Row& row) {
  Request request;
  request.id = row.text(0);
  request.requester = row.text(1);
  request.groups = TRY(Json::Parse(row.text(2))).Texts();
  request.principal = row.text(3);
  request.port = {row.text(4), row.text(5), row.text(6), static_cast<int>(row.integer(7))};
  request.purpose = row.text(8);
  request.columns = TRY(Json::Parse(row.text(9))).Texts();
  request.until = TRY(row.maybe_time(10));
  request.because = row.text(11);
  request.status = row.text(12);
  request.contract_version = row.text(13);
  request.terms = row.text(14);
  request.chain = TRY(ChainOf(row.text(15)));
  request.made_at = TRY(row.time(16));
  request.grant = row.text(17);
  return request;
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status Put(store::Txn& txn, const Request& request) {
  TRY(txn.Run(
      fmt::format("INSERT INTO requests ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
                  "$14, $15, $16, $17, $18)",
                  kColumns),
      {request.id, request.requester, Json(request.groups).Dump(), request.principal, request.port.domain,
       request.port.product, request.port.port, store::Int(request.port.major), request.purpose,
       Json(request.columns).Dump(), store::Time(request.until), request.because, request.status,
       request.contract_version, request.terms, ChainText(request.chain), request.made_at.Text(), request.grant}));
  return Add(txn, request.id, {"made", request.requester, "", "", request.because, request.made_at});
}

Status Add(store::Txn& txn, const std::string& id, const Event& event) {
  TRY(
      txn.Run("INSERT INTO request_events (request, number, kind, who, in_stead, step, said, at) SELECT $1, "
              "coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7 FROM request_events WHERE request = $1",
              {id, event.kind, event.who, event.in_stead, event.step, event.text, event.at.Text()}));
  return {};
}

Status End(store::Txn& txn, const std::string& id, const std::string& status, const std::string& grant) {
  TRY(txn.Run("UPDATE requests SET status = $2, grant_id = $3 WHERE id = $1", {id, status, grant}));
  return {};
}

Result<Request> Find(store::Txn& txn, const std::string& id) {
  const auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM requests WHERE id = $1", kColumns), {id}));
  if (rows.empty()) return Error{Code::kNotFound, fmt::format("there is no request '{}'; see weft requests", id)};
  Request request = TRY(RequestOf(rows[0]));
  request.history = TRY(History(txn, id));
  return request;
}

Result<std::vector<Event>> History(store::Txn& txn, const std::string& id) {
  std::vector<Event> history;
  for (const store::Row& row :
       TRY(txn.Run("SELECT kind, who, in_stead, step, said, at FROM request_events WHERE request = $1 ORDER BY number",
                   {id}))) {
    history.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), TRY(row.time(5))});
  }
  return history;
}

Result<std::vector<Request>> List(store::Txn& txn, const Query& query) {
  const std::string sql = fmt::format(
      "SELECT {} FROM requests WHERE ($1 = '' OR status = $1) AND ($2 = '' OR requester = $2 OR principal = $2) "
      "ORDER BY made_at DESC, id DESC LIMIT {}",
      kColumns, query.limit);
  std::vector<Request> requests;
  for (const store::Row& row : TRY(txn.Run(sql, {query.waiting ? "waiting" : "", query.of}))) {
    requests.push_back(TRY(RequestOf(row)));
  }
  return requests;
}

Result<std::vector<Request>> Waiting(store::Txn& txn, const Request* after, int limit) {
  const std::string sql = fmt::format(
      "SELECT {} FROM requests WHERE status = 'waiting' AND (made_at, id) > ($1, $2) ORDER BY made_at, id LIMIT {}",
      kColumns, limit);
  std::vector<Request> requests;
  for (const store::Row& row : TRY(txn.Run(sql, {after ? after->made_at.Text() : "", after ? after->id : ""}))) {
    requests.push_back(TRY(RequestOf(row)));
  }
  return requests;
}

Status PutDelegation(store::Txn& txn, const Delegation& delegation) {
  TRY(
      txn.Run("INSERT INTO delegations (delegator, delegate, on_address, until, made_at) VALUES ($1, $2, $3, $4, $5) "
              "ON CONFLICT (delegator, delegate, on_address) DO UPDATE SET until = excluded.until, made_at = "
              "excluded.made_at",
              {delegation.from, delegation.to, delegation.on.Short(), store::Time(delegation.until),
               delegation.made_at.Text()}));
  return {};
}

Result<int> EndDelegations(store::Txn& txn, const std::string& from, const std::string& to, const model::Address& on) {
  const auto rows =
      TRY(txn.Run("DELETE FROM delegations WHERE delegator = $1 AND delegate = $2 AND ($3 = '' OR on_address = $3) "
                  "RETURNING on_address",
                  {from, to, on.Short()}));
  return static_cast<int>(rows.size());
}

Result<std::vector<Delegation>> Delegations(store::Txn& txn, Clock& clock, const std::string& from,
                                            const std::string& to) {
  std::vector<Delegation> delegations;
  for (const store::Row& row : TRY(txn.Run(
           "SELECT delegator, delegate, on_address, until, made_at FROM delegations WHERE ($1 = '' OR delegator "
           "= $1) AND ($2 = '' OR delegate = $2) AND (until IS NULL OR until > $3) ORDER BY delegator, delegate, "
           "on_address",
           {from, to, clock.Now().Text()}))) {
    Delegation delegation;
    delegation.from = row.text(0);
    delegation.to = row.text(1);
    if (!row.text(2).empty()) delegation.on = TRY(model::Address::Parse(row.text(2)));
    delegation.until = TRY(row.maybe_time(3));
    delegation.made_at = TRY(row.time(4));
    delegations.push_back(std::move(delegation));
  }
  return delegations;
}

}  // namespace weft::requests
