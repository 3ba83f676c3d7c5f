// What a run does with rows that break its contract, where the contract has a quarantine: they are committed to it in
// the transaction that commits the others, or refuse the run where they are too many.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "model/incremental.h"
#include "model/quarantine.h"
#include "state/schedules/schedules.h"
#include "work/run/session.h"

namespace weft::run {
namespace {

constexpr auto kRenewEvery = std::chrono::seconds(15);  // Leases live a minute.
constexpr int kSampleRows = 5;

std::string TableName(const model::PortKey& key) {
  return fmt::format("{}.{}.{}_v{}", model::SqlNameOf(key.domain), model::SqlNameOf(key.product),
                     model::SqlNameOf(key.port), key.major);
}

lake::View Now(const lake::Staging& staging) {
  lake::View view = staging.parent();
  view.schema = staging.schema();
  return view;
}

// The check as the run's row has it: what it found in the rows that were sent.
runs::CheckResult& ResultOf(const Diverted::Cause& cause, std::vector<runs::CheckResult>& results) {
  const auto at = std::ranges::find(results, cause.check, &runs::CheckResult::id);
  if (at != results.end()) return *at;
  runs::CheckResult result;
  result.id = cause.check;
  result.description = cause.reason;
  result.expected = "0 rows";
  results.push_back(std::move(result));
  return results.back();
}

}  // namespace

Status NoteCauses(engine::Connection& connection, const Diverted& diverted, const std::string& file,
                  CheckAnswer& answer) {
  for (const Diverted::Cause& cause : diverted.causes) {
    runs::CheckResult& result = ResultOf(cause, answer.results);
    result.outcome = answer.refused ? "failed" : "diverted";
    result.failing_rows = cause.rows;
    if (cause.place.line > 0) result.place = fmt::format("{}:{}:{}", file, cause.place.line, cause.place.column);
    if (!answer.refused) continue;
    result.value = static_cast<double>(cause.rows);
    const engine::Rows rows = TRY(connection.Query(
        fmt::format("SELECT to_json(q)::VARCHAR FROM (SELECT * EXCLUDE (weft_id, weft_at, weft_run, weft_check, "
                    "weft_reason) FROM ({}) WHERE weft_check = {}) AS q LIMIT {}",
                    diverted.bad, SqlText(cause.check), kSampleRows)));
    result.sample = Json(Json::Array{});
    for (size_t i = 0; i < rows.size(); ++i) result.sample.Push(TRY(Json::Parse(rows.text(i, 0))));
  }
  return {};
}

Status Execution::LoadAside(store::Txn& txn) {
  terms_ = model::QuarantineTermsOf(*port_.contract);
  if (!terms_) return {};
  const model::Bundle quarantines = model::QuarantinesOf(*port_.bundle);
  const model::PortKey key = model::QuarantineKey(run_.port);
  const model::OutputPort* port = quarantines.product.Output(key.port);
  const model::Contract* contract = port ? quarantines.ContractOf(*port) : nullptr;
  if (!contract) return Error{Code::kInternal, fmt::format("{} has no contract", key.Text())};
  const lake::View now = TRY(lake::Open(txn, key));
  aside_schema_ = TRY(model::SchemaOf(contract->schema[0], now.snapshot ? &now.table.schema : nullptr));
  aside_filled_ = now.snapshot && now.snapshot->rows > 0;
  return {};
}

Status Execution::StageAside(Session& session) {
  session.aside =
      TRY(context_.lake.Stage(model::QuarantineKey(run_.port), aside_schema_, port_.row.version, run_.id, {}));
  lake::Staging& staging = *session.aside;
  session.aside_renewal = std::make_unique<Ticker>(kRenewEvery, [&staging, this] {
    if (Status renewed = staging.Renew(); !renewed)
      log::Warn("lease not renewed", {{"run", run_.id}, {"error", renewed.error().message}});
  });
  return {};
}

// The engine is another: what the first try made of the inputs is gone with its own.
Result<bool> Execution::SetAside(std::unique_ptr<Session>& session, CheckAnswer& answer) {
  TRY(Stopped());
  session.reset();
  session = std::make_unique<Session>();
  TRY(OpenEngine(*session));
  session->build = judged_;
  TRY(Furnish(*session));
  TRY(Stage(*session));
  TRY(StageAside(*session));
  std::vector<std::string> paths = Readable(*session);
  for (const lake::DataFile& file : session->aside->parent().files) paths.push_back(file.path);
  TRY(session->connection->Execute(fmt::format("SET allowed_directories = [{}, {}]",
                                               SqlText(session->staging->folder() + "/"),
                                               SqlText(session->aside->folder() + "/"))));
  TRY(session->instance->Lock(paths));
  run_.step = "setting aside";
  live_.Enter(run_.step, session->connection.get());
  auto divided = Divide(*session);
  TRY(Stopped());
  if (!divided && divided.error().code == Code::kUnavailable) return divided.TakeError();
  // As it was without: what the run cannot be told of single rows, it is told as a whole.
  if (!divided || divided->rows == 0) return false;
  answer.summary = TooMany(*divided);
  answer.refused = !answer.summary.empty();
  if (!answer.refused) {
    met_ = TRY(Meet(*session->connection, *session->staging,
                    {build_.mode, divided->good, port_.contract->schema[0].PrimaryKey(), build_.cluster_by, filled_}));
    run_.rows = met_.rows;
    for (const Pinned& pinned : pinned_) {
      if (pinned.progress) TRY(StillTheSame(pinned.progress->fresh));
    }
    answer = TRY(Check(*session));
    if (answer.refused) return true;
    TRY(WriteAside(*session, *divided));
  }
  TRY(NoteCauses(*session->connection, *divided, port_.contract->file, answer));
  if (!answer.refused) diverted_ = divided.TakeValue();
  return true;
}

Result<Diverted> Execution::Divide(Session& session) {
  Diverting what{.schema = schema_, .quarantine = aside_schema_};
  if (correction_) {
    what.input = &session.inputs.back();
    what.files = {correction_->name};
    what.open = lake::ScanSql(Now(*session.aside));
  } else if (build_.sql_file.empty() && !session.inputs.empty()) {
    const std::string& name = *judged_.inputs.begin();
    const auto input = std::ranges::find(session.inputs, name, &Input::name);
    if (input == session.inputs.end()) return Error{Code::kInternal, fmt::format("the input '{}' is gone", name)};
    what.input = &*input;
    for (const Pinned& pinned : pinned_) {
      if (pinned.port->name == name && pinned.files) what.files = pinned.files->names;
    }
  } else {
    what.sql = judged_.sql;
  }
  what.filled = filled_;
  const bool stays = Stays();
  std::vector<model::Check> checks = TRY(model::CompileChecks(*port_.contract, schema_, *entities_));
  const lake::View there = Now(*session.staging);
  if (auto late =
          stays && !correction_ ? TRY(LateCheck(*session.connection, build_, there)) : std::optional<model::Check>()) {
    checks.push_back(*std::move(late));
  }
  what.checks = ChecksOfRows(std::move(checks));
  // An append keeps the first row of a key, and those that come again are no mistake. A row that somebody corrected is
  // not to go without a word.
  const std::vector<std::string> key = port_.contract->schema[0].PrimaryKey();
  std::erase_if(what.checks, [&](const model::Check& check) {
    return Mode() == "append" && !correction_ && check.kind == model::Check::Kind::kUnique && check.columns == key;
  });
  what.new_keys = Mode() == "append";
  what.table_sql = [this](const std::string& target) { return TableSql(target); };
  if (stays && !there.files.empty()) what.stays = lake::ScanSql(there);
  what.run = run_.id;
  what.at = run_.started_at.value_or(run_.requested_at);
  return Divert(*session.connection, what);
}

// Why the run is refused all the same; empty: it is not. No value of the data is in it.
std::string Execution::TooMany(const Diverted& diverted) const {
  const double share = 100.0 * static_cast<double>(diverted.rows) / static_cast<double>(diverted.sent);
  const bool rows = terms_->max_rows && diverted.rows > *terms_->max_rows;
  const bool part = terms_->max_share && share > *terms_->max_share;
  const bool none = diverted.rows == diverted.sent && (build_.mode == "replace" || build_.mode == "snapshot");
  if (!rows && !part && !none) return "";
  return fmt::format("{} of {} rows break the contract, and {}: {}", HumanCount(diverted.rows),
                     HumanCount(diverted.sent),
                     rows || part ? "its quarantine takes " + terms_->Text() : "no row would be left", diverted.Text());
}

// Whether no row that was read before is read again.
bool Execution::OnlyNew() const {
  return !pinned_.empty() && std::ranges::all_of(pinned_, [](const Pinned& pinned) {
    return model::ReadsOnlyNew(*pinned.port->source) && pinned.port->source->options["lag"].is_null();
  });
}

// What is there already, since the same rows came before, is not added again.
Status Execution::WriteAside(Session& session, const Diverted& diverted) {
  const lake::View there = Now(*session.aside);
  std::string select = diverted.bad;
  if (build_.mode != "replace" && !OnlyNew() && !there.files.empty()) {
    std::vector<std::string> same = {"o.weft_check = n.weft_check"};
    for (const model::Field& field : aside_schema_.fields) {
      if (!field.name.starts_with("weft_"))
        same.push_back(fmt::format("o.{0} IS NOT DISTINCT FROM n.{0}", SqlName(field.name)));
    }
    same.emplace_back("(n.weft_check <> 'line' OR (o.weft_source = n.weft_source AND o.weft_line = n.weft_line))");
    select = fmt::format("SELECT n.* FROM ({}) AS n ANTI JOIN ({}) AS o ON {}", select, lake::ScanSql(there),
                         Join(same, " AND "));
  }
  return session.aside->Write(*session.connection, select, "");
}

Status Execution::ClearAside(Session& session) {
  if (!terms_ || !aside_filled_ || build_.mode != "replace") return {};
  return StageAside(session);
}

Status Execution::PrepareAside(Session& session) {
  if (!session.aside) return {};
  const bool anew = correction_ || build_.mode == "replace";
  return context_.lake.Prepare(*session.aside, anew ? lake::Operation::kOverwrite : lake::Operation::kAppend);
}

Status Execution::CommitAside(store::Txn& txn, Session& session, Json* detail) {
  if (!session.aside) return {};
  const model::PortKey key = model::QuarantineKey(run_.port);
  const lake::Snapshot snapshot = TRY(context_.lake.Commit(txn, *session.aside));
  TRY(schedules::NoteCommit(txn, key, context_.clock.Now()));
  std::vector<lineage::Input> inputs;
  for (const Pinned& pinned : pinned_) inputs.push_back(pinned.lineage);
  TRY(lineage::Record(txn, key, snapshot.id, run_.id, inputs, columns_));
  Json checks = Json::Object(),
       of_it = Json::Map({{"snapshot", std::to_string(snapshot.id)}, {"rows", diverted_ ? diverted_->rows : 0}});
  for (const Diverted::Cause& cause : diverted_ ? diverted_->causes : std::vector<Diverted::Cause>())
    checks.Set(cause.check, cause.rows);
  of_it.Set("checks", std::move(checks));
  detail->Set("quarantine", std::move(of_it));
  if (!run_.reason.empty()) detail->Set("reason", run_.reason);
  Json own = Json::Map({{"snapshot", std::to_string(snapshot.id)},
                        {"operation", snapshot.operation},
                        {"rows", snapshot.added_rows},
                        {"contract", port_.row.version},
                        {"run", run_.id},
                        {"of", run_.port.Text()}});
  return ledger::Append(txn, context_.clock, {"committed", run_.requested_by, purpose_, key.Text(), std::move(own)});
}

const std::string& Execution::Mode() const {
  static const std::string kAppend = "append";
  return correction_ && build_.mode != "upsert" ? kAppend : build_.mode;
}

std::string Execution::ToldAside(const Diverted& diverted) const {
  return fmt::format("{} in quarantine ({}): weft sql \"SELECT * FROM {}\"", HumanCount(diverted.rows), diverted.Text(),
                     TableName(model::QuarantineKey(run_.port)));
}

}  // namespace weft::run
