// One OpenID provider, as far as this node trusts it: its published keys, and the tokens that they prove.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/token/jwt.h"

namespace weft::token {

// "https://…", or "http://…" on loopback, where nobody listens in.
Status CheckProviderUrl(const std::string& url);

struct ProviderOptions {
  Expected expected;
  std::vector<Algorithm> algorithms;
  Millis keys_max_age{24 * 3'600'000};  // Keys that could not be fetched again for so long prove nothing any more.
};

// Thread-safe. Keys are kept; they are fetched again by Refresh, which whoever owns this calls now and then, and when a
// token names a key that is not known, but at most once in 30 s, so that made-up names cost the provider nothing.
class Provider {
 public:
  // The body of what GET answers there.
  using Fetch = std::function<Result<std::string>(const std::string& url)>;

  static Result<std::unique_ptr<Provider>> Open(ProviderOptions options, Fetch fetch, Clock& clock);

  // The claims of a token whose signature, algorithm, issuer, audience and times all hold. kUnauthenticated says what
  // does not; kUnavailable where that cannot be told, because the keys could not be fetched.
  Result<Json> Verify(std::string_view jwt);
  // Why the keys could not be fetched, also where the last try was too short ago to try again.
  Status Refresh();

 private:
  using Keys = std::shared_ptr<const std::vector<PublicKey>>;  // Shared with those who are reading the ones before.

  Provider(ProviderOptions options, Fetch fetch, Clock& clock)
      : options_(std::move(options)), fetch_(std::move(fetch)), clock_(clock) {}
  Keys Known() const;  // None where they are too old.
  Result<Keys> FetchKeys();

  const ProviderOptions options_;
  const Fetch fetch_;
  Clock& clock_;
  std::timed_mutex fetching_;
  mutable std::mutex mutex_;  // Of what stands below.
  Keys keys_;
  Instant fetched_at_;
  std::optional<Instant> tried_at_;
  std::optional<Error> failure_;  // Of the last try.
};

}  // namespace weft::token
