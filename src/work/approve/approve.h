// Access that is asked for: requests, who may approve them, and the grants that follow in the same transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "state/access/access.h"
#include "state/catalog/catalog.h"
#include "state/requests/requests.h"

namespace weft::approve {

struct Wanted {
  std::string principal;  // Whom it is for; empty: the caller.
  std::string purpose;
  std::string because;
  std::vector<std::string> columns;
  std::optional<Instant> until;
};

// A step of a request's chain, as it stands.
struct Step {
  std::string name;                  // "owners", "group:privacy-office"
  std::string approved_by;           // Empty: not yet.
  std::string in_stead;              // Whose right they used; empty: their own.
  std::vector<std::string> holders;  // Who holds it: principals and groups.
  std::vector<std::string> people;   // Those of them who could still approve it, by name.
  std::string stuck;                 // Why nobody could; empty: somebody can.
};

// A request with what it needs now: the strictest of what was asked when it was made and of the policies in force.
struct View {
  requests::Request request;
  // A draft that was replaced takes its ports with it: of `port` the resource's place and team are left then, and the
  // request can be refused or withdrawn.
  bool gone = false;
  catalog::Port port;
  model::Chain chain;
  std::vector<Step> steps;
  std::string contract_version;  // In force now; empty: gone.

  const Step* Next() const;  // Null where none is left.
};

// All of them work inside the caller's transaction, with their rows of the ledger; whoever calls commits. Errors change
// nothing. A request that nobody needs to approve is granted at once.
//
// kInvalid: no reason, an unknown column or purpose; kDenied: it may not be asked for that principal; kConflict: it is
// waiting already, or is no need.
Result<View> Make(store::Txn& txn, Clock& clock, const model::Caller& caller, const catalog::Port& port,
                  const Wanted& wanted);
// The next step, in one's own right or in another's stead. The last one gives the grant. kDenied says who could;
// kConflict: the port is gone.
Result<View> Approve(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                     const std::string& note);
// By whoever may approve any of its steps.
Result<View> Refuse(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                    const std::string& note);
Result<View> Ask(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                 const std::string& text);
// By the requester.
Result<View> Answer(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id,
                    const std::string& text);
Result<View> Withdraw(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id);

// kNotFound where the caller has no part in it: the requester, whom it is for, who may approve or grant it, governance
// and auditors have.
Result<View> Find(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& id);
enum class Whose { kMine, kToApprove, kAll };
struct Listed {
  std::vector<View> views;
  bool more = false;  // There are others, which are not listed.
};
// The newest first; of those that wait for the caller the oldest, so that none is hidden by what came later. kDenied
// for kAll where the caller neither governs nor audits.
Result<Listed> List(store::Txn& txn, Clock& clock, const model::Caller& caller, Whose whose, size_t most = 1'000);

// `to` approves what the caller could, until `until`, on what lies under `on`; never further, and never their own.
Result<requests::Delegation> Delegate(store::Txn& txn, Clock& clock, const model::Caller& caller,
                                      const requests::Delegation& wanted);
// Those to `to`, or only the one on `on`, where that names a domain. kNotFound where there is none.
Status EndDelegation(store::Txn& txn, Clock& clock, const model::Caller& caller, const std::string& to,
                     const model::Address& on = {});

// Whether `wanted` may be given without a request. kDenied, with the request to make, where policies ask somebody whom
// the giver is not, and where who is no owner gives to themselves; administrators, who set up a mesh, may.
Status CheckDirect(store::Txn& txn, Clock& clock, const model::Caller& caller, const access::Grant& wanted,
                   const model::Resource& resource);

// Whether the principal holds a step that requests for the port may have to go through, whoever makes them, in their
// own right or in another's stead; the right names it.
Result<model::Decision> MayApprove(store::Txn& txn, Clock& clock, const model::Principal& principal,
                                   const model::Resource& resource);

// Tells the ledger, once for each, of grants that end soon. How many.
Result<int> TellEnding(store::Store& store, Clock& clock);

// What a contract says about how its data may be used; empty where it says nothing.
std::string TermsOf(const model::Contract& contract);

}  // namespace weft::approve
