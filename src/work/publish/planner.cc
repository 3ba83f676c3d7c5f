#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/access/granted.h"
#include "work/publish/draft.h"
#include "work/publish/plan.h"
#include "work/publish/rights.h"

namespace weft::publish {
namespace {

using model::Bundle;
using model::Mesh;

constexpr std::string_view kMeshFile = "mesh.yaml";

// Makes one Draft inside one reading transaction.
class Planner {
 public:
  Planner(Context& context, const model::Caller& caller, store::Txn& txn, model::Sight sight, Draft& draft)
      : context_(context),
        caller_(caller),
        txn_(txn),
        draft_(draft),
        plan_(draft.plan),
        catalogue_(txn, std::move(sight)) {}

  Status Run(const Submission& submission) {
    mesh_ = TRY(catalog::MeshOf(txn_));
    plan_.environment = TRY(catalog::EnvironmentOf(txn_));
    draft_.repository =
        model::ReadRepository(submission.files, submission.data, false, mesh_ ? &*mesh_ : nullptr, plan_.environment);
    plan_.problems = draft_.repository.problems;
    TRY(CompareMesh());
    if (!mesh_ && (!submission.files.empty() || !submission.kept.empty())) {
      Say({}, kMeshFile, "weft.mesh",
          "this node has no mesh yet: an administrator applies a folder with a mesh.yaml first");
      return {};
    }
    TRY(CompareEntities());
    TRY(CompareTerms(submission));
    TRY(ComparePolicies());
    if (!submission.kept.empty()) {
      folders_ = TRY(catalog::Folders(txn_));
      if (Want(submission)) return {};
    }
    std::set<const Bundle*> changed;
    auto kept = submission.kept.begin();
    for (const Bundle& bundle : draft_.repository.bundles) {
      for (; kept != submission.kept.end() && kept->first < bundle.folder; ++kept) TellKept(kept->first);
      TRY(CompareBundle(bundle, &changed));
    }
    for (; kept != submission.kept.end(); ++kept) TellKept(kept->first);
    plan_.missing_data.assign(missing_.begin(), missing_.end());
    if (draft_.entities.next) TRY(JudgeByEntities(changed));
    if (draft_.terms.next) TRY(JudgeByTerms(changed));
    TRY(Deep(changed));
    if (draft_.policies.next) TRY(JudgeByPolicies(changed));
    if (draft_.repository.mesh) TRY(Missing(submission));
    NameRegistered(submission);
    std::stable_sort(plan_.problems.begin(), plan_.problems.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
    return {};
  }

 private:
  // What was kept back and must be seen: folders that are not as they were applied, and all where what they are judged
  // by changes. Then that is all that the plan says.
  bool Want(const Submission& submission) {
    const bool anew =
        draft_.put_mesh || !draft_.entities.put.empty() || !draft_.terms.put.empty() || !draft_.policies.put.empty();
    for (const auto& [folder, digest] : submission.kept) {
      const auto known = folders_.find(NameOf(folder));
      if (anew || known == folders_.end() || known->second.digest != digest) plan_.wanted.push_back(folder);
    }
    if (plan_.wanted.empty()) return false;
    plan_.changes.clear();
    plan_.problems.clear();
    return true;
  }

  // "operations/flights" of "domains/operations/flights".
  static std::string NameOf(const std::string& folder) { return folder.substr(folder.find('/') + 1); }

  void TellKept(const std::string& folder) {
    const std::string name = NameOf(folder);
    const std::string& version = folders_.at(name).version;
    plan_.changes.push_back({Change::Kind::kUnchanged, name, version, version, {}});
  }

  Status CompareMesh() {
    const std::optional<Mesh>& next = draft_.repository.mesh;
    if (!next) return {};
    if (mesh_ && mesh_->bytes == next->bytes) {
      plan_.changes.push_back({Change::Kind::kUnchanged, "mesh", mesh_->id, mesh_->id, {}});
      return {};
    }
    model::Decision decision = TRY(access::Decide(txn_, context_.clock, caller_, model::Action::kAdminister, {}));
    if (!decision.permitted) {
      draft_.denials.push_back(ledger::Denial(caller_, model::Action::kAdminister, "mesh", decision.reasons));
      Say({}, kMeshFile, "weft.denied",
          fmt::format("{} may not change mesh.yaml: {}", caller_.principal.name, decision.Why()));
      return {};
    }
    if (std::string unknown = next->UnknownEnvironment(plan_.environment);
        !plan_.environment.empty() && !unknown.empty()) {
      Say(PlaceOf(next->bytes, std::string(kMeshFile), {"environments"}), kMeshFile, "weft.environment",
          fmt::format("this node is of the environment '{}', and {}", plan_.environment, unknown));
    }
    if (!mesh_) {
      plan_.changes.push_back({Change::Kind::kCreate, "mesh", "", next->id, {Count(next->domains.size(), "domain")}});
    } else {
      TRY(ChangeMesh(*mesh_, *next));
    }
    mesh_ = *next;
    draft_.put_mesh = true;
    return {};
  }

  Status ChangeMesh(const Mesh& before, const Mesh& next) {
    if (before.id != next.id) {
      Say(PlaceOf(next.bytes, std::string(kMeshFile), {"id"}), kMeshFile, "weft.mesh",
          fmt::format("this mesh is '{}' and every address of it says so; it cannot become '{}'", before.id, next.id));
    }
    Change change{Change::Kind::kUpdate, "mesh", before.id, next.id, {}};
    auto has = [](const Mesh& mesh, const std::string& name) {
      return std::any_of(mesh.domains.begin(), mesh.domains.end(),
                         [&](const Mesh::Domain& domain) { return domain.name == name; });
    };
    for (const Mesh::Domain& domain : next.domains) {
      if (!has(before, domain.name)) change.notes.push_back("adds domain " + domain.name);
    }
    for (const model::Environment& each : next.environments) {
      if (!before.FindEnvironment(each.name)) change.notes.push_back("adds environment " + each.name);
    }
    for (const model::Environment& each : before.environments) {
      if (!next.FindEnvironment(each.name)) change.notes.push_back("removes environment " + each.name);
    }
    for (const auto& [group, members] : next.groups) {
      auto old = before.groups.find(group);
      if (old == before.groups.end() || old->second != members) {
        change.notes.push_back(fmt::format("group {}: {}", group, members.empty() ? "nobody" : Join(members, ", ")));
      }
    }
    for (const auto& [group, members] : before.groups) {
      if (!next.groups.contains(group)) change.notes.push_back("removes group " + group);
    }
    for (const Mesh::Domain& domain : before.domains) {
      if (has(next, domain.name)) continue;
      const auto products = TRY(catalog::Products(txn_, domain.name));
      if (products.empty()) {
        change.notes.push_back("removes domain " + domain.name);
        continue;
      }
      Say(PlaceOf(next.bytes, std::string(kMeshFile), {"domains"}), kMeshFile, "weft.mesh",
          fmt::format("the domain '{}' has {} and must stay, so that somebody owns them", domain.name,
                      Count(products.size(), "product")));
    }
    plan_.changes.push_back(std::move(change));
    return {};
  }

  Status CompareEntities() {
    EntityPlan& entities = draft_.entities;
    entities = TRY(PlanEntities(txn_, draft_.repository.entities, mesh_));
    Tell(std::move(entities.problems));
    for (Change& change : entities.changes) plan_.changes.push_back(std::move(change));
    return entities.put.empty() ? Status() : MayGovern("entities", entities.put[0].file);
  }

  Status CompareTerms(const Submission& submission) {
    model::TermFolder folder = model::TermsIn(submission.files);
    Tell(std::move(folder.problems));
    TermPlan& terms = draft_.terms;
    terms = TRY(PlanTerms(txn_, folder.files, mesh_));
    Tell(std::move(terms.problems));
    for (Change& change : terms.changes) plan_.changes.push_back(std::move(change));
    return terms.put.empty() ? Status() : MayGovern("terms", terms.put[0].file);
  }

  // What the products that change say of terms, and what registered ones would no longer be able to.
  Status JudgeByTerms(const std::set<const Bundle*>& changed) {
    const TermPlan& terms = draft_.terms;
    for (const Bundle* bundle : changed) {
      Tell(terms.next->Judge(*bundle));
      draft_.changed.insert(bundle->product.domain + "/" + bundle->product.name);
    }
    if (!terms.put.empty())
      Tell(TRY(StillUsed(txn_, catalogue_.seen().sight(), *terms.before, *terms.next, draft_.changed)));
    return {};
  }

  // Those who govern change policies, entities and terms.
  Status MayGovern(std::string_view what, const std::string& file) {
    const model::Decision decision = TRY(access::Decide(txn_, context_.clock, caller_, model::Action::kGovern, {}));
    if (decision.permitted) return {};
    draft_.denials.push_back(ledger::Denial(caller_, model::Action::kGovern, "mesh", decision.reasons));
    Say({}, file, "weft.denied", fmt::format("{} may not change {}: {}", caller_.principal.name, what, decision.Why()));
    return {};
  }

  // What the columns of the ports that change say of entities, and what registered ones would no longer be able to.
  Status JudgeByEntities(const std::set<const Bundle*>& changed) {
    const EntityPlan& entities = draft_.entities;
    for (const Bundle* bundle : changed) {
      for (const model::Contract& contract : bundle->contracts) Tell(entities.next->Judge(contract));
      for (const model::Resource& port : model::ResourcesOf(*bundle, {})) {
        draft_.replaced.insert(port.Key());
      }
    }
    if (!entities.put.empty())
      Tell(TRY(StillUsed(txn_, catalogue_.seen(), *entities.before, *entities.next, draft_.replaced)));
    return {};
  }

  Status ComparePolicies() {
    PolicyPlan& policies = draft_.policies;
    policies = TRY(PlanPolicies(txn_, draft_.repository.policies));
    Tell(std::move(policies.problems));
    for (Change& change : policies.changes) plan_.changes.push_back(std::move(change));
    // Of a mesh that changes, what the policies in force speak of must stay.
    if (mesh_ && policies.next) {
      Tell(model::JudgeHolders(draft_.put_mesh ? policies.next->files() : policies.put, *mesh_));
    }
    return policies.put.empty() ? Status() : MayGovern("policies", policies.put[0].file);
  }

  // What a team takes from under the policies in force, by a tag or a classification that it removes, is for those who
  // govern to publish.
  Status JudgeLoosened(const Bundle& bundle, const model::Resource& next) {
    const model::PortKey key = next.Key();
    const Registered& known = *TRY(catalogue_.Find(next.domain, next.product));
    const bool had =
        std::ranges::any_of(known.ports, [&](const catalog::PortRow& row) { return row.key.port == next.port; });
    if (!had) return {};
    model::Address address = key.ToAddress();
    auto row = catalog::Resolve(txn_, address);
    if (!row) {  // A new major is held against the one before.
      address.major.reset();
      row = catalog::Resolve(txn_, address);
    }
    if (!row) return row.error().code == Code::kNotFound ? Status() : row.TakeError();
    const catalog::Port before = TRY(catalog::Load(txn_, *row));
    const std::vector<std::string> loosened = draft_.policies.before->Loosened(before.resource, next);
    if (loosened.empty()) return {};
    const model::Decision may = TRY(access::Decide(txn_, context_.clock, caller_, model::Action::kGovern, {}));
    const auto change = std::ranges::find(plan_.changes, next.domain + "/" + next.product, &Change::address);
    for (const std::string& what : loosened) {
      if (may.permitted) {
        if (change != plan_.changes.end()) change->notes.push_back(key.Text() + ": " + what);
      } else {
        SayDomain(
            bundle, "weft.declassified",
            fmt::format(
                "{}: {}. What it names must stay; who governs the mesh and may publish here, as an administrator, "
                "can let it go",
                key.Text(), what));
      }
    }
    return {};
  }

  // The ports and products that change against all policies; all ports where policies change.
  Status JudgeByPolicies(const std::set<const Bundle*>& changed) {
    const PolicyPlan& policies = draft_.policies;
    std::map<std::string, model::Resource> ports;
    const bool all = !policies.put.empty();
    if (all) {
      for (const catalog::PortRow& row : TRY(catalogue_.seen().Ports())) {
        ports[row.key.Text()] = TRY(catalogue_.seen().Load(row)).resource;
      }
      TellLostPurposes(ports);
    }
    for (const Bundle& bundle : draft_.repository.bundles) {
      const bool is_new = changed.contains(&bundle);
      if (!all && !is_new) continue;
      const model::Team team = mesh_ ? mesh_->TeamOf(bundle.product.domain) : model::Team();
      for (model::Resource& resource : model::ResourcesOf(bundle, team)) {
        if (is_new) TRY(JudgeLoosened(bundle, resource));
        const std::string address = resource.Text();
        ports[address] = std::move(resource);
      }
      const catalog::BundlePtr previous = TRY(Previous(bundle));
      Tell(policies.next->JudgeBundle(bundle, previous.get(), team));
    }
    for (const auto& [address, resource] : ports) Tell(policies.next->Judge(resource));
    if (all) Tell(policies.next->RunTests(ports));
    return plan_.refused() ? Status() : TellEffects();
  }

  Status TellEffects() {
    Planned planned{draft_.policies, draft_.put_mesh ? &*mesh_ : nullptr};
    for (const Bundle* bundle : draft_.put) {
      const Registered& known = *TRY(catalogue_.Find(bundle->product.domain, bundle->product.name));
      // A new product has had no readers, and what is older than its newest version is read by nobody.
      const auto newest = model::Version::Parse(known.product ? known.product->version : "");
      const auto version = model::Version::Parse(bundle->product.version);
      if (!newest || !version || *version < *newest) continue;
      for (model::Resource& port : model::ResourcesOf(*bundle, mesh_->TeamOf(bundle->product.domain))) {
        port.version = fmt::format("planned {} {}", bundle->Digest(), port.Text());
        planned.ports.insert_or_assign(port.Key(), std::move(port));
      }
    }
    Effects effects = TRY(EffectsOf(txn_, context_.clock, planned));
    plan_.effects = std::move(effects.told);
    plan_.effects_cut = effects.cut;
    return {};
  }

  // Products that are registered and not in the folder must still be able to say what they read for.
  void TellLostPurposes(const std::map<std::string, model::Resource>& ports) {
    std::set<std::string> told;
    for (const Bundle& bundle : draft_.repository.bundles)
      told.insert(bundle.product.domain + "/" + bundle.product.name);
    for (const auto& [address, resource] : ports) {
      const std::string product = resource.domain + "/" + resource.product;
      Status known = draft_.policies.next->purposes().Check(resource.purpose);
      if (known || !told.insert(product).second) continue;
      Say({}, draft_.policies.put[0].file, std::string(model::kPolicyRule),
          fmt::format(
              "the product {} reads for '{}', which would be no purpose any more: keep it, or change the product "
              "first",
              product, resource.purpose));
    }
  }

  Result<catalog::BundlePtr> Previous(const Bundle& bundle) {
    const Registered& known = *TRY(catalogue_.Find(bundle.product.domain, bundle.product.name));
    if (!known.product) return catalog::BundlePtr();
    return catalog::Product(txn_, bundle.product.domain, bundle.product.name);
  }

  void Tell(std::vector<Problem> problems) { std::ranges::move(problems, std::back_inserter(plan_.problems)); }

  // Whether the bundle's domain is there and the caller may publish it.
  Result<bool> MayPublish(const Bundle& bundle) {
    const std::string& name = bundle.product.domain;
    const auto domain = std::ranges::find(mesh_->domains, name, &Mesh::Domain::name);
    if (domain == mesh_->domains.end()) return false;  // Told when the folder was read.
    const Needed needed = TRY(NeededFor(catalogue_.seen(), txn_, bundle, *domain));
    if (!TRY(Allowed(bundle, model::Action::kPublish, needed.resource, "publish"))) return false;
    return !needed.grant || TRY(Allowed(bundle, model::Action::kGrant, needed.resource, "change who holds a role"));
  }

  Result<bool> Allowed(const Bundle& bundle, model::Action action, const model::Resource& resource,
                       std::string_view what) {
    const model::Decision decision = TRY(access::Decide(txn_, context_.clock, caller_, action, resource));
    if (decision.permitted) return true;
    draft_.denials.push_back(ledger::Denial(caller_, action, resource.Text(), decision.reasons));
    SayDomain(bundle, "weft.denied",
              fmt::format("{} may not {} in '{}': {}", caller_.principal.name, what, resource.domain, decision.Why()));
    return false;
  }

  void SayDomain(const Bundle& bundle, std::string rule, std::string message) {
    Say(PlaceOf(bundle.product.bytes, bundle.product.file, {"domain"}), bundle.product.file, std::move(rule),
        std::move(message));
  }

  Status CompareBundle(const Bundle& bundle, std::set<const Bundle*>* changed) {
    const Registered& known = *TRY(catalogue_.Find(bundle.product.domain, bundle.product.name));
    Comparison comparison = TRY(Compare(context_, txn_, caller_, bundle, known));
    const bool sound = comparison.problems.empty();
    Tell(std::move(comparison.problems));
    for (Change& change : comparison.changes) plan_.changes.push_back(std::move(change));
    if (comparison.register_it || !sound) {
      if (!TRY(MayPublish(bundle))) return {};
    }
    if (comparison.changed) changed->insert(&bundle);
    if (!comparison.register_it) return {};
    draft_.put.push_back(&bundle);
    for (const model::DataFile& file : bundle.data) {
      const bool held = TRY(catalog::HasData(txn_, file.sha256, bundle.product.domain)) ||
                        TRY(uploads::Sent(txn_, file.sha256, caller_.principal.name));
      if (!held || !context_.uploads.Has(file.sha256)) missing_.insert(file.sha256);
    }
    return {};
  }

  Status Deep(const std::set<const Bundle*>& changed_set) {
    std::vector<const Bundle*> changed;  // In the order of the folder.
    for (const Bundle& bundle : draft_.repository.bundles) {
      if (changed_set.contains(&bundle)) changed.push_back(&bundle);
    }
    Ports ports(txn_, draft_.repository.bundles, catalogue_, draft_.repository.mesh ? "" : mesh_->id);
    const EntityPlan& entities = draft_.entities;
    BuildChecker builds(ports, context_, entities.next ? *entities.next : *entities.before);
    for (const Bundle* bundle : changed) {
      TRY(CheckInputs(ports, *bundle, &plan_.problems));
      TRY(builds.Check(*bundle, &plan_.problems));
      TRY(CheckElsewhere(ports, builds, *bundle, &plan_.problems));
    }
    return CheckCycles(ports, changed, &plan_.problems);
  }

  // A problem of a file that was not sent is one of the file as it was applied: nobody looks for it in the folder.
  void NameRegistered(const Submission& submission) {
    std::set<std::string> registered;
    for (const model::PolicyFile& file : draft_.policies.before->files()) registered.insert(file.file);
    for (const model::EntityFile& file : draft_.entities.before->files()) registered.insert(file.file);
    for (const model::TermFile& file : draft_.terms.before->files()) registered.insert(file.file);
    for (const model::TextFile& file : submission.files) registered.erase(file.path);
    for (Problem& problem : plan_.problems) {
      if (registered.contains(problem.file)) problem.file += kRegistered;
    }
  }

  // What is registered and has no folder any more; a folder that cannot be read is there nevertheless.
  Status Missing(const Submission& submission) {
    std::set<std::string> there;
    for (const Bundle& bundle : draft_.repository.bundles)
      there.insert(bundle.product.domain + "/" + bundle.product.name);
    for (const model::TextFile& file : submission.files) {
      const std::vector<std::string> parts = Split(file.path, '/');
      if (parts.size() > 3 && parts[0] == "domains") there.insert(parts[1] + "/" + parts[2]);
    }
    for (const auto& [folder, digest] : submission.kept) there.insert(NameOf(folder));
    if (folders_.empty()) folders_ = TRY(catalog::Folders(txn_));
    for (const auto& [name, registered] : folders_) {
      if (there.contains(name)) continue;
      const size_t slash = name.find('/');
      if (!TRY(catalogue_.seen().Sees({name.substr(0, slash), name.substr(slash + 1), "", 0}))) continue;
      plan_.changes.push_back({Change::Kind::kMissing,
                               name,
                               registered.version,
                               "",
                               {"not in the folder: it stays registered; set its status to retired to end it"}});
    }
    return {};
  }

  void Say(const model::Place& place, std::string_view file, std::string rule, std::string message) {
    plan_.problems.push_back(ProblemAt(std::string(file), place, std::move(rule), std::move(message)));
  }

  Context& context_;
  const model::Caller& caller_;
  store::Txn& txn_;
  Draft& draft_;
  Plan& plan_;
  std::optional<Mesh> mesh_;  // As it will be.
  Catalogue catalogue_;
  std::map<std::string, catalog::FolderState> folders_;  // Where they are asked about.
  std::set<std::string> missing_;
};

}  // namespace

Result<Draft> MakeDraft(Context& context, const model::Caller& caller, const Submission& submission) {
  Draft draft;
  std::unique_ptr<store::Txn> txn = TRY(context.store.Read());
  model::Sight sight =
      TRY(catalog::SightOf(*txn, caller.principal, TRY(access::GrantedTo(*txn, context.clock, caller.principal))));
  TRY(Planner(context, caller, *txn, std::move(sight), draft).Run(submission));
  return draft;
}

}  // namespace weft::publish
