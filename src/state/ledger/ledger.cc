#include "state/ledger/ledger.h"

#include <fmt/format.h>

#include "state/ledger/rows.h"

namespace weft::ledger {
namespace {

constexpr store::Migration kMigrations[] = {{"ledger", 1, R"(
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  principal TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,
  seq INTEGER,
  hash TEXT
);
CREATE UNIQUE INDEX ledger_seq ON ledger (seq);
CREATE TABLE ledger_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  hash TEXT NOT NULL,
  signature TEXT NOT NULL
);
)"},
                                            {"ledger", 2, R"(
CREATE TABLE ledger_terms (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  term TEXT NOT NULL
);
CREATE TABLE ledger_index (
  seq INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  address BIGINT NOT NULL,
  principal BIGINT NOT NULL,
  purpose BIGINT NOT NULL,
  what BIGINT NOT NULL,
  times BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  bytes BIGINT NOT NULL
);
CREATE INDEX ledger_index_address ON ledger_index (address, at, principal, purpose, what, times, rows, bytes);
CREATE INDEX ledger_index_principal ON ledger_index (principal, at, address, purpose, what, times, rows, bytes);
)"}};

constexpr Kind kKinds[] = {
    {"published", "a product, port or mesh.yaml was registered or changed"},
    {"proposed", "a port's status became proposed"},
    {"draft", "a port's status became draft"},
    {"active", "a port's status became active"},
    {"deprecated", "a port's status became deprecated"},
    {"retired", "a port's status became retired"},
    {"sunset", "a deprecated port is past the sunset that its owner stated"},
    {"environment", "the mesh's store is of an environment from now on: products are read as that one has them"},
    {"scheduled", "when a port runs by itself was set, changed or taken away"},
    {"paused", "a port, a product or a domain is run by hand alone from now on"},
    {"resumed", "schedules and triggers of a port, a product or a domain start runs again"},
    {"promoted", "a product was taken to another node, or came from one, to the byte"},
    {"ran", "a run was skipped: its inputs were as before"},
    {"committed", "a run made a snapshot visible"},
    {"refused",
     "a run's rows broke their contract, or it may not read what it needs; or SQL, a folder or a run was asked "
     "for that cannot be"},
    {"failed", "a run failed"},
    {"cancelled", "a run was cancelled"},
    {"interrupted", "the node ended while a run was under way"},
    {"rolled-back", "readers see the rows of a former snapshot again"},
    {"subscribed", "somebody is told of a port's events from now on"},
    {"unsubscribed", "somebody is told no more"},
    {"webhook.dead", "a webhook was given up after its deliveries failed"},
    {"tagged", "a snapshot was given a name"},
    {"compacted", "small files of a table were written anew as fewer, with the same rows"},
    {"expired", "former snapshots of a table were forgotten: what keeps them had ended"},
    {"upkeep.ended", "upkeep of a table ended early: it failed, was cancelled, or its node stopped"},
    {"swept", "files that nothing names were removed"},
    {"granted", "a grant was given or changed"},
    {"revoked", "grants were taken back"},
    {"grant.ending", "a grant ends soon"},
    {"request.made", "somebody asked for access"},
    {"request.approved", "a step of a request was approved"},
    {"request.refused", "a request was refused"},
    {"request.asked", "the requester was asked something"},
    {"request.answered", "the requester answered"},
    {"request.withdrawn", "a request was taken back"},
    {"feedback.given", "somebody rated a product, asked about it, or reported what is wrong with it"},
    {"feedback.answered", "feedback was answered"},
    {"feedback.closed", "a question or an issue was closed"},
    {"feedback.removed", "feedback was removed, by its author or by governance"},
    {"delegated", "somebody approves in another's stead from now on"},
    {"delegation.ended", "somebody approves in another's stead no more"},
    {"backup.started", "a copy of the mesh is being written"},
    {"backup.made", "a copy of the mesh was written"},
    {"restored", "the mesh is as a backup had it; what came later is gone"},
    {"token.created", "a token was made"},
    {"token.revoked", "a token was revoked"},
    {"secret.put", "a domain's secret was sealed"},
    {"secret.removed", "a domain's secret was removed"},
    {"secret.resealed", "the seal key was exchanged for a new one"},
    {"user.created", "a person may sign in"},
    {"user.password", "a person has a new password"},
    {"user.disabled", "a person may sign in no more"},
    {"user.enabled", "a person may sign in again"},
    {"service.created", "a program may sign in"},
    {"service.disabled", "a program may sign in no more"},
    {"service.enabled", "a program may sign in again"},
    {"signin", "a sign-in gave a token"},
    {"signin.approved", "a person let a client or a device in"},
    {"signin.denied", "a person refused a device"},
    {"signin.failed", "a name, a password or a code was wrong, or the account was locked"},
    {"signin.ended", "a sign-in ended, with all of its tokens"},
    {"entity.rotated", "an entity's key had a new generation"},
    {"entity.erased", "generations of an entity's key were destroyed"},
    {"read.started", "a read may begin"},
    {"read.ended", "a read has ended: how, and how much left"},
    {"denied", "somebody asked for what they may not"},
};

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

std::span<const Kind> Kinds() { return kKinds; }

Entry Denial(const model::Caller& caller, model::Action action, std::string address,
             const std::vector<std::string>& reasons) {
  Json detail = Json::Map({{"action", model::ActionName(action)}, {"reasons", reasons}, {"door", caller.door}});
  if (!caller.peer.empty()) detail.Set("peer", caller.peer);
  if (!caller.token_id.empty()) detail.Set("token", caller.token_id);
  return {"denied", caller.principal.name, caller.purpose, std::move(address), std::move(detail)};
}

Entry Refusal(const model::Caller& caller, std::string_view what, std::string address, std::string why) {
  Json detail = Json::Map({{"what", what}, {"why", std::move(why)}, {"door", caller.door}});
  if (!caller.peer.empty()) detail.Set("peer", caller.peer);
  if (!caller.token_id.empty()) detail.Set("token", caller.token_id);
  return {"refused", caller.principal.name, caller.purpose, std::move(address), std::move(detail)};
}

Result<RowCells> CellsOf(const Clock& clock, const Entry& entry) {
  if (std::ranges::find(kKinds, entry.kind, &Kind::name) == std::end(kKinds)) {
    return Error{Code::kInternal, "'" + entry.kind + "' is no kind of ledger row: it has to be in the ledger's table"};
  }
  return RowCells{clock.Now().Text(), entry.kind, entry.principal, entry.purpose, entry.address, entry.detail.Dump()};
}

Status InsertRow(store::Txn& txn, const RowCells& cells) {
  TRY(txn.Run("INSERT INTO ledger (at, kind, principal, purpose, address, detail) VALUES ($1, $2, $3, $4, $5, $6)",
              cells));
  return {};
}

Status Append(store::Txn& txn, Clock& clock, const Entry& entry) { return InsertRow(txn, TRY(CellsOf(clock, entry))); }

Result<std::vector<Sealed>> List(store::Txn& txn, const Query& query) {
  // A prefix ends at a whole name: "operations" is not the beginning of "operations-eu".
  std::string sql =
      "SELECT seq, at, kind, principal, purpose, address, detail, hash FROM ledger WHERE seq IS NOT NULL AND seq > $1 "
      "AND ($2 = '' OR kind = $2) AND ($3 = '' OR principal = $3) AND ($4 = '' OR address = $4 "
      "OR substr(address, 1, length($4) + 1) IN ($4 || '/', $4 || '@')) ";
  std::vector<store::Cell> args = {store::Int(query.after), query.kind, query.principal, query.address_prefix,
                                   store::Int(query.limit)};
  std::string kinds;
  for (const std::string& kind : query.kinds) {
    args.emplace_back(kind);
    kinds += fmt::format("{}${}", kinds.empty() ? "" : ", ", args.size());
  }
  if (!kinds.empty()) sql += fmt::format("AND kind IN ({}) ", kinds);
  sql += query.newest_first ? "ORDER BY seq DESC LIMIT $5" : "ORDER BY seq LIMIT $5";
  std::vector<Sealed> found;
  for (const store::Row& row : TRY(txn.Run(sql, args))) {
    Sealed sealed;
    sealed.seq = row.integer(0);
    sealed.at = TRY(row.time(1));
    sealed.entry = {row.text(2), row.text(3), row.text(4), row.text(5), TRY(Json::Parse(row.text(6)))};
    sealed.hash = row.text(7);
    found.push_back(std::move(sealed));
  }
  return found;
}

}  // namespace weft::ledger
