// A rollback: the rows of a former snapshot, judged by the contract in force, become the newest snapshot.
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "state/catalog/search.h"
#include "state/schedules/schedules.h"
#include "work/run/session.h"

namespace weft::run {

Status Execution::Restore() {
  Session session;
  lake::View former;
  {
    auto txn = TRY(context_.store.Read());
    port_ = TRY(catalog::Load(*txn, run_.port));
    TRY(LoadContract(*txn));
    former = TRY(lake::Open(*txn, run_.port, {.snapshot_id = run_.restores, .time = {}, .tag = ""}));
    auto made_by = runs::Get(*txn, former.snapshot->run_id);
    if (!made_by && made_by.error().code != Code::kNotFound) return made_by.TakeError();
    run_.inputs = made_by ? made_by->inputs : Json(Json::Array{});
    // What would make the same rows changes nothing.
    if (made_by) run_.key = made_by->key;
    if (made_by) run_.basis = made_by->basis;
  }
  TRY(OpenEngine(session));
  TRY(PinKeys(session));
  TRY(Stage(session));
  TRY(session.staging->Restore(former));
  std::vector<std::string> paths = targets_.paths;
  for (const Input& input : session.inputs) paths.insert(paths.end(), input.paths.begin(), input.paths.end());
  for (const lake::DataFile& file : former.files) paths.push_back(file.path);
  TRY(session.instance->Lock(paths, session.staging->folder()));
  CheckAnswer answer = TRY(Check(session));
  checks_ = answer.results;
  if (answer.refused) {
    answer.summary = fmt::format("the rows of snapshot {} break the contract {}, which is in force: {}",
                                 former.snapshot->id, port_.row.version, answer.summary);
    return Refuse(answer);
  }
  return Republish(session, former);
}

// Views of what the contract's foreign keys point at.
Status Execution::PinKeys(Session& session) {
  std::vector<model::DataFile> uploads;
  {
    auto txn = TRY(context_.store.Read());
    uploads = TRY(Pin(*txn, {}));
  }
  TRY(Fetch(uploads, nullptr));
  TRY(remote_.Complete(pinned_));
  TRY(Furnish(session));
  std::map<std::string, std::string> columns;
  for (const Input& input : session.inputs) {
    const engine::Rows rows = TRY(session.connection->Query(
        fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", SqlName(input.sql_name))));
    std::vector<std::string> stub;
    for (size_t i = 0; i < rows.size(); ++i) stub.push_back(SqlName(rows.text(i, 0)) + " " + rows.text(i, 1));
    columns[input.sql_name] = Join(stub, ", ");
  }
  TRY(BeginReads("SELECT 1", columns));
  return Stopped();
}

namespace {

// Its rows have left the quarantine: they would be in neither table.
Error Corrected(const runs::Run& fix) {
  return {Code::kConflict,
          fmt::format("{} corrected rows of the quarantine, and before it they are in no table: roll back "
                      "to its snapshot {} or a later one, or correct the rows at their source",
                      fix.id, fix.snapshot_id.value_or(0))};
}

}  // namespace

Status Execution::Republish(Session& session, const lake::View& former) {
  run_.step = "committing";
  live_.Enter(run_.step, session.connection.get());
  TRY(Stopped());
  lake::Staging& staging = *session.staging;
  TRY(context_.lake.Prepare(staging, lake::Operation::kOverwrite));
  const std::optional<int64_t> instead_of = staging.parent().table.snapshot_id;
  auto commit = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    const std::vector<lake::Snapshot> history = TRY(lake::Ancestry(*txn, run_.port));
    const lake::Snapshot snapshot = TRY(context_.lake.Commit(*txn, staging));
    // Its rows are no fresher than they were.
    TRY(catalog::NoteCommit(*txn, run_.port, former.snapshot->rows_at));
    run_.snapshot_id = snapshot.id;
    run_.status = "succeeded";
    run_.message = fmt::format("readers see the rows of snapshot {} again", former.snapshot->id);
    run_.progress = 100;
    run_.rows = snapshot.rows;
    run_.ended_at = context_.clock.Now();
    TRY(schedules::NoteCommit(*txn, run_.port, context_.clock.Now()));
    TRY(runs::Update(*txn, run_));
    TRY(runs::PutChecks(*txn, run_.id, checks_));
    const std::vector<int64_t> back = lake::LineOf(history, former.snapshot->id);
    std::vector<int64_t> gone = lake::LineOf(history, instead_of.value_or(0));
    std::erase_if(gone, [&](int64_t id) { return std::ranges::find(back, id) != back.end(); });
    Json withdrawn{Json::Array()};
    for (const runs::Run& run : TRY(runs::Withdraw(*txn, run_.port, run_.id, gone, back))) {
      if (run.cause == "fix") return Corrected(run);
      withdrawn.Push(run.id);
    }
    TRY(lineage::Carry(*txn, run_.port, former.snapshot->rows_of(), snapshot.id));
    Json detail = Json::Map({{"snapshot", std::to_string(snapshot.id)},
                             {"restores", std::to_string(former.snapshot->id)},
                             {"instead_of", instead_of ? Json(std::to_string(*instead_of)) : Json()},
                             {"rows", run_.rows},
                             {"contract", port_.row.version},
                             {"withdrawn", std::move(withdrawn)},
                             {"reason", run_.reason}});
    TRY(EndReads(*txn, "completed", ""));
    TRY(Record(*txn, "rolled-back", std::move(detail)));
    return txn->Commit();
  };
  TRY(Persistently(commit));
  session.renewal.reset();
  context_.lake.Published(staging);
  log::Info("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}, {"rows", run_.rows}});
  return {};
}

}  // namespace weft::run
