#include "work/publish/terms.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/catalog/terms.h"

namespace weft::publish {
namespace {

constexpr size_t kMostTold = 5;

}  // namespace

Result<TermPlan> PlanTerms(store::Txn& txn, const std::vector<model::TermFile>& files,
                           const std::optional<model::Mesh>& mesh) {
  auto notes = [](const model::TermFile& file) {
    std::vector<std::string> told;
    for (const model::Term& term : file.terms) told.push_back("term " + term.name);
    return told;
  };
  TermPlan plan = LayOver(TRY(catalog::TermsOf(txn)), files, notes, model::Terms::Of);
  if (mesh) std::ranges::move(model::JudgeOwners(plan.put, *mesh), std::back_inserter(plan.problems));
  return plan;
}

Result<std::vector<Problem>> StillUsed(store::Txn& txn, const model::Sight& sight, const model::Terms& before,
                                       const model::Terms& next, const std::set<std::string>& replaced) {
  std::vector<Problem> problems;
  for (const auto& [name, term] : before.all()) {
    if (next.Find(name)) continue;
    std::vector<std::string> users;
    for (const catalog::TermColumn& use : TRY(catalog::TermColumns(txn, sight, name))) {
      if (replaced.contains(use.port.domain + "/" + use.port.product)) continue;
      users.push_back(use.Where() + (use.column.empty() ? "" : ": " + use.column));
    }
    if (users.empty()) continue;
    const size_t count = users.size();
    if (count > kMostTold) users.resize(kMostTold);
    const std::string more = count > kMostTold ? fmt::format(" and {} more", count - kMostTold) : "";
    problems.push_back({term->file, 1, 1, "terms", "weft.term",
                        fmt::format("the term '{}' cannot be removed while products speak of it: {}{}", name,
                                    Join(users, ", "), more)});
  }
  return problems;
}

Status PutTerms(Context& context, store::Txn& txn, const model::Caller& caller,
                const std::vector<model::TermFile>& files, const std::set<std::string>& replaced) {
  const auto before = TRY(catalog::TermsOf(txn));
  if (Status put = catalog::PutTerms(txn, context.clock, files, caller.principal.name); !put) {
    if (put.error().problems.empty()) return put;
    return Error{Code::kConflict,
                 "terms were applied by another meanwhile, and do not fit these: " + put.error().message};
  }
  const auto together = TRY(catalog::TermsOf(txn));
  std::vector<Problem> problems = TRY(StillUsed(txn, model::Sight::Everything(), *before, *together, replaced));
  if (!problems.empty()) {
    return Error{Code::kConflict, "products were applied by another meanwhile: " + problems[0].message,
                 std::move(problems)};
  }
  return RecordFiles(txn, context.clock, caller, files, "terms", &model::TermFile::terms);
}

}  // namespace weft::publish
