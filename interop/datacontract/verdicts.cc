// verdicts CONTRACT NAME=FILE.parquet...: what Weft's checks say of a table's file, one JSON object a line.
// The first name is the contract's own table; the others are those that its foreign keys point at.
#include <fmt/format.h>

#include <chrono>

#include "base/file.h"
#include "base/text.h"
#include "work/quality/quality.h"

namespace weft {
namespace {

Result<std::string> Verdicts(const std::string& contract_file,
                             const std::vector<std::pair<std::string, std::string>>& tables) {
  const std::string text = TRY(ReadFile(contract_file));
  const model::Contract contract = TRY(model::Contract::Parse(text, contract_file));
  const model::TableSchema schema = TRY(model::SchemaOf(contract.schema.at(0), nullptr));
  const std::vector<model::Check> checks = TRY(model::CompileChecks(contract, schema));
  auto instance = TRY(
      engine::Instance::Open({.threads = 2, .memory_bytes = int64_t{2} << 30, .temp_folder = "", .extensions = {}}));
  auto connection = TRY(instance->Connect());
  auto scan = [](const std::string& file) { return "SELECT * FROM read_parquet(" + SqlText(file) + ")"; };
  quality::Subject subject;
  subject.staged = subject.whole = scan(tables[0].second);
  subject.staged_rows = TRY(connection->Query("SELECT count(*) FROM (" + subject.staged + ")")).integer(0, 0);
  subject.schema = &schema;
  subject.target = [&](const model::Check& check) -> Result<std::string> {
    for (const auto& [name, file] : tables) {
      if (name == check.target) return scan(file);
    }
    return Error{Code::kNotFound, "no table " + check.target};
  };
  const auto begin = std::chrono::steady_clock::now();
  const quality::Verdict verdict = TRY(quality::Evaluate(*connection, checks, subject, contract_file));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::string lines;
  for (const runs::CheckResult& result : verdict.results) {
    Json line = Json::Map({{"id", result.id}, {"outcome", result.outcome}, {"failing_rows", result.failing_rows}});
    lines += line.Set("value", result.value ? Json(*result.value) : Json()).Dump() + "\n";
  }
  return lines +
         Json::Map({{"seconds", took.count()},
                    {"rows", subject.staged_rows},
                    {"checks", static_cast<int64_t>(checks.size())}})
             .Dump() +
         "\n";
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  std::vector<std::pair<std::string, std::string>> tables;
  for (int i = 2; i < argc; ++i) {
    const auto pieces = weft::Split(argv[i], '=');
    if (pieces.size() == 2) tables.emplace_back(pieces[0], pieces[1]);
  }
  if (tables.empty()) {
    fmt::print(stderr, "usage: verdicts CONTRACT NAME=FILE.parquet...\n");
    return 2;
  }
  auto lines = weft::Verdicts(argv[1], tables);
  if (!lines) {
    fmt::print(stderr, "{}\n", lines.error().message);
    for (const auto& problem : lines.error().problems) fmt::print(stderr, "{}\n", problem.Text());
    return weft::ExitCode(lines.error().code);
  }
  fmt::print("{}", *lines);
  return 0;
}
