#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"
#include "state/access/granted.h"

namespace weft::access {
namespace {

constexpr std::string_view kColumns =
    "id, principal, domain, product, port, major, purpose, until, granted_by, granted_at, of_columns, remind_s, "
    "request";

std::string ColumnsText(const std::vector<std::string>& columns) { return columns.empty() ? "" : Json(columns).Dump(); }

Result<Grant> GrantOf(const store::Row& row) {
  Grant grant;
  grant.id = row.text(0);
  grant.principal = row.text(1);
  grant.port = {row.text(2), row.text(3), row.text(4), static_cast<int>(row.integer(5))};
  grant.purpose = row.text(6);
  grant.until = TRY(row.maybe_time(7));
  grant.granted_by = row.text(8);
  grant.granted_at = TRY(row.time(9));
  if (!row.text(10).empty()) {
    grant.columns = TRY(Json::Parse(row.text(10))).Texts();
    // Never wider than what was written.
    if (grant.columns.empty())
      return Error{Code::kInternal, "the columns of the grant " + grant.id + " cannot be read"};
  }
  grant.remind_s = row.integer(11);
  grant.request = row.text(12);
  return grant;
}

Status CheckColumns(const Grant& grant, const model::Resource& resource) {
  if (grant.columns.empty()) return {};
  std::vector<std::string_view> names;
  if (resource.contract && !resource.contract->schema.empty()) {
    for (const model::Property& property : resource.contract->schema.front().properties) names.push_back(property.name);
  }
  for (const std::string& column : grant.columns) {
    if (std::ranges::find(names, column) != names.end()) continue;
    return Error{Code::kInvalid,
                 fmt::format("{} has no column '{}'{}", resource.Text(), column, DidYouMean(column, names))};
  }
  return {};
}

// The grants on a port which the people whom one is for hold: to it, to its members, and to the groups of either.
Result<std::vector<Grant>> OfSamePeople(store::Txn& txn, const model::PortKey& port, const std::string& principal) {
  const std::string sql = fmt::format(
      "SELECT {} FROM grants WHERE domain = $1 AND product = $2 AND port = $3 AND major = $4 AND principal IN ("
      "SELECT $5 UNION SELECT principal FROM group_members WHERE group_name = $6 UNION "
      "SELECT 'group:' || group_name FROM group_members WHERE principal = $5 OR principal IN ("
      "SELECT principal FROM group_members WHERE group_name = $6)) ORDER BY principal, purpose",
      kColumns);
  const std::string group = principal.starts_with("group:") ? principal.substr(6) : "";
  std::vector<Grant> grants;
  for (const store::Row& row :
       TRY(txn.Run(sql, {port.domain, port.product, port.port, store::Int(port.major), principal, group}))) {
    grants.push_back(TRY(GrantOf(row)));
  }
  return grants;
}

}  // namespace

std::optional<Instant> Grant::remind_at() const {
  if (!until) return std::nullopt;
  return Instant{until->micros - remind_s * 1'000'000};
}

Status CheckPurpose(store::Txn& txn, const std::string& purpose) {
  TRY(model::CheckPurposeText(purpose));
  if (purpose.empty()) return {};
  const auto policies = TRY(PoliciesOf(txn));
  return policies->purposes().Check(purpose);
}

Status CheckGrant(store::Txn& txn, Clock& clock, const Grant& grant, const model::Resource& resource) {
  TRY(CheckPurpose(txn, grant.purpose));
  TRY(CheckColumns(grant, resource));
  const auto policies = TRY(PoliciesOf(txn));
  const model::Purposes& purposes = policies->purposes();
  if (purposes.Incompatible(grant.purpose, resource.purpose)) {
    return Error{Code::kInvalid, fmt::format("the product of {} is for the purpose '{}', which excludes '{}'; "
                                             "`weft purpose list` tells which go together",
                                             resource.Text(), resource.purpose, grant.purpose)};
  }
  if (!purposes.any() || grant.purpose.empty()) return {};
  const Instant now = clock.Now();
  for (const Grant& other : TRY(OfSamePeople(txn, grant.port, grant.principal))) {
    if (other.until && *other.until <= now) continue;
    if (!purposes.Incompatible(grant.purpose, other.purpose)) continue;
    return Error{Code::kConflict, fmt::format("{} holds a grant on {} for '{}', and nobody holds one for '{}' too: the "
                                              "purposes exclude each other. End that one first: weft revoke {} {}",
                                              other.principal, grant.port.Text(), other.purpose, grant.purpose,
                                              other.principal, grant.port.Text())};
  }
  return {};
}

Result<Grant> PutGrant(store::Txn& txn, Clock& clock, const Grant& grant, const model::Resource& resource) {
  TRY(CheckGrant(txn, clock, grant, resource));
  const Instant now = clock.Now();
  // What is short is told of in its last half.
  int64_t remind_s = grant.remind_s;
  if (grant.until) remind_s = std::min(remind_s, (grant.until->micros - now.micros) / 2'000'000);
  TRY(CheckPurpose(txn, grant.purpose));
  if (grant.principal.empty() || grant.principal == "group:") {
    return Error{Code::kInvalid, "a grant names whom it is for: a principal, or group:NAME"};
  }
  if (grant.until && *grant.until <= now) {
    return Error{Code::kInvalid, fmt::format("the grant would end at {}, which has passed", grant.until->Text())};
  }
  const std::set<std::string> columns(grant.columns.begin(), grant.columns.end());
  const std::string sql = fmt::format(
      "INSERT INTO grants ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
      "ON CONFLICT (domain, product, port, major, principal, purpose, of_columns) DO UPDATE SET until = "
      "excluded.until, "
      "granted_by = excluded.granted_by, granted_at = excluded.granted_at, remind_s = excluded.remind_s, "
      "request = excluded.request RETURNING {}",
      kColumns, kColumns);
  auto rows = TRY(
      txn.Run(sql, {NewId("grant"), grant.principal, grant.port.domain, grant.port.product, grant.port.port,
                    store::Int(grant.port.major), grant.purpose, store::Time(grant.until), grant.granted_by, now.Text(),
                    ColumnsText({columns.begin(), columns.end()}), store::Int(remind_s), grant.request}));
  return GrantOf(rows.at(0));
}

Result<int> Revoke(store::Txn& txn, Clock& clock, const std::string& principal, const model::PortKey& port) {
  // Grants that had ended by themselves go too, but are no revocation.
  const std::string now = clock.Now().Text();
  int ended = 0;
  for (const store::Row& row :
       TRY(txn.Run("DELETE FROM grants WHERE principal = $1 AND domain = $2 AND product = $3 AND port = $4 AND "
                   "major = $5 RETURNING until",
                   {principal, port.domain, port.product, port.port, store::Int(port.major)}))) {
    if (row.null(0) || row.text(0) > now) ++ended;
  }
  return ended;
}

Result<std::vector<Grant>> Grants(store::Txn& txn, const model::PortKey* port,
                                  std::optional<std::vector<std::string>> holders) {
  std::vector<Grant> grants;
  if (holders && holders->empty()) return grants;
  std::string sql = fmt::format("SELECT {} FROM grants WHERE true", kColumns);
  std::vector<store::Cell> args;
  if (port) {
    sql += " AND domain = $1 AND product = $2 AND port = $3 AND major = $4";
    args.insert(args.end(), {port->domain, port->product, port->port, store::Int(port->major)});
  }
  if (holders) {
    // Few lengths, and so few statements to keep.
    holders->resize(std::bit_ceil(holders->size()), holders->front());
    for (const std::string& holder : *holders) {
      args.emplace_back(holder);
      sql += fmt::format("{}${}", &holder == &holders->front() ? " AND principal IN (" : ", ", args.size());
    }
    sql += ")";
  }
  sql += " ORDER BY domain, product, port, major, principal, purpose";
  for (const store::Row& row : TRY(txn.Run(sql, args))) grants.push_back(TRY(GrantOf(row)));
  return grants;
}

Result<std::vector<model::PortKey>> GrantedTo(store::Txn& txn, Clock& clock, const model::Principal& principal) {
  const Instant now = clock.Now();
  std::vector<model::PortKey> ports;
  for (Grant& grant : TRY(Grants(txn, nullptr, principal.Names()))) {
    if (!grant.until || now < *grant.until) ports.push_back(std::move(grant.port));
  }
  return ports;
}

Result<int64_t> HoldersOn(store::Txn& txn, Clock& clock, const std::string& domain, const std::string& product) {
  return TRY(
             txn.Run("SELECT count(DISTINCT principal) FROM grants WHERE domain = $1 AND product = $2 AND (until IS "
                     "NULL OR until > $3)",
                     {domain, product, clock.Now().Text()}))[0]
      .integer(0);
}

Result<std::vector<Grant>> Ending(store::Txn& txn, Clock& clock) {
  const Instant now = clock.Now();
  std::vector<Grant> ending;
  const std::string sql = fmt::format(
      "SELECT {} FROM grants WHERE until > $1 AND (told IS NULL OR told <> until) ORDER BY until, id", kColumns);
  for (const store::Row& row : TRY(txn.Run(sql, {now.Text()}))) {
    Grant grant = TRY(GrantOf(row));
    if (*grant.remind_at() > now) continue;
    ending.push_back(std::move(grant));
  }
  return ending;
}

Status MarkTold(store::Txn& txn, const Grant& grant) {
  TRY(txn.Run("UPDATE grants SET told = until WHERE id = $1", {grant.id}));
  return {};
}

std::string RequestLine(const model::Principal& principal, const model::Resource& resource, const std::string& purpose,
                        const std::vector<std::string>& columns) {
  std::string line = "weft request " + resource.Text();
  if (principal.kind == model::Principal::Kind::kProduct) line += " --for " + principal.name;
  if (!columns.empty()) line += " --columns " + Join(columns, ",");
  if (!purpose.empty()) line += " --purpose " + purpose;
  return line + " --because WHY";
}

std::map<std::string, std::string> AskFor(const model::Principal& principal, const model::Resource& resource,
                                          const std::string& purpose, const model::TableSchema& table,
                                          const model::Restriction* restriction) {
  std::map<std::string, std::string> ask_for;
  for (const model::Field& field : table.fields) {
    if (!restriction || restriction->Shows(field.name)) continue;
    ask_for[Lower(field.name)] = RequestLine(principal, resource, purpose, {field.name});
  }
  return ask_for;
}

}  // namespace weft::access
