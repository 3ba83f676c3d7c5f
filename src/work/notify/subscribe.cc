// Who follows what: subscriptions made and ended.
#include <fmt/format.h>

#include "base/id.h"
#include "drivers/http/target.h"
#include "state/ledger/ledger.h"
#include "work/notify/events.h"
#include "work/notify/webhooks.h"

namespace weft::notify {
namespace {

bool Allowed(const std::string& pattern, const http::Origin& origin) {
  std::string host = pattern;
  const size_t colon = pattern.rfind(':');
  if (colon != pattern.npos && !pattern.ends_with(']')) {
    if (pattern.substr(colon + 1) != std::to_string(origin.port)) return false;
    host = pattern.substr(0, colon);
  }
  if (host.starts_with("*.")) return origin.host.size() > host.size() - 1 && origin.host.ends_with(host.substr(1));
  return host == origin.host;
}

}  // namespace

Status CheckWebhook(const std::string& url, const Reach& reach) {
  auto origin = http::OriginOf(url);
  if (!origin) return origin.TakeError().With("the webhook");
  if (origin->scheme != "https" && !(reach.private_networks && origin->scheme == "http"))
    return Error{Code::kInvalid, fmt::format("the webhook '{}' must be called by https", url)};
  if (reach.hosts.empty()) {
    return Error{Code::kDenied,
                 "this node calls no webhooks: its administrator names the hosts that it may, in the setting "
                 "webhook-hosts. Feeds need none: weft subscribe --follow"};
  }
  for (const std::string& pattern : reach.hosts) {
    if (Allowed(pattern, *origin)) return {};
  }
  return Error{Code::kDenied, fmt::format("this node may not call {}: its administrator names the hosts that it may, "
                                          "in the setting webhook-hosts",
                                          origin->host)};
}

Result<Made> Subscribe(store::Txn& txn, Clock& clock, secrets::Vault& vault, const model::Caller& caller,
                       const std::string& address, const std::vector<std::string>& topics, const std::string& webhook) {
  Made made;
  subscriptions::Subscription& subscription = made.subscription;
  subscription.id = NewId("sub");
  subscription.principal = caller.principal.name;
  subscription.address = address;
  subscription.topics = TRY(CheckTopics(topics));
  subscription.webhook = webhook;
  subscription.made_at = subscription.next_at = clock.Now();
  subscription.cursor = TRY(Head(txn));
  subscription.state = "active";
  TRY(subscriptions::Insert(txn, subscription));
  if (!webhook.empty()) {
    const Secret key = Secret::Random(kKeyBytes);
    made.secret = "whsec_" + Base64(key.bytes());
    TRY(vault.Put(txn, clock, {"webhook", subscription.principal, subscription.id}, made.secret,
                  subscription.principal));
  }
  ledger::Entry entry{"subscribed", caller.principal.name, caller.purpose, address, {}};
  entry.detail =
      Json::Map({{"subscription", subscription.id}, {"topics", subscription.topics}, {"webhook", !webhook.empty()}});
  TRY(ledger::Append(txn, clock, entry));
  return made;
}

Result<bool> Unsubscribe(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id) {
  const subscriptions::Subscription found = TRY(subscriptions::Find(txn, caller.principal.name, id));
  if (!found.webhook.empty()) TRY(secrets::Remove(txn, {"webhook", found.principal, found.id}));
  TRY(subscriptions::Remove(txn, id));
  TRY(ledger::Append(
      txn, clock,
      {"unsubscribed", caller.principal.name, caller.purpose, found.address, Json::Map({{"subscription", id}})}));
  return !found.webhook.empty();
}

}  // namespace weft::notify
