#include "work/run/lineage_plan.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"

namespace weft::run {
namespace {

using lineage::ColumnEdge;

struct Source {
  std::string input;
  std::string column;
  auto operator<=>(const Source&) const = default;
};

// What a value is made from; `computed` once anything but a cast stood between.
using Origin = std::map<Source, bool>;
using Origins = std::vector<Origin>;  // Of an operator's columns, in their order.

void Merge(Origin& into, const Origin& from, bool computed) {
  for (const auto& [source, already] : from) {
    auto [at, added] = into.emplace(source, already || computed);
    if (!added) at->second = at->second || already || computed;
  }
}

bool Has(std::initializer_list<std::string_view> list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

class PlanReader {
 public:
  explicit PlanReader(const std::map<std::string, std::string>& inputs) : inputs_(inputs) {}

  Result<Origins> Read(const Json& op) {
    const std::string& type = op["type"].Text();
    if (type == "LOGICAL_GET") return Get(op);
    if (type == "LOGICAL_PROJECTION") return Expressions(op["expressions"], TRY(Child(op)));
    if (type == "LOGICAL_FILTER") return Filter(op);
    if (type == "LOGICAL_AGGREGATE_AND_GROUP_BY") return Aggregate(op);
    if (type == "LOGICAL_WINDOW" || type == "LOGICAL_UNNEST") return Append(op);
    if (Has({"LOGICAL_COMPARISON_JOIN", "LOGICAL_ANY_JOIN", "LOGICAL_ASOF_JOIN", "LOGICAL_CROSS_PRODUCT",
             "LOGICAL_POSITIONAL_JOIN"},
            type)) {
      return Join(op, TRY(Read(op["children"][size_t{0}])));
    }
    if (type == "LOGICAL_DELIM_JOIN") return DelimJoin(op);
    if (type == "LOGICAL_DEPENDENT_JOIN") return DelimJoin(op);
    if (type == "LOGICAL_DELIM_GET") return DelimGet(op);
    if (Has({"LOGICAL_UNION", "LOGICAL_EXCEPT", "LOGICAL_INTERSECT"}, type)) return SetOperation(op);
    if (Has({"LOGICAL_LIMIT", "LOGICAL_DISTINCT", "LOGICAL_SAMPLE", "LOGICAL_TOP_N"}, type)) return Child(op);
    if (type == "LOGICAL_ORDER_BY") return Chosen(TRY(Child(op)), op["projections"]);
    if (type == "LOGICAL_MATERIALIZED_CTE") {
      ctes_[op["table_index"].Int()] = TRY(Read(op["children"][size_t{0}]));
      return Read(op["children"][size_t{1}]);
    }
    if (type == "LOGICAL_RECURSIVE_CTE") return RecursiveCte(op);
    if (type == "LOGICAL_CTE_REF") return CteRef(op);
    if (type == "LOGICAL_DUMMY_SCAN") return Origins(1);
    if (type == "LOGICAL_EXPRESSION_GET") return Values(op);
    if (Has({"LOGICAL_EMPTY_RESULT", "LOGICAL_CHUNK_GET"}, type)) {
      return Origins(std::max(op["return_types"].size(), op["chunk_types"].size()));
    }
    return Error{Code::kUnsupported, "the plan has the operator " + type};
  }

  const Origin& filters() const { return filters_; }

 private:
  Result<Origins> Child(const Json& op) {
    if (op["children"].size() != 1) return Error{Code::kUnsupported, op["type"].Text() + " without one child"};
    return Read(op["children"][size_t{0}]);
  }

  // A table that stands for an input; or a function of no table, like range().
  Result<Origins> Get(const Json& op) {
    const Json& data = op["function_data"];
    const std::string table = Lower(data["table"].Text());
    const auto input = inputs_.find(table);
    Origins base;
    for (const Json& child : op["children"].Items()) {
      for (Origin& origin : TRY(Read(child))) base.push_back(std::move(origin));
    }
    if (op["name"].Text() == "seq_scan" && input == inputs_.end()) {
      return Error{Code::kUnsupported, fmt::format("the plan reads the table '{}', which is no input", table)};
    }
    Origins all;
    for (const Json& index : op["column_indexes"].Items()) {
      Origin origin;
      if (input == inputs_.end()) {
        for (const Origin& each : base) Merge(origin, each, true);
      } else if (const Json& name = op["names"][static_cast<size_t>(index["index"].Int(-1))]; name.is_text()) {
        origin[{input->second, name.Text()}] = false;
      }
      all.push_back(std::move(origin));
    }
    Origins out = TRY(Chosen(std::move(all), op["projection_ids"]));
    for (const Json& index : op["projected_input"].Items()) out.push_back(TRY(At(base, index.Int(-1))));
    return out;
  }

  static Result<Origin> At(const Origins& columns, int64_t index) {
    if (index < 0 || static_cast<size_t>(index) >= columns.size()) {
      return Error{Code::kUnsupported, fmt::format("the plan refers to column {} of {}", index, columns.size())};
    }
    return columns[static_cast<size_t>(index)];
  }

  // The columns that a projection map keeps; an empty one keeps all.
  static Result<Origins> Chosen(Origins columns, const Json& map) {
    if (map.size() == 0) return columns;
    Origins chosen;
    for (const Json& index : map.Items()) chosen.push_back(TRY(At(columns, index.Int(-1))));
    return chosen;
  }

  // An expression's origin: every bound column anywhere in it.
  Result<Origin> Of(const Json& expression, const Origins& columns, bool computed = false) {
    Origin origin;
    if (expression.is_array()) {
      for (const Json& item : expression.Items()) Merge(origin, TRY(Of(item, columns, true)), true);
      return origin;
    }
    if (!expression.is_object()) return origin;
    const std::string& kind = expression["expression_class"].Text();
    if (kind == "BOUND_REF") {
      Merge(origin, TRY(At(columns, expression["index"].Int(-1))), computed);
      return origin;
    }
    if (kind == "BOUND_COLUMN_REF" || kind == "BOUND_SUBQUERY") {
      return Error{Code::kUnsupported, "the plan has the expression " + kind};
    }
    if (kind == "BOUND_CAST") return Of(expression["child"], columns, computed || expression["try_cast"].Bool());
    for (const auto& [name, member] : expression.Members()) {
      if (!member.is_object() && !member.is_array()) continue;
      if (Has({"return_type", "type_info", "value", "arguments", "original_arguments"}, name)) continue;
      Merge(origin, TRY(Of(member, columns, true)), true);
    }
    return origin;
  }

  Result<Origins> Expressions(const Json& expressions, const Origins& columns) {
    Origins out;
    for (const Json& expression : expressions.Items()) out.push_back(TRY(Of(expression, columns)));
    return out;
  }

  Status Condition(const Json& condition, const Origins& columns) {
    Merge(filters_, TRY(Of(condition, columns)), true);
    return {};
  }

  Result<Origins> Filter(const Json& op) {
    Origins columns = TRY(Child(op));
    TRY(Condition(op["expressions"], columns));
    return Chosen(std::move(columns), op["projection_map"]);
  }

  Result<Origins> Aggregate(const Json& op) {
    const Origins columns = TRY(Child(op));
    Origins out = TRY(Expressions(op["groups"], columns));
    for (const Json& aggregate : op["expressions"].Items()) {
      Origin origin;
      Merge(origin, TRY(Of(aggregate, columns)), true);
      out.push_back(std::move(origin));
    }
    out.resize(out.size() + op["grouping_functions"].size());
    return out;
  }

  // The child's columns, then those of the operator.
  Result<Origins> Append(const Json& op) {
    Origins out = TRY(Child(op));
    const size_t count = out.size();
    for (const Json& expression : op["expressions"].Items()) {
      const Origins columns(out.begin(), out.begin() + static_cast<ptrdiff_t>(count));
      Origin origin;
      Merge(origin, TRY(Of(expression, columns)), true);
      out.push_back(std::move(origin));
    }
    return out;
  }

  Result<Origins> Join(const Json& op, Origins left) {
    Origins right = TRY(Read(op["children"][size_t{1}]));
    for (const Json& condition : op["conditions"].Items()) {
      TRY(Condition(condition["left"], left));
      TRY(Condition(condition["right"], right));
    }
    Origins both = left;
    both.insert(both.end(), right.begin(), right.end());
    for (std::string_view name : {"predicate", "condition", "expressions"}) TRY(Condition(op[name], both));
    const std::string& type = op["join_type"].Text();
    Origins out = TRY(Chosen(left, op["left_projection_map"]));
    if (type == "SEMI" || type == "ANTI") return out;
    if (type == "MARK") {
      // Whether there is a partner: made from both sides of the conditions.
      Origin mark;
      for (const Json& condition : op["conditions"].Items()) {
        Merge(mark, TRY(Of(condition["left"], left)), true);
        Merge(mark, TRY(Of(condition["right"], right)), true);
      }
      out.push_back(std::move(mark));
      return out;
    }
    Origins others = TRY(Chosen(std::move(right), op["right_projection_map"]));
    if (type == "RIGHT_SEMI" || type == "RIGHT_ANTI") return others;
    out.insert(out.end(), others.begin(), others.end());
    return out;
  }

  // A correlated subquery: its side reads the distinct outer columns that it needs.
  Result<Origins> DelimJoin(const Json& op) {
    if (op["delim_flipped"].Bool()) return Error{Code::kUnsupported, "the plan has a flipped delim join"};
    Origins left = TRY(Read(op["children"][size_t{0}]));
    delims_.push_back(TRY(Expressions(op["duplicate_eliminated_columns"], left)));
    auto joined = Join(op, std::move(left));
    delims_.pop_back();
    return joined;
  }

  Result<Origins> DelimGet(const Json& op) {
    const size_t wanted = op["chunk_types"].size();
    if (delims_.empty() || delims_.back().size() < wanted)
      return Error{Code::kUnsupported, "the plan has a delim scan out of place"};
    return Origins(delims_.back().begin(), delims_.back().begin() + static_cast<ptrdiff_t>(wanted));
  }

  Result<Origins> SetOperation(const Json& op) {
    Origins out;
    for (const Json& child : op["children"].Items()) {
      const Origins columns = TRY(Read(child));
      if (out.empty()) {
        out = columns;
        continue;
      }
      if (columns.size() != out.size()) return Error{Code::kUnsupported, "the plan has a union of unequal widths"};
      for (size_t i = 0; i < out.size(); ++i) {
        if (op["type"].Text() == "LOGICAL_UNION")
          Merge(out[i], columns[i], false);
        else
          Merge(filters_, columns[i], true);
      }
    }
    return out;
  }

  Result<Origins> RecursiveCte(const Json& op) {
    const int64_t index = op["table_index"].Int();
    Origins all = TRY(Read(op["children"][size_t{0}]));
    // Each turn can only add; no chain of columns is longer than their number.
    for (size_t turn = 0; turn <= all.size(); ++turn) {
      ctes_[index] = all;
      const Origins next = TRY(Read(op["children"][size_t{1}]));
      if (next.size() != all.size()) return Error{Code::kUnsupported, "the plan has a recursion of unequal widths"};
      const Origins before = all;
      for (size_t i = 0; i < all.size(); ++i) Merge(all[i], next[i], false);
      if (all == before) break;
    }
    ctes_[index] = all;
    return all;
  }

  Result<Origins> CteRef(const Json& op) {
    const auto cte = ctes_.find(op["cte_index"].Int());
    if (cte == ctes_.end()) return Error{Code::kUnsupported, "the plan refers to an unknown common table expression"};
    return cte->second;
  }

  Result<Origins> Values(const Json& op) {
    Origins columns;
    if (op["children"].size() == 1) columns = TRY(Child(op));
    Origins out;
    for (const Json& row : op["expressions"].Items()) {
      if (out.size() < row.size()) out.resize(row.size());
      for (size_t i = 0; i < row.size(); ++i) Merge(out[i], TRY(Of(row[i], columns)), false);
    }
    return out;
  }

  const std::map<std::string, std::string>& inputs_;
  std::map<int64_t, Origins> ctes_;
  std::vector<Origins> delims_;
  Origin filters_;
};

}  // namespace

Result<std::vector<ColumnEdge>> LineageOf(const Json& plan, const std::vector<std::string>& columns,
                                          const std::map<std::string, std::string>& inputs) {
  if (plan["error"].Bool(true))
    return Error{Code::kUnsupported, "the plan cannot be told: " + plan["error_message"].Text()};
  if (plan["plans"].size() != 1) return Error{Code::kUnsupported, "the plan is not that of one statement"};
  PlanReader reader(inputs);
  const Origins origins = TRY(reader.Read(plan["plans"][size_t{0}]));
  if (origins.size() != columns.size()) {
    return Error{Code::kUnsupported,
                 fmt::format("the plan has {} and the output {}", Count(origins.size(), "column"), columns.size())};
  }
  std::vector<ColumnEdge> edges;
  for (size_t i = 0; i < columns.size(); ++i) {
    for (const auto& [source, computed] : origins[i]) {
      edges.push_back({columns[i], source.input, source.column, computed ? "computed" : "direct"});
    }
  }
  for (const auto& [source, computed] : reader.filters()) edges.push_back({"*", source.input, source.column, "filter"});
  return edges;
}

std::vector<ColumnEdge> CoarseLineage(const std::vector<std::string>& columns,
                                      const std::map<std::string, std::vector<std::string>>& input_columns) {
  std::vector<ColumnEdge> edges;
  for (const std::string& column : columns) {
    for (const auto& [input, theirs] : input_columns) {
      for (const std::string& each : theirs) edges.push_back({column, input, each, "computed"});
    }
  }
  return edges;
}

}  // namespace weft::run
