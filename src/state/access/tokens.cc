#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"

namespace weft::access {
namespace {

constexpr store::Migration kMigrations[] = {{"access", 1, R"(
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL,
  name TEXT NOT NULL,
  administrator INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT
);
CREATE INDEX tokens_principal ON tokens (principal);
CREATE TABLE group_members (
  group_name TEXT NOT NULL,
  principal TEXT NOT NULL,
  PRIMARY KEY (group_name, principal)
);
CREATE INDEX group_members_principal ON group_members (principal);
CREATE TABLE grants (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  until TEXT,
  granted_by TEXT NOT NULL,
  granted_at TEXT NOT NULL,
  UNIQUE (domain, product, port, major, principal, purpose)
);
CREATE INDEX grants_principal ON grants (principal);
)"},
                                            {"access", 2, R"(
ALTER TABLE tokens ADD COLUMN actions TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN on_address TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN last_used_at TEXT;
)"},
                                            {"access", 3, R"(
CREATE TABLE attributes (
  principal TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (principal, name, value)
);
CREATE TABLE policy_files (
  path TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  applied_by TEXT NOT NULL,
  applied_at TEXT NOT NULL
);
CREATE TABLE policy_epoch (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL
);
)"},
                                            {"access", 4, R"(
CREATE TABLE grants_of_columns (
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  port TEXT NOT NULL,
  major INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  until TEXT,
  granted_by TEXT NOT NULL,
  granted_at TEXT NOT NULL,
  of_columns TEXT NOT NULL,
  remind_s INTEGER NOT NULL,
  request TEXT NOT NULL,
  told TEXT,
  UNIQUE (domain, product, port, major, principal, purpose, of_columns)
);
INSERT INTO grants_of_columns SELECT id, principal, domain, product, port, major, purpose, until, granted_by,
  granted_at, '', 1209600, '', NULL FROM grants;
DROP TABLE grants;
ALTER TABLE grants_of_columns RENAME TO grants;
CREATE INDEX grants_principal ON grants (principal);
CREATE INDEX grants_until ON grants (until);
)"}};

constexpr std::string_view kTokenColumns =
    "id, principal, name, administrator, created_at, expires_at, revoked_at, actions, on_address, last_used_at";
constexpr std::string_view kHowToGetOne = "ask an administrator for one: weft token create PRINCIPAL";

Result<Token> TokenOf(const store::Row& row) {
  Token token;
  token.id = row.text(0);
  token.principal = row.text(1);
  token.name = row.text(2);
  token.administrator = row.flag(3);
  token.created_at = TRY(row.time(4));
  token.expires_at = TRY(row.maybe_time(5));
  token.revoked_at = TRY(row.maybe_time(6));
  token.limits.token = token.name;
  for (const std::string& action : row.text(7).empty() ? std::vector<std::string>() : Split(row.text(7), ',')) {
    token.limits.actions.push_back(TRY(model::ActionFrom(action)));
  }
  if (!row.text(8).empty()) token.limits.on = TRY(model::Address::Parse(row.text(8)));
  token.last_used_at = TRY(row.maybe_time(9));
  return token;
}

Error Refused(std::string_view why) { return {Code::kUnauthenticated, fmt::format("{}; {}", why, kHowToGetOne)}; }

Status Holds(const Token& token, Clock& clock) {
  if (token.revoked_at) return Refused("the token was revoked at " + token.revoked_at->Text());
  if (token.expires_at && *token.expires_at <= clock.Now()) {
    return Refused("the token expired at " + token.expires_at->Text());
  }
  return {};
}

Status CheckTokenHolder(const std::string& principal) {
  auto bad = [&](std::string_view why) -> Status {
    return Error{Code::kInvalid, fmt::format("'{}' cannot hold a token: {}", principal, why)};
  };
  std::string_view name = principal;
  if (name.starts_with("service:")) name.remove_prefix(8);
  if (name.starts_with("product:")) return bad("a product acts by itself; name a person or service:NAME");
  if (name.starts_with("group:")) return bad("a token is of one principal; name a person or service:NAME");
  if (IsPlainName(name)) return {};
  return bad("write 1 to 128 letters, digits and ._-@+, with service: before a service's name");
}

// Its own attributes and those of its groups, as one.
Status AddAttributes(store::Txn& txn, model::Principal& principal) {
  std::map<std::string, std::set<std::string>> attributes;
  for (const std::string& name : principal.Names()) {
    for (const store::Row& row : TRY(txn.Run("SELECT name, value FROM attributes WHERE principal = $1", {name}))) {
      attributes[row.text(0)].insert(row.text(1));
    }
  }
  principal.SetAttributes(attributes);
  return {};
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-@+").find(c) != std::string_view::npos;
  });
}

