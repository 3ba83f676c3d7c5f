// What the two halves of the check compiler share: the values of a contract and the quality rules' side of it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/checks.h"

namespace weft::model {

// Where a check stands: a column, or a value inside one. `value` is an SQL expression; `Wrap` lifts a predicate over
// it to one over the row.
struct Scope {
  std::string path;   // "device.kind", "labels[]": what a person reads and ids begin with.
  std::string value;  // "\"device\"", "struct_extract(…)", a lambda's variable.
  Type type;
  std::vector<std::pair<std::string, std::string>> lists;  // Outermost first: list expression, its lambda's variable.
  bool column = false;                                     // A column of the table itself.

  std::string Wrap(std::string predicate) const;
};

// Collects checks and problems; gives each check an id that is its own.
class CheckList {
 public:
  explicit CheckList(const Contract& contract) : contract_(contract) {}
  void Add(Check check);
  void Complain(const Place& place, std::string message);
  Result<std::vector<Check>> Take();
  const Contract& contract() const { return contract_; }

 private:
  const Contract& contract_;
  std::vector<Check> checks_;
  std::set<std::string> ids_;
  std::vector<Problem> problems_;
};

// `value` as an SQL literal that compares with `type`, or nothing where it is no value of it.
std::optional<std::string> LiteralOf(const Json& value, const Type& type);
// A comma-separated list of literals of `values`, nulls left out; complains of each that does not fit.
std::string LiteralsOf(const Json::Array& values, const Scope& scope, const Place& place, CheckList& list);
// Complains where DuckDB could not run the pattern.
bool PatternHolds(const std::string& pattern, const Place& place, CheckList& list);

// logicalTypeOptions.format of a string: the expression that its values match, empty where it is not checked; the
// format that is checked and that such a one nearly is, or empty; all that are checked, for a person.
std::string_view FormatPattern(std::string_view format);
std::string_view NearestFormat(std::string_view format);
std::string FormatNames();

// The rules of `quality`, at the schema object (scope is null) or at a property.
void CompileQuality(const SchemaObject& object, const TableSchema& schema, const Scope* scope,
                    const std::vector<QualityRule>& rules, CheckList& list);

}  // namespace weft::model
