// What readers gain and lose by policies that are planned.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "model/policy/restriction.h"
#include "work/publish/policies.h"

namespace weft::publish {
namespace {

constexpr size_t kMostEffects = 1'000;
constexpr size_t kMostDecisions = 200'000;  // A few seconds.

// "all", or what is asked of a row.
std::string RowsOf(const model::Decision& decision) {
  const std::string text = decision.restriction ? decision.restriction->RowsText() : "";
  return text.empty() ? "all" : text == "false" ? "none" : text;
}

std::string MaskOf(const model::Decision& decision, const std::string& column) {
  if (!decision.restriction) return "shown";
  if (!decision.restriction->Shows(column)) return "not granted";
  const auto mask = decision.restriction->masks.find(column);
  return mask == decision.restriction->masks.end() ? "shown" : std::string(MaskActionName(mask->second.action));
}

std::set<std::string> AllColumns(const model::Resource& resource) {
  std::set<std::string> names;
  if (!resource.contract || resource.contract->schema.empty()) return names;
  for (const model::Property& property : resource.contract->schema.front().properties) names.insert(property.name);
  return names;
}

// What one principal gains or loses of one port; nothing where it stays as it was.
std::vector<std::string> Differences(const model::Decision& before, const model::Decision& after,
                                     const model::Resource& resource) {
  if (!before.permitted && !after.permitted) return {};
  std::vector<std::string> told;
  if (before.permitted && !after.permitted) return {"may no longer read: " + Join(after.reasons, "; ")};
  if (!before.permitted) told.push_back("may read");
  const std::string rows_before = before.permitted ? RowsOf(before) : "none", rows_after = RowsOf(after);
  if (rows_before != rows_after && !(rows_after == "all" && !before.permitted)) {
    told.push_back(fmt::format("rows: {} → {}", rows_before, rows_after));
  }
  std::set<std::string> columns;
  for (const model::Decision* decision : {&before, &after}) {
    if (!decision->restriction) continue;
    // Every column's sight may change where only some were granted.
    const bool some = decision->restriction->only.has_value();
    for (const std::string& column : some ? AllColumns(resource) : std::set<std::string>()) columns.insert(column);
    for (const auto& [column, mask] : decision->restriction->masks) columns.insert(column);
  }
  for (const std::string& column : columns) {
    const std::string was = MaskOf(before, column), is = MaskOf(after, column);
    if (was != is) told.push_back(fmt::format("{}: {} → {}", column, was, is));
  }
  return told;
}

// A principal as the mesh that is planned will know it.
model::Principal PrincipalIn(const model::Mesh& mesh, model::Principal principal) {
  principal.groups.clear();
  for (const auto& [group, members] : mesh.groups) {
    if (std::ranges::find(members, principal.name) != members.end()) principal.groups.push_back(group);
  }
  std::map<std::string, std::set<std::string>> attributes;
  for (const std::string& name : principal.Names()) {
    const auto named = mesh.attributes.find(name);
    if (named == mesh.attributes.end()) continue;
    for (const auto& [attribute, values] : named->second) attributes[attribute].insert(values.begin(), values.end());
  }
  principal.SetAttributes(attributes);
  return principal;
}

struct Reader {
  model::Principal before, after;
  bool moves = false;  // Into groups, out of them, or to other attributes.
};

// Everybody whom the mesh knows, as it is and as it will be.
Result<std::vector<Reader>> Everybody(store::Txn& txn, const model::Mesh* next) {
  std::set<std::string> names;
  auto add = [&](const std::vector<std::string>& members) {
    for (const std::string& member : members) {
      if (access::IsPrincipal(member)) names.insert(member);
    }
  };
  add(TRY(access::KnownPrincipals(txn)));
  add(TRY(catalog::TeamMembers(txn)));
  if (next) {
    for (const auto& [group, members] : next->groups) add(members);
    for (const model::Mesh::Domain& domain : next->domains) {
      for (const auto& [role, holders] : model::kTeamRoles) add(domain.*holders);
    }
  }
  std::vector<Reader> readers;
  for (const std::string& name : names) {
    Reader reader;
    reader.before = reader.after = TRY(access::PrincipalOf(txn, name));
    if (next) reader.after = PrincipalIn(*next, reader.before);
    reader.moves = reader.before.groups != reader.after.groups || reader.before.attributes != reader.after.attributes;
    readers.push_back(std::move(reader));
  }
  return readers;
}

// The policies of files that change, as they are in force and as they will be.
class Changed {
 public:
  explicit Changed(const PolicyPlan& plan) {
    std::set<std::string> files;
    for (const model::PolicyFile& file : plan.put) files.insert(file.file);
    for (const auto* policies : {plan.before.get(), plan.next.get()}) {
      for (const model::PolicyFile& file : policies->files()) {
        if (!files.contains(file.file)) continue;
        words_ = words_ || !file.purposes.empty();
        for (const model::Policy& policy : file.policies) policies_.push_back(&policy);
      }
    }
  }

