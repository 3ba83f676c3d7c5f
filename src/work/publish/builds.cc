#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/build_sql.h"
#include "model/checks.h"
#include "model/incremental.h"

#include "work/publish/plan.h"

namespace weft::publish {
namespace {

constexpr Millis kBindLimit{5000};
constexpr int64_t kMemory = int64_t{256} << 20;

// Families between whose types DuckDB casts; text casts to and from everything.
char FamilyOf(const std::string& type) {
  if (type.ends_with("]") || type.starts_with("STRUCT") || type.starts_with("MAP")) return 'n';
  if (type == "VARCHAR" || type == "\"NULL\"" || type == "NULL" || type == "JSON") return '*';
  if (type == "BLOB" || type == "BIT") return 'b';
  if (type == "UUID" || type == "INTERVAL") return 'u';
  if (type == "DATE" || type.starts_with("TIMESTAMP")) return 'd';
  if (type.starts_with("TIME")) return 't';
  return '0';
}

bool Casts(const std::string& from, const std::string& to) {
  const char a = FamilyOf(from), b = FamilyOf(to);
  return a == b || a == '*' || (b == '*' && a != 'n') || (a == 'd' && b == 't' && from != "DATE");
}

void Take(Error error, const std::string& file, std::vector<Problem>* problems) {
  if (error.problems.empty()) error.problems.push_back(ProblemAt(file, {}, "weft.contract", error.message));
  for (Problem& problem : error.problems) {
    if (problem.file.empty()) problem.file = file;
    problems->push_back(std::move(problem));
  }
}

// The column that the run fills with its logical time; empty: none.
const std::string& FilledByRun(const model::Build& build) {
  return build.mode == "snapshot" ? build.snapshot_column : build.arrival_time;
}

}  // namespace

// One output port under judgement.
struct BuildChecker::Job {
  const model::Bundle& bundle;
  const model::OutputPort& port;
  const model::Contract& contract;
  model::TableSchema schema;
  std::vector<Problem>* problems;
  std::string file;  // Of the SQL, from the root of the folder.
  std::string sql;
  std::vector<const model::InputPort*> inputs;  // Those that it reads.

