#include "work/run/execution.h"

#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "model/incremental.h"
#include "state/catalog/search.h"
#include "state/schedules/schedules.h"
#include "work/run/build.h"
#include "work/run/lineage_plan.h"
#include "work/run/session.h"

namespace weft::run {
namespace {

// What was read. Of a source that an environment lays its own over, all that it says counts.
Json ToJson(const Pinned& pinned) {
  const lineage::Input& input = pinned.lineage;
  Json json = Json::Map({{"name", input.name}});
  for (auto [name, value] : {std::pair("port", &input.port), std::pair("snapshot", &input.snapshot),
                             std::pair("source", &input.source), std::pair("version", &input.version)}) {
    if (!value->empty()) json.Set(name, *value);
  }
  const model::Source& source = *pinned.port->source;
  if (!source.overlay.empty()) json.Set("overlay", source.overlay).Set("overlay_digest", source.Digest());
  return json;
}

int64_t MemoryOf(const Context& context) { return std::min(context.options.memory_bytes, context.memory.total()); }

}  // namespace

Result<std::unique_ptr<engine::Instance>> OpenFor(const Context& context) {
  engine::Options options;
  options.threads = context.options.threads;
  options.memory_bytes = MemoryOf(context);
  // Two instances in one folder would overwrite each other's spill.
  if (!context.options.temp_folder.empty()) options.temp_folder = context.options.temp_folder + "/" + NewId("spill");
  return engine::Instance::Open(options);
}

std::optional<model::Build> BuildOf(const model::Bundle& bundle, const model::OutputPort& port) {
  if (model::IsQuarantine(port.name)) return std::nullopt;
  if (port.build) return port.build;
  if (bundle.product.inputs.size() == 1 && bundle.product.inputs[0].source) return model::Build{};
  return std::nullopt;
}

Status Execution::Stopped() const {
  if (!live_.stop().stop_requested()) return {};
  return Error{Code::kUnavailable, "the run was cancelled"};
}

runs::Run Execution::Run() {
  run_.status = "running";
  run_.step = "resolving";
  run_.started_at = context_.clock.Now();
  live_.Enter(run_.step, nullptr);
  auto begin = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    TRY(runs::Update(*txn, run_));
    if (!run_.restores && !correction_) TRY(schedules::NoteStart(*txn, run_.port));
    return txn->Commit();
  };
  Status outcome = begin();
  if (outcome) outcome = run_.restores ? Restore() : correction_ ? Correct() : Work();
  if (outcome) return run_;
  return End(outcome.error());
}

// The engine's message in plain words and with the names that people know the files by.
std::string Execution::Told(const std::string& error) const {
  std::string message = engine::PlainWords(error);
  for (const Pinned& pinned : pinned_) {
    for (size_t i = 0; pinned.files && i < pinned.files->paths.size(); ++i) {
      message = ReplaceAll(message, pinned.files->paths[i], pinned.files->names[i]);
    }
  }
  return message;
}

Status Execution::Work() {
  auto session = std::make_unique<Session>();
  TRY(Resolve());
  session->build = judged_;
  if (TRY(Skips(session->build.sql, session->build.uses_now))) return {};
  if (TRY(remote_.Complete(pinned_))) {
    NoteInputs();
    if (TRY(Skips(session->build.sql, session->build.uses_now))) return {};
  }
  TRY(OpenEngine(*session));
  TRY(MakeViews(*session));
  Status written = Write(*session);
  CheckAnswer answer;
  if (written) answer = TRY(Check(*session));
  // Rows are told apart once some are known to break the contract: where none do, a quarantine costs nothing.
  const bool breaks = written ? answer.refused : written.error().code == Code::kInvalid;
  if (terms_ && breaks && TRY(SetAside(session, answer))) written = {};
  TRY(std::move(written));
  checks_ = answer.results;
  if (answer.refused) return Refuse(answer);
  if (!diverted_) TRY(ClearAside(*session));
  return met_.changed ? Publish(*session) : Leave(*session);
}

