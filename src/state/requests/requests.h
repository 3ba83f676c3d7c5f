// Requests for access, what was said about them, and who approves in whose stead. Owns requests, request_events,
// delegations.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "model/policy/approval.h"

namespace weft::requests {

std::span<const store::Migration> Migrations();

// Something that happened to a request, in order.
struct Event {
  std::string kind;      // made, approved, refused, asked, answered, withdrawn
  std::string who;       // Who did it;
  std::string in_stead;  // in whose stead; empty: their own.
  std::string step;      // approved: which.
  std::string text;      // What they said.
  Instant at;
};

struct Request {
  std::string id;
  std::string requester;
  std::vector<std::string> groups;  // Of the requester, that were vouched for when it was made.
  std::string principal;            // Whom it is for: often the requester.
  model::PortKey port;
  std::string purpose;
  std::vector<std::string> columns;  // None: all.
  std::optional<Instant> until;      // As it was wished; none: as long as it may be.
  std::string because;
  std::string status = "waiting";  // approved, refused, withdrawn
  std::string contract_version;    // When it was made;
  std::string terms;               // and what its terms of use were then.
  model::Chain chain;              // As it was judged when it was made.
  Instant made_at;
  std::string grant;  // That followed; empty: none.
  std::vector<Event> history;
};
// Writes it with its first event.
Status Put(store::Txn& txn, const Request& request);
Status Add(store::Txn& txn, const std::string& id, const Event& event);
// It waits no more.
Status End(store::Txn& txn, const std::string& id, const std::string& status, const std::string& grant);
Result<Request> Find(store::Txn& txn, const std::string& id);  // kNotFound

struct Query {
  std::string of = {};  // Only what they made, or what is for them.
  int limit = 1'000;
  bool waiting = false;  // Only those.
};
Result<std::vector<Request>> List(store::Txn& txn, const Query& query);  // The newest first; without history.
// Those that wait, the oldest first, without history: a page of those that were made after `after`; null: from the
// first.
Result<std::vector<Request>> Waiting(store::Txn& txn, const Request* after, int limit);
Result<std::vector<Event>> History(store::Txn& txn, const std::string& id);

// `to` approves in the stead of `from`.
struct Delegation {
  std::string from;
  std::string to;
  model::Address on;  // Without a domain: everywhere.
  std::optional<Instant> until;
  Instant made_at;
};
// The same (from, to, on) again changes `until`.
Status PutDelegation(store::Txn& txn, const Delegation& delegation);
// All from one to the other, or only that on `on`, where it names a domain. How many.
Result<int> EndDelegations(store::Txn& txn, const std::string& from, const std::string& to, const model::Address& on);
// Those that hold now; of and to whomever where a name is empty.
Result<std::vector<Delegation>> Delegations(store::Txn& txn, Clock& clock, const std::string& from,
                                            const std::string& to);

}  // namespace weft::requests
