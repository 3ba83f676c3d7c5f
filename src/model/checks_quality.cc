#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>

#include "base/text.h"
#include "model/checks_internal.h"

namespace weft::model {
namespace {

constexpr std::string_view kMetrics[] = {"nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"};
constexpr std::string_view kOperators[] = {"mustBe",           "mustNotBe",          "mustBeGreaterThan",
                                           "mustBeLessThan",   "mustBeBetween",      "mustBeGreaterOrEqualTo",
                                           "mustNotBeBetween", "mustBeLessOrEqualTo"};
// What ODCS 3.0 called the metrics, under `rule`.
constexpr std::pair<std::string_view, std::string_view> kOldNames[] = {
    {"nullCheck", "nullValues"},        {"nullCount", "nullValues"},      {"duplicateCount", "duplicateValues"},
    {"uniqueCheck", "duplicateValues"}, {"validValues", "invalidValues"}, {"invalidCount", "invalidValues"},
    {"missingCount", "missingValues"},  {"countCheck", "rowCount"}};

// What a rule counts in: rows unless it says percent. A tool that ran the contract before may have written either word.
constexpr std::pair<std::string_view, bool> kUnits[] = {
    {"rows", false}, {"row", false}, {"percent", true}, {"percentage", true}, {"%", true}};
constexpr std::string_view kUnitNames[] = {"rows", "percent"};

// The arguments of each metric, and what they must be.
enum class Form { kList, kText, kCount, kValue };
struct ArgumentOf {
  std::string_view metric;
  std::string_view name;
  Form form;
};
constexpr ArgumentOf kArguments[] = {
    {"missingValues", "missingValues", Form::kList}, {"invalidValues", "validValues", Form::kList},
    {"invalidValues", "pattern", Form::kText},       {"invalidValues", "minimum", Form::kValue},
    {"invalidValues", "maximum", Form::kValue},      {"invalidValues", "minLength", Form::kCount},
    {"invalidValues", "maxLength", Form::kCount},    {"duplicateValues", "properties", Form::kList},
};

template <size_t N>
bool Has(const std::string_view (&list)[N], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// One rule of `quality` as a check.
class RuleCompiler {
 public:
  RuleCompiler(const SchemaObject& object, const TableSchema& schema, const Scope* scope, const QualityRule& rule,
               size_t index, CheckList& list)
      : object_(object), schema_(schema), scope_(scope), rule_(rule), index_(index), list_(list) {}

  void Compile() {
    const std::string type = Lower(rule_.type.empty() ? "library" : rule_.type);
    check_.place = rule_.place;
    check_.warning = rule_.IsWarning();
    check_.dimension = rule_.dimension;
    check_.op = rule_.op;
    check_.bound = rule_.bound;
    if (!Keys()) return;
    if (type == "text") {
      check_.kind = Check::Kind::kListed;
      Add("text", "a rule in words");
    } else if (type == "custom") {
      Fail(fmt::format("the engine '{}' of this custom rule is not known here; write it as type: sql", rule_.engine));
    } else if (type == "sql") {
      Sql();
    } else if (type == "library") {
      Library();
    } else {
      constexpr std::string_view kTypes[] = {"text", "library", "sql", "custom"};
      Fail(fmt::format("'{}' is no type of rule{}", rule_.type, DidYouMean(rule_.type, kTypes)));
    }
  }

 private:
  void Fail(std::string message) { list_.Complain(rule_.place, std::move(message)); }

  std::string Where() const { return scope_ ? scope_->path : object_.name; }

  void Add(std::string_view what, const std::string& description) {
    check_.id = !rule_.id.empty()     ? rule_.id
                : !rule_.name.empty() ? rule_.name
                                      : fmt::format("{}.{}[{}]", Where(), what, index_);
    check_.description = !rule_.description.empty() ? rule_.description : description;
    list_.Add(std::move(check_));
  }

  // Whether the rule says what to compare with; 3.0's rules need not.
  bool Operator(bool optional) {
    if (check_.op.empty()) {
      if (optional) {
        check_.op = "mustBe";
        check_.bound = 0;
        return true;
      }
      Fail("the rule says nothing to compare with: add an operator such as mustBe: 0");
      return false;
    }
    if (!Has(kOperators, check_.op)) {
      Fail(fmt::format("'{}' is no operator{}", check_.op, DidYouMean(check_.op, kOperators)));
      return false;
    }
    const Json& bound = check_.bound;
    const bool two = check_.op.ends_with("Between");
    const bool fits = two ? bound.size() == 2 && bound.Items()[0].is_number() && bound.Items()[1].is_number() &&
                                bound.Items()[0].Double() <= bound.Items()[1].Double()
                          : bound.is_number();
    if (!fits) {
      Fail(fmt::format("{} takes {}, not {}", check_.op, two ? "two numbers, the smaller first" : "a number",
                       bound.Dump()));
    }
    return fits;
  }

  bool Unit(bool percent_has_meaning) {
    const std::string unit = Lower(Trim(rule_.unit));
    const auto* known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, bool>::first);
    if (known == std::end(kUnits) && !unit.empty()) {
      Fail(fmt::format("'{}' is no unit: rows and percent (or %) are{}", rule_.unit, DidYouMean(unit, kUnitNames)));
      return false;
    }
    check_.percent = !unit.empty() && known->second;
    if (check_.percent && !percent_has_meaning) Fail("unit: percent has no meaning for rowCount; leave the unit out");
    return !check_.percent || percent_has_meaning;
  }

  static bool Fits(const Json& value, Form form) {
    switch (form) {
      case Form::kList:
        return value.is_array();
      case Form::kText:
        return value.is_text();
      case Form::kCount:
        return value.is_number() && value.Double() >= 0 && value.Double() == std::floor(value.Double());
      default:
        return value.is_number() || value.is_text();
    }
  }

  // Whether the metric has every argument that the rule gives it: one that is misspelt would check less than is meant.
  bool Arguments(const std::string& metric) {
    std::vector<std::string_view> names;
    for (const ArgumentOf& each : kArguments) {
      if (each.metric == metric && (each.name != "properties" || !scope_)) names.push_back(each.name);
    }
    for (const auto& [name, value] : rule_.arguments.Members()) {
      if (std::ranges::find(names, name) != names.end()) continue;
      Fail(fmt::format("'{}' is no argument of {}{}", name, metric,
                       names.empty() ? ", which takes none" : DidYouMean(name, names)));
      return false;
    }
    for (const ArgumentOf& each : kArguments) {
      if (each.metric != metric) continue;
      const Json& value = Argument(each.name);
      if (value.is_null() || Fits(value, each.form)) continue;
      constexpr std::string_view kForms[] = {"a list", "a text", "a whole number from 0", "a number or a text"};
      Fail(fmt::format("{} takes {}, not {}", each.name, kForms[static_cast<size_t>(each.form)], value.Dump()));
      return false;
    }
    return true;
  }

  // ODCS 3.0 lets a rule have any key, and writes arguments beside the others: one that nearly is a key that changes
  // what is checked was meant as it.
  bool Keys() {
    std::vector<std::string_view> names(std::begin(kOperators), std::end(kOperators));
    for (const ArgumentOf& each : kArguments) names.push_back(each.name);
    names.insert(names.end(), {"type", "rule", "metric", "arguments", "unit", "severity", "query", "engine"});
    constexpr std::string_view kOthers[] = {"id", "name", "method", "tags", "schedule", "scheduler", "dimension"};
    for (const auto& [name, value] : rule_.document.Members()) {
      if (std::ranges::find(names, name) != names.end() || Has(kOthers, name)) continue;
      const std::string nearest = DidYouMean(name, names);
      if (nearest.empty()) continue;
      Fail(fmt::format("'{}' is no key of a rule{}", name, nearest));
      return false;
    }
    return true;
  }

  void Library() {
    std::string metric = rule_.metric.empty() ? rule_.document["rule"].Text() : rule_.metric;
    bool old = false;
    for (const auto& [name, now] : kOldNames) {
      if (metric != name) continue;
      old = true;
      metric = now;
    }
    old = old || !rule_.document["rule"].is_null();
    if (metric.empty())
      return Fail("the rule names no metric: nullValues, missingValues, invalidValues, duplicateValues or rowCount");
    if (!Has(kMetrics, metric)) return Fail(fmt::format("'{}' is no metric{}", metric, DidYouMean(metric, kMetrics)));
    if (!Operator(old && metric != "rowCount") || !Unit(metric != "rowCount") || !Arguments(metric)) return;
    if (metric == "rowCount") return RowCount();
    if (metric == "duplicateValues") return Duplicates();
    if (!scope_) return Fail(fmt::format("{} speaks of one column: move the rule to the property", metric));
    const std::string& x = scope_->value;
    if (metric == "nullValues") {
      check_.failing = scope_->Wrap(x + " IS NULL");
    } else if (metric == "missingValues") {
      const std::string missing = LiteralsOf(Argument("missingValues").Items(), *scope_, rule_.place, list_);
      check_.failing =
          scope_->Wrap(missing.empty() ? x + " IS NULL" : fmt::format("({0} IS NULL OR {0} IN ({1}))", x, missing));
    } else if (!Invalid()) {
      return;
    }
    Add(metric,
        fmt::format("{} of {}: {} {}{}", metric, Where(), check_.op, check_.bound.Dump(), check_.percent ? "%" : ""));
  }

  // 3.0 wrote arguments beside the rule.
  const Json& Argument(std::string_view name) const {
    const Json& value = rule_.arguments[name];
    return value.is_null() ? rule_.document[name] : value;
  }

  bool Invalid() {
    const std::string& x = scope_->value;
    std::vector<std::string> fails;
    if (const Json& values = Argument("validValues"); !values.is_null()) {
      const std::string literals = LiteralsOf(values.Items(), *scope_, rule_.place, list_);
      fails.push_back(literals.empty() ? x + " IS NOT NULL" : fmt::format("{} NOT IN ({})", x, literals));
    }
    if (const Json& pattern = Argument("pattern"); !pattern.is_null()) {
      if (!PatternHolds(pattern.Text(), rule_.place, list_)) return false;
      fails.push_back(fmt::format("NOT regexp_matches(CAST({} AS VARCHAR), {})", x, SqlText(pattern.Text())));
    }
    for (auto [name, fail] : {std::pair("minimum", "<"), std::pair("maximum", ">")}) {
      if (Argument(name).is_null()) continue;
      const std::string literal = LiteralsOf({Argument(name)}, *scope_, rule_.place, list_);
      if (!literal.empty()) fails.push_back(fmt::format("{} {} {}", x, fail, literal));
    }
    for (auto [name, fail] : {std::pair("minLength", "<"), std::pair("maxLength", ">")}) {
      if (!Argument(name).is_null())
        fails.push_back(fmt::format("length(CAST({} AS VARCHAR)) {} {}", x, fail, Argument(name).Int()));
    }
    if (fails.empty()) {
      Fail("invalidValues needs an argument that says what is valid: validValues or pattern");
      return false;
    }
    check_.failing = scope_->Wrap("(" + Join(fails, " OR ") + ")");
    return true;
  }

  void RowCount() {
    if (scope_) return Fail("rowCount speaks of the table: move the rule to the schema object");
    check_.kind = Check::Kind::kSet;
    check_.measure = "SELECT count(*) FROM {table}";
    Add("rowCount", fmt::format("number of rows: {} {}", check_.op, check_.bound.Dump()));
  }

  void Duplicates() {
    check_.kind = Check::Kind::kUnique;
    check_.columns = scope_ ? std::vector{scope_->path} : Argument("properties").Texts();
    if (scope_ && !scope_->column) return Fail("duplicateValues of a value inside a column is not supported");
    if (check_.columns.empty()) return Fail("duplicateValues of the table needs arguments: {properties: [column, …]}");
    for (std::string& column : check_.columns) {
      if (column.starts_with(object_.name + ".")) column = column.substr(object_.name.size() + 1);
      if (schema_.Find(column)) continue;
      std::vector<std::string_view> names;
      for (const Field& field : schema_.fields) names.push_back(field.name);
      return Fail(fmt::format("'{}' is no column of {}{}", column, object_.name, DidYouMean(column, names)));
    }
    Add("duplicateValues", fmt::format("duplicate values of {}: {} {}{}", Join(check_.columns, ", "), check_.op,
                                       check_.bound.Dump(), check_.percent ? "%" : ""));
  }

  // A text that RE2's rewriting leaves as it is.
  static std::string Literally(std::string_view text) { return ReplaceAll(text, "\\", "\\\\"); }

  // The table is known to the query by its own name too, as it is to other tools that run contracts.
  void Sql() {
    if (!Operator(false)) return;
    if (Trim(rule_.query).empty()) return Fail("the rule has no query");
    if (scope_ && !scope_->lists.empty())
      return Fail("an SQL rule stands at the table or at a column, not at a list's item");
    std::string query(Trim(rule_.query));
    while (query.ends_with(';')) query = std::string(Trim(std::string_view(query).substr(0, query.size() - 1)));
    static const RE2 kTable(R"re(["'`]?\$?\{(?:object|table|model|schema)\}["'`]?)re");
    static const RE2 kColumn(R"re(["'`]?\$?\{(?:property|column|field)\}["'`]?)re");
    static const RE2 kLeft(R"(\$\{([^}]*)\})");
    RE2::GlobalReplace(&query, kTable, Literally(SqlName(object_.name)));
    if (RE2::PartialMatch(query, kColumn) && !scope_)
      return Fail("${property} has no meaning at the schema object: move the rule to the property");
    if (scope_) RE2::GlobalReplace(&query, kColumn, Literally(scope_->column ? scope_->value : scope_->path));
    if (std::string name; RE2::PartialMatch(query, kLeft, &name)) {
      return Fail(fmt::format("${{{}}} is no placeholder; there are ${{object}} and ${{property}}", name));
    }
    std::string names = SqlName(object_.name) + " AS (SELECT * FROM {table})";
    if (!object_.physical_name.empty() && Lower(object_.physical_name) != Lower(object_.name)) {
      names += fmt::format(", {} AS (SELECT * FROM {{table}})", SqlName(object_.physical_name));
    }
    check_.kind = Check::Kind::kSet;
    check_.tells = true;
    check_.measure = fmt::format("WITH {} SELECT * FROM (\n{}\n)", names, query);
    Add("sql", fmt::format("{}: {} {}", query, check_.op, check_.bound.Dump()));
  }

  const SchemaObject& object_;
  const TableSchema& schema_;
  const Scope* scope_;
  const QualityRule& rule_;
  const size_t index_;
  CheckList& list_;
  Check check_;
};

}  // namespace

void CompileQuality(const SchemaObject& object, const TableSchema& schema, const Scope* scope,
                    const std::vector<QualityRule>& rules, CheckList& list) {
  for (size_t i = 0; i < rules.size(); ++i) RuleCompiler(object, schema, scope, rules[i], i, list).Compile();
}

}  // namespace weft::model
