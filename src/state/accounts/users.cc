#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "state/accounts/accounts.h"

namespace weft::accounts {
namespace {

constexpr store::Migration kMigrations[] = {{"accounts", 1, R"(
CREATE TABLE users (
  name TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  created_at TEXT NOT NULL,
  disabled_at TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  locked_until TEXT
);
CREATE TABLE services (
  name TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,
  created_at TEXT NOT NULL,
  disabled_at TEXT
);
CREATE TABLE device_codes (
  hash TEXT PRIMARY KEY,
  user_code TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  scope TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  interval_s INTEGER NOT NULL,
  polled_at TEXT,
  principal TEXT NOT NULL DEFAULT '',
  denied INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE authorization_codes (
  hash TEXT PRIMARY KEY,
  client TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  challenge TEXT NOT NULL,
  principal TEXT NOT NULL,
  scope TEXT NOT NULL,
  nonce TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used INTEGER NOT NULL DEFAULT 0,
  family TEXT NOT NULL DEFAULT ''
);
CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY,
  family TEXT NOT NULL,
  client TEXT NOT NULL,
  principal TEXT NOT NULL,
  scope TEXT NOT NULL,
  token_id TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_principal ON refresh_tokens (principal);
CREATE INDEX refresh_tokens_token ON refresh_tokens (token_id);
)"}};

constexpr std::string_view kUserColumns = "name, password_hash, created_at, disabled_at, failures, locked_until";
constexpr std::string_view kServiceColumns = "name, secret_hash, redirect_uris, created_at, disabled_at";
constexpr int kFreeFailures = 5;
constexpr int64_t kFirstLock = int64_t{30} * 1'000'000;  // Microseconds.
constexpr int64_t kLongestLock = int64_t{3'600} * 1'000'000;

Result<User> UserOf(const store::Row& row) {
  User user;
  user.name = row.text(0);
  user.password_hash = row.text(1);
  user.created_at = TRY(row.time(2));
  user.disabled_at = TRY(row.maybe_time(3));
  user.failures = static_cast<int>(row.integer(4));
  user.locked_until = TRY(row.maybe_time(5));
  return user;
}

Result<Service> ServiceOf(const store::Row& row) {
  Service service;
  service.name = row.text(0);
  service.secret_hash = row.text(1);
  if (!row.text(2).empty()) service.redirect_uris = Split(row.text(2), '\n');
  service.created_at = TRY(row.time(3));
  service.disabled_at = TRY(row.maybe_time(4));
  return service;
}

Status NeedOne(const std::vector<store::Row>& rows, std::string_view kind, const std::string& name) {
  if (!rows.empty()) return {};
  return Error{weft::Code::kNotFound, fmt::format("there is no {} '{}'; see weft {} list", kind, name, kind)};
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status CreateUser(store::Txn& txn, Clock& clock, const std::string& name, const std::string& password_hash) {
  auto rows =
      TRY(txn.Run("INSERT INTO users (name, password_hash, created_at) VALUES ($1, $2, $3) "
                  "ON CONFLICT DO NOTHING RETURNING name",
                  {name, password_hash, clock.Now().Text()}));
  if (!rows.empty()) return {};
  return Error{weft::Code::kConflict,
               fmt::format("there is a user '{0}' already; a new password: weft user passwd {0}", name)};
}

Result<std::optional<User>> FindUser(store::Txn& txn, const std::string& name) {
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM users WHERE name = $1", kUserColumns), {name}));
  if (rows.empty()) return std::optional<User>();
  return std::optional<User>(TRY(UserOf(rows[0])));
}

Result<std::vector<User>> Users(store::Txn& txn) {
  std::vector<User> users;
  for (const store::Row& row : TRY(txn.Run(fmt::format("SELECT {} FROM users ORDER BY name", kUserColumns)))) {
    users.push_back(TRY(UserOf(row)));
  }
  return users;
}

Status SetPassword(store::Txn& txn, const std::string& name, const std::string& password_hash) {
  return NeedOne(TRY(txn.Run("UPDATE users SET password_hash = $1, failures = 0, locked_until = NULL WHERE name = $2 "
                             "RETURNING name",
                             {password_hash, name})),
                 "user", name);
}

Status DisableUser(store::Txn& txn, Clock& clock, const std::string& name) {
  return NeedOne(TRY(txn.Run("UPDATE users SET disabled_at = coalesce(disabled_at, $1) WHERE name = $2 RETURNING name",
                             {clock.Now().Text(), name})),
                 "user", name);
}

Status EnableUser(store::Txn& txn, const std::string& name) {
  return NeedOne(TRY(txn.Run("UPDATE users SET disabled_at = NULL WHERE name = $1 RETURNING name", {name})), "user",
                 name);
}

Status CountFailure(store::Txn& txn, Clock& clock, const std::string& name) {
  auto rows = TRY(txn.Run("UPDATE users SET failures = failures + 1 WHERE name = $1 RETURNING failures", {name}));
  if (rows.empty()) return {};
  const int64_t over = rows[0].integer(0) - kFreeFailures;
  if (over < 0) return {};
  const int64_t lock = std::min(kFirstLock << std::min<int64_t>(over, 10), kLongestLock);
  TRY(txn.Run("UPDATE users SET locked_until = $1 WHERE name = $2", {Instant{clock.Now().micros + lock}.Text(), name}));
  return {};
}

Status ClearFailures(store::Txn& txn, const std::string& name) {
  TRY(txn.Run("UPDATE users SET failures = 0, locked_until = NULL WHERE name = $1", {name}));
  return {};
}

Result<NewService> CreateService(store::Txn& txn, Clock& clock, const std::string& name,
                                 const std::vector<std::string>& redirect_uris) {
  NewService made;
  made.secret = "wsec_" + NewSecret(32);
  made.service = {name, Sha256(made.secret), redirect_uris, clock.Now(), std::nullopt};
  auto rows =
      TRY(txn.Run("INSERT INTO services (name, secret_hash, redirect_uris, created_at) VALUES ($1, $2, $3, $4) "
                  "ON CONFLICT DO NOTHING RETURNING name",
                  {name, made.service.secret_hash, Join(redirect_uris, "\n"), clock.Now().Text()}));
  if (rows.empty()) return Error{weft::Code::kConflict, fmt::format("there is a service '{}' already", name)};
  return made;
}

Result<std::optional<Service>> FindService(store::Txn& txn, const std::string& name) {
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM services WHERE name = $1", kServiceColumns), {name}));
  if (rows.empty()) return std::optional<Service>();
  return std::optional<Service>(TRY(ServiceOf(rows[0])));
}

Result<std::vector<Service>> Services(store::Txn& txn) {
  std::vector<Service> services;
  for (const store::Row& row : TRY(txn.Run(fmt::format("SELECT {} FROM services ORDER BY name", kServiceColumns)))) {
    services.push_back(TRY(ServiceOf(row)));
  }
  return services;
}

Status DisableService(store::Txn& txn, Clock& clock, const std::string& name) {
  return NeedOne(
      TRY(txn.Run("UPDATE services SET disabled_at = coalesce(disabled_at, $1) WHERE name = $2 RETURNING name",
                  {clock.Now().Text(), name})),
      "service", name);
}

Status EnableService(store::Txn& txn, const std::string& name) {
  return NeedOne(TRY(txn.Run("UPDATE services SET disabled_at = NULL WHERE name = $1 RETURNING name", {name})),
                 "service", name);
}

}  // namespace weft::accounts
