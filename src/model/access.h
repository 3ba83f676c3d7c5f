// Who asks, for what, about what, and the answer. Policy is decided over these values and nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/address.h"

namespace weft::model {

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
};
std::string_view ActionName(Action action);  // "read"
// By its name; kInvalid lists the names that a token may be limited to.
Result<Action> ActionFrom(std::string_view name);

// What is asked about; the attributes that policies may speak of.
struct Resource {
  std::string domain;
  std::string product;
  std::string port;
  int major = 0;
  std::vector<std::string> owners;  // Principals, or "group:NAME".
  std::string classification;
  std::vector<std::string> tags;

  std::string Text() const;
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
  bool administrator = false;
  Limits limits = {};  // Of the token that it came with.
};

// An answer that any door can apply. When not `permitted`, `reasons` say why and `remedy` who or what could grant it.
struct Decision {
  bool permitted = false;
  std::vector<std::string> reasons;
  std::string remedy;                        // "weft grant ana operations/flights/flights@1, by an owner (group:ops)"
  std::string row_filter;                    // DuckDB SQL over the port's columns; empty: every row.
  std::map<std::string, std::string> masks;  // Column name → DuckDB SQL that replaces it.
  std::optional<Instant> until;              // Permitted no longer than this.
};

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
