// What a run reads of other ports, in the ledger: before the first row is read, and when the run ends.
#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/engine/scans.h"
#include "state/ledger/audit.h"
#include "work/run/execution.h"

namespace weft::run {
namespace {

// Which columns of its inputs a build reads, by their names in SQL; nothing where it cannot be told.
std::optional<engine::Planner::Columns> ScannedBy(const std::string& sql, const std::vector<Pinned>& inputs,
                                                  const std::map<std::string, std::string>& columns) {
  auto scan = [&]() -> Result<engine::Planner::Columns> {
    auto planner = TRY(engine::Planner::Open());
    for (const Pinned& input : inputs) {
      const std::string name = input.port->SqlName();
      const auto stands = columns.find(name);
      if (stands == columns.end()) return Error{Code::kInternal, "the columns of '" + name + "' are not known"};
      TRY(planner->Stand("", "", name, stands->second));
    }
    return planner->Scans(sql, {});
  };
  auto scanned = scan();
  if (scanned) return scanned.TakeValue();
  log::Warn("a run's reads are recorded as those of all columns", {{"why", scanned.error().message}});
  return std::nullopt;
}

// "place.city" is a part of the column place.
bool Reads(const std::set<std::string>& scanned, const std::string& column) {
  return std::ranges::any_of(scanned, [&](const std::string& each) {
    return Lower(each) == Lower(column) || Lower(each).starts_with(Lower(column) + ".");
  });
}

Json ColumnsRead(const PortRead& read, const std::set<std::string>* scanned) {
  Json columns = Json::Object();
  for (const auto& [column, how] : read.columns) {
    if (!scanned || Reads(*scanned, column) || Reads(read.keys, column)) columns.Set(column, how);
  }
  return columns;
}

}  // namespace

Status Execution::BeginReads(const std::string& sql, const std::map<std::string, std::string>& columns) {
  const std::string principal = ProductPrincipal(run_.port), &purpose = port_.bundle->product.purpose;
  auto begin = [&](const PortRead& read, const std::set<std::string>* scanned) {
    reads_.push_back({"read.started", principal, purpose, read.address,
                      Json::Map({{"read", NewId("read")},
                                 {"run", run_.id},
                                 {"door", "run"},
                                 {"snapshot", read.snapshot},
                                 {"columns", ColumnsRead(read, scanned)},
                                 {"right", read.right},
                                 {"policies", read.policies}})});
  };
  const bool ports = std::ranges::any_of(pinned_, [](const Pinned& pinned) { return pinned.read.has_value(); });
  const auto scanned = ports ? ScannedBy(sql, pinned_, columns) : std::nullopt;
  const std::set<std::string> none;
  for (const Pinned& pinned : pinned_) {
    if (!pinned.read) continue;
    const std::set<std::string>* of_input = scanned ? &none : nullptr;
    if (scanned && scanned->contains(Lower(pinned.port->SqlName()))) {
      of_input = &scanned->at(Lower(pinned.port->SqlName()));
    }
    begin(*pinned.read, of_input);
  }
  for (const PortRead& read : targets_.reads) begin(read, &none);
  if (reads_.empty()) return {};
  return TRY(context_.ledger.AppendSoon(reads_))();
}

Status Execution::EndReads(store::Txn& txn, const std::string& outcome, const std::string& why) {
  for (const ledger::Entry& read : reads_) {
    Json detail = Json::Map({{"read", read.detail["read"]},
                             {"seen", ledger::SeenDigest(read.detail)},
                             {"run", run_.id},
                             {"snapshot", read.detail["snapshot"]},
                             {"outcome", outcome}});
    if (!why.empty()) detail.Set("why", why);
    TRY(ledger::Append(txn, context_.clock,
                       {"read.ended", read.principal, read.purpose, read.address, std::move(detail)}));
  }
  return {};
}

}  // namespace weft::run
