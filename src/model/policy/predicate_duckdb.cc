#include <fmt/format.h>

#include "base/text.h"
#include "model/policy/predicate.h"

namespace weft::model {
namespace {

using cel::Value;
using Kind = Predicate::Kind;

// Whether a column of a table can be compared as the contract's type is.
bool Comparable(const Type& has, const Type& wanted) {
  auto whole = [](const Type& type) { return type.kind == Type::Kind::kInt || type.kind == Type::Kind::kLong; };
  auto broken = [](const Type& type) { return type.kind == Type::Kind::kFloat || type.kind == Type::Kind::kDouble; };
  if (whole(has) && whole(wanted)) return true;
  if (broken(has) && broken(wanted)) return true;
  if (has.kind == Type::Kind::kDecimal && wanted.kind == Type::Kind::kDecimal) return true;
  // Whose items' ids are another table's.
  if (has.kind == Type::Kind::kList && wanted.kind == Type::Kind::kList) {
    return Comparable(has.fields[0].type, wanted.fields[0].type);
  }
  return has == wanted;
}

class Printer {
 public:
  explicit Printer(const TableSchema& table) : table_(table) {}

  std::string Print(const Predicate& predicate) const {
    switch (predicate.kind) {
      case Kind::kFalse:
        return "false";
      case Kind::kTrue:
        return "true";
      case Kind::kAnd:
        return Joined(predicate, " AND ");
      case Kind::kOr:
        return Joined(predicate, " OR ");
      default:
        break;
    }
    const std::string column = Sql(predicate.operand);
    const std::string test = Test(predicate, column);
    return predicate.null_is_true ? fmt::format("({} OR {} IS NULL)", test, column) : test;
  }

 private:
  std::string Joined(const Predicate& predicate, std::string_view by) const {
    std::string sql = "(";
    for (const Predicate& part : predicate.parts) {
      if (sql.size() > 1) sql += by;
      sql += Print(part);
    }
    return sql + ")";
  }

  std::string Test(const Predicate& predicate, const std::string& column) const {
    auto compared = [&](std::string_view sign) {
      const std::string against =
          predicate.other.empty() ? Literal(predicate.values[0], predicate.operand) : Sql(predicate.other[0]);
      return fmt::format("{} {} {}", column, sign, against);
    };
    auto called = [&](std::string_view function) {
      return fmt::format("{}{}({}, {})", predicate.negated ? "NOT " : "", function, column,
                         Literal(predicate.values[0], predicate.operand));
    };
    switch (predicate.kind) {
      case Kind::kIsNull:
        return column + " IS NULL";
      case Kind::kNotNull:
        return column + " IS NOT NULL";
      case Kind::kEqual:
        return compared("=");
      case Kind::kNotEqual:
        return compared("<>");
      case Kind::kLess:
        return compared("<");
      case Kind::kLessEqual:
        return compared("<=");
      case Kind::kGreater:
        return compared(">");
      case Kind::kGreaterEqual:
        return compared(">=");
      case Kind::kIn:
      case Kind::kNotIn:
        return fmt::format("{} {}IN ({})", column, predicate.kind == Kind::kIn ? "" : "NOT ", Literals(predicate));
      case Kind::kIsTrue:
        return column;
      case Kind::kIsFalse:
        return "NOT " + column;
      case Kind::kIsNan:
        return fmt::format("isnan({})", column);
      case Kind::kNotNan:
        return fmt::format("NOT isnan({})", column);
      case Kind::kStartsWith:
        return called("starts_with");
      case Kind::kEndsWith:
        return called("suffix");
      case Kind::kContains:
        return called("contains");
      case Kind::kMatches:
        return called("regexp_matches");
      case Kind::kHasItem:
        return called("list_contains");
      default:
        return "false";
    }
  }

  std::string Literals(const Predicate& predicate) const {
    std::string sql;
    for (const Value& value : predicate.values) {
      if (!sql.empty()) sql += ", ";
      sql += Literal(value, predicate.operand);
    }
    return sql;
  }

  static std::string Literal(const Value& value, const Operand& operand) {
    switch (value.kind()) {
      case Value::Kind::kBool:
        return value.AsBool() ? "true" : "false";
      case Value::Kind::kInt:
        // No literal is the least of them: its digits without the sign are one too many.
        return fmt::format("'{}'::BIGINT", value.AsInt());
      case Value::Kind::kDouble:
        return fmt::format("'{}'::DOUBLE", value.AsDouble());
      case Value::Kind::kTimestamp: {
        const cel::Timestamp time = value.AsTimestamp();
        const int64_t micros = time.seconds * 1'000'000 + time.nanos / 1000;
        const bool zoned = operand.type.kind == Type::Kind::kTimestampTz;
        return fmt::format("make_timestamp{}({})", zoned ? "tz" : "", micros);
      }
      case Value::Kind::kString:
        return SqlText(value.AsText());
      default:
        return "NULL";
    }
  }

  std::string Sql(const Operand& operand) const {
    switch (operand.kind) {
      case Operand::Kind::kColumn:
        return Column(operand);
      case Operand::Kind::kText:
        return SqlText(operand.text);
      case Operand::Kind::kLower:
        return fmt::format("translate({}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')",
                           Sql(operand.of[0]));
      case Operand::Kind::kUpper:
        return fmt::format("translate({}, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')",
                           Sql(operand.of[0]));
      case Operand::Kind::kSize:
        return fmt::format("length({})", Sql(operand.of[0]));
      case Operand::Kind::kConcat:
        break;
    }
    std::string sql = "(";
    for (const Operand& part : operand.of) sql += (sql.size() > 1 ? " || " : "") + Sql(part);
    return sql + ")";
  }

  std::string Column(const Operand& operand) const {
    const Field* field = table_.Find(operand.text);
    std::string sql =
        field && Comparable(field->type, operand.type) ? SqlName(operand.text) : "NULL::" + operand.type.DuckDb();
    // As CEL sees them: a decimal is a double, a date its midnight.
    if (operand.type.kind == Type::Kind::kDecimal) return sql + "::DOUBLE";
    if (operand.type.kind == Type::Kind::kDate) return fmt::format("TRY_CAST({} AS TIMESTAMP)", sql);
    return sql;
  }

  const TableSchema& table_;
};

}  // namespace

std::string DuckDbSql(const Predicate& predicate, const TableSchema& table) { return Printer(table).Print(predicate); }

}  // namespace weft::model
