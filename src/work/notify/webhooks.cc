#include "work/notify/webhooks.h"

#include <fmt/format.h>

#include <atomic>
#include <set>

#include "base/id.h"
#include "base/log.h"
#include "base/threads.h"
#include "drivers/http/client.h"
#include "drivers/http/target.h"
#include "drivers/token/hmac.h"
#include "state/access/access.h"
#include "state/accounts/accounts.h"
#include "state/catalog/catalog.h"
#include "state/ledger/ledger.h"
#include "work/notify/events.h"

namespace weft::notify {
namespace {

constexpr Millis kLook{300};
constexpr Millis kLongest{3'600'000};  // Between two tries.
constexpr Millis kPatience{10'000};    // For one answer.
constexpr Millis kClaim{30'000};       // To bring one about.
constexpr size_t kThreads = 4;
constexpr size_t kQueue = 1'000;
constexpr int kTurn = 20;  // Events of one subscription, before another has its turn.

// Whether the principal could still enter: a person or program that was shut out is told no more.
Result<bool> MayEnter(store::Txn& txn, const std::string& name) {
  if (const auto user = TRY(accounts::FindUser(txn, name)); user && user->disabled_at) return false;
  if (const auto service = TRY(accounts::FindService(txn, name)); service && service->disabled_at) return false;
  return true;
}

class PoolDeliverer final : public Deliverer {
 public:
  PoolDeliverer(store::Store& store, Clock& clock, secrets::Vault& vault, Options options)
      : store_(store),
        clock_(clock),
        vault_(vault),
        options_(std::move(options)),
        pool_("webhooks", kThreads, kQueue),
        ticker_(kLook, [this] { Look(); }) {}

  ~PoolDeliverer() override { stopping_ = true; }

 private:
  // Hands on every webhook that may have something to hear of.
  void Look() {
    auto due = [&]() -> Result<std::vector<subscriptions::Subscription>> {
      auto txn = TRY(store_.Read());
      return subscriptions::Webhooks(*txn);
    }();
    if (!due) return log::Warn("webhooks not read", {{"why", due.error().message}});
    if (due->empty()) return;
    auto head = [&]() -> Result<int64_t> {
      auto txn = TRY(store_.Read());
      return Head(*txn);
    }();
    if (!head) return log::Warn("webhooks not read", {{"why", head.error().message}});
    for (subscriptions::Subscription& each : *due) {
      if (each.next_at > clock_.Now()) continue;
      {
        std::lock_guard lock(mutex_);
        int64_t& seen = seen_[each.id];
        each.cursor = std::max(each.cursor, seen);
        if (each.cursor >= *head || !busy_.insert(each.id).second) continue;
      }
      const std::string id = each.id;
      Status queued = pool_.Submit([this, subscription = std::move(each)] { Deliver(subscription); });
      if (!queued) Done(id, 0);
    }
  }

  void Done(const std::string& id, int64_t seen) {
    std::lock_guard lock(mutex_);
    busy_.erase(id);
    seen_[id] = std::max(seen_[id], seen);
  }

  void Deliver(subscriptions::Subscription subscription) {
    for (int turn = 0; turn < kTurn && !stopping_; ++turn) {
      const auto more = DeliverNext(subscription);
      if (!more) log::Warn("webhook not served", {{"subscription", subscription.id}, {"why", more.error().message}});
      if (!more || !*more) break;
    }
    Done(subscription.id, subscription.cursor);
  }

  // One event, decided about now. Moves the cursor in memory over what does not concern it, in the store over what was
  // delivered. Whether there may be another.
  Result<bool> DeliverNext(subscriptions::Subscription& subscription) {
    std::string mesh;
    Stretch stretch;
    Secret secret;
    {
      auto txn = TRY(store_.Read());
      if (!TRY(MayEnter(*txn, subscription.principal))) {
        txn.reset();
        TRY(GiveUp(subscription, subscription.principal + " may sign in no more"));
        return false;
      }
      const model::Principal principal = TRY(access::PrincipalOf(*txn, subscription.principal));
      stretch = TRY(Read(*txn, clock_, principal, {{subscription.address, subscription.topics}},
                         {.after = subscription.cursor, .limit = 1}));
      mesh = TRY(catalog::MeshId(*txn));
      if (!stretch.events.empty()) secret = TRY(vault_.Get(*txn, {"webhook", subscription.principal, subscription.id}));
    }
    if (stretch.events.empty()) {
      const bool moved = stretch.next > subscription.cursor;
      subscription.cursor = stretch.next;
      return moved;
    }
    if (!TRY(Claim(subscription))) return false;
    const Event& event = stretch.events.front();
    Status sent = Send(subscription, event.ToCloudEvent(mesh), event, secret);
    if (!sent) {
      TRY(Failed(subscription, sent.error()));
      return false;
    }
    subscription.cursor = event.row;
    subscription.failures = 0;
    subscription.why.clear();
    subscription.next_at = clock_.Now();
    TRY(Keep(subscription));
    return true;
  }

  // Of several nodes over one store one delivers; what it does not bring about in time, another takes.
  Result<bool> Claim(subscriptions::Subscription& subscription) {
    auto txn = TRY(store_.Begin());
    const Instant until{clock_.Now().micros + kClaim.count() * 1000};
    if (!TRY(subscriptions::Claim(*txn, subscription, until))) return false;
    TRY(txn->Commit());
    return true;
  }

  Status Send(const subscriptions::Subscription& subscription, const Json& cloud_event, const Event& event,
              const Secret& secret) {
    TRY(CheckWebhook(subscription.webhook, options_.reach));  // What may be called may have changed.
    const http::Origin origin = TRY(http::OriginOf(subscription.webhook));
    http::ClientOptions client;
    client.url = fmt::format("{}://{}:{}", origin.scheme, origin.host, origin.port);
    client.timeout = kPatience;
    client.answer_limit = size_t{64} << 10;
    client.ca_file = options_.ca_file;
    client.public_only = !options_.reach.private_networks;
    http::Request request;
    request.method = "POST";
    const size_t path = subscription.webhook.find('/', origin.scheme.size() + 3);
    TRY(http::ReadTarget(path == std::string::npos ? "/" : subscription.webhook.substr(path), &request));
    request.body = cloud_event.Dump();
    const int64_t seconds = clock_.Now().micros / 1'000'000;
    const std::string id = fmt::format("{}-{}", subscription.id, event.row);
    request.headers["content-type"] = "application/cloudevents+json";
    request.headers["webhook-id"] = id;
    request.headers["webhook-timestamp"] = std::to_string(seconds);
    request.headers["webhook-signature"] = SignatureOf(secret.bytes(), id, seconds, request.body);
    const http::Response answer = TRY(TRY(http::Client::Open(client))->Send(request));
    if (answer.status >= 200 && answer.status < 300) return {};
    // "Gone" is a receiver's word for: no more.
    return Error{answer.status == 410 ? Code::kNotFound : Code::kUnavailable,
                 fmt::format("{} answered {}", origin.host, answer.status)};
  }

  Status Failed(subscriptions::Subscription& subscription, const Error& error) {
    ++subscription.failures;
    if (subscription.failures >= options_.attempts || error.code == Code::kNotFound)
      return GiveUp(subscription, error.message);
    const int doubled = std::min(subscription.failures - 1, 20);
    const Millis wait = std::min(options_.retry * (int64_t{1} << doubled), kLongest);
    subscription.next_at = {clock_.Now().micros + wait.count() * 1000};
    subscription.why = error.message;
    return Keep(subscription);
  }

  Status GiveUp(subscriptions::Subscription& subscription, const std::string& why) {
    subscription.state = "dead";
    subscription.why = why;
    auto txn = TRY(store_.Begin());
    TRY(subscriptions::Update(*txn, subscription));
    TRY(ledger::Append(*txn, clock_,
                       {"webhook.dead", subscription.principal, "", subscription.address,
                        Json::Map({{"subscription", subscription.id}, {"failures", subscription.failures}})}));
    return txn->Commit();
  }

  Status Keep(const subscriptions::Subscription& subscription) {
    auto txn = TRY(store_.Begin());
    TRY(subscriptions::Update(*txn, subscription));
    return txn->Commit();
  }

  store::Store& store_;
  Clock& clock_;
  secrets::Vault& vault_;
  const Options options_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::set<std::string> busy_;           // Subscriptions that are being served.
  std::map<std::string, int64_t> seen_;  // Up to which row there was nothing for them.
  Pool pool_;                            // It uses all of the above,
  Ticker ticker_;                        // and this hands to it.
};

}  // namespace

std::string SignatureOf(std::string_view secret, const std::string& id, int64_t seconds, std::string_view body) {
  constexpr std::string_view kPrefix = "whsec_";
  if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
  const auto key = FromBase64(secret);
  return "v1," + Base64(token::HmacSha256(key ? *key : std::string(), fmt::format("{}.{}.{}", id, seconds, body)));
}

std::unique_ptr<Deliverer> Deliverer::Start(store::Store& store, Clock& clock, secrets::Vault& vault, Options options) {
  return std::make_unique<PoolDeliverer>(store, clock, vault, std::move(options));
}

}  // namespace weft::notify
