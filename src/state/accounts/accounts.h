// Who signs in at this node: people with passwords, services with secrets, and what is under way of their signing in.
// Owns users, services, device_codes, authorization_codes, refresh_tokens.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::accounts {

std::span<const store::Migration> Migrations();

struct User {
  std::string name;
  std::string password_hash;
  Instant created_at;
  std::optional<Instant> disabled_at;
  int failures = 0;  // Since the last success.
  std::optional<Instant> locked_until;
};
// kConflict where there is one of that name.
Status CreateUser(store::Txn& txn, Clock& clock, const std::string& name, const std::string& password_hash);
Result<std::optional<User>> FindUser(store::Txn& txn, const std::string& name);
Result<std::vector<User>> Users(store::Txn& txn);
// kNotFound where there is none. A new password also opens a lock.
Status SetPassword(store::Txn& txn, const std::string& name, const std::string& password_hash);
Status DisableUser(store::Txn& txn, Clock& clock, const std::string& name);
Status EnableUser(store::Txn& txn, const std::string& name);
// From the fifth failure on, each locks the account for twice as long as the one before: 30 s up to an hour.
Status CountFailure(store::Txn& txn, Clock& clock, const std::string& name);
Status ClearFailures(store::Txn& txn, const std::string& name);

struct Service {
  std::string name;  // Its client id; as a principal it is "service:NAME".
  std::string secret_hash;
  std::vector<std::string> redirect_uris;  // Where it may send people back to; none: it signs in nobody but itself.
  Instant created_at;
  std::optional<Instant> disabled_at;
};
struct NewService {
  Service service;
  std::string secret;  // Shown once.
};
Result<NewService> CreateService(store::Txn& txn, Clock& clock, const std::string& name,
                                 const std::vector<std::string>& redirect_uris);
Result<std::optional<Service>> FindService(store::Txn& txn, const std::string& name);
Result<std::vector<Service>> Services(store::Txn& txn);
Status DisableService(store::Txn& txn, Clock& clock, const std::string& name);
Status EnableService(store::Txn& txn, const std::string& name);

// A sign-in on a device without a browser, waiting for a person elsewhere (RFC 8628).
struct Device {
  std::string client;
  std::string user_code;
  std::string scope;
  Instant expires_at;
  int interval_s = 0;
  std::optional<Instant> polled_at;
  std::string principal;  // Who approved it; empty while it waits.
  bool denied = false;
};
Status PutDevice(store::Txn& txn, const std::string& device_code, const Device& device);
Result<int64_t> WaitingDevices(store::Txn& txn, Instant now);
Result<std::optional<Device>> FindDevice(store::Txn& txn, const std::string& device_code);
Result<std::optional<Device>> FindUserCode(store::Txn& txn, const std::string& user_code);
Status PollDevice(store::Txn& txn, const std::string& device_code, Instant at, int interval_s);
// False where it is not waiting any more.
Result<bool> SettleDevice(store::Txn& txn, const std::string& user_code, const std::string& principal, bool approved);
Status RemoveDevice(store::Txn& txn, const std::string& device_code);

// What the authorization endpoint promised to whoever proves the verifier (RFC 6749, RFC 7636).
struct Code {
  std::string client;
  std::string redirect_uri;
  std::string challenge;
  std::string principal;
  std::string scope;
  std::string nonce;
  Instant expires_at;
  bool used = false;
  std::string family = {};  // Of the tokens that it gave.
};
Status PutCode(store::Txn& txn, const std::string& code, const Code& promised);
Result<std::optional<Code>> FindCode(store::Txn& txn, const std::string& code);
Status UseCode(store::Txn& txn, const std::string& code, const std::string& family);
Status RemoveCode(store::Txn& txn, const std::string& code);

// A refresh token, used once. All that follow from one sign-in are a family, each with its access token.
struct Refresh {
  std::string family;
  std::string client;
  std::string principal;
  std::string scope;
  std::string token_id;
  Instant expires_at;
  bool used = false;
};
Status PutRefresh(store::Txn& txn, const std::string& secret, const Refresh& refresh);
Result<std::optional<Refresh>> FindRefresh(store::Txn& txn, const std::string& secret);
Status UseRefresh(store::Txn& txn, const std::string& secret);
Result<std::vector<Refresh>> Family(store::Txn& txn, const std::string& family);
Result<std::vector<Refresh>> SignInsOf(store::Txn& txn, const std::string& principal);
// Forgets every refresh token of the family; of the family that gave this token; of the principal, with all that it
// has approved and nobody has fetched.
Status EndFamily(store::Txn& txn, const std::string& family);
Status EndFamilyOf(store::Txn& txn, const std::string& token_id);
Status EndSignIns(store::Txn& txn, const std::string& principal);
// Forgets what expired before.
Status ForgetExpired(store::Txn& txn, Instant before);

}  // namespace weft::accounts
