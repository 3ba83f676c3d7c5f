#include "model/policy/mask.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weft::model {
namespace {

using Kind = Type::Kind;

bool IsText(const Type& type) { return type.kind == Kind::kString; }
bool HasDate(const Type& type) {
  return type.kind == Kind::kDate || type.kind == Kind::kTimestamp || type.kind == Kind::kTimestampTz;
}
bool HasBytes(const Type& type) {
  return IsText(type) || type.kind == Kind::kInt || type.kind == Kind::kLong || type.kind == Kind::kBinary;
}

// Digits become n, what the standard calls punctuation stays, all else becomes x.
std::string Alphanum(const std::string& text) {
  return fmt::format("translate(regexp_replace({}, '[^0-9(),.@-]', 'x', 'g'), '0123456789', 'nnnnnnnnnn')", text);
}

// The bytes of `hex` (SQL of 2·n hexadecimal digits) from the last to the first.
std::string Reversed(const std::string& hex, int bytes) {
  std::string sql;
  for (int i = bytes; i > 0; --i) sql += fmt::format("{}substr({}, {}, 2)", sql.empty() ? "" : " || ", hex, 2 * i - 1);
  return sql;
}

// The standard hashes little-endian bytes and reads the digest's first bytes as a little-endian number again.
std::string HashedNumber(const std::string& column, int bytes, const std::string& salt) {
  // The engine writes a number of any width as 64 bits in two's complement: the last digits are the narrow number's.
  const std::string digits = fmt::format("right(lpad(hex({}::BIGINT), 16, '0'), {})", column, 2 * bytes);
  const std::string digest = fmt::format("sha256({}unhex({}))", salt, Reversed(digits, bytes));
  const std::string unsigned_value = fmt::format("('0x' || {})::UBIGINT::HUGEINT", Reversed(digest, bytes));
  const std::string half = bytes == 4 ? "2147483648" : "9223372036854775808";
  const std::string whole = bytes == 4 ? "4294967296" : "18446744073709551616";
  return fmt::format("(({} + {}::HUGEINT) % {}::HUGEINT - {}::HUGEINT)::{}", unsigned_value, half, whole, half,
                     bytes == 4 ? "INTEGER" : "BIGINT");
}

std::string Hashed(const Type& type, const std::string& column, const std::string& salt) {
  switch (type.kind) {
    case Kind::kInt:
      return HashedNumber(column, 4, salt);
    case Kind::kLong:
      return HashedNumber(column, 8, salt);
    case Kind::kBinary:
      return fmt::format("unhex(sha256({}{}))", salt, column);
    default:
      return fmt::format("sha256({}encode({}))", salt, column);
  }
}

std::string FixedValue(const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      return "false";
    case Kind::kInt:
    case Kind::kLong:
      return fmt::format("999999999::{}", type.DuckDb());
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
      return fmt::format("0::{}", type.DuckDb());
    case Kind::kDate:
      return "DATE '9999-12-31'";
    case Kind::kTime:
      return "TIME '00:00:00'";
    case Kind::kTimestamp:
      return "TIMESTAMP '9999-12-31 00:00:00'";
    case Kind::kTimestampTz:
      return "TIMESTAMPTZ '9999-12-31 00:00:00+00'";
    case Kind::kString:
      return "'XXXXXXXX'";
    case Kind::kBinary:
      return "''::BLOB";
    case Kind::kList:
      return fmt::format("[]::{}", type.DuckDb());
    case Kind::kMap:
      return fmt::format("MAP {{}}::{}", type.DuckDb());
    case Kind::kStruct:
      break;
  }
  std::string fields;
  for (const Field& field : type.fields) {
    if (!fields.empty()) fields += ", ";
    fields += SqlName(field.name) + " := " + FixedValue(field.type);
  }
  return fmt::format("struct_pack({})", fields);
}

}  // namespace

Status CheckMask(MaskAction action, const Type& type, bool required) {
  auto only = [&](bool fits, std::string_view types) -> Status {
    if (fits) return {};
    return Error{Code::kInvalid,
                 fmt::format("{} is for {}, and the column is {}", MaskActionName(action), types, type.DuckDb())};
  };
  switch (action) {
    case MaskAction::kShowFirst4:
    case MaskAction::kShowLast4:
    case MaskAction::kMaskAlphanum:
      return only(IsText(type), "text");
    case MaskAction::kTruncateToMonth:
    case MaskAction::kTruncateToYear:
      return only(HasDate(type), "dates and timestamps");
    case MaskAction::kSha256Global:
    case MaskAction::kSha256QueryLocal:
      return only(HasBytes(type), "text, 32- and 64-bit integers and binary");
    case MaskAction::kPseudonym:
      if (type.kind != Type::Kind::kInt) return only(IsText(type) || type.kind == Type::Kind::kLong, "text and bigint");
      return Error{Code::kInvalid,
                   "pseudonym is for text and bigint, and the column is INTEGER, in which two people would become one: "
                   "make it physicalType: bigint, or choose sha-256-query-local"};
    case MaskAction::kMaskToFixedValue:
      return {};
    case MaskAction::kReplaceWithNull:
      if (!required) return {};
      return Error{Code::kInvalid,
                   "replace-with-null is for columns that may be null, and this one is required: "
                   "mask-to-fixed-value hides it as well"};
  }
  return Error{Code::kInternal, "the mask is not known"};
}

std::string DuckDbMask(MaskAction action, const Type& type, const std::string& column, std::string_view with) {
  switch (action) {
    case MaskAction::kShowFirst4:
      return fmt::format("left({0}, 4) || {1}", column, Alphanum(fmt::format("substr({}, 5)", column)));
    case MaskAction::kShowLast4:
      return fmt::format("CASE WHEN length({0}) <= 4 THEN {0} ELSE {1} || right({0}, 4) END", column,
                         Alphanum(fmt::format("left({0}, length({0}) - 4)", column)));
    case MaskAction::kTruncateToMonth:
    case MaskAction::kTruncateToYear:
      return fmt::format("date_trunc('{}', {})::{}", action == MaskAction::kTruncateToYear ? "year" : "month", column,
                         type.DuckDb());
    case MaskAction::kMaskAlphanum:
      return Alphanum(column);
    case MaskAction::kSha256Global:
      return Hashed(type, column, "");
    case MaskAction::kPseudonym:
      return fmt::format("{}({})", with, column);
    case MaskAction::kSha256QueryLocal:
      return Hashed(type, column, fmt::format("unhex('{}') || ", with));
    case MaskAction::kMaskToFixedValue:
      return fmt::format("CASE WHEN {} IS NOT NULL THEN {} END", column, FixedValue(type));
    case MaskAction::kReplaceWithNull:
      return fmt::format("NULL::{}", type.DuckDb());
  }
  return "NULL";
}

}  // namespace weft::model
