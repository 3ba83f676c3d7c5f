// Who asks, for what, about what, and the answer. Policy is decided over these values and nothing else.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/address.h"
#include "model/team.h"

namespace weft::model {

struct Bundle;
struct Contract;
struct OutputPort;
struct Restriction;

// Every door's every entry names one of these; there is no default.
enum class Action {
  kOpen,        // Health, readiness, metrics: needs no identity.
  kBrowse,      // The catalogue, plans, lineage: any principal.
  kRead,        // Rows of an output port.
  kPublish,     // Apply a product of a domain.
  kAdminister,  // mesh.yaml, tokens of others, groups.
  kRun,         // Start, cancel and retry runs of a product.
  kGrant,       // Give and take grants on a port.
  kAudit,       // Read the ledger.
  kGovern,      // Change policies; ask what others may.
  kRequest,     // Ask for access to a port: any principal.
  kApprove,     // Have a part in a request for access: whom its chain names.
};
std::string_view ActionName(Action action);  // "read"
// By its name; kInvalid lists the names that a token may be limited to.
Result<Action> ActionFrom(std::string_view name);

// What is asked about, with those who hold a role there; the attributes that policies may speak of.
struct Resource : Team {
  std::string domain;
  std::string product;
  std::string port;
  int major = 0;
  std::string classification;     // The strictest of its columns.
  std::vector<std::string> tags;  // Of the product, the port, its contract and the contract's schema.
  std::string status;             // draft, active, deprecated, retired
  std::string purpose;            // What its product reads its own inputs for; empty: nothing stated.
  // What policies know of its columns; none where the question is not about a port. Shared with whoever parsed it.
  std::shared_ptr<const Contract> contract;
  // Names all of the above but the team and the purpose: what is kept of one resource holds for another of the same
  // version. Empty: nothing is kept of it.
  std::string version;

  std::string Text() const;
  PortKey Key() const { return {domain, product, port, major}; }
};

// "active" where nothing is said, "draft" for the standard's "proposed".
std::string PlainStatus(const std::string& status);
// The strictest classification of its columns; a name that is not known counts for more than internal.
std::string StrictestOf(const Contract& contract);
// What policies know of an output port of a bundle, but its team. `bundle` is shared by the answer.
Resource ResourceOf(const std::shared_ptr<const Bundle>& bundle, const OutputPort& port, const Contract& contract);
// The same of every port that has a contract, with the domain's team and its own; the bundle, which nobody shares, must
// outlive the answers.
std::vector<Resource> ResourcesOf(const Bundle& bundle, const Team& domain);

// A policy that had a part in a decision.
struct AppliedPolicy {
  struct Words {
    std::string name;
    std::string where;   // "policies/personal-data.yaml:3"
    std::string effect;  // "mask", "deny"
    std::string message;
  };
  std::shared_ptr<const Words> policy;        // Shared by all whom it applied to.
  std::shared_ptr<const std::string> detail;  // "email: mask-alphanum"; why it could not be asked. Null: nothing.

  const std::string& Detail() const;
};

// What narrows a token: to some actions, to what lies under an address, or both. It never widens what its principal
// may, and never narrows browsing: the catalogue is open to whoever may enter.
struct Limits {
  std::string token;            // The token's name, for those who are denied.
  std::vector<Action> actions;  // Empty: any.
  Address on;                   // Without a domain: anywhere, and about the mesh as a whole.

  bool any() const { return !actions.empty() || !on.domain.empty(); }
  bool Permit(Action action, const Resource& resource) const;
  // Whether all that `narrower` permits is permitted here too.
  bool Cover(const Limits& narrower) const;
  std::string ActionsText() const;  // "read,run"
  std::string Text() const;         // "read and run on operations/flights"
};

struct Principal {
  enum class Kind { kUser, kService, kProduct };
  Kind kind = Kind::kUser;
  std::string name;                 // "ana", "service:loader", "product:fleet/planes"
  std::vector<std::string> groups;  // Without prefix.
  Json attributes = {};             // {"countries": ["DE", "FR"]}: its own and its groups', from mesh.yaml.
  bool administrator = false;
  Limits limits = {};  // Of the token that it came with.

  std::vector<std::string> Names() const;  // "ana", "group:ops": those in grants, teams and attributes that mean it.
  void SetAttributes(const std::map<std::string, std::set<std::string>>& values);
};

// An answer that any door can apply. When not `permitted`, `reasons` say why and `remedy` who or what could grant it.
struct Decision {
  bool permitted = false;
  std::vector<std::string> reasons;
  std::string remedy;                              // "weft grant ana operations/flights/flights@1, by an owner"
  std::shared_ptr<const Restriction> restriction;  // Of a read, permitted or not; null: none.
  std::vector<AppliedPolicy> policies;
  std::optional<Instant> until;           // Permitted no longer than this.
  std::optional<Instant> remind_at = {};  // From then on the reader is told that it ends.
  std::string right;  // By which it is: "owner group:sales", "grant grant_01jd…", "policy open-data".

  std::string Why() const;  // "REASON; REASON. What helps: REMEDY"
  // Not permitted, whatever it was before. The restriction stays: what it hides is hidden in counts too.
  void Refuse(std::vector<std::string> why, std::string helps);
};
// [{"name", "where", "effect", "detail"}]: what the policies did.
Json PoliciesJson(const Decision& decision);

// The identity and purpose that came with a request, on whichever door.
struct Caller {
  Principal principal;
  std::string purpose;                     // Empty where none was given.
  std::string door;                        // "rest", "flight"
  std::string peer;                        // Network address.
  std::string token_id;                    // Names the token; never the token itself.
  std::optional<Instant> expires_at = {};  // When the token ends.
};

}  // namespace weft::model
