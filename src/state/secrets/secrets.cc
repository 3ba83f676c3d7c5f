#include "state/secrets/secrets.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/address.h"

namespace weft::secrets {
namespace {

constexpr store::Migration kMigrations[] = {{"secrets", 1, R"(
CREATE TABLE sealed (
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  value TEXT NOT NULL,
  put_by TEXT NOT NULL,
  put_at TEXT NOT NULL,
  PRIMARY KEY (kind, scope, name)
);
)"},
                                            {"secrets", 2, R"(
CREATE TABLE entity_keys (
  entity TEXT NOT NULL,
  generation INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  made_at TEXT NOT NULL,
  erased_at TEXT,
  PRIMARY KEY (entity, generation)
);
)"},
                                            {"secrets", 3, R"(
ALTER TABLE sealed ADD COLUMN hosts TEXT NOT NULL DEFAULT '';
)"}};

// "db.example.com" is itself, "*.example.com" whatever ends so.
bool Fits(const std::string& pattern, const std::string& host) {
  if (!pattern.starts_with("*.")) return pattern == host;
  return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
}

std::vector<std::string> HostsOf(const std::string& written) {
  return written.empty() ? std::vector<std::string>() : Split(written, ' ');
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Status CheckName(const std::string& name) { return model::CheckSlug(name, "a secret"); }

Result<std::vector<Listed>> List(store::Txn& txn, const std::string& kind, const std::string& scope) {
  std::vector<Listed> listed;
  for (const store::Row& row :
       TRY(txn.Run("SELECT scope, name, put_by, put_at, hosts FROM sealed WHERE kind = $1 AND ($2 = '' OR scope = $2) "
                   "ORDER BY scope, name",
                   {kind, scope}))) {
    listed.push_back({{kind, row.text(0), row.text(1)}, row.text(2), TRY(row.time(3)), HostsOf(row.text(4))});
  }
  return listed;
}

Status BindToHosts(store::Txn& txn, const Name& name, const std::vector<std::string>& hosts) {
  std::vector<std::string> lower;
  for (const std::string& host : hosts) {
    lower.push_back(Lower(host));
    const std::string_view plain = std::string_view(lower.back()).substr(host.starts_with("*.") ? 2 : 0);
    if (!plain.empty() && plain.find_first_of("/@*, ") == plain.npos) continue;
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no host: write its name or address alone, or *.example.com", host)};
  }
  TRY(txn.Run("UPDATE sealed SET hosts = $4 WHERE kind = $1 AND scope = $2 AND name = $3",
              {name.kind, name.scope, name.name, Join(lower, " ")}));
  return {};
}

Status MaySendTo(store::Txn& txn, const Name& name, const std::string& host) {
  const auto rows = TRY(txn.Run("SELECT hosts FROM sealed WHERE kind = $1 AND scope = $2 AND name = $3",
                                {name.kind, name.scope, name.name}));
  const std::vector<std::string> hosts = HostsOf(rows.empty() ? "" : rows[0].text(0));
  const std::string wanted = Lower(host);
  if (hosts.empty()) return {};
  for (const std::string& pattern : hosts) {
    if (Fits(pattern, wanted)) return {};
  }
  return Error{Code::kDenied, fmt::format("the {} '{}' of '{}' is for {} alone, and not for '{}'", name.kind, name.name,
                                          name.scope, Join(hosts, ", "), host)};
}

Status Purge(store::Store& store) { return store.Purge("sealed"); }

Status Remove(store::Txn& txn, const Name& name) {
  const auto removed = TRY(txn.Run("DELETE FROM sealed WHERE kind = $1 AND scope = $2 AND name = $3 RETURNING name",
                                   {name.kind, name.scope, name.name}));
  if (!removed.empty()) return {};
  std::vector<std::string> names;
  for (const Listed& each : TRY(List(txn, name.kind, name.scope))) names.push_back(each.name.name);
  const std::vector<std::string_view> views(names.begin(), names.end());
  return Error{Code::kNotFound,
               fmt::format("'{}' has no {} '{}'{}", name.scope, name.kind, name.name, DidYouMean(name.name, views))};
}

}  // namespace weft::secrets
