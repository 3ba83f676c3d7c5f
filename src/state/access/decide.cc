#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "model/policy/restriction.h"
#include "model/quarantine.h"
#include "model/roles.h"
#include "state/access/access.h"

namespace weft::access {

bool Covers(const std::string& name, const model::Principal& principal) {
  if (name == principal.name) return true;
  return name.starts_with("group:") && std::ranges::find(principal.groups, name.substr(6)) != principal.groups.end();
}

namespace {

using model::Action;
using model::Decision;
using model::Principal;
using model::Resource;
using model::Role;

// "owner group:sales": as what the principal has the role where the resource is; empty where it has not. What a grant
// gives is asked apart.
std::string Held(const Principal& principal, const model::RoleEntry& entry, const Resource& resource) {
  switch (entry.role) {
    case Role::kOwner:
    case Role::kSteward:
    case Role::kEngineer:
      for (const std::string& name : *HoldersOf(resource, entry.role)) {
        if (Covers(name, principal)) return fmt::format("{} {}", entry.name, name);
      }
      return "";
    case Role::kConsumer:
      return "";
    case Role::kProduct: {
      const bool own = principal.kind == Principal::Kind::kProduct && !resource.product.empty() &&
                       principal.name == fmt::format("product:{}/{}", resource.domain, resource.product);
      return own ? "own product" : "";
    }
    case Role::kGovernance:
    case Role::kAuditor: {
      const std::string group = fmt::format("group:{}", model::GroupOf(entry.role));
      return Covers(group, principal) ? fmt::format("{} {}", entry.name, group) : "";
    }
    case Role::kAdministrator:
      return principal.administrator ? std::string(entry.name) : "";
  }
  return "";
}

// The first role of the table by which the principal may; empty where there is none.
std::string RightOf(const Principal& principal, Action action, const Resource& resource) {
  for (const model::RoleEntry& entry : model::kRoles) {
    if (!May(entry, action)) continue;
    if (std::string held = Held(principal, entry, resource); !held.empty()) return held;
  }
  return "";
}

// "an owner (ana, group:sales) or a steward (bo)": who may by a role of the team, and so could help.
std::string HoldersText(const Resource& resource, Action action) {
  std::vector<std::string> holders;
  for (const model::RoleEntry& entry : model::kRoles) {
    const std::vector<std::string>* names = HoldersOf(resource, entry.role);
    if (!names || names->empty() || !May(entry, action)) continue;
    const bool vowel = entry.name.find_first_of("aeiou") == 0;
    holders.push_back(fmt::format("{} {} ({})", vowel ? "an" : "a", entry.name, Join(*names, ", ")));
  }
  return holders.empty() ? "an administrator (the domain has no owner)" : Join(holders, " or ");
}

Decision Permit(std::string right = "") {
  Decision decision;
  decision.permitted = true;
  decision.right = std::move(right);
  return decision;
}

Decision Deny(std::vector<std::string> reasons, std::string remedy) {
  Decision decision;
  decision.reasons = std::move(reasons);
  decision.remedy = std::move(remedy);
  return decision;
}

std::string PurposeText(const std::string& purpose) { return purpose.empty() ? "none" : fmt::format("'{}'", purpose); }

// What grants permit together: all of a port as long as the longest, or some columns until the first of them ends.
class Granted {
 public:
  void Add(const Grant& grant) {
    Decision& to = grant.columns.empty() ? whole_ : part_;
    const bool first = !to.permitted;
    to.permitted = true;
    columns_.insert(grant.columns.begin(), grant.columns.end());
    auto ends = [](const std::optional<Instant>& until) { return until ? until->micros : INT64_MAX; };
    const bool counts = grant.columns.empty() ? ends(grant.until) > ends(to.until) : ends(grant.until) < ends(to.until);
    if (grant.columns.empty() ? first || counts : true) {
      to.right = (grant.columns.empty() || to.right.empty() ? "grant " : to.right + ", ") + grant.id;
    }
    if (!first && !counts) return;
    to.until = grant.until;
    to.remind_at = grant.remind_at();
    to.right = "grant " + grant.id;
  }

  bool any() const { return whole_.permitted || part_.permitted; }
  Decision Take() {
    if (whole_.permitted) return std::move(whole_);
    model::Restriction restriction;
    restriction.only = std::move(columns_);
    part_.restriction = std::make_shared<const model::Restriction>(std::move(restriction));
    return std::move(part_);
  }