Status Execution::Resolve() {
  std::vector<model::DataFile> uploads;
  {
    auto txn = TRY(context_.store.Read());
    TRY(Load(*txn));
    judged_ = TRY(judge_.Judge(*port_.bundle, build_));
    uploads = TRY(Pin(*txn, judged_.inputs));
  }
  TRY(CheckPieces());
  run_.step = "copying";
  live_.Enter(run_.step, nullptr);
  TRY(Fetch(uploads, build_.sql_file.empty() ? &schema_ : nullptr));
  NoteInputs();
  return Stopped();
}

void Execution::NoteInputs() {
  run_.inputs = Json(Json::Array{});
  for (const Pinned& input : pinned_) run_.inputs.Push(ToJson(input));
}

Result<std::vector<model::DataFile>> Execution::Pin(store::Txn& txn, const std::set<std::string>& names) {
  Reading reading{.txn = txn, .context = context_, .port = port_, .whole = wish_.whole};
  auto find = [&]() -> Status {
    pinned_ = TRY(PinInputs(reading, NeededInputs(port_, names)));
    targets_ = TRY(FindTargets(reading));
    return {};
  };
  Status found = find();
  if (reading.denial) TRY(context_.ledger.Deny(*reading.denial));
  TRY(std::move(found));
  return catalog::Data(txn, run_.port.domain, run_.port.product);
}

Status Execution::Fetch(const std::vector<model::DataFile>& uploads, const model::TableSchema* output) {
  TRY(FindSources(pinned_, *port_.bundle, uploads, context_.options));
  TRY(remote_.Find(pinned_, live_.stop().get_token()));
  return landing_.Copy(pinned_, *port_.bundle, uploads, output, live_.stop().get_token());
}

// What the port is: its build, its contract and its table's schema.
Status Execution::Load(store::Txn& txn) {
  port_ = TRY(catalog::Load(txn, run_.port));
  auto build = BuildOf(*port_.bundle, *port_.port);
  if (!build)
    return Error{Code::kInvalid,
                 fmt::format("{} has no build and not exactly one input: nothing makes its rows", run_.port.Text())};
  build_ = std::move(*build);
  if (build_.timeout.count() > 0) timer_ = std::make_unique<Ticker>(build_.timeout, [this] { live_.StopForTime(); });
  if (build_.engine != "duckdb")
    return Error{Code::kUnsupported,
                 fmt::format("builds on the engine '{}' cannot run yet; it is duckdb", build_.engine)};
  TRY(LoadContract(txn));
  TRY(LoadAside(txn));
  filled_ = FilledOf(build_, schema_, run_.logical_time);
  return CheckMode();
}

// What publishing has judged, and an earlier version may not have.
Status Execution::CheckMode() const {
  const bool keyless = build_.mode == "upsert" && port_.contract->schema[0].PrimaryKey().empty();
  if (!keyless && (build_.mode != "snapshot" || filled_)) return {};
  return Error{Code::kInvalid,
               fmt::format("the build's mode is {}, and the contract {} has no {}", build_.mode, port_.row.version,
                           keyless ? "primary key" : fmt::format("column '{}'", build_.snapshot_column))};
}

// What is read piece by piece, and may not be by this build.
Status Execution::CheckPieces() const {
  const bool keyless = port_.contract->schema[0].PrimaryKey().empty();
  for (const Pinned& pinned : pinned_) {
    const std::string why = model::WhyNotOnlyNew(*pinned.port, build_, &*port_.contract);
    if (!why.empty()) return Error{Code::kInvalid, why};
    if (!model::ReadsOnlyNew(*pinned.port->source) || !wish_.whole || build_.mode != "append" || !keyless) continue;
    return Error{
        Code::kInvalid,
        fmt::format("--full reads again all of the input '{}', and with mode append and no primary key its "
                    "rows would be there twice: write primaryKey: true in the contract, or publish a new major",
                    pinned.port->name)};
  }
  return {};
}

Status Execution::PutPositions(store::Txn& txn) const {
  if (correction_) return {};  // It has read of them what foreign keys name, and no more.
  for (const Pinned& pinned : pinned_) {
    if (pinned.progress) TRY(runs::PutPosition(txn, run_, pinned.progress->now));
  }
  return {};
}

