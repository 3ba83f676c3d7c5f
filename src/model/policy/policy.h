// Governance as code: what policies/*.yaml say, as values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/access.h"
#include "model/contract.h"
#include "model/policy/approval.h"
#include "model/policy/purposes.h"

namespace weft::model {

// How a value is masked: the nine actions of the Iceberg REST specification, and pseudonym. From the least that is
// hidden to the most: where two policies mask one column, the later of these wins.
enum class MaskAction {
  kShowFirst4,
  kShowLast4,
  kTruncateToMonth,
  kTruncateToYear,
  kMaskAlphanum,
  kSha256Global,
  kPseudonym,  // Tokens that are an entity's and a purpose's own.
  kSha256QueryLocal,
  kMaskToFixedValue,
  kReplaceWithNull,
};
std::string_view MaskActionName(MaskAction action);  // "mask-alphanum"
std::optional<MaskAction> MaskActionFromName(std::string_view name);

// What a policy is about. Every list that is not empty must name something of it; empty lists name everything.
struct PolicyScope {
  std::vector<std::string> domains;          // "playback"
  std::vector<std::string> products;         // "playback/plays"
  std::vector<std::string> ports;            // "playback/plays/plays", or of one major: "playback/plays/plays@1"
  std::vector<std::string> tags;             // Of the product, the port, its contract or the contract's schema.
  std::vector<std::string> classifications;  // The strictest of a port's columns.
  std::vector<std::string> statuses;         // "active"

  bool Covers(const Resource& resource) const;
};

// The columns that a mask is for, in the same way.
struct PolicyColumns {
  std::vector<std::string> names;
  std::vector<std::string> tags;
  std::vector<std::string> classifications;
};

// A text in CEL and where it was written.
struct Expression {
  std::string text;
  Place place;
};

struct Policy {
  enum class Effect {
    kAllow,    // To read without a grant.
    kDeny,     // To read, whatever else allows it.
    kFilter,   // Only rows for which `expression` is true.
    kMask,     // Columns, by their types.
    kRequire,  // A product is published only where `expression` is true.
    kApprove,  // Access is given once `approval` has been.
  };
  std::string name;
  std::string description;
  std::string message;  // For whom it refuses, hides or masks something.
  PolicyScope scope;
  std::vector<std::string> principals;   // "ana", "group:NAME"; empty: everybody.
  std::vector<Purpose::Named> purposes;  // Of the request, or above it; empty: any, and none.
  Expression when;                       // Over principal, resource, action, purpose and now; empty: always.
  Effect effect = Effect::kDeny;
  Expression expression;                      // kFilter, kRequire
  PolicyColumns columns;                      // kMask
  std::map<std::string, MaskAction> by_type;  // kMask: logicalType → action.
  std::optional<MaskAction> otherwise;        // kMask: for types that `by_type` lacks.
  bool warns = false;                         // kRequire: told, and not refused.
  Approval approval;                          // kApprove
  std::string file;
  Place place;

  std::string Where() const;  // "policies/personal-data.yaml:3"
  const std::string& Why() const { return message.empty() ? description : message; }
};
std::string_view EffectName(Policy::Effect effect);  // "mask": its key in YAML.

enum class GateOutcome { kPasses, kWarns, kRefused };

// What publish gates must say of a product.
struct GateTest {
  std::shared_ptr<const Bundle> bundle, previous;  // `previous` is null where there was no version before.
  Team team;                                       // The domain's.
  std::string policy;                              // This one alone; empty: all.
  GateOutcome outcome = GateOutcome::kPasses;      // The worst of them.
  std::string message;                             // Is part of what is told.
};

// An example that must hold: whether a principal who has a grant may read, and what they see; who would have to approve
// that they do; or whether a product may be published.
struct PolicyTest {
  std::string name;
  std::optional<GateTest> gate;  // Nothing of what follows counts then.
  Principal principal;
  std::string purpose;
  std::string address;           // A port of the mesh; or
  std::optional<Json> resource;  // one that is described here: domain, product, port, purpose, tags, columns…
  bool permitted = true;
  std::optional<std::vector<std::string>> approve;           // These steps, instead of whether it is permitted;
  std::optional<int64_t> until_s;                            // and what is granted holds so long at most.
  std::optional<std::map<std::string, std::string>> masked;  // Exactly these columns, and how.
  std::optional<Json> rows;                                  // Rows of the port; of these
  std::optional<Json> visible;                               // exactly these are seen, unmasked.
  std::string file;
  Place place;
};

struct PolicyFile {
  std::vector<Purpose> purposes;
  std::vector<Policy> policies;
  std::vector<PolicyTest> tests;
  std::string file;  // "policies/personal-data.yaml"
  std::string bytes;

  // kInvalid carries every problem, rule "weft.policy"; expressions are judged when they are compiled.
  static Result<PolicyFile> Parse(std::string_view text, const std::string& file);
};

}  // namespace weft::model