Status ForgetTokens(store::Txn& txn, const std::string& pattern, Instant before) {
  TRY(txn.Run("DELETE FROM tokens WHERE name LIKE $1 AND expires_at < $2", {pattern, before.Text()}));
  return {};
}

Result<NewToken> CreateToken(store::Txn& txn, Clock& clock, const std::string& principal, const std::string& name,
                             bool administrator, std::optional<Instant> expires_at, const model::Limits& limits) {
  TRY(CheckTokenHolder(principal));
  const Instant now = clock.Now();
  if (expires_at && *expires_at <= now) {
    return Error{Code::kInvalid, fmt::format("the token would expire at {}, which has passed", expires_at->Text())};
  }
  NewToken made;
  made.secret = "weft_" + NewSecret(32);
  made.token = {NewId("tok"), principal, name, administrator, now, expires_at, std::nullopt, std::nullopt, limits};
  TRY(txn.Run(
      "INSERT INTO tokens (id, hash, principal, name, administrator, created_at, expires_at, actions, on_address) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {made.token.id, Sha256(made.secret), principal, name, store::Flag(administrator), now.Text(),
       store::Time(expires_at), limits.ActionsText(), limits.on.Short()}));
  return made;
}

Status RevokeToken(store::Txn& txn, Clock& clock, const std::string& id) {
  auto rows = TRY(txn.Run("UPDATE tokens SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2 RETURNING id",
                          {clock.Now().Text(), id}));
  if (rows.empty()) return Error{Code::kNotFound, fmt::format("there is no token '{}'; see weft token list", id)};
  return {};
}

Result<std::vector<Token>> Tokens(store::Txn& txn, const std::string& principal) {
  std::vector<Token> tokens;
  const std::string sql =
      fmt::format("SELECT {} FROM tokens WHERE $1 = '' OR principal = $1 ORDER BY created_at, id", kTokenColumns);
  for (const store::Row& row : TRY(txn.Run(sql, {principal}))) tokens.push_back(TRY(TokenOf(row)));
  return tokens;
}

Status PutUses(store::Txn& txn, const std::map<std::string, Instant>& uses) {
  for (const auto& [id, at] : uses) TRY(txn.Run("UPDATE tokens SET last_used_at = $1 WHERE id = $2", {at.Text(), id}));
  return {};
}

Result<Identity> Authenticate(store::Txn& txn, Clock& clock, const std::string& secret) {
  if (secret.empty()) return Refused("no token was given");
  // Looked up by its hash: the time that this takes tells nothing of the secrets that there are.
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM tokens WHERE hash = $1", kTokenColumns), {Sha256(secret)}));
  if (rows.empty()) return Refused("the token is not known");
  Token token = TRY(TokenOf(rows[0]));
  TRY(Holds(token, clock));
  Identity identity{TRY(PrincipalOf(txn, token.principal)), token.id, token.expires_at};
  identity.principal.administrator = token.administrator;
  identity.principal.limits = std::move(token.limits);
  return identity;
}

Status CheckToken(store::Txn& txn, Clock& clock, const std::string& id) {
  auto rows = TRY(txn.Run(fmt::format("SELECT {} FROM tokens WHERE id = $1", kTokenColumns), {id}));
  return rows.empty() ? Status{} : Holds(TRY(TokenOf(rows[0])), clock);
}

