#include "state/subscriptions/subscriptions.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weft::subscriptions {
namespace {

constexpr store::Migration kMigrations[] = {{"subscriptions", 1, R"(
CREATE TABLE subscriptions (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  address TEXT NOT NULL,
  topics TEXT NOT NULL,
  webhook TEXT NOT NULL,
  made_at TEXT NOT NULL,
  last_row BIGINT NOT NULL,
  state TEXT NOT NULL,
  failures BIGINT NOT NULL,
  next_at TEXT NOT NULL,
  why TEXT NOT NULL,
  UNIQUE (principal, address, webhook)
);
)"}};

constexpr std::string_view kColumns =
    "id, principal, address, topics, webhook, made_at, last_row, state, failures, next_at, why";

Result<Subscription> Of(const store::Row& row) {
  Subscription subscription;
  subscription.id = row.text(0);
  subscription.principal = row.text(1);
  subscription.address = row.text(2);
  subscription.topics = Split(row.text(3), ',');
  subscription.webhook = row.text(4);
  subscription.made_at = TRY(row.time(5));
  subscription.cursor = row.integer(6);
  subscription.state = row.text(7);
  subscription.failures = static_cast<int>(row.integer(8));
  subscription.next_at = TRY(row.time(9));
  subscription.why = row.text(10);
  return subscription;
}

Result<std::vector<Subscription>> Where(store::Txn& txn, std::string_view condition,
                                        std::initializer_list<store::Cell> args) {
  const std::string sql =
      fmt::format("SELECT {} FROM subscriptions WHERE {} ORDER BY made_at, id", kColumns, condition);
  std::vector<Subscription> found;
  for (const store::Row& row : TRY(txn.Run(sql, args))) found.push_back(TRY(Of(row)));
  return found;
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status Insert(store::Txn& txn, const Subscription& s) {
  for (const Subscription& other :
       TRY(Where(txn, "principal = $1 AND address = $2 AND webhook = $3", {s.principal, s.address, s.webhook}))) {
    return Error{Code::kConflict, fmt::format("{} has this subscription already: {}; to choose other topics, end it "
                                              "first: weft unsubscribe {}",
                                              s.principal, other.id, other.id)};
  }
  TRY(txn.Run(
      fmt::format("INSERT INTO subscriptions ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", kColumns),
      {s.id, s.principal, s.address, Join(s.topics, ","), s.webhook, s.made_at.Text(), store::Int(s.cursor), s.state,
       store::Int(s.failures), s.next_at.Text(), s.why}));
  return {};
}

Status Update(store::Txn& txn, const Subscription& s) {
  TRY(txn.Run("UPDATE subscriptions SET last_row = $2, state = $3, failures = $4, next_at = $5, why = $6 WHERE id = $1",
              {s.id, store::Int(s.cursor), s.state, store::Int(s.failures), s.next_at.Text(), s.why}));
  return {};
}

Result<bool> Claim(store::Txn& txn, Subscription& s, Instant until) {
  auto rows =
      TRY(txn.Run("UPDATE subscriptions SET next_at = $3 WHERE id = $1 AND next_at = $2 AND state = 'active' "
                  "RETURNING id",
                  {s.id, s.next_at.Text(), until.Text()}));
  if (rows.empty()) return false;
  s.next_at = until;
  return true;
}

Result<Subscription> Find(store::Txn& txn, const std::string& principal, const std::string& id) {
  auto found = TRY(Where(txn, "principal = $1 AND id = $2", {principal, id}));
  if (!found.empty()) return std::move(found.front());
  return Error{Code::kNotFound, fmt::format("{} has no subscription '{}'; see weft subscriptions", principal, id)};
}

Status Remove(store::Txn& txn, const std::string& id) {
  TRY(txn.Run("DELETE FROM subscriptions WHERE id = $1", {id}));
  return {};
}

Result<std::vector<Subscription>> List(store::Txn& txn, const std::string& principal) {
  return Where(txn, "$1 = '' OR principal = $1", {principal});
}

Result<std::vector<Subscription>> Webhooks(store::Txn& txn) {
  return Where(txn, "webhook <> '' AND state = $1", {"active"});
}

}  // namespace weft::subscriptions
