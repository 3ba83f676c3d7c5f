#include "model/sql.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "base/text.h"

namespace weft::model {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFunctions[] = {
#include "model/sql_functions.inc"
};
constexpr std::string_view kTableFunctions[] = {"generate_series", "json_each", "json_tree", "range", "unnest"};
// Functions that cannot raise an error that depends on a row: LIKE without ESCAPE, and aggregates, which run above a
// filter in any case. A name comes onto this list only with an attack in the leak suite.
constexpr std::string_view kLeakproofFunctions[] = {"!~~", "!~~*", "avg", "count", "count_star",
                                                    "max", "min",  "sum", "~~",    "~~*"};
constexpr std::string_view kNowFunctions[] = {"ago",
                                              "current_date",
                                              "current_localtime",
                                              "current_localtimestamp",
                                              "current_time",
                                              "current_timestamp",
                                              "get_current_time",
                                              "get_current_timestamp",
                                              "localtime",
                                              "localtimestamp",
                                              "now",
                                              "today",
                                              "transaction_timestamp"};
// Without parentheses these parse as columns, and become functions where no column has the name.
constexpr std::string_view kNowKeywords[] = {"current_date", "current_time", "current_timestamp", "localtime",
                                             "localtimestamp"};
constexpr std::string_view kRandomFunctions[] = {
    "approx_quantile", "gen_random_uuid", "random", "reservoir_quantile", "uuid", "uuidv4", "uuidv7"};

constexpr std::string_view kExpressions[] = {
    "BETWEEN COMPARE_BETWEEN",
    "CASE CASE_EXPR",
    "CAST OPERATOR_CAST",
    "COLLATE COLLATE",
    "COLUMN_REF COLUMN_REF",
    "COMPARISON COMPARE_DISTINCT_FROM",
    "COMPARISON COMPARE_EQUAL",
    "COMPARISON COMPARE_GREATERTHAN",
    "COMPARISON COMPARE_GREATERTHANOREQUALTO",
    "COMPARISON COMPARE_LESSTHAN",
    "COMPARISON COMPARE_LESSTHANOREQUALTO",
    "COMPARISON COMPARE_NOTEQUAL",
    "COMPARISON COMPARE_NOT_DISTINCT_FROM",
    "CONJUNCTION CONJUNCTION_AND",
    "CONJUNCTION CONJUNCTION_OR",
    "CONSTANT VALUE_CONSTANT",
    "FUNCTION FUNCTION",
    "LAMBDA LAMBDA",
    "OPERATOR ARRAY_CONSTRUCTOR",
    "OPERATOR ARRAY_EXTRACT",
    "OPERATOR ARRAY_SLICE",
    "OPERATOR COMPARE_IN",
    "OPERATOR COMPARE_NOT_IN",
    "OPERATOR GROUPING_FUNCTION",
    "OPERATOR OPERATOR_COALESCE",
    "OPERATOR OPERATOR_IS_NOT_NULL",
    "OPERATOR OPERATOR_IS_NULL",
    "OPERATOR OPERATOR_NOT",
    "OPERATOR OPERATOR_TRY",
    "OPERATOR OPERATOR_UNPACK",
    "OPERATOR STRUCT_EXTRACT",
    "PARAMETER VALUE_PARAMETER",
    "POSITIONAL_REFERENCE POSITIONAL_REFERENCE",
    "STAR STAR",
    "SUBQUERY SUBQUERY",
    "WINDOW WINDOW_AGGREGATE",
    "WINDOW WINDOW_CUME_DIST",
    "WINDOW WINDOW_FILL",
    "WINDOW WINDOW_FIRST_VALUE",
    "WINDOW WINDOW_LAG",
    "WINDOW WINDOW_LAST_VALUE",
    "WINDOW WINDOW_LEAD",
    "WINDOW WINDOW_NTH_VALUE",
    "WINDOW WINDOW_NTILE",
    "WINDOW WINDOW_PERCENT_RANK",
    "WINDOW WINDOW_RANK",
    "WINDOW WINDOW_RANK_DENSE",
    "WINDOW WINDOW_ROW_NUMBER",
};
// Query nodes, table references, modifiers, orders and type descriptions: whatever has a type and no class.
constexpr std::string_view kNodes[] = {
    "ARRAY_TYPE_INFO",
    "ASCENDING",
    "BASE_TABLE",
    "DECIMAL_TYPE_INFO",
    "DESCENDING",
    "DISTINCT_MODIFIER",
    "EMPTY",
    "EXPRESSION_LIST",
    "GENERIC_TYPE_INFO",
    "JOIN",
    "LIMIT_MODIFIER",
    "LIMIT_PERCENT_MODIFIER",
    "LIST_TYPE_INFO",
    "ORDER_DEFAULT",
    "ORDER_MODIFIER",
    "PIVOT",
    "RECURSIVE_CTE_NODE",
    "SELECT_NODE",
    "SET_OPERATION_NODE",
    "SHOW_REF",
    "STRUCT_TYPE_INFO",
    "SUBQUERY",
    "TABLE_FUNCTION",
    "UNBOUND_TYPE_INFO",
};
constexpr std::string_view kLeakproofExpressions[] = {
    "BETWEEN", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "PARAMETER", "POSITIONAL_REFERENCE", "STAR",
};
constexpr std::string_view kLeakproofOperators[] = {"COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_IS_NOT_NULL",
                                                    "OPERATOR_IS_NULL", "OPERATOR_NOT"};
constexpr std::string_view kLeakproofNodes[] = {
    "ASCENDING",       "BASE_TABLE", "DECIMAL_TYPE_INFO", "DESCENDING",    "DISTINCT_MODIFIER", "EMPTY",
    "EXPRESSION_LIST", "JOIN",       "LIMIT_MODIFIER",    "ORDER_DEFAULT", "ORDER_MODIFIER",    "SELECT_NODE",
    "SUBQUERY",
};
constexpr int kMaxDepth = 1'000;

bool Has(std::span<const std::string_view> list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::string_view kGrowingFunctions[] = {"repeat", "lpad", "rpad"};
constexpr int64_t kLargestGrowth = 10'000;

bool IsFunction(std::string_view name) {
  return std::binary_search(std::begin(kFunctions), std::end(kFunctions), name);
}

class Walker {
 public:
  Walker(std::string_view text, Statement& statement) : text_(text), statement_(statement) {}

  Status Visit(const Json& json, int depth) {
    if (depth > kMaxDepth) return Refused("the statement is nested too deeply; split it with WITH");
    if (json.is_array()) {
      for (const Json& item : json.Items()) TRY(Visit(item, depth + 1));
      return {};
    }
    if (!json.is_object()) return {};
    const Json& location = json["query_location"];
    if (location.kind() == Json::Kind::kInt) at_ = location.Int();
    if (json.Has("class")) return Expression(json, depth);
    if (json["type"].is_text()) return Node(json, depth);
    return Members(json, {}, depth);
  }

 private:
  Status Members(const Json& json, std::initializer_list<std::string_view> but, int depth) {
    for (const auto& [key, value] : json.Members()) {
      if (std::find(but.begin(), but.end(), key) == but.end()) TRY(Visit(value, depth + 1));
    }
    return {};
  }

  Status Expression(const Json& json, int depth) {
    const std::string& kind = json["class"].Text();
    const std::string& type = json["type"].Text();
    if (!Has(kExpressions, kind + " " + type)) {
      return Refused(fmt::format("expressions of the kind {} {} are not read here", kind, type));
    }
    if (kind == "FUNCTION" || kind == "WINDOW") TRY(Function(json, kind == "WINDOW"));
    if (kind == "COLUMN_REF") Column(json["column_names"]);
    statement_.leakproof = statement_.leakproof && LeakproofExpression(json, kind, type);
    return Members(json, {}, depth);
  }

  // A constant that is cast is folded before any row is read. Types to which text is compared by an unchecked cast,
  // as UUID, stay out.
  static bool LeakproofExpression(const Json& json, const std::string& kind, const std::string& type) {
    if (kind == "FUNCTION") return Has(kLeakproofFunctions, Lower(json["function_name"].Text()));
    if (kind == "OPERATOR") return Has(kLeakproofOperators, type);
    if (kind == "CAST") {
      constexpr std::string_view kTypes[] = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"};
      return json["child"]["class"].Text() == "CONSTANT" && Has(kTypes, json["cast_type"]["id"].Text());
    }
    if (kind == "SUBQUERY") return json["subquery_type"].Text() == "ANY" || json["subquery_type"].Text() == "EXISTS";
    if (kind == "STAR") return json["expr"].is_null();
    return Has(kLeakproofExpressions, kind);
  }

  Status Function(const Json& json, bool window) {
    const std::string name = Lower(json["function_name"].Text());
    // By name alone: in name.upper() the schema is a column.
    if (!IsFunction(name)) {
      return Refused(fmt::format("the function '{}' is not among those that may be used here{}", name,
                                 DidYouMean(name, kFunctions)));
    }
    if (Has(kGrowingFunctions, name)) TRY(Growth(json, name));
    if (Has(kNowFunctions, name) || (name == "age" && json["children"].size() < 2)) statement_.uses_now = true;
    if (Has(kRandomFunctions, name)) statement_.uses_random = true;
    if (window) statement_.leakproof = false;
    return {};
  }

  // The engine makes such texts whole, outside its memory limit and without heeding an interrupt.
  Status Growth(const Json& json, const std::string& name) {
    const Json& count = json["children"][1];
    if (count["class"].Text() == "CONSTANT" && count["value"]["value"].is_number() &&
        count["value"]["value"].Double() <= kLargestGrowth) {
      return {};
    }
    return Refused(fmt::format("the second argument of '{}' must be a plain number of at most {} here", name,
                               HumanCount(kLargestGrowth)));
  }

  void Column(const Json& names) {
    if (names.size() == 1 && Has(kNowKeywords, Lower(names[size_t{0}].Text()))) {
      statement_.uses_now = true;
      statement_.leakproof = false;
    }
  }

  Status Node(const Json& json, int depth) {
    const std::string& type = json["type"].Text();
    if (!Has(kNodes, type)) return Refused(fmt::format("a {} is not read here", type));
    statement_.leakproof = statement_.leakproof && Has(kLeakproofNodes, type);
    if (json["sample"].is_object()) {
      statement_.uses_random = true;
      statement_.leakproof = false;
    }
    if (type == "BASE_TABLE") return Table(json, depth);
    if (type == "TABLE_FUNCTION") return TableFunction(json, depth);
    if (type == "JOIN" && json["ref_type"].Text() != "REGULAR" && json["ref_type"].Text() != "CROSS") {
      statement_.leakproof = false;
    }
    if (type == "SHOW_REF" && !json["query"].is_object()) {
      return Refused("SHOW is not read here: list what there is with your client's catalogue calls or `weft list`");
    }
    if (type == "PIVOT") TRY(Pivot(json));
    if (type == "UNBOUND_TYPE_INFO" && !(json["catalog"].Text().empty() && json["schema"].Text().empty())) {
      return Refused(fmt::format("the type '{}' is named with a schema, and there are none", json["name"].Text()));
    }
    return Query(json, depth);
  }

  // Names of WITH are seen by what follows them, and by themselves only where they are recursive: there the second
  // half sees the name, and the first half still sees the table of that name.
  Status Query(const Json& json, int depth) {
    const size_t outer = scope_.size();
    for (const Json& entry : json["cte_map"]["map"].Items()) {
      TRY(Visit(entry["value"], depth + 1));
      scope_.push_back(Lower(entry["key"].Text()));
    }
    if (json["type"].Text() == "RECURSIVE_CTE_NODE") {
      TRY(Members(json, {"cte_map", "right"}, depth));
      const std::string name = Lower(json["cte_name"].Text());
      scope_.push_back(name);
      recurring_.push_back(name);
      Status right = Visit(json["right"], depth + 1);
      recurring_.pop_back();
      scope_.resize(outer);
      return right;
    }
    Status rest = Members(json, {"cte_map"}, depth);
    scope_.resize(outer);
    return rest;
  }

  Status Table(const Json& json, int depth) {
    if (!json["at_clause"].is_null()) {
      return Refused(
          "AT is not read here: time travel is an option of the whole statement (--at, or the header x-weft-at)");
    }
    TableName name{json["catalog_name"].Text(), json["schema_name"].Text(), json["table_name"].Text()};
    const std::string table = Lower(name.table);
    bool is_cte = name.catalog.empty() && name.schema.empty() && Has(scope_, table);
    is_cte |= name.catalog.empty() && Lower(name.schema) == "recurring" && Has(recurring_, table);
    if (!is_cte) Note(std::move(name));
    return Members(json, {}, depth);
  }

  void Note(TableName name) {
    auto same = [&](const TableName& other) {
      return Lower(other.catalog) == Lower(name.catalog) && Lower(other.schema) == Lower(name.schema) &&
             Lower(other.table) == Lower(name.table);
    };
    if (std::none_of(statement_.tables.begin(), statement_.tables.end(), same)) {
      statement_.tables.push_back(std::move(name));
    }
  }

  Status TableFunction(const Json& json, int depth) {
    const Json& function = json["function"];
    const std::string name = Lower(function["function_name"].Text());
    const std::string& schema = function["schema"].Text();
    const std::string& catalog = function["catalog"].Text();
    const bool own = (schema.empty() || schema == "main") && (catalog.empty() || catalog == "system");
    if (function["class"].Text() != "FUNCTION" || !own || !Has(kTableFunctions, name)) {
      return Refused(fmt::format("the table function '{}' is not read here; there are {}", name,
                                 fmt::join(kTableFunctions, ", ")));
    }
    TRY(Members(function, {}, depth));
    return Members(json, {"function"}, depth);
  }

  Status Pivot(const Json& json) {
    for (const Json& pivot : json["pivots"].Items()) {
      if (!pivot["pivot_enum"].Text().empty()) {
        return Refused("PIVOT over an enum is not read here: list its values with IN (…)");
      }
    }
    return {};
  }

  static bool Has(const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  }
  static bool Has(std::span<const std::string_view> list, std::string_view word) { return model::Has(list, word); }

  Error Refused(std::string message) const;

  std::string_view text_;
  Statement& statement_;
  std::vector<std::string> scope_;      // Names of WITH, inner last, in lower case.
  std::vector<std::string> recurring_;  // Those of them that are being defined recursively.
  int64_t at_ = -1;                     // Byte of the innermost node that has a place.
};

// " (line 2, column 5)"; empty where `at` is no place in the text.
std::string Where(std::string_view text, int64_t at) {
  if (at < 0 || static_cast<size_t>(at) > text.size()) return "";
  const Place place = PlaceOfByte(text, static_cast<size_t>(at));
  return fmt::format(" (line {}, column {})", place.line, place.column);
}

Error Walker::Refused(std::string message) const { return {Code::kUnsupported, message + Where(text_, at_)}; }

Error Unparsed(const Json& tree, std::string_view text) {
  if (tree["error_type"].Text() == "not implemented") {
    return {Code::kUnsupported, "only SELECT is read here, and PIVOT only with its values listed by IN (…)"};
  }
  int64_t at = -1;
  const std::string& position = tree["position"].Text();
  if (!position.empty() && position.size() < 10 && position.find_first_not_of("0123456789") == position.npos) {
    at = std::stoll(position);
  }
  return {Code::kInvalid, tree["error_message"].Text("the statement cannot be parsed") + Where(text, at)};
}

}  // namespace

Place PlaceOfByte(std::string_view text, size_t byte) {
  Place place{1, 1, ""};
  for (char c : text.substr(0, byte)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

std::string TableName::Text() const {
  std::string text;
  for (const std::string& part : {catalog, schema, table}) {
    if (!part.empty()) text += (text.empty() ? "" : ".") + part;
  }
  return text;
}

Result<Statement> Walk(const Json& tree, std::string_view text) {
  if (!tree.is_object() || tree["error"].Bool(true)) return Unparsed(tree, text);
  const Json& statements = tree["statements"];
  if (statements.size() == 0) return Error{Code::kInvalid, "there is no statement: write a SELECT"};
  if (statements.size() != 1) {
    return Error{Code::kInvalid, fmt::format("one statement at a time: here are {}", statements.size())};
  }
  const Json& node = statements[size_t{0}]["node"];
  if (!node.is_object()) return Error{Code::kUnsupported, "only SELECT is read here"};
  Statement statement;
  statement.leakproof = true;
  TRY(Walker(text, statement).Visit(node, 0));
  return statement;
}

}  // namespace weft::model
