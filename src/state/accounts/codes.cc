#include <fmt/format.h>

#include "base/id.h"
#include "state/accounts/accounts.h"

// Codes and refresh tokens are looked up by their hash: the store never has what opens.
namespace weft::accounts {
namespace {

constexpr std::string_view kDeviceColumns =
    "client, user_code, scope, expires_at, interval_s, polled_at, principal, denied";
constexpr std::string_view kRefreshColumns = "family, client, principal, scope, token_id, expires_at, used";

Result<std::optional<Device>> DeviceOf(const std::vector<store::Row>& rows) {
  if (rows.empty()) return std::optional<Device>();
  const store::Row& row = rows[0];
  Device device;
  device.client = row.text(0);
  device.user_code = row.text(1);
  device.scope = row.text(2);
  device.expires_at = TRY(row.time(3));
  device.interval_s = static_cast<int>(row.integer(4));
  device.polled_at = TRY(row.maybe_time(5));
  device.principal = row.text(6);
  device.denied = row.flag(7);
  return std::optional<Device>(std::move(device));
}

Result<Refresh> RefreshOf(const store::Row& row) {
  Refresh refresh;
  refresh.family = row.text(0);
  refresh.client = row.text(1);
  refresh.principal = row.text(2);
  refresh.scope = row.text(3);
  refresh.token_id = row.text(4);
  refresh.expires_at = TRY(row.time(5));
  refresh.used = row.flag(6);
  return refresh;
}

// `column` is this file's own.
Result<std::vector<Refresh>> AllRefresh(store::Txn& txn, std::string_view column, const std::string& value) {
  std::vector<Refresh> all;
  for (const store::Row& row :
       TRY(txn.Run(fmt::format("SELECT {} FROM refresh_tokens WHERE {} = $1", kRefreshColumns, column), {value}))) {
    all.push_back(TRY(RefreshOf(row)));
  }
  return all;
}

}  // namespace

Status PutDevice(store::Txn& txn, const std::string& device_code, const Device& device) {
  TRY(
      txn.Run("INSERT INTO device_codes (hash, user_code, client, scope, expires_at, interval_s) "
              "VALUES ($1, $2, $3, $4, $5, $6)",
              {Sha256(device_code), device.user_code, device.client, device.scope, device.expires_at.Text(),
               store::Int(device.interval_s)}));
  return {};
}

Result<int64_t> WaitingDevices(store::Txn& txn, Instant now) {
  auto rows = TRY(txn.Run("SELECT count(*) FROM device_codes WHERE expires_at > $1", {now.Text()}));
  return rows.at(0).integer(0);
}

Result<std::optional<Device>> FindDevice(store::Txn& txn, const std::string& device_code) {
  return DeviceOf(
      TRY(txn.Run(fmt::format("SELECT {} FROM device_codes WHERE hash = $1", kDeviceColumns), {Sha256(device_code)})));
}

Result<std::optional<Device>> FindUserCode(store::Txn& txn, const std::string& user_code) {
  return DeviceOf(
      TRY(txn.Run(fmt::format("SELECT {} FROM device_codes WHERE user_code = $1", kDeviceColumns), {user_code})));
}

Status PollDevice(store::Txn& txn, const std::string& device_code, Instant at, int interval_s) {
  TRY(txn.Run("UPDATE device_codes SET polled_at = $1, interval_s = $2 WHERE hash = $3",
              {at.Text(), store::Int(interval_s), Sha256(device_code)}));
  return {};
}

Result<bool> SettleDevice(store::Txn& txn, const std::string& user_code, const std::string& principal, bool approved) {
  auto rows =
      TRY(txn.Run("UPDATE device_codes SET principal = $1, denied = $2 "
                  "WHERE user_code = $3 AND principal = '' AND denied = 0 RETURNING hash",
                  {approved ? principal : "", store::Flag(!approved), user_code}));
  return !rows.empty();
}

Status RemoveDevice(store::Txn& txn, const std::string& device_code) {
  TRY(txn.Run("DELETE FROM device_codes WHERE hash = $1", {Sha256(device_code)}));
  return {};
}

Status PutCode(store::Txn& txn, const std::string& code, const Code& promised) {
  TRY(
      txn.Run("INSERT INTO authorization_codes (hash, client, redirect_uri, challenge, principal, scope, nonce, "
              "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
              {Sha256(code), promised.client, promised.redirect_uri, promised.challenge, promised.principal,
               promised.scope, promised.nonce, promised.expires_at.Text()}));
  return {};
}

Result<std::optional<Code>> FindCode(store::Txn& txn, const std::string& code) {
  auto rows =
      TRY(txn.Run("SELECT client, redirect_uri, challenge, principal, scope, nonce, expires_at, used, family "
                  "FROM authorization_codes WHERE hash = $1",
                  {Sha256(code)}));
  if (rows.empty()) return std::optional<Code>();
  const store::Row& row = rows[0];
  Code found{row.text(0), row.text(1),      row.text(2), row.text(3), row.text(4),
             row.text(5), TRY(row.time(6)), row.flag(7), row.text(8)};
  return std::optional<Code>(std::move(found));
}

Status UseCode(store::Txn& txn, const std::string& code, const std::string& family) {
  TRY(txn.Run("UPDATE authorization_codes SET used = 1, family = $1 WHERE hash = $2", {family, Sha256(code)}));
  return {};
}

Status RemoveCode(store::Txn& txn, const std::string& code) {
  TRY(txn.Run("DELETE FROM authorization_codes WHERE hash = $1", {Sha256(code)}));
  return {};
}

Status PutRefresh(store::Txn& txn, const std::string& secret, const Refresh& refresh) {
  TRY(
      txn.Run("INSERT INTO refresh_tokens (hash, family, client, principal, scope, token_id, expires_at) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7)",
              {Sha256(secret), refresh.family, refresh.client, refresh.principal, refresh.scope, refresh.token_id,
               refresh.expires_at.Text()}));
  return {};
}

Result<std::optional<Refresh>> FindRefresh(store::Txn& txn, const std::string& secret) {
  auto rows =
      TRY(txn.Run(fmt::format("SELECT {} FROM refresh_tokens WHERE hash = $1", kRefreshColumns), {Sha256(secret)}));
  if (rows.empty()) return std::optional<Refresh>();
  return std::optional<Refresh>(TRY(RefreshOf(rows[0])));
}

Status UseRefresh(store::Txn& txn, const std::string& secret) {
  TRY(txn.Run("UPDATE refresh_tokens SET used = 1 WHERE hash = $1", {Sha256(secret)}));
  return {};
}

Result<std::vector<Refresh>> Family(store::Txn& txn, const std::string& family) {
  return AllRefresh(txn, "family", family);
}

Result<std::vector<Refresh>> SignInsOf(store::Txn& txn, const std::string& principal) {
  return AllRefresh(txn, "principal", principal);
}

Status EndFamily(store::Txn& txn, const std::string& family) {
  TRY(txn.Run("DELETE FROM refresh_tokens WHERE family = $1", {family}));
  return {};
}

Status EndFamilyOf(store::Txn& txn, const std::string& token_id) {
  TRY(txn.Run("DELETE FROM refresh_tokens WHERE family IN (SELECT family FROM refresh_tokens WHERE token_id = $1)",
              {token_id}));
  return {};
}

Status EndSignIns(store::Txn& txn, const std::string& principal) {
  for (const char* table : {"refresh_tokens", "authorization_codes", "device_codes"}) {
    TRY(txn.Run(fmt::format("DELETE FROM {} WHERE principal = $1", table), {principal}));
  }
  return {};
}

Status ForgetExpired(store::Txn& txn, Instant before) {
  for (const char* table : {"device_codes", "authorization_codes", "refresh_tokens"}) {
    TRY(txn.Run(fmt::format("DELETE FROM {} WHERE expires_at < $1", table), {before.Text()}));
  }
  return {};
}

}  // namespace weft::accounts
