#include "work/publish/publish.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "base/text.h"
#include "drivers/http/message.h"
#include "state/catalog/terms.h"
#include "state/ledger/ledger.h"
#include "work/publish/draft.h"
#include "work/publish/plan.h"
#include "work/publish/rights.h"
#include "work/publish/schedules.h"

namespace weft::publish {
namespace {

using model::Bundle;
using model::Mesh;

constexpr size_t kBatch = 50;  // Products of one transaction: other writers wait for it.

// What was refused, as the ledger tells it: by the rules, since messages quote what people wrote.
ledger::Entry RefusalRow(const model::Caller& caller, const std::string& address,
                         const std::vector<Problem>& problems) {
  std::set<std::string> rules;
  for (const Problem& problem : problems) {
    if (problem.level == Problem::Level::kError) rules.insert(problem.rule);
  }
  return ledger::Refusal(caller, "apply", address, Join(std::vector(rules.begin(), rules.end()), ", "));
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
  const model::Decision decision = TRY(access::Decide(txn, context.clock, caller, action, resource));
  if (decision.permitted) return {};
  *denial = ledger::Denial(caller, action, address, decision.reasons);
  return Error{Code::kDenied, fmt::format("{} may no longer {} {}: {}", caller.principal.name,
                                          model::ActionName(action), address, decision.Why())};
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
    TRY(access::PutAttributes(txn, mesh.attributes));
    ledger::Entry entry{"published", caller.principal.name, caller.purpose, "mesh", {}};
    entry.detail = Json::Map({{"mesh", mesh.id}, {"sha256", Sha256(mesh.bytes)}});
    return ledger::Append(txn, context.clock, entry);
  });
}

Status ApplyEntities(Context& context, const model::Caller& caller, const Draft& draft) {
  std::optional<ledger::Entry> denial;
  return InTransaction(context, denial, [&](store::Txn& txn) -> Status {
    TRY(DecideAgain(context, txn, caller, model::Action::kGovern, {}, "mesh", &denial));
    return PutEntities(context, txn, caller, draft.entities.put, draft.replaced);
  });
}

Status ApplyTerms(Context& context, const model::Caller& caller, const Draft& draft) {
  std::optional<ledger::Entry> denial;
  return InTransaction(context, denial, [&](store::Txn& txn) -> Status {
    TRY(DecideAgain(context, txn, caller, model::Action::kGovern, {}, "mesh", &denial));
    return PutTerms(context, txn, caller, draft.terms.put, draft.changed);
  });
}

// The terms may have been changed by another meanwhile.
Status CheckTerms(store::Txn& txn, const Bundle& bundle) {
  const auto terms = TRY(catalog::TermsOf(txn));
  std::vector<Problem> problems = terms->Judge(bundle);
  if (problems.empty()) return {};
  return Error{Code::kConflict, "terms were changed by another meanwhile: " + problems[0].message, std::move(problems)};
}

// The entities may have been changed by another meanwhile.
Status CheckEntities(store::Txn& txn, const Bundle& bundle) {
  const auto entities = TRY(catalog::EntitiesOf(txn));
  for (const model::Contract& contract : bundle.contracts) {
    std::vector<Problem> problems = entities->Judge(contract);
    if (problems.empty()) continue;
    return Error{Code::kConflict, "entities were changed by another meanwhile: " + problems[0].message,
                 std::move(problems)};
  }
  return {};
}