  // Of one port.
  struct Part {
    bool everybody = false;
    std::unordered_set<std::string_view> holders;

    bool any() const { return everybody || !holders.empty(); }
    bool About(const model::Principal& principal) const {
      if (everybody || holders.contains(principal.name)) return true;
      return std::ranges::any_of(principal.groups,
                                 [&](const std::string& group) { return holders.contains("group:" + group); });
    }
  };
  Part Of(const model::Resource& resource) const {
    Part part;
    part.everybody = words_;  // What a grant or product is for may mean something else.
    for (const model::Policy* policy : policies_) {
      if (part.everybody) break;
      if (policy->effect == model::Policy::Effect::kRequire || policy->effect == model::Policy::Effect::kApprove)
        continue;
      if (!policy->scope.Covers(resource)) continue;
      part.everybody = policy->principals.empty();
      part.holders.insert(policy->principals.begin(), policy->principals.end());
    }
    return part;
  }

 private:
  std::vector<const model::Policy*> policies_;
  bool words_ = false;
};

// The grants on one port, read once.
class Given {
 public:
  explicit Given(std::vector<access::Grant> grants) {
    for (access::Grant& grant : grants) {
      purposes_.insert(grant.purpose);
      by_holder_[grant.principal].push_back(std::move(grant));
    }
  }
  const std::set<std::string>& purposes() const { return purposes_; }
  std::vector<access::Grant> To(const model::Principal& principal) const {
    std::vector<access::Grant> grants;
    for (const std::string& name : principal.Names()) {
      const auto held = by_holder_.find(name);
      if (held != by_holder_.end()) grants.insert(grants.end(), held->second.begin(), held->second.end());
    }
    return grants;
  }

 private:
  std::set<std::string> purposes_ = {""};
  std::map<std::string, std::vector<access::Grant>> by_holder_;
};

}  // namespace

Result<Effects> EffectsOf(store::Txn& txn, Clock& clock, const PolicyPlan& plan, const model::Mesh* next_mesh) {
  Effects effects;
  const Changed changed(plan);
  const std::vector<Reader> readers = TRY(Everybody(txn, next_mesh));
  const bool moves = std::ranges::any_of(readers, &Reader::moves);
  const Instant now = clock.Now();
  size_t decisions = 0;
  for (const catalog::PortRow& row : TRY(catalog::Ports(txn))) {
    const catalog::Port port = TRY(catalog::Load(txn, row));
    const Changed::Part part = changed.Of(port.resource);
    if (!part.any() && !moves) continue;
    const Given given(TRY(access::Grants(txn, &row.key, std::nullopt)));
    for (const Reader& reader : readers) {
      if (!reader.moves && !part.About(reader.before)) continue;
      const std::vector<access::Grant> before = given.To(reader.before), after = given.To(reader.after);
      std::vector<Effect> told;  // One for each that changes something else.
      for (const std::string& purpose : given.purposes()) {
        std::vector<std::string> differences = Differences(
            access::DecideRead(before, reader.before, port.resource, purpose, now, *plan.before),
            access::DecideRead(after, reader.after, port.resource, purpose, now, *plan.next), port.resource);
        if (differences.empty()) continue;
        auto same = std::ranges::find(told, differences, &Effect::notes);
        if (same == told.end()) {
          told.push_back({reader.before.name, row.key.Text(), {}, std::move(differences)});
          same = std::prev(told.end());
        }
        same->purposes.push_back(purpose);
      }
      decisions += 2 * given.purposes().size();
      for (Effect& effect : told) {
        if (effect.purposes.size() == given.purposes().size()) effect.purposes.clear();
        effects.told.push_back(std::move(effect));
      }
      effects.cut = effects.told.size() > kMostEffects || decisions >= kMostDecisions;
      if (!effects.cut) continue;
      if (effects.told.size() > kMostEffects) effects.told.resize(kMostEffects);
      return effects;
    }
  }
  return effects;
}

}  // namespace weft::publish
