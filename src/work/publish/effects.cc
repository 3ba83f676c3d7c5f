// What readers gain and lose by what is planned.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "model/policy/mentioned.h"
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

std::map<std::string_view, const model::Property*> PropertiesOf(const model::Resource& resource) {
  std::map<std::string_view, const model::Property*> properties;
  if (!resource.contract || resource.contract->schema.empty()) return properties;
  for (const model::Property& property : resource.contract->schema.front().properties) {
    properties.emplace(property.name, &property);
  }
  return properties;
}

// Whether policies know no difference between two columns.
bool Alike(const model::Property& a, const model::Property& b) {
  if (a.name != b.name || a.tags != b.tags || a.classification != b.classification ||
      a.logical_type != b.logical_type || (a.entity ? a.entity->name : "") != (b.entity ? b.entity->name : "")) {
    return false;
  }
  auto same = [](const std::vector<model::Property>& as, const std::vector<model::Property>& bs) {
    return std::ranges::equal(as, bs, Alike);
  };
  return same(a.properties, b.properties) && same(a.items, b.items) && same(a.map, b.map);
}

// One port as it is and as it will be.
struct Pair {
  model::Resource before, after;
  std::set<std::string> columns;  // That both have: what comes or goes is told with the contract's differences.
  bool changes = false;           // In something that decides.

  Pair(model::Resource was, model::Resource is, bool ruled) : before(std::move(was)), after(std::move(is)) {
    const auto old = PropertiesOf(before), now = PropertiesOf(after);
    changes = model::Team(before) != model::Team(after) ||
              (ruled && (before.tags != after.tags || before.classification != after.classification ||
                         before.status != after.status || before.purpose != after.purpose));
    for (const auto& [name, property] : old) {
      const auto still = now.find(name);
      if (still == now.end()) continue;
      columns.insert(std::string(name));
      changes = changes || (ruled && !Alike(*property, *still->second));
    }
  }
};

