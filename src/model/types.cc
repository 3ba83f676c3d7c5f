#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "model/schema.h"

namespace weft::model {
namespace {

using Kind = Type::Kind;

// The table of types. A physical type is looked up less its arguments; "" is what holds where there is none. Without
// a logical type the first entry that has the physical type decides.
struct Entry {
  std::string_view logical;
  std::string_view physical;  // Names between bars.
  Kind kind;
};

constexpr Entry kTypes[] = {
    {"boolean", "|boolean|bool|bit", Kind::kBoolean},
    {"integer", "int|integer|int4|int32|smallint|int2|int16|tinyint|mediumint|utinyint|uint8|usmallint|uint16",
     Kind::kInt},
    {"integer", "|bigint|long|int64|int8|uinteger|uint32|int unsigned", Kind::kLong},
    {"number", "float|real|float4|float32", Kind::kFloat},
    {"number", "|double|double precision|float8|float64|number", Kind::kDouble},
    {"number", "decimal|numeric|number|dec", Kind::kDecimal},
    {"number", "int|integer|int4|int32|smallint|int2|int16|tinyint|mediumint|utinyint|uint8|usmallint|uint16",
     Kind::kInt},
    {"number", "bigint|long|int64|int8|uinteger|uint32|int unsigned", Kind::kLong},
    {"string",
     "|string|varchar|text|char|character|character "
     "varying|nvarchar|nchar|bpchar|varchar2|nvarchar2|uuid|enum|json|clob|"
     "longtext|mediumtext|tinytext",
     Kind::kString},
    {"string", "binary|blob|bytes|bytea|varbinary|binary varying|longblob", Kind::kBinary},
    {"date", "|date", Kind::kDate},
    {"time", "|time|time without time zone", Kind::kTime},
    {"timestamp", "|timestamp|datetime|datetime2|timestamp without time zone|timestamp_ntz|timestampntz",
     Kind::kTimestamp},
    {"timestamp",
     "timestamptz|timestamp with time zone|timestamp_tz|timestamp_ltz|timestamp with local time zone|datetimeoffset",
     Kind::kTimestampTz},
    {"date", "timestamp|datetime|datetime2|timestamp without time zone|timestamp_ntz|timestampntz", Kind::kTimestamp},
    {"date",
     "timestamptz|timestamp with time zone|timestamp_tz|timestamp_ltz|timestamp with local time zone|datetimeoffset",
     Kind::kTimestampTz},
    {"array", "|array|list", Kind::kList},
    {"object", "|object|struct|row|record", Kind::kStruct},
    {"map", "|map", Kind::kMap},
};

constexpr std::string_view kLogicalTypes[] = {"boolean", "integer",   "number", "string", "date",
                                              "time",    "timestamp", "array",  "object", "map"};

bool Lists(const Entry& entry, std::string_view name) {
  std::string_view rest = entry.physical;
  while (true) {
    const size_t bar = rest.find('|');
    if (rest.substr(0, bar) == name) return true;
    if (bar == rest.npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

// "Decimal (18, 2)" as base "decimal" and arguments "18, 2"; "timestamp(6) with time zone" without its "(6)".
struct Physical {
  std::string base;
  std::string arguments;
};

Physical Read(std::string_view written) {
  const std::string text = Lower(Trim(written));
  if (text.ends_with("[]")) return {"array", ""};
  if (size_t open = text.find('<'); open != text.npos) return {std::string(Trim(text.substr(0, open))), ""};
  Physical physical{text, ""};
  if (size_t open = text.find('('); open != text.npos) {
    size_t close = text.rfind(')');
    if (close == text.npos || close < open) close = text.size() - 1;
    physical.arguments = text.substr(open + 1, close - open - 1);
    physical.base = text.substr(0, open) + text.substr(close + 1);
  }
  std::string spaced;
  for (const std::string& word : Split(physical.base, ' ')) {
    if (!word.empty()) spaced += (spaced.empty() ? "" : " ") + word;
  }
  physical.base = spaced;
  return physical;
}

Error Invalid(std::string message) { return {Code::kInvalid, std::move(message)}; }

std::string PhysicalTypesOf(std::string_view logical) {
  std::string names;
  for (const Entry& entry : kTypes) {
    if (entry.logical != logical) continue;
    for (const std::string& name : Split(entry.physical, '|')) {
      if (!name.empty()) names += (names.empty() ? "" : ", ") + name;
    }
  }
  return names;
}

Error Disagreement(const Property& property, const Physical& physical) {
  std::string others;
  for (const Entry& entry : kTypes) {
    if (Lists(entry, physical.base)) {
      others = fmt::format(": write logicalType {}, or", entry.logical);
      break;
    }
  }
  if (property.logical_type.empty()) {
    return Invalid(fmt::format("physicalType '{}' is not known: state a logicalType ({})", property.physical_type,
                               fmt::format("{}", fmt::join(kLogicalTypes, ", "))));
  }
  return Invalid(fmt::format("physicalType '{}' does not go with logicalType '{}'{} one of {}", property.physical_type,
                             property.logical_type, others.empty() ? ": write" : others,
                             PhysicalTypesOf(property.logical_type)));
}

// Where no physical type is written, an integer's or number's `format` says how wide it is.
std::string_view PhysicalOfFormat(const Property& property) {
  const std::string& format = property.options["format"].Text();
  if (property.logical_type == "integer") {
    if (format == "i8" || format == "i16" || format == "i32" || format == "u8" || format == "u16") return "int";
    if (format == "i64" || format == "u32") return "bigint";
  }
  if (property.logical_type == "number") {
    if (format == "f32") return "float";
    if (format == "f64") return "double";
  }
  return "";
}

bool TakeNumber(std::string_view text, int& number) {
  text = Trim(text);
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

Result<Type> Decimal(const Property& property, const Physical& physical) {
  Type type{Kind::kDecimal, 0, 0, {}};
  const auto pieces = Split(physical.arguments, ',');
  bool right = pieces.size() <= 2 && TakeNumber(pieces[0], type.precision);
  if (pieces.size() == 2) right = right && TakeNumber(pieces[1], type.scale);
  if (right && type.precision >= 1 && type.precision <= 38 && type.scale >= 0 && type.scale <= type.precision)
    return type;
  return Invalid(fmt::format("physicalType '{}' needs a precision of 1 to 38 and a scale up to it: write decimal(18,2)",
                             property.physical_type));
}

// A whole number kept as a decimal without a fraction is a long where it surely fits.
Result<Type> WholeDecimal(const Property& property, const Physical& physical) {
  Type type = TRY(Decimal(property, physical));
  if (type.scale == 0 && type.precision <= 18) return Type{Kind::kLong, 0, 0, {}};
  return Invalid(
      fmt::format("physicalType '{}' does not fit logicalType 'integer' (18 digits, no fraction): write logicalType "
                  "number",
                  property.physical_type));
}

Result<Type> Child(const Property& property, std::string_view what) {
  auto type = TypeOf(property);
  if (!type) return type.TakeError().With(fmt::format("{} of it", what));
  return type;
}

Result<Type> Nested(Kind kind, const Property& property) {
  Type type{kind, 0, 0, {}};
  if (kind == Kind::kList) {
    if (property.items.size() != 1) return Invalid("an array needs `items` with the type of its elements");
    type.fields.push_back({0, "element", "element", TRY(Child(property.items[0], "the items")), false});
  } else if (kind == Kind::kMap) {
    if (property.map.size() != 2) return Invalid("a map needs `map` with the types of its key and value");
    type.fields.push_back({0, "key", "key", TRY(Child(property.map[0], "the key")), true});
    type.fields.push_back({0, "value", "value", TRY(Child(property.map[1], "the value")), false});
    if (!type.fields[0].type.IsPrimitive()) return Invalid("a map's key must be a plain type such as string");
  } else {
    if (property.properties.empty())
      return Invalid("an object needs `properties`; write logicalType string for free JSON text");
    for (const Property& child : property.properties) {
      type.fields.push_back({0, child.id.empty() ? child.name : child.id, child.name,
                             TRY(Child(child, fmt::format("property '{}'", child.name))), child.required});
    }
  }
  return type;
}

Result<Type> Timestamp(Kind kind, const Property& property, const Physical& physical) {
  const Json& zone = property.options["timezone"];
  if (zone.kind() != Json::Kind::kBool) return Type{kind, 0, 0, {}};
  const bool says_none = physical.base.ends_with("ntz") || physical.base.ends_with("without time zone");
  if ((zone.Bool() && says_none) || (!zone.Bool() && kind == Kind::kTimestampTz)) {
    return Invalid(fmt::format("physicalType '{}' does not go with logicalTypeOptions.timezone {}: write {}",
                               property.physical_type, zone.Dump(), zone.Bool() ? "timestamptz" : "timestamp"));
  }
  return Type{zone.Bool() ? Kind::kTimestampTz : kind, 0, 0, {}};
}

}  // namespace

std::string_view Type::Logical() const {
  switch (kind) {
    case Kind::kBoolean:
      return "boolean";
    case Kind::kInt:
    case Kind::kLong:
      return "integer";
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
      return "number";
    case Kind::kDate:
      return "date";
    case Kind::kTime:
      return "time";
    case Kind::kTimestamp:
    case Kind::kTimestampTz:
      return "timestamp";
    case Kind::kString:
    case Kind::kBinary:
      return "string";
    case Kind::kList:
      return "array";
    case Kind::kStruct:
    case Kind::kMap:
      return "object";
  }
  return "";
}

Result<Type> TypeOf(const Property& property) {
  const std::string& logical = property.logical_type;
  if (logical.empty() && property.physical_type.empty()) {
    return Invalid(fmt::format("a logicalType is missing: write one of {}", fmt::join(kLogicalTypes, ", ")));
  }
  if (!logical.empty() &&
      std::find(std::begin(kLogicalTypes), std::end(kLogicalTypes), logical) == std::end(kLogicalTypes)) {
    return Invalid(
        fmt::format("logicalType '{}' is not supported: write one of {}{}", logical, fmt::join(kLogicalTypes, ", "),
                    logical == "vector" ? " (a vector is an array of numbers)" : DidYouMean(logical, kLogicalTypes)));
  }
  Physical physical = Read(property.physical_type.empty() ? PhysicalOfFormat(property) : property.physical_type);
  const bool decimal = physical.base == "decimal" || physical.base == "numeric" ||
                       (physical.base == "number" && !physical.arguments.empty());
  if (decimal && logical == "integer") return WholeDecimal(property, physical);
  if (decimal && (logical == "number" || logical.empty())) return Decimal(property, physical);
  for (const Entry& entry : kTypes) {
    if (!logical.empty() && entry.logical != logical) continue;
    if (!Lists(entry, physical.base)) continue;
    if (entry.kind >= Kind::kList) return Nested(entry.kind, property);
    if (entry.kind == Kind::kDecimal) return Decimal(property, physical);
    if (entry.kind == Kind::kTimestamp || entry.kind == Kind::kTimestampTz)
      return Timestamp(entry.kind, property, physical);
    return Type{entry.kind, 0, 0, {}};
  }
  return Disagreement(property, physical);
}

std::string TypeTable() {
  std::string table = "| logicalType | physicalType | DuckDB | Iceberg |\n|---|---|---|---|\n";
  for (const Entry& entry : kTypes) {
    Type type{entry.kind, 18, 2, {}};
    std::string duckdb, iceberg;
    switch (entry.kind) {
      case Kind::kList:
        duckdb = "*element*[]", iceberg = "list";
        break;
      case Kind::kStruct:
        duckdb = "STRUCT(…)", iceberg = "struct";
        break;
      case Kind::kMap:
        duckdb = "MAP(*key*, *value*)", iceberg = "map";
        break;
      case Kind::kDecimal:
        duckdb = "DECIMAL(*p*,*s*)", iceberg = "decimal(*p*, *s*)";
        break;
      default:
        duckdb = type.DuckDb(), iceberg = type.Iceberg().Text();
    }
    std::string names;
    for (const std::string& name : Split(entry.physical, '|')) {
      names += (names.empty() ? "" : ", ") + (name.empty() ? std::string("*none*") : "`" + name + "`");
    }
    table += fmt::format("| {} | {} | {} | {} |\n", entry.logical, names, duckdb, iceberg);
  }
  return table;
}

}  // namespace weft::model