  void Say(const std::string& where, const model::Place& place, std::string message) {
    problems->push_back(ProblemAt(where, place, "weft.build", std::move(message)));
  }
};

Result<engine::Connection*> BuildChecker::Engine() {
  if (!connection_) {
    engine::Options options;
    options.threads = 1;
    options.memory_bytes = std::min(kMemory, context_.memory.total());
    memory_ = TRY(context_.memory.Take(options.memory_bytes, Deadline::After(context_.memory_wait)));
    instance_ = TRY(engine::Instance::Open(options));
    connection_ = TRY(instance_->Connect());
    TRY(connection_->Execute("SET errors_as_json = true"));
    TRY(instance_->Lock({}));
  }
  return connection_.get();
}

Status BuildChecker::Check(const model::Bundle& bundle, std::vector<Problem>* problems) {
  for (const model::Contract& contract : bundle.contracts) {
    const bool output =
        std::any_of(bundle.product.outputs.begin(), bundle.product.outputs.end(),
                    [&](const model::OutputPort& port) { return bundle.ContractOf(port) == &contract; });
    if (output || contract.schema.empty()) continue;
    auto schema = model::SchemaOf(contract.schema[0], nullptr);
    if (!schema) Take(schema.TakeError(), contract.file, problems);
  }
  for (const model::OutputPort& port : bundle.product.outputs) {
    const model::Contract* contract = bundle.ContractOf(port);
    if (!contract || contract->schema.empty()) continue;
    auto schema = model::SchemaOf(contract->schema[0], nullptr);
    if (!schema) {
      Take(schema.TakeError(), contract->file, problems);
      continue;
    }
    auto checks = model::CompileChecks(*contract, *schema, entities_);
    if (checks) {
      TRY(BindChecks(*contract, *schema, *checks, problems));
    } else {
      Take(checks.TakeError(), contract->file, problems);
    }
    if (!port.build) continue;
    Job job{bundle, port, *contract, schema.TakeValue(), problems, "", "", {}};
    TRY(port.build->sql_file.empty() ? CheckProjection(job) : CheckSql(job));
  }
  return {};
}

Status BuildChecker::CheckProjection(Job& job) {
  if (job.bundle.product.inputs.size() != 1) return {};  // Told when the folder was read.
  job.inputs.push_back(&job.bundle.product.inputs[0]);
  if (!TRY(MakeTables(job))) return {};
  job.sql = "SELECT * FROM " + SqlName(job.inputs[0]->SqlName());
  return Bind(job);
}

Status BuildChecker::CheckSql(Job& job) {
  auto at = job.bundle.builds.find(job.port.build->sql_file);
  if (at == job.bundle.builds.end()) return {};  // Told when the folder was read.
  job.sql = at->second;
  job.file = job.bundle.folder.empty() ? at->first : job.bundle.folder + "/" + at->first;
  engine::Connection& engine = *TRY(Engine());
  const Json tree = TRY(engine.ParseTree(job.sql));
  auto judged = model::JudgeBuild(tree, job.sql, job.bundle, *job.port.build);
  if (!judged) {
    Take(judged.TakeError(), job.file, job.problems);
    return {};
  }
  job.inputs = std::move(judged->inputs);
  for (const model::InputPort* input : job.inputs) {
    const std::string why = model::WhyNotOnlyNew(*input, *job.port.build, &job.contract);
    if (!why.empty()) job.Say(job.bundle.product.file, job.port.build->place, why);
  }
  if (!TRY(MakeTables(job))) return {};
  return Bind(job);
}

// An empty table for each input; those of earlier builds stay, since a build was held to its own inputs before. False
// where the columns of one are not known before its file is read.
Result<bool> BuildChecker::MakeTables(Job& job) {
  engine::Connection& engine = *TRY(Engine());
  for (const model::InputPort* input : job.inputs) {
    const model::Contract* contract = nullptr;
    if (input->source && input->source->kind == "product") {
      auto found = ports_.Resolve(input->source->address);
      if (!found) return false;  // Told by CheckInputs.
      contract = found->contract;
    } else if (!input->contract_id.empty()) {
      contract = job.bundle.ContractById(input->contract_id);
    }
    if (!contract || contract->schema.empty()) return false;
    auto schema = model::SchemaOf(contract->schema[0], nullptr);
    if (!schema || schema->fields.empty()) return false;
    TRY(engine.Execute(
        fmt::format("CREATE OR REPLACE TABLE {} ({})", SqlName(input->SqlName()), schema->DuckDbColumns())));
  }
  return true;
}

namespace {

// What DuckDB said, and the byte that it pointed at.
std::string Said(const Error& error, size_t* byte) {
  *byte = std::string::npos;
  std::string message = error.message;
  const size_t brace = message.find('{');
  if (auto json = Json::Parse(brace == message.npos ? "" : std::string_view(message).substr(brace)); json) {
    message = (*json)["exception_type"].Text() + " Error: " + (*json)["exception_message"].Text();
    const std::string position = (*json)["position"].Text();
    if (!position.empty() && position.find_first_not_of("0123456789") == position.npos && position.size() < 10)
      *byte = std::stoull(position);
  }
  return engine::PlainWords(message);
}

// What DuckDB said of the build, at its place in the file. `before` bytes stand in front of the text.
void TellBindError(const Error& error, const std::string& sql, size_t before, const std::string& file,
                   std::vector<Problem>* problems) {
  size_t byte = 0;
  std::string message = Said(error, &byte);
  model::Place place;
  if (byte != std::string::npos && byte >= before) place = model::PlaceOfByte(sql, byte - before);
  problems->push_back(ProblemAt(file, place, "weft.build", std::move(message)));
}

}  // namespace

// Whether all row checks bind, asked in one statement without a table: each for itself takes several times as long, and
// says which of them does not.
Result<bool> BuildChecker::BindRowChecks(const model::TableSchema& schema, const std::vector<model::Check>& checks) {
  std::vector<std::string> counts, columns;
  for (const model::Check& check : checks) {
    if (check.kind != model::Check::Kind::kRow) continue;
    counts.push_back(fmt::format("count(*) FILTER (WHERE {})", check.failing));
  }
  if (counts.empty()) return true;
  for (const model::Field& field : schema.fields) {
    columns.push_back(fmt::format("NULL::{} AS {}", field.type.DuckDb(), SqlName(field.name)));
  }
  engine::Connection& engine = *TRY(Engine());
  const auto bound =
      engine.Prepare(fmt::format("SELECT {} FROM (SELECT {}) AS weft_whole", Join(counts, ", "), Join(columns, ", ")));
  return bound.has_value();
}

// Binds every check to an empty table of the contract's columns: what would not run is told before any run.
Status BuildChecker::BindChecks(const model::Contract& contract, const model::TableSchema& schema,
                                const std::vector<model::Check>& checks, std::vector<Problem>* problems) {
  constexpr std::string_view kTable = "weft_whole";
  if (schema.fields.empty()) return {};
  bool made = false;
  const bool rows_bind = TRY(BindRowChecks(schema, checks));
  for (const model::Check& check : checks) {
    if (check.kind != model::Check::Kind::kRow && check.kind != model::Check::Kind::kSet) continue;
    if (check.kind == model::Check::Kind::kRow && rows_bind) continue;
    engine::Connection& engine = *TRY(Engine());
    if (!made) {
      TRY(engine.Execute(fmt::format("CREATE OR REPLACE TABLE {} ({})", kTable, schema.DuckDbColumns())));
      made = true;
    }
    auto bind = [&]() -> Status {
      if (check.kind == model::Check::Kind::kRow) {
        return engine.Execute(
            fmt::format("CREATE OR REPLACE VIEW \"the check\" AS SELECT count(*) FILTER (WHERE {}) FROM {}",
                        check.failing, kTable));
      }
      const std::string sql = ReplaceAll(check.measure, "{table}", kTable);
      const Json tree = TRY(engine.ParseTree(sql));
      auto statement = model::Walk(tree, sql);
      // Its lines are not the file's: a text of one paragraph, with what the check adds in front.
      if (!statement) return Error{Code::kInvalid, engine::PlainWords(statement.error().message)};
      TRY(model::ReadsOnly(*statement, kTable));
      engine::Watchdog watchdog(engine, Deadline::After(kBindLimit));
      return engine.Execute("CREATE OR REPLACE VIEW \"the check\" AS " + sql);
    };
    if (Status bound = bind(); !bound) {
      size_t byte = 0;
      problems->push_back(
          ProblemAt(contract.file, check.place, "weft.check",
                    fmt::format("the check '{}' cannot run: {}", check.id, Said(bound.error(), &byte))));
    }
  }
  return {};
}

Status BuildChecker::Bind(Job& job) {
  engine::Connection& engine = *TRY(Engine());
  constexpr std::string_view kBefore = "CREATE OR REPLACE VIEW \"the build\" AS\n";
  const std::string& file = job.file.empty() ? job.contract.file : job.file;
  Status bound;
  {
    engine::Watchdog watchdog(engine, Deadline::After(kBindLimit));
    bound = engine.Execute(std::string(kBefore) + job.sql);
  }
  if (!bound) {
    TellBindError(bound.error(), job.sql, kBefore.size(), file, job.problems);
    return {};
  }
  engine::Rows columns = TRY(engine.Query("SELECT column_name, column_type FROM (DESCRIBE \"the build\")"));
  std::map<std::string, std::string> types;
  std::vector<std::string_view> names;
  for (size_t i = 0; i < columns.size(); ++i) {
    types[Lower(columns.text(i, 0))] = columns.text(i, 1);
    names.push_back(columns.text(i, 0));
  }
  const std::string what = job.file.empty() ? "its single input" : job.port.build->sql_file;
  const std::string& filled = FilledByRun(*job.port.build);
  for (const model::Property& property : job.contract.schema[0].properties) {
    auto at = types.find(Lower(property.name));
    const model::Field* field = job.schema.Find(property.name);
    if (property.name == filled) {
      if (at == types.end()) continue;
      job.Say(job.contract.file, property.place,
              fmt::format("{} gives the column '{}', which the run fills with its logical time: leave it out there",
                          what, property.name));
    } else if (at == types.end()) {
      job.Say(job.contract.file, property.place,
              fmt::format("{} gives no column '{}'{}", what, property.name, DidYouMean(property.name, names)));
    } else if (field && !Casts(at->second, field->type.DuckDb())) {
      job.Say(job.contract.file, property.place,
              fmt::format("{} gives '{}' as {}, which does not cast to {}", what, property.name, at->second,
                          field->type.DuckDb()));
    }
  }
  if (job.file.empty()) return {};  // A projection takes what the contract names.
  for (std::string_view name : names) {
    const auto& properties = job.contract.schema[0].properties;
    const bool promised = std::any_of(properties.begin(), properties.end(),
                                      [&](const model::Property& p) { return Lower(p.name) == Lower(name); });
    if (promised) continue;
    job.Say(job.file, {},
            fmt::format("the column '{}' is not in the contract {}; add it there, or leave it out here", name,
                        job.contract.file.substr(job.contract.file.find_last_of('/') + 1)));
  }
  return {};
}

}  // namespace weft::publish
