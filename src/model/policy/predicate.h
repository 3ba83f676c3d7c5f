// A row filter as a condition over columns that any target's SQL can say: no NOT, and nothing that could be unknown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cel/ast.h"
#include "model/schema.h"

namespace weft::model {

// What a test looks at: a column, or text made from one.
struct Operand {
  enum class Kind { kColumn, kText, kLower, kUpper, kConcat, kSize };
  Kind kind = Kind::kColumn;
  std::string text;  // kColumn: its name; kText: a literal within kConcat.
  Type type;         // kColumn
  std::vector<Operand> of;
  bool operator==(const Operand&) const = default;
};

// True, or not true: a test of a null is not true, but for kIsNull and where `null_is_true`.
struct Predicate {
  enum class Kind {
    kFalse,
    kTrue,
    kAnd,  // Of `parts`; likewise kOr.
    kOr,
    kIsNull,
    kNotNull,
    kEqual,  // `operand` against `other`, or against values[0]; likewise the next three.
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kIn,  // One of `values`.
    kNotIn,
    kIsTrue,  // A boolean column.
    kIsFalse,
    kIsNan,
    kNotNan,
    kStartsWith,  // values[0] is text, of kMatches a regular expression of RE2; likewise the next three.
    kEndsWith,
    kContains,
    kMatches,
    kHasItem,  // A list column has values[0].
  };
  Kind kind = Kind::kFalse;
  bool negated = false;  // From kStartsWith on.
  bool null_is_true = false;
  Operand operand;
  std::vector<Operand> other;  // None or one.
  std::vector<cel::Value> values;
  std::vector<Predicate> parts;
};

// Whether the expression names the variable.
bool Mentions(const cel::Expr& expr, std::string_view variable);

// The columns of a table as an expression's `row` sees them. Columns that CEL has no type for are left out: time,
// binary, structures, maps, and lists but those of texts and whole numbers. Decimals are doubles, dates the timestamps
// of their midnights.
cel::Type RowType(const TableSchema& schema);

// Whether a checked filter can be said as a Predicate whatever the principal is. The error names the place within the
// expression, and what would be right.
Status CheckLowering(const cel::Expr& filter, const TableSchema& schema);

// The predicate that holds for exactly the rows for which `residual` is true, by CEL's rules: where it is false, null
// or an error, the row is hidden. `residual` is what partial evaluation left: only `row` is open. An error means that
// no row may be seen.
Result<Predicate> Lower(const cel::Expr& residual, const TableSchema& schema);

// The condition of a WHERE, in DuckDB's SQL, over a table of the schema `table`: a snapshot may lack columns of the
// contract, or have them in another type, and then they are null.
std::string DuckDbSql(const Predicate& predicate, const TableSchema& table);

}  // namespace weft::model