// What became of the rows, and of what they were read.
std::string Execution::Outcome() const {
  std::vector<std::string> told;
  for (const Pinned& pinned : pinned_) {
    if (!pinned.progress || pinned.progress->told.empty()) continue;
    const bool one = pinned_.size() == 1;
    told.push_back((one ? "" : pinned.port->name + ": ") + pinned.progress->told);
  }
  if (!met_.told.empty()) told.push_back(met_.told);
  if (diverted_) told.push_back(ToldAside(*diverted_));
  return Join(told, "; ");
}

Status Execution::LoadContract(store::Txn& txn) {
  if (!port_.contract || port_.contract->schema.size() != 1) {
    return Error{Code::kInvalid, fmt::format("{} has no contract with exactly one schema object", run_.port.Text())};
  }
  entities_ = TRY(catalog::EntitiesOf(txn));
  const auto table = TRY(lake::Find(txn, run_.port));
  schema_ = TRY(model::SchemaOf(port_.contract->schema[0], table ? &table->schema : nullptr));
  return {};
}

Status Execution::OpenEngine(Session& session) {
  live_.Enter("waiting for memory", nullptr);
  auto grant = context_.memory.Take(MemoryOf(context_), Deadline::Never(), live_.stop().get_token());
  TRY(Stopped());
  session.grant = TRY(std::move(grant));
  session.instance = TRY(engines_.Take());
  session.connection = TRY(session.instance->Connect(engine::kProgress));
  session.watchdog =
      std::make_unique<engine::Watchdog>(*session.connection, Deadline::Never(), live_.stop().get_token());
  session.live = &live_;
  live_.Enter("resolving", session.connection.get());
  return BindNow(*session.connection, run_.logical_time);
}

// The key is all that the rows depend on.
Result<bool> Execution::Skips(const std::string& build_sql, bool uses_now) {
  Json key = Json::Map({{"build", build_sql},
                        {"mode", build_.mode},
                        {"cluster_by", Json(build_.cluster_by)},
                        {"contract", Sha256(port_.contract->bytes)}});
  for (const Pinned& input : pinned_) {
    Json one = ToJson(input);
    if (input.files) one.Set("options", input.port->source->options).Set("format", input.files->format);
    const model::Contract* contract = port_.bundle->ContractById(input.port->contract_id);
    if (input.files && contract) one.Set("contract", Sha256(contract->bytes));
    // A policy that changes, or a key of pseudonyms, makes other rows of the same snapshot.
    if (!input.policy.empty()) one.Set("policy", Sha256(input.policy));
    key.Set("input:" + input.port->name, std::move(one));
  }
  if (build_.mode == "snapshot") key.Set("state", filled_->text);
  if (!build_.late.empty()) key.Set("late", build_.event_time + " " + build_.late);
  if (!build_.arrival_time.empty()) key.Set("arrival_time", build_.arrival_time);
  run_.basis = Sha256(key.Dump());
  if (uses_now) key.Set("now", run_.logical_time.Text());
  run_.key = Sha256(key.Dump());
  if (wish_.force || wish_.whole) return false;
  auto txn = TRY(context_.store.Begin());
  const auto before = TRY(Before(*txn, uses_now));
  if (!before) {
    const auto withdrawn = TRY(runs::Withdrawn(*txn, run_.port, run_.basis));
    if (withdrawn) TRY(Hold(*txn, *withdrawn));
    return withdrawn.has_value();
  }
  run_.status = "skipped";
  run_.message = fmt::format("nothing changed since {}", before->id);
  for (const Pinned& pinned : pinned_) {
    if (pinned.progress) TRY(runs::NoteAgain(*txn, run_.port, pinned.progress->now));
  }
  run_.snapshot_id = before->snapshot_id;
  run_.progress = 100;
  run_.ended_at = context_.clock.Now();
  TRY(Close(*txn, context_.clock, run_));
  TRY(Record(*txn, "ran", Json::Map({{"skipped", true}, {"as", before->id}})));
  TRY(txn->Commit());
  return true;
}

