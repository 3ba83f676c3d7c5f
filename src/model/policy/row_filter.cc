#include "model/policy/row_filter.h"

#include <algorithm>

#include "model/policy/bound.h"

namespace weft::model {
namespace {

constexpr size_t kMostLeft = 4096;

// The columns of `row`; false where it stands without one.
bool FindColumns(const cel::Expr& expr, std::vector<std::string>* columns) {
  using Kind = cel::Expr::Kind;
  auto is_row = [](const cel::Expr& each) {
    return each.is(Kind::kVariable) && (each.name == "row" || each.name == ".row");
  };
  if (expr.is(Kind::kSelect) && is_row(expr.children[0])) {
    columns->push_back(expr.name);
    return true;
  }
  return !is_row(expr) &&
         std::ranges::all_of(expr.children, [&](const cel::Expr& child) { return FindColumns(child, columns); });
}

}  // namespace

RowFilter::Left NoRow(const std::string& why) {
  Restriction::Asked asked;
  asked.text = "false";
  return {std::make_shared<const Restriction::Asked>(std::move(asked)),
          std::make_shared<const std::string>("no row: " + why)};
}

Result<std::shared_ptr<const RowFilter>> RowFilter::Compile(const std::string& text, const TableSchema& schema) {
  cel::Environment variables = DecisionVariables();
  variables.Add("row", RowType(schema));
  cel::Program program = TRY(CompileCondition(text, variables));
  TRY(CheckLowering(program.expr(), schema));
  return std::shared_ptr<const RowFilter>(new RowFilter(std::move(program), schema));
}

std::shared_ptr<const RowFilter::Left> RowFilter::For(const Question& question) const {
  if (named_.resource || named_.now) return WorkOut(question);
  thread_local std::string key;
  key.clear();
  question.AddTo(&key, named_);
  {
    std::shared_lock lock(mutex_);
    if (const auto known = left_.find(key); known != left_.end()) return known->second;
  }
  std::shared_ptr<const Left> left = WorkOut(question);
  std::unique_lock lock(mutex_);
  if (left_.size() >= kMostLeft) left_.clear();
  return left_.emplace(key, std::move(left)).first->second;
}

std::shared_ptr<const RowFilter::Left> RowFilter::WorkOut(const Question& question) const {
  static constexpr std::string_view kUnknown[] = {"row"};
  auto left = [](Left made) { return std::make_shared<const Left>(std::move(made)); };
  auto reduced = program_.Reduce(question.BindOnly(named_), kUnknown);
  if (!reduced) return left(NoRow(reduced.error().message));
  if (reduced->value) return left(IsTrue(*reduced->value) ? Left{} : NoRow("it holds for none"));
  auto predicate = Lower(reduced->residual, schema_);
  if (!predicate) return left(NoRow(predicate.error().message));
  std::string text = cel::Print(reduced->residual);
  auto detail = std::make_shared<const std::string>("rows: " + text);
  return left({std::make_shared<const Restriction::Asked>(
                   Restriction::Asked{predicate.TakeValue(), std::move(text), named_.now}),
               std::move(detail)});
}

Result<std::shared_ptr<const RowFilter>> RowFilters::Of(const std::string& text, const TableSchema& schema) {
  std::lock_guard lock(mutex_);
  auto [at, fresh] = written_.try_emplace(text);
  Written& written = at->second;
  if (fresh) {
    const cel::Expr expr = TRY(cel::Parse(text));
    written.whole = !FindColumns(expr, &written.columns);
  }
  std::string types;
  for (const Field& field : schema.fields) {
    if (!written.whole && std::ranges::find(written.columns, field.name) == written.columns.end()) continue;
    types += field.name + " " + field.type.DuckDb() + "\n";
  }
  if (const auto known = written.by_types.find(types); known != written.by_types.end()) return known->second;
  std::shared_ptr<const RowFilter> filter = TRY(RowFilter::Compile(text, schema));
  return written.by_types.emplace(std::move(types), std::move(filter)).first->second;
}

}  // namespace weft::model
