#include <fmt/format.h>

#include "base/text.h"
#include "work/run/inputs.h"

namespace weft::run {
namespace {

using model::Type;
using Kind = Type::Kind;

// Makes the SQL that turns texts into values.
class Converter {
 public:
  Converter(engine::Connection& connection, const Format& format) : connection_(connection), format_(format) {}

  // The type that a value is read as: its own, with texts wherever something could be lost.
  std::string TextType(const Type& type) const {
    if (format_.table) return type.kind == Kind::kBinary ? "BLOB" : "VARCHAR";
    switch (type.kind) {
      case Kind::kList:
        return TextType(type.fields[0].type) + "[]";
      case Kind::kMap:
        return fmt::format("MAP({}, {})", TextType(type.fields[0].type), TextType(type.fields[1].type));
      case Kind::kStruct: {
        std::vector<std::string> members;
        for (const model::Field& field : type.fields)
          members.push_back(SqlName(field.name) + " " + TextType(field.type));
        return "STRUCT(" + Join(members, ", ") + ")";
      }
      default:
        return IsText(type) ? "VARCHAR" : type.DuckDb();
    }
  }

  static bool IsNumber(const Type& type) { return type.kind >= Kind::kInt && type.kind <= Kind::kDecimal; }

  bool Converts(const Type& type) const {
    if (format_.table && type.kind == Kind::kList) return true;
    if (type.IsPrimitive()) return type.kind == Kind::kString ? format_.refuse_nul : IsText(type);
    return std::any_of(type.fields.begin(), type.fields.end(),
                       [&](const model::Field& field) { return Converts(field.type); });
  }

  // SQL of the value of `text`, an SQL expression of the type TextType.
  Result<std::string> Value(const std::string& text, const Type& type) {
    if (!Converts(type)) return text;
    switch (type.kind) {
      case Kind::kList:
        // Each element of the array is a text: none of it is read as a number on the way.
        return Each(format_.table ? fmt::format("CAST(CAST({} AS JSON) AS VARCHAR[])", text) : text,
                    type.fields[0].type);
      case Kind::kMap:
        return fmt::format("CASE WHEN {} IS NOT NULL THEN map({}, {}) END", text,
                           TRY(Each("map_keys(" + text + ")", type.fields[0].type)),
                           TRY(Each("map_values(" + text + ")", type.fields[1].type)));
      case Kind::kStruct: {
        std::vector<std::string> members;
        for (const model::Field& field : type.fields) {
          const std::string member = fmt::format("struct_extract({}, {})", text, SqlText(field.name));
          members.push_back(fmt::format("{} := {}", SqlName(field.name), TRY(Value(member, field.type))));
        }
        return fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", text, Join(members, ", "));
      }
      case Kind::kBoolean:
        return fmt::format("CAST({} AS BOOLEAN)", text);
      case Kind::kString:
        return fmt::format("CASE WHEN contains({0}, chr(0)) THEN {1} ELSE {0} END", text, kNulError);
      default:
        return fmt::format("{}({})", SqlName(TRY(connection_.ExactFunction(type.DuckDb()))),
                           format_.comma && IsNumber(type) ? WithPoint(text) : text);
    }
  }

 private:
  bool IsText(const Type& type) const {
    switch (type.kind) {
      case Kind::kString:
        return true;
      case Kind::kBoolean:
        return format_.json || format_.table;  // There any number is one.
      case Kind::kBinary:
        return false;
      case Kind::kDate:
        return !format_.dates;
      case Kind::kTimestamp:
      case Kind::kTimestampTz:
        return !format_.timestamps;
      default:
        return true;
    }
  }

  // "1.234,50" as 1234.50; what has its points elsewhere is no number, and its message says why.
  static std::string WithPoint(const std::string& text) {
    return fmt::format(
        "CASE WHEN regexp_full_match(trim({0}), "
        "'[+-]?([0-9]{{1,3}}([.][0-9]{{3}})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?') "
        "THEN replace(replace({0}, '.', ''), ',', '.') WHEN contains({0}, '.') THEN {0} || ' (decimal: '','')' ELSE "
        "{0} END",
        text);
  }

  Result<std::string> Each(const std::string& list, const Type& type) {
    if (!Converts(type)) return list;
    const std::string variable = fmt::format("weft_{}", depth_++);
    return fmt::format("list_transform({}, lambda {}: {})", list, variable, TRY(Value(variable, type)));
  }

  engine::Connection& connection_;
  const Format& format_;
  int depth_ = 0;
};

}  // namespace

Result<Conversions> ConversionsOf(engine::Connection& connection, const std::vector<Column>& columns,
                                  const Format& format) {
  Conversions all;
  Converter converter(connection, format);
  for (const Column& column : columns) {
    const Type type = column.type.value_or(Type{});
    const std::string name = SqlName(column.name), key = SqlText(column.name) + ": ";
    const std::string text_type = converter.TextType(type);
    all.texts.push_back(key + SqlText(text_type));
    all.typed.push_back(key + SqlText(format.comma && Converter::IsNumber(type) ? text_type : type.DuckDb()));
    const std::string value = TRY(converter.Value(name, type));
    all.select.push_back(value == name ? name : fmt::format("{} AS {}", value, name));
    if (value != name) all.lossy.push_back({column.name, text_type, value});
  }
  return all;
}

Result<std::vector<Conversion>> ConversionsOfTexts(engine::Connection& connection, const std::vector<Column>& columns,
                                                   Format format, const Json& options) {
  const bool dates = format.dates, timestamps = format.timestamps;
  format.dates = format.timestamps = false;
  Converter converter(connection, format);
  std::vector<Conversion> all;
  for (const Column& column : columns) {
    const Type type = column.type.value_or(Type{});
    const std::string name = SqlName(column.name);
    const bool moment = type.kind == Kind::kTimestamp || type.kind == Kind::kTimestampTz;
    std::string value;
    if (dates && type.kind == Kind::kDate) {
      value = fmt::format("CAST(strptime({}, {}) AS DATE)", name, SqlText(options["date_format"].Text()));
    } else if (timestamps && moment) {
      value =
          fmt::format("CAST(strptime({}, {}) AS {})", name, SqlText(options["timestamp_format"].Text()), type.DuckDb());
    } else if (type.kind == Kind::kBoolean || type.kind == Kind::kBinary) {
      value = fmt::format("CAST({} AS {})", name, type.DuckDb());
    } else {
      const std::string text =
          type.IsPrimitive() ? name : fmt::format("CAST({} AS {})", name, converter.TextType(type));
      value = TRY(converter.Value(text, type));
    }
    all.push_back({column.name, "VARCHAR", std::move(value)});
  }
  return all;
}

}  // namespace weft::run
