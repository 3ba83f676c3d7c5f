// How people and services sign in at this node itself: OAuth 2.1 and OpenID Connect, as values; the doors translate.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "drivers/token/jwt.h"
#include "state/accounts/accounts.h"
#include "work/signin/tries.h"

namespace weft::signin {

struct Options {
  std::string key_file;                               // The keys that sign id tokens (0600); made where there is none.
  Millis key_age{int64_t{90} * 86'400'000};           // A new key after so long.
  Millis access_lifetime{3'600'000};                  // Of an access token.
  Millis refresh_lifetime{int64_t{30} * 86'400'000};  // Of a sign-in that nobody renews.
  int64_t tries = 100;                                // That fail, of one peer, before it waits; 0: any number.
};

// What an OAuth client is told: {status, {"error": …}} too. Failures of the node itself are Errors.
struct Answer {
  int status = 200;
  Json body;
};
using Form = std::map<std::string, std::string>;

// Who asks for a token: from HTTP Basic or the form.
struct Client {
  std::string id;
  std::string secret;  // Empty for the command line, which is a public client.
};

// The command line's client id: public, with loopback redirects and the device flow.
inline constexpr std::string_view kCommandLine = "weft-cli";

// A request at the authorization endpoint that may be shown to a person.
struct Request {
  std::string client, redirect_uri, challenge, scope, state, nonce;
};
// Why not: told to the client by a redirect where that is safe, else (`redirect` empty) to the person alone.
struct Refusal {
  std::string error, description, redirect;
};

// Thread-safe.
class SignIn {
 public:
  static Result<std::unique_ptr<SignIn>> Open(store::Store& store, Clock& clock, Options options);
  // How this node is called from outside; before the first request.
  void SetIssuer(std::string url) { issuer_ = std::move(url); }
  const std::string& issuer() const { return issuer_; }

  Json Discovery() const;
  Json Jwks() const;

  // RFC 8628: a code for the device and one for a person to type elsewhere.
  Result<Answer> StartDevice(const Client& client, const Form& form, const std::string& peer);
  // The device that shows this code, where one waits. Case and hyphens do not count.
  Result<std::optional<accounts::Device>> Waiting(const std::string& user_code);
  // kUnauthenticated for a wrong name, password or code, without saying which.
  Status SettleDevice(const std::string& user_code, const std::string& user, const std::string& password, bool approve,
                      const std::string& peer);

  Result<std::variant<Request, Refusal>> ReadRequest(const Form& form);
  // The code that the client is sent; kUnauthenticated as above.
  Result<std::string> Authorize(const Request& request, const std::string& user, const std::string& password,
                                const std::string& peer);

  Result<Answer> Token(const Client& client, const Form& form, const std::string& peer);
  Result<Answer> Revoke(const Client& client, const Form& form, const std::string& peer);

  // Password hashing is bounded: kUnavailable where too many wait, as where too many of the peer's tries have failed.
  Result<std::string> HashPassword(const std::string& password);
  // kUnauthenticated; counts, locks and records failures; takes as long for a name that nobody has. What follows may
  // still fail, and clears the count only when it does not.
  Status CheckPassword(const std::string& user, const std::string& password, const std::string& peer);
  // A new key where the newest is too old, and what is past forgotten; called now and then.
  Status Tend();

 private:
  static constexpr Millis kForgiven{6'000};
  struct Key {
    token::SigningKey key;
    Instant made_at;
  };
  SignIn(store::Store& store, Clock& clock, Options options)
      : store_(store),
        clock_(clock),
        options_(std::move(options)),
        failures_(clock, options_.tries, kForgiven),
        starts_(clock, options_.tries, kForgiven) {}
  Status LoadKeys() const;  // As the file has them by now: nodes over one store share it.
  Status MakeKey();
  Result<std::string> Signed(const Json& claims) const;
  Status TakeTurn();
  void GiveTurn();
  Instant In(Millis time) const { return {clock_.Now().micros + time.count() * 1'000}; }

  Status CheckTries(const std::string& peer) const;
  // The refusal where the client is not who it says. It takes no turn to write: whoever asks is not known yet.
  Result<std::optional<Answer>> CheckClient(const Client& client, const std::string& peer);
  Result<Answer> TokenForDevice(store::Txn& txn, const Client& client, const Form& form, const std::string& peer);
  Result<Answer> TokenForCode(store::Txn& txn, const Client& client, const Form& form, const std::string& peer);
  Result<Answer> TokenForRefresh(store::Txn& txn, const Client& client, const Form& form, const std::string& peer);
  Result<Answer> TokenForService(store::Txn& txn, const Client& client, const Form& form, const std::string& peer);
  struct Given {
    std::string principal, scope, nonce, family, how;
  };
  Result<Answer> Give(store::Txn& txn, const Client& client, const Given& given, const std::string& peer);
  Result<Answer> EndFamily(store::Txn& txn, const std::string& family, const std::string& why,
                           const std::string& principal, const std::string& peer);

  store::Store& store_;
  Clock& clock_;
  const Options options_;
  std::string issuer_;
  Tries failures_, starts_;
  std::counting_semaphore<> hashing_{2};
  std::atomic<int> wanting_{0};  // Those that hash and those that wait to.
  mutable std::mutex mutex_;
  mutable std::vector<Key> keys_;  // Newest first; older ones until what they signed is past.
};

// Whatever the principal holds ends: its tokens, and the sign-ins that would give it new ones.
Status EndTokens(store::Txn& txn, Clock& clock, const std::string& principal);
// Whatever the principal signed in to ends: the tokens that it gave, and what would give new ones.
Status EndSignIns(store::Txn& txn, Clock& clock, const std::string& principal);
// Whether `redirect_uri` is `registered`: the same text, or the same but for the port on loopback.
bool RedirectAllowed(const std::string& registered, const std::string& redirect_uri);
// kInvalid: neither https nor loopback http, or with a fragment, a user or characters that do not stand in an address.
Status CheckRedirectUri(const std::string& uri);
// kInvalid: too short or too long.
Status CheckPasswordText(const std::string& password);

}  // namespace weft::signin
