#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "state/access/access.h"

namespace weft::access {
namespace {

constexpr size_t kMaxPurpose = 63;
constexpr std::string_view kColumns =
    "id, principal, domain, product, port, major, purpose, until, granted_by, granted_at";

Result<Grant> GrantOf(const store::Row& row) {
  Grant grant;
  grant.id = row.text(0);
  grant.principal = row.text(1);
  grant.port = {row.text(2), row.text(3), row.text(4), static_cast<int>(row.integer(5))};
  grant.purpose = row.text(6);
  if (!row.null(7)) grant.until = TRY(Instant::Parse(row.text(7)));
  grant.granted_by = row.text(8);
  grant.granted_at = TRY(Instant::Parse(row.text(9)));
  return grant;
}

}  // namespace

Status CheckPurpose(const std::string& purpose) {
  const bool plain =
      std::ranges::all_of(purpose, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  const bool begins = purpose.empty() || (purpose[0] >= 'a' && purpose[0] <= 'z');
  if (plain && begins && purpose.size() <= kMaxPurpose) return {};
  const bool showable = purpose.size() <= kMaxPurpose && IsUtf8(purpose);
  return Error{
      Code::kInvalid,
      fmt::format("{} is no purpose: write up to {} characters of a to z, 0 to 9 and -, beginning with a "
                  "letter, such as demand-forecast",
                  showable ? "'" + purpose + "'" : fmt::format("a text of {} bytes", purpose.size()), kMaxPurpose)};
}

Result<Grant> PutGrant(store::Txn& txn, Clock& clock, const Grant& grant) {
  const Instant now = clock.Now();
  TRY(CheckPurpose(grant.purpose));
  if (grant.principal.empty() || grant.principal == "group:") {
    return Error{Code::kInvalid, "a grant names whom it is for: a principal, or group:NAME"};
  }
  if (grant.until && *grant.until <= now) {
    return Error{Code::kInvalid, fmt::format("the grant would end at {}, which has passed", grant.until->Text())};
  }
  const std::string sql = fmt::format(
      "INSERT INTO grants ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
      "ON CONFLICT (domain, product, port, major, principal, purpose) DO UPDATE SET until = excluded.until, "
      "granted_by = excluded.granted_by, granted_at = excluded.granted_at RETURNING {}",
      kColumns, kColumns);
  auto rows =
      TRY(txn.Run(sql, {NewId("grant"), grant.principal, grant.port.domain, grant.port.product, grant.port.port,
                        store::Int(grant.port.major), grant.purpose,
                        grant.until ? store::Cell(grant.until->Text()) : std::nullopt, grant.granted_by, now.Text()}));
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

Result<std::vector<Grant>> Grants(store::Txn& txn, const model::PortKey* port, const std::string& principal) {
  std::string sql = fmt::format("SELECT {} FROM grants WHERE ($1 = '' OR principal = $1)", kColumns);
  std::vector<store::Cell> args = {principal};
  if (port) {
    sql += " AND domain = $2 AND product = $3 AND port = $4 AND major = $5";
    args.insert(args.end(), {port->domain, port->product, port->port, store::Int(port->major)});
  }
  sql += " ORDER BY domain, product, port, major, principal, purpose";
  std::vector<Grant> grants;
  for (const store::Row& row : TRY(txn.Run(sql, args))) grants.push_back(TRY(GrantOf(row)));
  return grants;
}

}  // namespace weft::access