 private:
  Decision whole_, part_;
  std::set<std::string> columns_;
};

// Asking first, and who could grant it without being asked.
std::string Remedy(const Principal& principal, const Resource& resource, const std::string& purpose,
                   const model::Purposes& purposes) {
  const std::string wanted = purpose.empty() && purposes.any() ? "PURPOSE" : purpose;
  std::string grant = fmt::format("weft grant {} {}", principal.name, resource.Text());
  if (!wanted.empty()) grant += " --purpose " + wanted;
  return fmt::format("{}; or {}, by {}", RequestLine(principal, resource, wanted), grant,
                     HoldersText(resource, Action::kGrant));
}

// What the grants permit, or why none of them does.
Decision DecideByGrants(std::span<const Grant> grants, const Principal& principal, const Resource& resource,
                        const std::string& purpose, Instant now, const model::Purposes& purposes) {
  Granted granted;
  std::vector<std::string> reasons;
  std::string other_purpose;
  for (const Grant& grant : grants) {
    if (!Covers(grant.principal, principal)) continue;
    if (grant.until && *grant.until <= now) {
      reasons.push_back(fmt::format("the grant to {} ended at {}", grant.principal, grant.until->Text()));
    } else if (!grant.purpose.empty() && !purposes.Covers(grant.purpose, purpose)) {
      reasons.push_back(fmt::format("the grant to {} is for the purpose '{}', and the request's purpose is {}",
                                    grant.principal, grant.purpose, PurposeText(purpose)));
      other_purpose = grant.purpose;
    } else {
      granted.Add(grant);
    }
  }
  if (granted.any()) return granted.Take();
  const std::string text = resource.Text();
  if (reasons.empty())
    reasons.push_back(fmt::format("{} does not own {} and holds no grant on it", principal.name, text));
  if (principal.administrator) reasons.push_back("administrators govern the mesh but read no data without a grant");
  if (!other_purpose.empty() && purpose.empty() && principal.kind == Principal::Kind::kProduct) {
    return Deny(std::move(reasons),
                fmt::format("state the product's purpose in its customProperties, {{property: purpose, "
                            "vendor: weft, value: {}}}, or a grant for any: weft grant {} {}, by {}",
                            other_purpose, principal.name, text, HoldersText(resource, Action::kGrant)));
  }
  if (!other_purpose.empty() && purpose.empty()) {
    return Deny(std::move(reasons), fmt::format("ask again with the purpose: --purpose {}", other_purpose));
  }
  return Deny(std::move(reasons), Remedy(principal, resource, purpose, purposes));
}

// What policies and purposes make of what a role or grants permit.
Decision Ruled(Decision decision, const Principal& principal, const Resource& resource, const std::string& purpose,
               Instant now, const model::Policies& policies) {
  const bool own = decision.permitted;
  policies.Decide(principal, Action::kRead, resource, purpose, now, &decision);
  if (!own && decision.permitted && resource.status == "draft") {
    decision.Refuse({resource.Text() + " is a draft: its team reads it, and who has a grant, and nobody by a policy"},
                    "wait until its owner publishes it, with the status active");
  }
  if (!own && decision.permitted && model::IsQuarantine(resource.port)) {
    decision.Refuse({resource.Text() + " has rows that its port refused: its team reads it, and who has a grant on it "
                                       "itself, and nobody by a policy"},
                    fmt::format("weft grant {} {}, by an owner", principal.name, resource.Text()));
  }
  policies.DenyIncompatible(resource, purpose, &decision);
  return decision;
}

Result<Decision> ReadNow(store::Txn& txn, Clock& clock, const Principal& principal, const Resource& resource,
                         const std::string& purpose) {
  const Instant now = clock.Now();
  const std::shared_ptr<const model::Policies> policies = TRY(PoliciesOf(txn));
  if (std::string right = RightOf(principal, Action::kRead, resource); !right.empty()) {
    return Ruled(Permit(std::move(right)), principal, resource, purpose, now, *policies);
  }
  const model::PortKey key = resource.Key();
  const std::vector<Grant> grants = TRY(Grants(txn, &key, principal.Names()));
  return Ruled(DecideByGrants(grants, principal, resource, purpose, now, policies->purposes()), principal, resource,
               purpose, now, *policies);
}

// What one may by a role alone.
Decision DecideByRole(const Principal& principal, Action action, const Resource& resource) {
  if (std::string right = RightOf(principal, action, resource); !right.empty()) return Permit(std::move(right));
  const std::string& who = principal.name;
  if (action == Action::kAdminister) {
    return Deny({fmt::format("{} did not come with a token of an administrator", who)},
                fmt::format("weft token create {} --administrator, by an administrator", who));
  }
  const std::string_view group = model::GroupOf(action);
  const std::string roles = model::RolesText(action, " nor ");
  if (!group.empty() && (roles.empty() || resource.domain.empty())) {
    return Deny({fmt::format("{} is neither an administrator nor a member of the group '{}'", who, group)},
                fmt::format("add {} to the group '{}' in mesh.yaml, by an administrator", who, group));
  }
  const std::string to_be = fmt::format("name {} {}, of the domain in mesh.yaml or of the product in its team", who,
                                        model::RolesText(action, " or "));
  if (resource.domain.empty()) {
    return Deny({fmt::format("{} is neither {} of any domain or product, nor an administrator", who, roles)}, to_be);
  }
  const std::string at = resource.domain + (resource.product.empty() ? "" : "/") + resource.product;
  const std::string member = group.empty() ? "" : fmt::format("a member of the group '{}', nor ", group);
  return Deny({fmt::format("{} is neither {} of {}, nor {}an administrator", who, roles, at, member)},
              fmt::format("ask {} to {} it, or to {}", HoldersText(resource, action), ActionName(action), to_be));
}

Decision DenyByLimits(const Principal& principal, Action action, const Resource& resource) {
  std::string on = resource.domain.empty() ? "" : " --on " + resource.Text();
  if (action == Action::kAdminister) on = " --administrator";
  return Deny({fmt::format("the token '{}' is limited to {}", principal.limits.token, principal.limits.Text())},
              fmt::format("another token of {0}: weft token create {0} --scope {1}{2}", principal.name,
                          ActionName(action), on));
}

}  // namespace

Decision DecideRead(std::span<const Grant> grants, const Principal& principal, const Resource& resource,
                    const std::string& purpose, Instant now, const model::Policies& policies) {
  std::string right = RightOf(principal, Action::kRead, resource);
  Decision decision = right.empty() ? DecideByGrants(grants, principal, resource, purpose, now, policies.purposes())
                                    : Permit(std::move(right));
  return Ruled(std::move(decision), principal, resource, purpose, now, policies);
}

Result<Decision> Decide(store::Txn& txn, Clock& clock, const Principal& principal, Action action,
                        const Resource& resource, const std::string& purpose) {
  if (action == Action::kOpen) return Permit();
  if (principal.name.empty()) return Deny({"nobody is asking"}, "weft token create PRINCIPAL, by an administrator");
  if (!principal.limits.Permit(action, resource)) {
    Decision denied = DenyByLimits(principal, action, resource);
    // What would be hidden stays hidden, in counts too.
    if (action == Action::kRead) {
      Decision otherwise = TRY(ReadNow(txn, clock, principal, resource, purpose));
      denied.restriction = std::move(otherwise.restriction);
    }
    return denied;
  }
  switch (action) {
    case Action::kOpen:
    case Action::kBrowse:
    case Action::kRequest:
    case Action::kApprove:
      return Permit();
    case Action::kRead:
      return ReadNow(txn, clock, principal, resource, purpose);
    case Action::kPublish:
    case Action::kRun:
    case Action::kGrant:
    case Action::kAdminister:
    case Action::kAudit:
    case Action::kGovern:
      return DecideByRole(principal, action, resource);
  }
  return Deny({"the action is not known"}, "");
}

Result<Decision> Decide(store::Txn& txn, Clock& clock, const model::Caller& caller, Action action,
                        const Resource& resource) {
  Asked::Note(action);
  return Decide(txn, clock, caller.principal, action, resource, caller.purpose);
}

namespace {

thread_local Asked* asked = nullptr;

}  // namespace

Asked::Asked() : outer_(asked) { asked = this; }
Asked::~Asked() { asked = outer_; }

void Asked::Note(Action action) {
  if (asked) asked->actions_ |= model::Bits(action);
}

}  // namespace weft::access
