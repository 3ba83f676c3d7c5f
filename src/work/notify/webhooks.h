// Subscriptions, and the deliveries to their webhooks: CloudEvents 1.0, signed, tried again, and given up at last.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "state/secrets/secrets.h"
#include "state/subscriptions/subscriptions.h"

namespace weft::notify {

// Where webhooks may lead. Whoever subscribes names the URL, and the node calls it: only what its administrator allows.
struct Reach {
  std::vector<std::string> hosts;  // "hooks.example.com", "*.example.com", "127.0.0.1:9000"; none: no webhooks.
  bool private_networks = false;   // Also this machine, private and link-local networks, and http without TLS.
};
// kInvalid for what is no URL of a webhook, kDenied where the host is not among those that are allowed.
Status CheckWebhook(const std::string& url, const Reach& reach);

struct Made {
  subscriptions::Subscription subscription;
  std::string secret;  // "whsec_…", of a webhook: told once.
};
// `address`: of a domain, product or port that there is, or empty. Told of what happens from now on.
Result<Made> Subscribe(store::Txn& txn, Clock& clock, secrets::Vault& vault, const model::Caller& caller,
                       const std::string& address, const std::vector<std::string>& topics, const std::string& webhook);
// True: the secret of its webhook went with it, and secrets::Purge, after the commit, takes that out of the store's
// files.
Result<bool> Unsubscribe(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id);

// Standard Webhooks: "v1," and the base64 of HMAC-SHA256 over "ID.SECONDS.BODY". `secret` as it was told.
std::string SignatureOf(std::string_view secret, const std::string& id, int64_t seconds, std::string_view body);

struct Options {
  Reach reach;
  Millis retry{5'000};  // Before the second try; twice as long before each that follows, an hour at most.
  int attempts = 8;     // Then the webhook is given up.
  std::string ca_file;  // Trusted besides the system's.
};

// Owns the threads that deliver. What was delivered when the node ended without a word may come once more.
class Deliverer {
 public:
  static std::unique_ptr<Deliverer> Start(store::Store& store, Clock& clock, secrets::Vault& vault, Options options);
  virtual ~Deliverer() = default;
};

}  // namespace weft::notify