Status ApplyPolicies(Context& context, const model::Caller& caller, const std::vector<model::PolicyFile>& files) {
  std::optional<ledger::Entry> denial;
  return InTransaction(context, denial, [&](store::Txn& txn) -> Status {
    TRY(DecideAgain(context, txn, caller, model::Action::kGovern, {}, "mesh", &denial));
    return PutPolicies(txn, context.clock, caller, files);
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
Status ApplyBundle(Context& context, store::Txn& txn, const model::Caller& caller, const Bundle& bundle,
                   std::optional<ledger::Entry>* denial) {
  const std::string& domain = bundle.product.domain;
  const std::string& name = bundle.product.name;
  const Registered registered = TRY(Catalogue::ReadOne(catalog::Everything(txn), domain, name));
  Comparison comparison = TRY(Compare(context, txn, caller, bundle, registered));
  if (!comparison.problems.empty()) {
    *denial = RefusalRow(caller, domain + "/" + name, comparison.problems);
    return Error{
        Code::kConflict,
        fmt::format("{}/{} was published by another meanwhile: {}", domain, name, comparison.problems[0].message),
        std::move(comparison.problems)};
  }
  if (!comparison.register_it) return {};
  const Needed needed = TRY(NeededFor(catalog::Everything(txn), txn, bundle, TRY(catalog::TeamOf(txn, domain))));
  const std::string about = domain + "/" + name;
  TRY(DecideAgain(context, txn, caller, model::Action::kPublish, needed.resource, about, denial));
  if (needed.grant) TRY(DecideAgain(context, txn, caller, model::Action::kGrant, needed.resource, about, denial));
  const bool only_data = std::all_of(comparison.changes.begin(), comparison.changes.end(),
                                     [](const Change& change) { return change.kind == Change::Kind::kData; });
  if (!only_data) {
    TRY(CheckEntities(txn, bundle));
    TRY(CheckTerms(txn, bundle));
  }
  if (!only_data) {
    TRY(catalog::Put(txn, context.clock, bundle, caller.principal.name));
    TRY(PutSchedules(txn, context.clock, caller, bundle));
  }
  TRY(PutData(context, txn, bundle));
  return RecordChanges(context, caller, bundle, comparison, txn);
}

// Several in one transaction: a commit waits for the disk. Where that does not go, each by itself up to the one that
// cannot be.
Status ApplyBatch(Context& context, const model::Caller& caller, std::span<const Bundle* const> batch) {
  const Status together = [&]() -> Status {
    std::optional<ledger::Entry> denial;
    std::unique_ptr<store::Txn> txn = TRY(context.store.Begin());
    for (const Bundle* bundle : batch) TRY(ApplyBundle(context, *txn, caller, *bundle, &denial));
    return txn->Commit();
  }();
  if (together) return {};
  for (const Bundle* bundle : batch) {
    std::optional<ledger::Entry> denial;
    TRY(InTransaction(context, denial,
                      [&](store::Txn& txn) { return ApplyBundle(context, txn, caller, *bundle, &denial); }));
  }
  return {};
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

namespace {

Json FindingsJson(const std::vector<Finding>& findings) {
  Json::Array all;
  for (const Finding& finding : findings) {
    const model::Difference& difference = finding.difference;
    Json json = Json::Map({{"impact", ImpactName(difference.impact)},
                           {"kind", difference.kind},
                           {"what", difference.what},
                           {"column", difference.column},
                           {"file", finding.file},
                           {"line", difference.now.line},
                           {"previous", finding.previous},
                           {"previous_line", difference.was.line}});
    if (difference.impact != model::Impact::kCompatible) json.Set("readers", finding.readers.ToJson());
    all.push_back(std::move(json));
  }
  return Json(std::move(all));
}

}  // namespace

Json Plan::ToJson() const {
  Json json = Json::Map({{"changes", Json::Array()}, {"problems", Json::Array()}, {"missing_data", missing_data}});
  if (!wanted.empty()) json.Set("wanted", wanted);
  Json::Array told;
  for (const Change& change : changes) {
    told.push_back(Json::Map({{"kind", KindName(change.kind)},
                              {"address", change.address},
                              {"from", change.from},
                              {"to", change.to},
                              {"notes", change.notes},
                              {"differences", FindingsJson(change.findings)}}));
  }
  json.Set("changes", std::move(told));
  Json::Array felt;
  for (const Effect& effect : effects) {
    felt.push_back(Json::Map({{"principal", effect.principal},
                              {"address", effect.address},
                              {"purposes", effect.purposes},
                              {"notes", effect.notes}}));
  }
  json.Set("effects", std::move(felt));
  json.Set("effects_cut", effects_cut);
  if (!environment.empty()) json.Set("environment", environment);
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
  if (!draft.plan.wanted.empty()) return std::move(draft.plan);
  if (draft.plan.refused()) {
    std::vector<ledger::Entry> rows = draft.denials;
    if (rows.empty()) rows.push_back(RefusalRow(caller, "", draft.plan.problems));
    TRY(Record(context, rows));
    return Refusal(draft.plan);
  }
  if (!draft.plan.missing_data.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("{} must be uploaded before this can be applied, the first is {}",
                             Count(draft.plan.missing_data.size(), "data file"), draft.plan.missing_data.front())};
  }
  if (draft.put_mesh) TRY(ApplyMesh(context, caller, *draft.repository.mesh));
  if (!draft.entities.put.empty()) TRY(ApplyEntities(context, caller, draft));
  if (!draft.terms.put.empty()) TRY(ApplyTerms(context, caller, draft));
  if (!draft.policies.put.empty()) TRY(ApplyPolicies(context, caller, draft.policies.put));
  for (size_t at = 0; at < draft.put.size(); at += kBatch) {
    TRY(ApplyBatch(context, caller, std::span(draft.put).subspan(at, std::min(kBatch, draft.put.size() - at))));
  }
  return std::move(draft.plan);
}

}  // namespace weft::publish
