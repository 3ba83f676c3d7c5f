#include "work/quality/quality.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/text.h"
#include "model/build_sql.h"

namespace weft::quality {
namespace {

using model::Check;

constexpr int kSampleRows = 5;
constexpr size_t kSampleBytes = 4096;  // Of one row; what is longer is cut.
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What one check was found to be, before it is compared.
struct Measured {
  double value = kNaN;
  int64_t failing_rows = 0;
  std::string complaint;  // Why there is no number.
  std::string text;       // What there is instead.
};

std::string NotNull(const std::vector<std::string>& columns, std::string_view table) {
  std::vector<std::string> tests;
  for (const std::string& column : columns) tests.push_back(fmt::format("{}.{} IS NOT NULL", table, SqlName(column)));
  return Join(tests, " AND ");
}

std::string Names(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) names.push_back(SqlName(column));
  return Join(names, ", ");
}

class Evaluation {
 public:
  Evaluation(engine::Connection& connection, const std::vector<Check>& checks, const Subject& subject,
             const std::string& contract_file)
      : connection_(connection),
        checks_(checks),
        subject_(subject),
        contract_file_(contract_file),
        measured_(checks.size()),
        samples_(checks.size()) {}

  Result<Verdict> Run() {
    TRY(connection_.Execute("CREATE OR REPLACE TEMP VIEW weft_staged AS " + subject_.staged +
                            "; CREATE OR REPLACE TEMP VIEW weft_whole AS " + subject_.whole));
    TRY(RowChecks());
    for (size_t i = 0; i < checks_.size(); ++i) {
      Status done = One(i);
      if (!done) return Explain(checks_[i], done.TakeError());
    }
    return Judge();
  }

 private:
  std::string PlaceOf(const Check& check) const {
    if (check.place.line == 0) return "";  // It stands in no file.
    return fmt::format("{}:{}:{}", contract_file_, check.place.line, check.place.column);
  }

  Error Explain(const Check& check, Error error) const {
    if (error.code == Code::kUnavailable || error.code == Code::kInternal) {
      return std::move(error).With(fmt::format("while checking '{}'", check.id));
    }
    const std::string why = engine::PlainWords(error.message);
    Error whole{Code::kInvalid, fmt::format("{}: the check '{}' cannot run: {}", PlaceOf(check), check.id, why)};
    whole.problems = {{contract_file_, check.place.line, check.place.column, check.place.path, "weft.check",
                       fmt::format("the check '{}' cannot run: {}", check.id, why)}};
    return whole;
  }

  Result<int64_t> WholeRows() {
    if (whole_rows_ < 0) whole_rows_ = TRY(connection_.Query("SELECT count(*) FROM weft_whole")).integer(0, 0);
    return whole_rows_;
  }

  // Every row check in one pass over the staged rows.
  Status RowChecks() {
    std::string select = "SELECT count(*)";
    std::vector<size_t> which;
    for (size_t i = 0; i < checks_.size(); ++i) {
      if (checks_[i].kind != Check::Kind::kRow) continue;
      which.push_back(i);
      select += fmt::format(", count(*) FILTER (WHERE {})", checks_[i].failing);
    }
    if (which.empty()) return {};
    auto answer = connection_.Query(select + " FROM weft_staged");
    if (!answer) return Culprit(which, answer.TakeError());
    const int64_t rows = answer->integer(0, 0);
    for (size_t n = 0; n < which.size(); ++n)
      Share(which[n], answer->integer(0, n + 1), answer->integer(0, n + 1), rows);
    return {};
  }

  // One of many in a statement is wrong: which?
  Status Culprit(const std::vector<size_t>& which, Error error) {
    if (error.code == Code::kUnavailable) return error;
    for (size_t i : which) {
      auto alone =
          connection_.Query(fmt::format("SELECT count(*) FILTER (WHERE {}) FROM weft_staged", checks_[i].failing));
      if (!alone) return Explain(checks_[i], alone.TakeError());
    }
    return error;
  }

