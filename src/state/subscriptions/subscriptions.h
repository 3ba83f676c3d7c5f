// Who is told of what: subscriptions, and how far the deliveries to their webhooks have come. Owns subscriptions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::subscriptions {

std::span<const store::Migration> Migrations();

struct Subscription {
  std::string id;  // "sub_…"
  std::string principal;
  std::string address;              // Short form of a domain, product or port; empty: all of the mesh.
  std::vector<std::string> topics;  // Sorted.
  std::string webhook;              // A URL; empty: it is told by feeds alone.
  Instant made_at;
  // Of a webhook's deliveries.
  int64_t cursor = 0;  // The last row of the ledger that it was told of, or that does not concern it.
  std::string state;   // active; dead: it was given up.
  int failures = 0;    // Of the delivery that is next, so far.
  Instant next_at;     // When that is tried again.
  std::string why;     // What the last failure was.
};

// kConflict where the principal has one of the same address and webhook.
Status Insert(store::Txn& txn, const Subscription& subscription);
// Cursor, state, failures, next_at and why; nothing where it has been removed meanwhile.
Status Update(store::Txn& txn, const Subscription& subscription);
// Takes the delivery that is next for whoever calls, until then: false where another took it, or it was removed.
Result<bool> Claim(store::Txn& txn, Subscription& subscription, Instant until);
// kNotFound where the principal has none of that id.
Result<Subscription> Find(store::Txn& txn, const std::string& principal, const std::string& id);
Status Remove(store::Txn& txn, const std::string& id);
// Of one principal, or of all where it is empty; the oldest first.
Result<std::vector<Subscription>> List(store::Txn& txn, const std::string& principal);
// Those with a webhook that is not given up.
Result<std::vector<Subscription>> Webhooks(store::Txn& txn);

}  // namespace weft::subscriptions
