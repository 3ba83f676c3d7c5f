#include "work/publish/publish.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "drivers/http/message.h"
#include "state/ledger/ledger.h"
#include "work/publish/plan.h"

namespace weft::publish {
namespace {

using model::Bundle;
using model::Mesh;

constexpr std::string_view kMeshFile = "mesh.yaml";

// A submission, read and compared: what Apply goes by.
struct Draft {
  model::Repository repository;
  Plan plan;
  bool put_mesh = false;
  std::vector<const Bundle*> put;
  std::vector<ledger::Entry> denials;  // Recorded when it is applied; a plan changes nothing.
};

std::string Because(const model::Decision& decision) {
  const std::string reasons = Join(decision.reasons, "; ");
  return decision.remedy.empty() ? reasons : reasons + ". What helps: " + decision.remedy;
}

// Makes one Draft inside one reading transaction.
class Planner {
 public:
  Planner(Context& context, const model::Caller& caller, store::Txn& txn, Draft& draft)
      : context_(context), caller_(caller), txn_(txn), draft_(draft), plan_(draft.plan) {}

  Status Run(const Submission& submission) {
    draft_.repository = model::ReadRepository(submission.files, submission.data, false);
    plan_.problems = draft_.repository.problems;
    mesh_ = TRY(catalog::MeshOf(txn_));
    TRY(CompareMesh());
    if (!mesh_ && !submission.files.empty()) {
      Say({}, kMeshFile, "weft.mesh",
          "this node has no mesh yet: an administrator applies a folder with a mesh.yaml first");
      return {};
    }
    catalogue_ = TRY(Catalogue::Read(txn_));
    std::vector<const Bundle*> changed;
    for (const Bundle& bundle : draft_.repository.bundles) TRY(CompareBundle(bundle, &changed));
    TRY(Deep(changed));
    if (draft_.repository.mesh) Missing(submission);
    std::stable_sort(plan_.problems.begin(), plan_.problems.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
    return {};
  }

 private:
  Status CompareMesh() {
    const std::optional<Mesh>& next = draft_.repository.mesh;
    if (!next) return {};
    if (mesh_ && mesh_->bytes == next->bytes) {
      plan_.changes.push_back({Change::Kind::kUnchanged, "mesh", mesh_->id, mesh_->id, {}});
      return {};
    }
    model::Decision decision =
        TRY(access::Decide(txn_, context_.clock, caller_.principal, model::Action::kAdminister, {}, caller_.purpose));
    if (!decision.permitted) {
      draft_.denials.push_back(ledger::Denial(caller_, model::Action::kAdminister, "mesh", decision.reasons));
      Say({}, kMeshFile, "weft.denied",
          fmt::format("{} may not change mesh.yaml: {}", caller_.principal.name, Because(decision)));
      return {};
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

  // Whether the bundle's domain is there and the caller may publish in it; decided once a domain.
  Result<bool> MayPublish(const Bundle& bundle) {
    const std::string& name = bundle.product.domain;
    const Mesh::Domain* domain = nullptr;
    std::vector<std::string_view> names;
    for (const Mesh::Domain& candidate : mesh_->domains) {
      names.push_back(candidate.name);
      if (candidate.name == name) domain = &candidate;
    }
    if (!domain && draft_.repository.mesh) return false;  // Told when the folder was read.
    if (!domain) {
      SayDomain(bundle, "weft.domain",
                fmt::format("the domain '{}' is not in mesh.yaml{}", name, DidYouMean(name, names)));
      return false;
    }
    const std::string about = name + "/" + bundle.product.name;
    auto known = decisions_.find(about);
    if (known == decisions_.end()) {
      model::Resource resource;
      resource.domain = name;
      resource.product = bundle.product.name;
      resource.owners = domain->owners;
      known = decisions_
                  .emplace(about, TRY(access::Decide(txn_, context_.clock, caller_.principal, model::Action::kPublish,
                                                     resource, caller_.purpose)))
                  .first;
    }
    if (known->second.permitted) return true;
    draft_.denials.push_back(
        ledger::Denial(caller_, model::Action::kPublish, name + "/" + bundle.product.name, known->second.reasons));
    SayDomain(bundle, "weft.denied",
              fmt::format("{} may not publish in '{}': {}", caller_.principal.name, name, Because(known->second)));
    return false;
  }

  void SayDomain(const Bundle& bundle, std::string rule, std::string message) {
    Say(PlaceOf(bundle.product.bytes, bundle.product.file, {"domain"}), bundle.product.file, std::move(rule),
        std::move(message));
  }

  Status CompareBundle(const Bundle& bundle, std::vector<const Bundle*>* changed) {
    Comparison comparison = TRY(Compare(txn_, bundle, catalogue_.Find(bundle.product.domain, bundle.product.name)));
    for (Problem& problem : comparison.problems) plan_.problems.push_back(std::move(problem));
    for (Change& change : comparison.changes) plan_.changes.push_back(std::move(change));
    if (comparison.register_it || !comparison.problems.empty()) {
      if (!TRY(MayPublish(bundle))) return {};
    }
    if (comparison.changed) changed->push_back(&bundle);
    if (!comparison.register_it) return {};
    draft_.put.push_back(&bundle);
    for (const model::DataFile& file : bundle.data) {
      const bool held = TRY(catalog::HasData(txn_, file.sha256, bundle.product.domain))
      || TRY(uploads::Sent(txn_, file.sha256, caller_.principal.name));
      if (!held || !context_.uploads.Has(file.sha256)) missing_.insert(file.sha256);
    }
    plan_.missing_data.assign(missing_.begin(), missing_.end());
    return {};
  }

  Status Deep(const std::vector<const Bundle*>& changed) {
    Ports ports(txn_, draft_.repository.bundles, catalogue_, draft_.repository.mesh ? "" : mesh_->id);
    BuildChecker builds(ports, context_);
    for (const Bundle* bundle : changed) {
      TRY(CheckInputs(ports, *bundle, &plan_.problems));
      TRY(builds.Check(*bundle, &plan_.problems));
    }
    return CheckCycles(ports, changed, &plan_.problems);
  }

  // What is registered and has no folder any more; a folder that cannot be read is there nevertheless.
  void Missing(const Submission& submission) {
    std::set<std::string> there;
    for (const Bundle& bundle : draft_.repository.bundles)
      there.insert(bundle.product.domain + "/" + bundle.product.name);
    for (const model::TextFile& file : submission.files) {
      const std::vector<std::string> parts = Split(file.path, '/');
      if (parts.size() > 3 && parts[0] == "domains") there.insert(parts[1] + "/" + parts[2]);
    }
    for (const auto& [name, registered] : catalogue_.products()) {
      if (!registered.product || there.contains(name.first + "/" + name.second)) continue;
      plan_.changes.push_back({Change::Kind::kMissing,
                               name.first + "/" + name.second,
                               registered.product->version,
                               "",
                               {"not in the folder: it stays registered; set its status to retired to end it"}});
    }
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
  std::map<std::string, model::Decision> decisions_;
  std::set<std::string> missing_;
};

Result<Draft> MakeDraft(Context& context, const model::Caller& caller, const Submission& submission) {
  Draft draft;
  std::unique_ptr<store::Txn> txn = TRY(context.store.Read());
  TRY(Planner(context, caller, *txn, draft).Run(submission));
  return draft;
}

Error Refusal(const Plan& plan) {
  size_t errors = 0, denials = 0;
  for (const Problem& problem : plan.problems) {
    if (problem.level != Problem::Level::kError) continue;
    ++errors;
    if (problem.rule == "weft.denied") ++denials;
  }
  return {denials > 0 ? Code::kDenied : Code::kInvalid,
          fmt::format("nothing was applied: the folder has {}", Count(errors, "problem")), plan.problems};
}

Status Record(Context& context, std::span<const ledger::Entry> denials) {
  if (denials.empty()) return {};
  std::unique_ptr<store::Txn> txn = TRY(context.store.Begin());
  for (const ledger::Entry& denial : denials) TRY(ledger::Append(*txn, context.clock, denial));
  return txn->Commit();
}

// A store that lost a race says so; the transaction runs again as a whole. What `work` left in `denial` is recorded by
// a transaction of its own: its own one is rolled back.
template <class Do>
Status InTransaction(Context& context, const std::optional<ledger::Entry>& denial, Do work) {
  for (int attempt = 1;; ++attempt) {
    Status done = [&]() -> Status {
      std::unique_ptr<store::Txn> txn = TRY(context.store.Begin());
      TRY(work(*txn));
      return txn->Commit();
    }();
    if (denial) TRY(Record(context, std::span(&*denial, 1)));
    if (done || denial || done.error().code != Code::kUnavailable || attempt == 5) return done;
  }
}

// May the caller still do it, now that the transaction sees the newest of everything?
Status DecideAgain(Context& context, store::Txn& txn, const model::Caller& caller, model::Action action,
                   const model::Resource& resource, const std::string& address, std::optional<ledger::Entry>* denial) {
  const model::Decision decision =
      TRY(access::Decide(txn, context.clock, caller.principal, action, resource, caller.purpose));
  if (decision.permitted) return {};
  *denial = ledger::Denial(caller, action, address, decision.reasons);
  return Error{Code::kDenied, fmt::format("{} may no longer {} {}: {}", caller.principal.name,
                                          model::ActionName(action), address, Because(decision))};
}

Status ApplyMesh(Context& context, const model::Caller& caller, const Mesh& mesh) {
  std::optional<ledger::Entry> denial;
  return InTransaction(context, denial, [&](store::Txn& txn) -> Status {
    TRY(DecideAgain(context, txn, caller, model::Action::kAdminister, {}, "mesh", &denial));
    const std::string id = TRY(catalog::MeshId(txn));
    if (!id.empty() && id != mesh.id) {
      return Error{Code::kConflict, fmt::format("this mesh has been named '{}' meanwhile, not '{}'", id, mesh.id)};
    }
    TRY(catalog::PutMesh(txn, mesh));
    TRY(access::PutGroups(txn, mesh.groups));
    ledger::Entry entry{"published", caller.principal.name, caller.purpose, "mesh", {}};
    entry.detail = Json::Map({{"mesh", mesh.id}, {"sha256", Sha256(mesh.bytes)}});
    return ledger::Append(txn, context.clock, entry);
  });
}

Status RecordChanges(Context& context, const model::Caller& caller, const Bundle& bundle, const Comparison& comparison,
                     store::Txn& txn) {
  for (const Change& change : comparison.changes) {
    if (change.kind == Change::Kind::kUnchanged) continue;
    const bool status = change.kind == Change::Kind::kStatus;
    ledger::Entry entry{status ? change.to : "published", caller.principal.name, caller.purpose, change.address, {}};
    entry.detail = Json::Map({{"change", KindName(change.kind)},
                              {"from", change.from},
                              {"to", change.to},
                              {"digest", bundle.Digest()},
                              {"notes", change.notes}});
    Json data{Json::Array()};
    for (const model::DataFile& file : bundle.data) data.Push(file.sha256);
    if (data.size() > 0) entry.detail.Set("data", std::move(data));
    TRY(ledger::Append(txn, context.clock, entry));
  }
  return {};
}

// The age of what the product names no more counts from now: a run may be reading it.
Status PutData(Context& context, store::Txn& txn, const Bundle& bundle) {
  const std::string& domain = bundle.product.domain;
  for (const model::DataFile& file : bundle.data) {
    if (context.uploads.Has(file.sha256)) continue;
    return Error{Code::kConflict,
                 fmt::format("the data file {} was swept away meanwhile: apply again to send it again", file.path)};
  }
  for (const model::DataFile& file : TRY(catalog::Data(txn, domain, bundle.product.name))) {
    TRY(uploads::Note(txn, context.clock, file.sha256, ""));
  }
  return catalog::PutData(txn, domain, bundle.product.name, DataOf(bundle));
}

// The atom: compared again inside the transaction that writes, so that what another wrote meanwhile is seen.
Status ApplyBundle(Context& context, const model::Caller& caller, const Bundle& bundle) {
  const std::string& domain = bundle.product.domain;
  const std::string& name = bundle.product.name;
  std::optional<ledger::Entry> denial;
  return InTransaction(context, denial, [&](store::Txn& txn) -> Status {
    const Registered registered = TRY(Catalogue::ReadOne(txn, domain, name));
    Comparison comparison = TRY(Compare(txn, bundle, registered));
    if (!comparison.problems.empty()) {
      return Error{
          Code::kConflict,
          fmt::format("{}/{} was published by another meanwhile: {}", domain, name, comparison.problems[0].message),
          std::move(comparison.problems)};
    }
    if (!comparison.register_it) return {};
    model::Resource resource;
    resource.domain = domain;
    resource.product = name;
    const std::optional<Mesh> mesh = TRY(catalog::MeshOf(txn));
    for (const Mesh::Domain& candidate : mesh ? mesh->domains : std::vector<Mesh::Domain>{}) {
      if (candidate.name == domain) resource.owners = candidate.owners;
    }
    TRY(DecideAgain(context, txn, caller, model::Action::kPublish, resource, domain + "/" + name, &denial));
    const bool only_data = std::all_of(comparison.changes.begin(), comparison.changes.end(),
                                       [](const Change& change) { return change.kind == Change::Kind::kData; });
    if (!only_data) TRY(catalog::Put(txn, context.clock, bundle, caller.principal.name));
    TRY(PutData(context, txn, bundle));
    return RecordChanges(context, caller, bundle, comparison, txn);
  });
}

}  // namespace

std::string_view KindName(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kCreate:
      return "create";
    case Change::Kind::kUpdate:
      return "update";
    case Change::Kind::kStatus:
      return "status";
    case Change::Kind::kData:
      return "data";
    case Change::Kind::kUnchanged:
      return "unchanged";
    case Change::Kind::kMissing:
      return "missing";
  }
  return "";
}

bool Plan::refused() const {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.level == Problem::Level::kError; });
}

Json Plan::ToJson() const {
  Json json = Json::Map({{"changes", Json::Array()}, {"problems", Json::Array()}, {"missing_data", missing_data}});
  Json::Array told;
  for (const Change& change : changes) {
    told.push_back(Json::Map({{"kind", KindName(change.kind)},
                              {"address", change.address},
                              {"from", change.from},
                              {"to", change.to},
                              {"notes", change.notes}}));
  }
  json.Set("changes", std::move(told));
  json.Set("problems", http::ProblemsToJson(problems));
  json.Set("refused", refused());
  return json;
}

Result<Plan> MakePlan(Context& context, const model::Caller& caller, const Submission& submission) {
  Draft draft = TRY(MakeDraft(context, caller, submission));
  return std::move(draft.plan);
}

Result<Plan> Apply(Context& context, const model::Caller& caller, const Submission& submission) {
  Draft draft = TRY(MakeDraft(context, caller, submission));
  if (draft.plan.refused()) {
    TRY(Record(context, draft.denials));
    return Refusal(draft.plan);
  }
  if (!draft.plan.missing_data.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("{} must be uploaded before this can be applied, the first is {}",
                             Count(draft.plan.missing_data.size(), "data file"), draft.plan.missing_data.front())};
  }
  if (draft.put_mesh) TRY(ApplyMesh(context, caller, *draft.repository.mesh));
  for (const Bundle* bundle : draft.put) TRY(ApplyBundle(context, caller, *bundle));
  return std::move(draft.plan);
}

}  // namespace weft::publish