  void Share(size_t i, int64_t count, int64_t failing_rows, int64_t rows) {
    const double value = static_cast<double>(count);
    measured_[i].value = !checks_[i].percent ? value : rows == 0 ? 0 : 100.0 * value / static_cast<double>(rows);
    measured_[i].failing_rows = failing_rows;
  }

  Status One(size_t i) {
    const Check& check = checks_[i];
    switch (check.kind) {
      case Check::Kind::kRow:
        samples_[i] =
            fmt::format("SELECT to_json(weft_row)::VARCHAR FROM weft_staged AS weft_row WHERE {}", check.failing);
        return {};
      case Check::Kind::kUnique:
        return Unique(i);
      case Check::Kind::kForeign:
        return Foreign(i);
      case Check::Kind::kSet:
        return Measure(i);
      case Check::Kind::kListed:
        return {};
    }
    return {};
  }

  // Counts keys that occur more than once. A key with a null in it equals no other, as in SQL.
  Status Unique(size_t i) {
    const Check& check = checks_[i];
    const std::string keys = Names(check.columns);
    const std::string rows_of =
        subject_.among && !check.percent ? "(" + TRY(subject_.among(check)) + ")" : "weft_whole";
    const std::string repeated =
        fmt::format("SELECT {0}, count(*) AS weft_rows FROM {2} AS weft_row WHERE {1} GROUP BY {0} HAVING count(*) > 1",
                    keys, NotNull(check.columns, "weft_row"), rows_of);
    engine::Rows rows = TRY(connection_.Query(fmt::format("SELECT count(*), sum(weft_rows) FROM ({})", repeated)));
    Share(i, rows.integer(0, 0), rows.integer(0, 1), check.percent ? TRY(WholeRows()) : 0);
    samples_[i] = fmt::format("SELECT to_json(weft_row)::VARCHAR FROM ({}) AS weft_row", repeated);
    return {};
  }

  Status Foreign(size_t i) {
    const Check& check = checks_[i];
    std::string target = "SELECT * FROM weft_whole";
    if (check.target != "{table}") {
      if (!subject_.target)
        return Error{Code::kNotFound, fmt::format("the table '{}' cannot be read here", check.target)};
      target = TRY(subject_.target(check));
    }
    std::vector<std::string> equal;
    for (size_t n = 0; n < check.columns.size(); ++n) {
      equal.push_back(
          fmt::format("weft_row.{} = weft_to.{}", SqlName(check.columns[n]), SqlName(check.target_columns[n])));
    }
    const std::string orphans = fmt::format("FROM weft_whole AS weft_row ANTI JOIN ({}) AS weft_to ON {} WHERE {}",
                                            target, Join(equal, " AND "), NotNull(check.columns, "weft_row"));
    const int64_t count = TRY(connection_.Query("SELECT count(*) " + orphans)).integer(0, 0);
    Share(i, count, count, check.percent ? TRY(WholeRows()) : 0);
    samples_[i] = "SELECT to_json(weft_row)::VARCHAR " + orphans;
    return {};
  }

  // A query of the contract's author: one SELECT over this table alone, which gives one number.
  Status Measure(size_t i) {
    const std::string sql = ReplaceAll(checks_[i].measure, "{table}", "weft_whole");
    const Json tree = TRY(connection_.ParseTree(sql));
    const model::Statement statement = TRY(model::Walk(tree, sql));
    TRY(model::ReadsOnly(statement, "weft_whole"));
    engine::Rows rows = TRY(connection_.Query(sql));
    if (rows.names.size() != 1 || rows.size() != 1) {
      return Error{Code::kInvalid, fmt::format("it must give one number, and gave {} of {}", Count(rows.size(), "row"),
                                               Count(rows.names.size(), "column"))};
    }
    if (!rows.cells[0][0]) {
      measured_[i].complaint = "its query gave NULL, which is no number";
      return {};
    }
    measured_[i].value = NumberOf(rows.text(0, 0));
    if (!std::isfinite(measured_[i].value)) {
      measured_[i].complaint = "its query gave what is no number";
      measured_[i].text = rows.text(0, 0).substr(0, kSampleBytes);
    }
    return {};
  }

