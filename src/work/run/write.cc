// From a furnished engine to staged files that are judged: a run's rows meet those that are there.
#include <fmt/format.h>

#include <set>

#include "base/log.h"
#include "base/text.h"
#include "model/incremental.h"
#include "work/run/session.h"

namespace weft::run {
namespace {

constexpr auto kRenewEvery = std::chrono::seconds(15);  // Leases live a minute.

}  // namespace

Status Execution::Stage(Session& session) {
  std::optional<lake::Codec> codec;
  const std::string compression = port_.port->storage ? port_.port->storage->compression : "";
  if (!compression.empty()) codec = TRY(lake::CodecFrom(compression));
  session.staging = TRY(context_.lake.Stage(run_.port, schema_, port_.row.version, run_.id, codec));
  lake::Staging& staging = *session.staging;
  session.renewal = std::make_unique<Ticker>(kRenewEvery, [&staging, this] {
    if (Status renewed = staging.Renew(); !renewed)
      log::Warn("lease not renewed", {{"run", run_.id}, {"error", renewed.error().message}});
  });
  return {};
}

std::vector<std::string> Execution::Readable(const Session& session) const {
  std::vector<std::string> paths = targets_.paths;
  for (const Input& input : session.inputs) paths.insert(paths.end(), input.paths.begin(), input.paths.end());
  if (Stays()) {
    for (const lake::DataFile& file : session.staging->parent().files) paths.push_back(file.path);
  }
  return paths;
}

Result<std::string> Execution::TableSql(const std::string& target) const {
  const auto found = targets_.select.find(target);
  if (found != targets_.select.end()) return found->second;
  return Error{
      Code::kNotFound,
      fmt::format("'{}' is no input port, no other output port of the product and no domain.product.port", target)};
}

Status Execution::Write(Session& session) {
  TRY(Stage(session));
  lake::Staging& staging = *session.staging;
  TRY(session.instance->Lock(Readable(session), staging.folder()));
  run_.step = "reading";
  live_.Enter(run_.step, session.connection.get());
  auto met = Meet(*session.connection, staging,
                  {build_.mode, session.build.sql, port_.contract->schema[0].PrimaryKey(), build_.cluster_by, filled_});
  if (!met) return ExplainRejects(*session.connection, session.inputs, schema_, met.TakeError());
  met_ = met.TakeValue();
  run_.rows = met_.rows;
  bool only_new = false;
  for (const Pinned& pinned : pinned_) {
    if (pinned.progress) TRY(StillTheSame(pinned.progress->fresh));
    only_new = only_new || model::ReadsOnlyNew(*pinned.port->source);
  }
  const bool none = only_new && build_.mode == "append" && met_.rows == 0 && staging.parent().table.snapshot_id;
  if (none) met_.changed = false;
  return Stopped();
}

// What the table's rows were found to keep to without exception when they were committed, as far as that is on record.
Result<std::set<std::string>> Execution::Held(const lake::Snapshot& snapshot) {
  auto txn = TRY(context_.store.Read());
  auto made_by = runs::Get(*txn, snapshot.run_id);
  if (!made_by && made_by.error().code != Code::kNotFound) return made_by.TakeError();
  std::set<std::string> held;
  for (const runs::CheckResult& check : made_by ? made_by->checks : std::vector<runs::CheckResult>()) {
    const bool kept = check.outcome == "passed" || check.outcome == "diverted";
    if (kept && check.value == 0.0) held.insert(check.id + " " + check.description);
  }
  return held;
}

Result<CheckAnswer> Execution::Check(Session& session) {
  run_.step = "checking";
  live_.Enter(run_.step, session.connection.get());
  lake::View staged = session.staging->parent();
  staged.schema = session.staging->schema();
  lake::View whole = staged;
  const bool stays = Stays();
  const auto late =
      stays && !correction_ ? TRY(LateCheck(*session.connection, build_, staged)) : std::optional<model::Check>();
  staged.files = session.staging->files();
  whole.files = stays ? session.staging->Kept() : std::vector<lake::DataFile>();
  whole.files.insert(whole.files.end(), staged.files.begin(), staged.files.end());
  CheckRequest request{*session.connection,
                       *port_.contract,
                       schema_,
                       *entities_,
                       lake::ScanSql(staged),
                       lake::ScanSql(whole),
                       {},
                       {},
                       {}};
  if (late) request.also.push_back(*late);
  std::set<std::string> held;
  if (stays && session.staging->parent().snapshot) held = TRY(Held(*session.staging->parent().snapshot));
  request.among = [&](const model::Check& check) -> Result<std::string> {
    lake::View some = whole;
    const std::string names = Join(check.columns, ", ");
    const std::string of_key = check.columns.size() == 1 ? names : "(" + names + ")";
    // Its own words, and not an author's, which may have been said of other columns.
    const bool plain = check.description == of_key + " has no duplicates";
    if (plain && held.contains(check.id + " " + check.description)) {
      some.files = session.staging->Kept();
      some.files = TRY(FilesThatMayCollide(*session.connection, some, staged.files, check.columns));
      some.files.insert(some.files.end(), staged.files.begin(), staged.files.end());
    }
    return lake::ScanSql(some);
  };
  request.table_sql = [this](const std::string& target) { return TableSql(target); };
  CheckAnswer answer = TRY(context_.check(request));
  TRY(Stopped());
  return answer;
}

// The table is as the run would make it: no snapshot is made of that.
Status Execution::Leave(Session& session) {
  run_.status = "succeeded";
  run_.message = Outcome();
  // That of the rows: what upkeep or a rollback made of them stands for it.
  const std::optional<lake::Snapshot>& there = session.staging->parent().snapshot;
  run_.snapshot_id = there ? std::optional(there->restores.value_or(there->id)) : std::nullopt;
  run_.progress = 100;
  run_.ended_at = context_.clock.Now();
  TRY(PrepareAside(session));
  auto end = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    Json detail = Json::Map({{"unchanged", true}, {"inputs", run_.inputs}, {"key", run_.key}});
    TRY(CommitAside(*txn, session, &detail));
    TRY(Close(*txn, context_.clock, run_));
    TRY(runs::PutChecks(*txn, run_.id, checks_));
    TRY(PutPositions(*txn));
    TRY(EndReads(*txn, "completed", "nothing changed"));
    TRY(Record(*txn, "ran", std::move(detail)));
    return txn->Commit();
  };
  TRY(Persistently(end));
  if (session.aside) context_.lake.Published(*session.aside);
  log::Info("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}, {"rows", run_.rows}});
  return {};
}

}  // namespace weft::run