// What one principal gains or loses of one port; nothing where it stays as it was.
std::vector<std::string> Differences(const model::Decision& before, const model::Decision& after,
                                     const std::set<std::string>& all_columns) {
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
    if (some) columns = all_columns;
    for (const auto& [column, mask] : decision->restriction->masks) {
      if (all_columns.contains(column)) columns.insert(column);
    }
  }
  for (const std::string& column : columns) {
    const std::string was = MaskOf(before, column), is = MaskOf(after, column);
    if (!before.permitted && is != "shown") told.push_back(fmt::format("{}: {}", column, is));
    if (before.permitted && was != is) told.push_back(fmt::format("{}: {} → {}", column, was, is));
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

// Whoever could read by what is or will be, as they are and as they will be.
Result<std::vector<Reader>> Everybody(store::Txn& txn, const Planned& planned) {
  std::set<std::string> names;
  auto add = [&](const std::vector<std::string>& members) {
    for (const std::string& member : members) {
      if (access::IsPrincipal(member)) names.insert(member);
    }
  };
  add(TRY(access::KnownPrincipals(txn)));
  add(TRY(catalog::TeamMembers(txn)));
  const std::optional<model::Mesh> before = TRY(catalog::MeshOf(txn));
  for (const model::Mesh* mesh : {before ? &*before : nullptr, planned.mesh}) {
    if (!mesh) continue;
    for (const auto& [group, members] : mesh->groups) {
      add(members);
      // Who comes with it is not known by name.
      for (const std::string& member : members) {
        if (member.starts_with("claim:")) names.insert(member);
      }
    }
    for (const model::Mesh::Domain& domain : mesh->domains) {
      for (const auto& [role, holders] : model::kTeamRoles) add(domain.*holders);
    }
  }
  for (const auto& [key, resource] : planned.ports) {
    for (const auto& [role, holders] : model::kTeamRoles) add(resource.*holders);
  }
  model::Mentioned mentioned;
  for (const auto* policies : {planned.policies.before.get(), planned.policies.next.get()}) {
    for (const model::PolicyFile& file : policies->files()) {
      for (const model::Policy& policy : file.policies) mentioned.Add(policy);
    }
  }
  add({mentioned.principals.begin(), mentioned.principals.end()});
  std::vector<Reader> readers;
  for (const std::string& name : names) {
    Reader reader;
    reader.before = reader.after = TRY(access::PrincipalOf(txn, name));
    if (planned.mesh) reader.after = PrincipalIn(*planned.mesh, reader.before);
    reader.moves = reader.before.groups != reader.after.groups || reader.before.attributes != reader.after.attributes;
    readers.push_back(std::move(reader));
  }
  return readers;
}

// The policies of files that change, as they are in force and as they will be; and all, for what they name.
class Changed {
 public:
  explicit Changed(const PolicyPlan& plan) {
    std::set<std::string> files;
    for (const model::PolicyFile& file : plan.put) files.insert(file.file);
    for (const auto* policies : {plan.before.get(), plan.next.get()}) {
      for (const model::PolicyFile& file : policies->files()) {
        const bool changes = files.contains(file.file);
        words_ = words_ || (changes && !file.purposes.empty());
        for (const model::Policy& policy : file.policies) {
          const bool decides =
              policy.effect != model::Policy::Effect::kRequire && policy.effect != model::Policy::Effect::kApprove;
          if (decides) all_.emplace_back(&policy, std::nullopt);
          if (decides && changes) policies_.push_back(&policy);
        }
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
  Part Of(const Pair& port) const {
    Part part;
    // What a grant or product is for may mean something else.
    part.everybody = words_ || port.changes;
    for (const model::Policy* policy : policies_) {
      if (part.everybody) break;
      if (!Covers(*policy, port)) continue;
      part.everybody = policy->principals.empty();
      part.holders.insert(policy->principals.begin(), policy->principals.end());
    }
    return part;
  }

  // That policies about the port name, whether they change or not.
  std::set<std::string> PurposesOf(const Pair& port) {
    std::set<std::string> purposes;
    for (auto& [policy, mentioned] : all_) {
      if (!Covers(*policy, port)) continue;
      if (!mentioned) mentioned.emplace().Add(*policy);
      purposes.insert(mentioned->purposes.begin(), mentioned->purposes.end());
    }
    return purposes;
  }

 private:
  static bool Covers(const model::Policy& policy, const Pair& port) {
    return policy.scope.Covers(port.before) || policy.scope.Covers(port.after);
  }

  std::vector<const model::Policy*> policies_;
  std::vector<std::pair<const model::Policy*, std::optional<model::Mentioned>>> all_;
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

// The ports of which something may change.
Result<std::vector<catalog::PortRow>> PortsOf(store::Txn& txn, const Planned& planned) {
  if (!planned.policies.put.empty() || planned.mesh) return catalog::Ports(txn);
  std::set<std::pair<std::string, std::string>> products;
  for (const auto& [key, resource] : planned.ports) products.emplace(key.domain, key.product);
  std::vector<catalog::PortRow> rows;
  for (const auto& [domain, product] : products) {
    for (catalog::PortRow& row : TRY(catalog::Ports(txn, domain, product))) rows.push_back(std::move(row));
  }
  return rows;
}

// Works out what changes, until it is enough.
class Comparer {
 public:
  Comparer(store::Txn& txn, Clock& clock, const Planned& planned)
      : txn_(txn), planned_(planned), now_(clock.Now()), changed_(planned.policies) {}

  Result<Effects> Run() {
    if (planned_.mesh) TRY(Meet());
    const bool moves = std::ranges::any_of(readers_, &Reader::moves);
    for (const catalog::PortRow& row : TRY(PortsOf(txn_, planned_))) {
      const Pair port = TRY(PairOf(row));
      const Changed::Part part = changed_.Of(port);
      if (!part.any() && !moves) continue;
      TRY(Meet());
      const Given given(TRY(access::Grants(txn_, &row.key, std::nullopt)));
      std::set<std::string> purposes = given.purposes();
      for (const std::string& purpose : changed_.PurposesOf(port)) {
        if (Known(purpose)) purposes.insert(purpose);
      }
      for (const Reader& reader : readers_) {
        if (!reader.moves && !part.About(reader.before)) continue;
        Compare(row.key, port, reader, given, purposes);
        effects_.cut = effects_.told.size() > kMostEffects || decisions_ >= kMostDecisions;
        if (!effects_.cut) continue;
        if (effects_.told.size() > kMostEffects) effects_.told.resize(kMostEffects);
        return std::move(effects_);
      }
    }
    return std::move(effects_);
  }

 private:
  // Reading everybody takes a while, and mostly nobody is asked about.
  Status Meet() {
    if (readers_.empty()) readers_ = TRY(Everybody(txn_, planned_));
    return {};
  }

  bool Known(const std::string& purpose) const {
    return model::CheckPurposeText(purpose) &&
           (planned_.policies.before->purposes().Check(purpose) || planned_.policies.next->purposes().Check(purpose));
  }

  Result<Pair> PairOf(const catalog::PortRow& row) {
    const bool ruled = !planned_.policies.before->empty() || !planned_.policies.next->empty();
    catalog::Port port = TRY(catalog::Load(txn_, row));
    const auto next = planned_.ports.find(row.key);
    if (next != planned_.ports.end()) return Pair(std::move(port.resource), next->second, ruled);
    model::Resource after = port.resource;
    if (planned_.mesh) {
      static_cast<model::Team&>(after) = TRY(catalog::TeamOf(txn_, row.key.domain, row.key.product));
      after.Add(planned_.mesh->TeamOf(row.key.domain));
    }
    return Pair(std::move(port.resource), std::move(after), ruled);
  }

  // One effect for each that changes something else.
  void Compare(const model::PortKey& key, const Pair& port, const Reader& reader, const Given& given,
               const std::set<std::string>& purposes) {
    const std::vector<access::Grant> before = given.To(reader.before), after = given.To(reader.after);
    std::vector<Effect> told;
    for (const std::string& purpose : purposes) {
      std::vector<std::string> differences = Differences(
          access::DecideRead(before, reader.before, port.before, purpose, now_, *planned_.policies.before),
          access::DecideRead(after, reader.after, port.after, purpose, now_, *planned_.policies.next), port.columns);
      if (differences.empty()) continue;
      auto same = std::ranges::find(told, differences, &Effect::notes);
      if (same == told.end()) {
        told.push_back({reader.before.name, key.Text(), {}, std::move(differences)});
        same = std::prev(told.end());
      }
      same->purposes.push_back(purpose);
    }
    decisions_ += 2 * purposes.size();
    for (Effect& effect : told) {
      if (effect.purposes.size() == purposes.size()) effect.purposes.clear();
      effects_.told.push_back(std::move(effect));
    }
  }

  store::Txn& txn_;
  const Planned& planned_;
  const Instant now_;
  Changed changed_;
  std::vector<Reader> readers_;
  Effects effects_;
  size_t decisions_ = 0;
};

}  // namespace

Result<Effects> EffectsOf(store::Txn& txn, Clock& clock, const Planned& planned) {
  if (planned.policies.put.empty() && !planned.mesh && planned.ports.empty()) return Effects();
  return Comparer(txn, clock, planned).Run();
}

}  // namespace weft::publish