  static double NumberOf(const std::string& text) {
    if (text == "true" || text == "false") return text == "true";
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end == text.c_str() || *end != '\0' ? kNaN : value;
  }

  Result<Json> Sample(size_t i) {
    Json sample(Json::Array{});
    if (samples_[i].empty()) return sample;
    engine::Rows rows = TRY(connection_.Query(fmt::format("{} LIMIT {}", samples_[i], kSampleRows)));
    for (size_t n = 0; n < rows.size(); ++n) {
      const std::string& text = rows.text(n, 0);
      auto parsed = text.size() > kSampleBytes ? Result<Json>(Json(text.substr(0, kSampleBytes))) : Json::Parse(text);
      sample.Push(parsed ? parsed.TakeValue() : Json(text));  // NaN is no JSON.
    }
    return sample;
  }

  Result<Verdict> Judge() {
    Verdict verdict;
    std::vector<std::string> failed;
    size_t ran = 0;
    for (size_t i = 0; i < checks_.size(); ++i) {
      const Check& check = checks_[i];
      const Measured& found = measured_[i];
      runs::CheckResult result;
      result.id = check.id;
      result.description = check.description;
      result.place = PlaceOf(check);
      if (check.kind == Check::Kind::kListed) {
        result.outcome = "listed";
        verdict.results.push_back(std::move(result));
        continue;
      }
      ++ran;
      const bool holds = model::Meets(check.op, check.bound, found.value);
      result.outcome = holds ? "passed" : check.warning ? "warned" : "failed";
      result.expected = check.Expected();
      result.tells = check.tells;
      result.failing_rows = holds ? 0 : found.failing_rows;
      if (std::isfinite(found.value)) result.value = found.value;
      if (!holds) {
        if (!found.complaint.empty()) result.description += ": " + found.complaint;
        auto sample = Sample(i);
        if (!sample) return Explain(check, sample.TakeError());
        result.sample = sample.TakeValue();
        if (!found.text.empty()) result.sample.Push(Json::Map({{"value", found.text}}));
        if (!check.warning) failed.push_back(Headline(check, found));
      }
      verdict.results.push_back(std::move(result));
    }
    verdict.refused = !failed.empty();
    const size_t all = failed.size();
    if (all > 3) failed.resize(3);
    verdict.summary = all == 0 ? fmt::format("{} passed", Count(ran, "check"))
                               : fmt::format("{} of {} failed: {}{}", all, Count(ran, "check"), Join(failed, "; "),
                                             all > 3 ? "; …" : "");
    return verdict;
  }

  // For everybody: no value of the data.
  static std::string Headline(const Check& check, const Measured& found) {
    if (!found.complaint.empty()) return fmt::format("{} ({})", check.id, found.complaint);
    if (check.tells) return fmt::format("{} (expected {})", check.id, check.Expected());
    if (check.kind == Check::Kind::kSet)
      return fmt::format("{} (found {}, expected {})", check.id, found.value, check.Expected());
    return fmt::format("{} ({})", check.id,
                       found.failing_rows == 1 ? "1 row" : HumanCount(found.failing_rows) + " rows");
  }

  engine::Connection& connection_;
  const std::vector<Check>& checks_;
  const Subject& subject_;
  const std::string& contract_file_;
  std::vector<Measured> measured_;
  std::vector<std::string> samples_;  // The SELECT of failing rows, without its limit.
  int64_t whole_rows_ = -1;
};

}  // namespace

Result<Verdict> Evaluate(engine::Connection& connection, const std::vector<Check>& checks, const Subject& subject,
                         const std::string& contract_file) {
  return Evaluation(connection, checks, subject, contract_file).Run();
}

}  // namespace weft::quality