// The run whose rows are there and are what this one would make.
Result<std::optional<runs::Run>> Execution::Before(store::Txn& txn, bool uses_now) const {
  if (build_.mode == "snapshot") {
    auto newest = TRY(runs::DoneAt(txn, run_.port, filled_->text));
    if (newest && newest->key != run_.key) newest.reset();
    return newest;
  }
  if (uses_now && build_.mode != "replace") {
    // What is added for one logical time stays when that of another is added. An upsert of an earlier one puts back
    // what this one had changed.
    auto done = TRY(runs::Done(txn, run_.port, run_.key));
    const auto newest = TRY(runs::List(txn, {run_.port.Text(), "succeeded", 1}));
    if (build_.mode == "upsert" && !newest.empty() && newest[0].logical_time < run_.logical_time) done.reset();
    return done;
  }
  return runs::Succeeded(txn, run_.port, run_.key);
}

// It would make again what somebody took away from the readers.
Status Execution::Hold(store::Txn& txn, const runs::Run& withdrawn) {
  const runs::Run rollback = TRY(runs::Get(txn, withdrawn.withdrawn_by));
  run_.status = "refused";
  run_.message = fmt::format(
      "its build, contract and inputs are those of {}, whose rows {} rolled back in {}{}; change one of them, or, to "
      "publish the same again: weft run {} --force",
      withdrawn.id, rollback.requested_by, rollback.id,
      rollback.reason.empty() ? "" : fmt::format(" ({})", rollback.reason), run_.port.Text());
  run_.ended_at = context_.clock.Now();
  TRY(Close(txn, context_.clock, run_));
  TRY(Record(txn, "refused", Json::Map({{"held", withdrawn.id}, {"rollback", rollback.id}})));
  TRY(txn.Commit());
  log::Warn("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}});
  return {};
}

// A view of each input that is pinned.
Status Execution::Furnish(Session& session) {
  std::vector<secrets::Pseudonym> pseudonyms = targets_.pseudonyms;
  for (const Pinned& pinned : pinned_) {
    pseudonyms.insert(pseudonyms.end(), pinned.pseudonyms.begin(), pinned.pseudonyms.end());
  }
  TRY(secrets::Define(*session.connection, pseudonyms));
  for (const Pinned& pinned : pinned_) {
    Input input{pinned.port->name, pinned.port->SqlName(), {}, pinned.paths, pinned.lineage};
    input.reader.select = pinned.select;
    if (pinned.files) {
      auto reader = ReaderOf(*session.connection, *pinned.files, *pinned.port->source,
                             ExpectedOf(*port_.bundle, *pinned.port, schema_));
      if (!reader) return reader.TakeError().With(fmt::format("the input '{}'", pinned.port->name));
      input.reader = reader.TakeValue();
    }
    Status made =
        session.connection->Execute(fmt::format("CREATE VIEW {} AS {}", SqlName(input.sql_name), input.reader.select));
    if (!made) return Unreadable(input, made.error());
    session.inputs.push_back(std::move(input));
  }
  return {};
}

Status Execution::MakeViews(Session& session) {
  TRY(Furnish(session));
  auto projected = Project(*session.connection, session.build.sql, schema_, build_.sql_file.empty(), filled_);
  if (!projected) return OfGrants(projected.TakeError(), pinned_);
  session.build.sql = projected.TakeValue();
  std::map<std::string, std::string> columns;
  Lineage(session, &columns);
  TRY(BeginReads(session.build.sql, columns));
  return Stopped();
}

// The evidence stays, the rows do not. The ledger has hashes of what may hold data.
Status Execution::Refuse(const CheckAnswer& answer) {
  Json failed(Json::Array{});
  for (const runs::CheckResult& check : answer.results) {
    if (check.outcome != "failed") continue;
    failed.Push(Json::Map(
        {{"check", check.id}, {"failing_rows", check.failing_rows}, {"sample_sha256", Sha256(check.sample.Dump())}}));
  }
  run_.status = "refused";
  run_.message = answer.summary;
  run_.ended_at = context_.clock.Now();
  auto txn = TRY(context_.store.Begin());
  TRY(Close(*txn, context_.clock, run_));
  TRY(runs::PutChecks(*txn, run_.id, checks_));
  TRY(EndReads(*txn, "completed", "what was made of it was refused"));
  TRY(Record(*txn, "refused", Json::Map({{"failed", std::move(failed)}, {"contract", port_.row.version}})));
  TRY(txn->Commit());
  log::Warn("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}});
  return {};
}

Status Execution::Publish(Session& session) {
  run_.step = "committing";
  live_.Enter(run_.step, session.connection.get());
  TRY(Stopped());
  lake::Staging& staging = *session.staging;
  TRY(context_.lake.Prepare(staging, Stays() ? lake::Operation::kAppend : lake::Operation::kOverwrite));
  TRY(PrepareAside(session));
  std::vector<lineage::Input> inputs;
  for (const Pinned& pinned : pinned_) inputs.push_back(pinned.lineage);
  auto commit = [&]() -> Status {
    auto txn = TRY(context_.store.Begin());
    const lake::Snapshot snapshot = TRY(context_.lake.Commit(*txn, staging));
    TRY(catalog::NoteCommit(*txn, run_.port, context_.clock.Now()));
    TRY(schedules::NoteCommit(*txn, run_.port, context_.clock.Now()));
    run_.snapshot_id = snapshot.id;
    run_.status = "succeeded";
    run_.message = Outcome();
    run_.progress = 100;
    run_.ended_at = context_.clock.Now();
    Json detail = Json::Map({{"snapshot", std::to_string(snapshot.id)},
                             {"operation", snapshot.operation},
                             {"rows", run_.rows},
                             {"contract", port_.row.version},
                             {"inputs", run_.inputs},
                             {"key", run_.key}});
    if (!lineage_note_.empty()) detail.Set("lineage", lineage_note_);
    TRY(CommitAside(*txn, session, &detail));
    TRY(Close(*txn, context_.clock, run_));
    TRY(runs::PutChecks(*txn, run_.id, checks_));
    TRY(PutPositions(*txn));
    TRY(lineage::Record(*txn, run_.port, snapshot.id, run_.id, inputs, columns_));
    TRY(EndReads(*txn, "completed", ""));
    TRY(Record(*txn, "committed", std::move(detail)));
    return txn->Commit();
  };
  TRY(Persistently(commit));
  session.renewal.reset();
  context_.lake.Published(staging);
  if (session.aside) context_.lake.Published(*session.aside);
  log::Info("run ended", {{"run", run_.id}, {"port", run_.port.Text()}, {"status", run_.status}, {"rows", run_.rows}});
  return {};
}

// Plans the build over empty tables that stand for its inputs, in a database of their own: the inputs' own readers
// cannot be planned.
void Execution::Lineage(Session& session, std::map<std::string, std::string>* stubs) {
  std::vector<std::string> outputs;
  for (const model::Field& field : schema_.fields) outputs.push_back(field.name);
  std::map<std::string, std::string> names;
  std::map<std::string, std::vector<std::string>> columns;
  auto plan = [&]() -> Result<std::vector<lineage::ColumnEdge>> {
    auto connection = TRY(session.instance->Connect());
    TRY(connection->Execute("ATTACH ':memory:' AS weft_lineage; USE weft_lineage"));
    if (session.build.uses_now) TRY(BindNow(*connection, run_.logical_time));
    for (const Input& input : session.inputs) {
      const std::string name = SqlName(input.sql_name);
      engine::Rows rows = TRY(session.connection->Query(
          fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", name)));
      std::vector<std::string> stub;
      for (size_t i = 0; i < rows.size(); ++i) {
        stub.push_back(SqlName(rows.text(i, 0)) + " " + rows.text(i, 1));
        columns[input.name].push_back(rows.text(i, 0));
      }
      names[Lower(input.sql_name)] = input.name;
      const std::string& stands = (*stubs)[input.sql_name] = Join(stub, ", ");
      TRY(connection->Execute(fmt::format("CREATE TABLE {} ({})", name, stands)));
    }
    engine::Rows rows =
        TRY(connection->Query("SELECT json_serialize_plan($1::VARCHAR, optimize := false)", {session.build.sql}));
    const Json tree = TRY(Json::Parse(rows.text(0, 0)));
    return LineageOf(tree, outputs, names);
  };
  auto edges = plan();
  if (edges) {
    columns_ = edges.TakeValue();
    return;
  }
  lineage_note_ = "coarse: " + edges.error().message;
  log::Warn("lineage is coarse", {{"run", run_.id}, {"why", edges.error().message}});
  columns_ = CoarseLineage(outputs, columns);
}

}  // namespace weft::run