Result<model::Principal> PrincipalOf(store::Txn& txn, const std::string& name) {
  model::Principal principal;
  principal.name = name;
  if (name.starts_with("service:")) principal.kind = model::Principal::Kind::kService;
  if (name.starts_with("product:")) principal.kind = model::Principal::Kind::kProduct;
  for (const store::Row& row :
       TRY(txn.Run("SELECT group_name FROM group_members WHERE principal = $1 ORDER BY group_name", {name}))) {
    principal.groups.push_back(row.text(0));
  }
  TRY(AddAttributes(txn, principal));
  return principal;
}

Result<model::Principal> ForeignPrincipal(store::Txn& txn, const std::string& name,
                                          const std::vector<std::string>& claimed) {
  if (!IsPlainName(name)) {
    return Error{Code::kUnauthenticated,
                 fmt::format("the token is refused: '{}' is no name of a person here: 1 to 128 letters, digits and "
                             "._-@+",
                             name)};
  }
  model::Principal principal = TRY(PrincipalOf(txn, name));
  const std::set<std::string> values(claimed.begin(), claimed.end());
  for (const store::Row& row : TRY(txn.Run(
           "SELECT group_name, principal FROM group_members WHERE principal LIKE 'claim:%' ORDER BY group_name"))) {
    const bool known = std::ranges::find(principal.groups, row.text(0)) != principal.groups.end();
    if (!known && values.contains(row.text(1).substr(6))) principal.groups.push_back(row.text(0));
  }
  TRY(AddAttributes(txn, principal));
  return principal;
}

Result<std::vector<std::string>> Vouched(store::Txn& txn, const model::Principal& principal) {
  const model::Principal known = TRY(PrincipalOf(txn, principal.name));
  std::vector<std::string> vouched;
  for (const std::string& group : principal.groups) {
    if (std::ranges::find(known.groups, group) == known.groups.end()) vouched.push_back(group);
  }
  return vouched;
}

Result<model::Principal> Anew(store::Txn& txn, const model::Principal& principal,
                              const std::vector<std::string>& vouched) {
  model::Principal now = TRY(PrincipalOf(txn, principal.name));
  for (const std::string& group : vouched) {
    const auto claims =
        TRY(txn.Run("SELECT 1 FROM group_members WHERE group_name = $1 AND principal LIKE 'claim:%' LIMIT 1", {group}));
    const bool known = std::ranges::find(now.groups, group) != now.groups.end();
    if (!claims.empty() && !known) now.groups.push_back(group);
  }
  if (!vouched.empty()) TRY(AddAttributes(txn, now));
  now.administrator = principal.administrator;
  now.limits = principal.limits;
  return now;
}

Status PutAttributes(store::Txn& txn,
                     const std::map<std::string, std::map<std::string, std::vector<std::string>>>& attributes) {
  TRY(txn.Run("DELETE FROM attributes"));
  for (const auto& [principal, named] : attributes) {
    for (const auto& [name, values] : named) {
      for (const std::string& value : values) {
        TRY(txn.Run("INSERT INTO attributes (principal, name, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    {principal, name, value}));
      }
    }
  }
  return {};
}

bool IsPrincipal(std::string_view member) { return !member.starts_with("group:") && !member.starts_with("claim:"); }

Result<std::vector<std::string>> KnownPrincipals(store::Txn& txn) {
  std::vector<std::string> names;
  for (const store::Row& row :
       TRY(txn.Run("SELECT principal FROM tokens UNION SELECT principal FROM grants UNION SELECT principal FROM "
                   "group_members ORDER BY 1"))) {
    if (IsPrincipal(row.text(0))) names.push_back(row.text(0));
  }
  return names;
}

Result<std::vector<std::string>> Members(store::Txn& txn, const std::string& group) {
  std::vector<std::string> members;
  for (const store::Row& row :
       TRY(txn.Run("SELECT principal FROM group_members WHERE group_name = $1 ORDER BY principal", {group}))) {
    members.push_back(row.text(0));
  }
  return members;
}

Status PutGroups(store::Txn& txn, const std::map<std::string, std::vector<std::string>>& groups) {
  TRY(txn.Run("DELETE FROM group_members"));
  for (const auto& [group, members] : groups) {
    for (const std::string& member : members) {
      TRY(txn.Run("INSERT INTO group_members (group_name, principal) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                  {group, member}));
    }
  }
  return {};
}

}  // namespace weft::access
