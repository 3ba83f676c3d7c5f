// What is made of the rows in a quarantine by somebody: corrected ones are judged as those of a run are, and leave it
// in the transaction that adds them to the port; or rows are given up.
#include <fmt/format.h>

#include "base/id.h"
#include "base/text.h"
#include "model/own.h"
#include "work/run/session.h"

namespace weft::run {
namespace {

lake::View Now(const lake::Staging& staging) {
  lake::View view = staging.parent();
  view.schema = staging.schema();
  return view;
}

std::string Rows(int64_t rows) { return HumanCount(rows) + (rows == 1 ? " row" : " rows"); }

}  // namespace

runs::Run Execution::Run(const Correction& correction) {
  correction_ = &correction;
  return Run();
}

Status Execution::Correct() {
  Session session;
  {
    auto txn = TRY(context_.store.Read());
    TRY(Load(*txn));
    filled_.reset();  // The rows say what they were filled with.
    // What a run would make of the inputs is what it would have made without this one.
    if (const auto newest = TRY(runs::DoneAt(*txn, run_.port, ""))) {
      run_.key = newest->key;
      run_.basis = newest->basis;
    }
  }
  if (!aside_filled_) {
    return Error{Code::kNotFound,
                 fmt::format("{} has no rows: there is nothing to correct", model::QuarantineKey(run_.port).Text())};
  }
  run_.inputs = Json(Json::Array{});
  TRY(OpenEngine(session));
  if (correction_->sha256.empty()) return GiveUp(session);
  return Resubmit(session);
}

Status Execution::GiveUp(Session& session) {
  TRY(Stage(session));
  TRY(StageAside(session));
  std::vector<std::string> paths;
  for (const lake::DataFile& file : session.aside->parent().files) paths.push_back(file.path);
  TRY(session.instance->Lock(paths, session.aside->folder()));
  const std::string open = lake::ScanSql(Now(*session.aside));
  engine::Connection& connection = *session.connection;
  int64_t gone = 0;
  if (correction_->all) {
    gone = TRY(connection.Query(fmt::format("SELECT count(*) FROM ({})", open))).integer(0, 0);
  } else {
    std::vector<std::string> rows;
    for (const std::string& id : correction_->ids) rows.push_back("(" + SqlText(id) + ")");
    TRY(connection.Execute(
        fmt::format("CREATE TEMP TABLE weft_gone AS SELECT DISTINCT i FROM (VALUES {}) AS v(i)", Join(rows, ", "))));
    const engine::Rows unknown = TRY(connection.Query(
        fmt::format("SELECT i FROM weft_gone ANTI JOIN ({}) AS o ON i = o.weft_id ORDER BY 1 LIMIT 1", open)));
    if (unknown.size() > 0) {
      return Error{Code::kNotFound, fmt::format("'{}' is of no row in {}: nothing was changed", unknown.text(0, 0),
                                                model::QuarantineKey(run_.port).Text())};
    }
    gone = TRY(connection.Query("SELECT count(*) FROM weft_gone")).integer(0, 0);
    TRY(session.aside->Write(connection,
                             fmt::format("SELECT o.* FROM ({}) AS o ANTI JOIN weft_gone ON i = o.weft_id", open), ""));
  }
  met_ = {0, false, fmt::format("{} given up: {}", Rows(gone), correction_->why)};
  return Leave(session);
}

// Reads the file as a source of the contract's own columns; how numbers and dates are written there, the port's own
// source says.
Status Execution::ReadCorrected(Session& session) {
  model::Source source;
  source.kind = "file";
  source.path = correction_->name;
  source.format = model::own::KindOf(correction_->name).format;
  if (source.format.empty()) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' does not tell its format: name it .csv, .json or .parquet", correction_->name)};
  }
  source.options = Json::Object();
  if (build_.sql_file.empty() && source.format == "csv" && port_.bundle->product.inputs.size() == 1) {
    const std::optional<model::Source>& own = port_.bundle->product.inputs[0].source;
    for (const char* option : {"decimal", "date_format", "timestamp_format"}) {
      if (own && own->kind == "file" && own->options[option].is_text())
        source.options.Set(option, own->options[option]);
    }
  }
  const Files files = TRY(FindFiles(source, "", {{correction_->name, correction_->sha256, 0}}, context_.options));
  Expected expected;
  for (const model::Field& field : schema_.fields) expected.columns.push_back({field.name, field.type});
  expected.columns.push_back({"weft_id", {}});
  Input input{"fix", "", {}, files.paths, {"fix", "", "", "file:" + correction_->name, files.version}};
  input.reader = TRY(ReaderOf(*session.connection, files, source, expected));
  run_.inputs.Push(Json::Map({{"name", "fix"}, {"source", "file:" + correction_->name}, {"version", files.version}}));
  session.inputs.push_back(std::move(input));
  return {};
}

Status Execution::Resubmit(Session& session) {
  TRY(PinKeys(session));
  TRY(ReadCorrected(session));
  TRY(Stage(session));
  TRY(StageAside(session));
  std::vector<std::string> paths = Readable(session);
  for (const lake::DataFile& file : session.aside->parent().files) paths.push_back(file.path);
  TRY(session.connection->Execute(fmt::format("SET allowed_directories = [{}, {}]",
                                              SqlText(session.staging->folder() + "/"),
                                              SqlText(session.aside->folder() + "/"))));
  TRY(session.instance->Lock(paths));
  run_.step = "reading";
  live_.Enter(run_.step, session.connection.get());
  CheckAnswer answer = TRY(PutCorrected(session));
  checks_ = answer.results;
  if (answer.refused) return Refuse(answer);
  return met_.changed ? Publish(session) : Leave(session);
}

Result<CheckAnswer> Execution::PutCorrected(Session& session) {
  engine::Connection& connection = *session.connection;
  auto divided = Divide(session);
  if (!divided) return ExplainRejects(connection, {session.inputs.back()}, schema_, divided.TakeError());
  TRY(Stopped());
  const int64_t good = divided->sent - divided->rows;
  CheckAnswer answer;
  if (good > 0) {
    met_ = TRY(Meet(connection, *session.staging,
                    {Mode(), divided->good,
                     Mode() == "upsert" ? port_.contract->schema[0].PrimaryKey() : std::vector<std::string>(),
                     build_.cluster_by, std::nullopt}));
    answer = TRY(Check(session));
    if (answer.refused) return answer;
  } else {
    met_.changed = false;
  }
  run_.rows = good;
  const std::string open = lake::ScanSql(Now(*session.aside));
  TRY(session.aside->Write(
      connection,
      fmt::format("SELECT o.* FROM ({}) AS o ANTI JOIN weft_sent AS s ON o.weft_id = s.weft_id::VARCHAR UNION ALL BY "
                  "NAME {}",
                  open, divided->bad),
      ""));
  TRY(NoteCauses(connection, *divided, port_.contract->file, answer));
  met_.told = good == 0 ? "none of them keeps the contract" : Rows(good) + " corrected";
  if (divided->rows > 0)
    met_.told += fmt::format("; {} still in quarantine ({})", Rows(divided->rows), divided->Text());
  if (good > 0 && build_.mode == "replace")
    met_.told += "; the next run that is not skipped replaces all rows: correct them where they come from, too";
  if (good > 0 && build_.mode == "snapshot")
    met_.told += "; another run for the same time replaces its state: correct them where they come from, too";
  return answer;
}

}  // namespace weft::run
