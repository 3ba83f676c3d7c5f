#include "model/checks.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>

#include "base/clock.h"
#include "base/text.h"
#include "model/checks_internal.h"
#include "model/entity.h"

namespace weft::model {
namespace {

using Kind = Type::Kind;

bool IsNumber(const Type& type) { return type.kind >= Kind::kInt && type.kind <= Kind::kDecimal; }
bool IsFloat(const Type& type) { return type.kind == Kind::kFloat || type.kind == Kind::kDouble; }
bool IsMoment(const Type& type) { return type.kind >= Kind::kDate && type.kind <= Kind::kTimestampTz; }

// What a width of integer holds, where the column's own type may hold more.
struct Width {
  std::string_view name;
  std::string_view least;
  std::string_view most;
};
constexpr Width kWidths[] = {
    {"i8", "-128", "127"}, {"i16", "-32768", "32767"}, {"i32", "-2147483648", "2147483647"},
    {"u8", "0", "255"},    {"u16", "0", "65535"},      {"u32", "0", "4294967295"},
    {"u64", "0", ""},      {"u128", "0", ""},
};

// The checks of one property, and of what is inside it.
class PropertyCompiler {
 public:
  PropertyCompiler(const SchemaObject& object, const TableSchema& schema, CheckList& list)
      : object_(object), schema_(schema), list_(list) {}

  void Compile(const Property& property, const Scope& scope, const std::string& parent) {
    if (property.required || property.primary_key) {
      // A missing object is judged by its own `required`, not by those of its fields.
      const std::string guard = parent.empty() ? "" : parent + " IS NOT NULL AND ";
      Row(property, scope, "required", guard + scope.value + " IS NULL", scope.path + " is never null", "completeness");
    }
    if (property.unique && scope.column) Unique({scope.path}, scope.path + ".unique", property.place);
    Enum(property, scope);
    Options(property, scope);
    Length(property, scope);
    CompileQuality(object_, schema_, &scope, property.quality, list_);
    Inside(property, scope);
  }

  // An entity's identifiers look alike in every domain.
  void Identifier(const Property& property, const Scope& scope, const Entities& entities) {
    const Entity* entity = property.entity ? entities.Find(property.entity->name) : nullptr;
    if (!entity || entity->pattern.empty() || scope.type.kind != Kind::kString) return;
    Row(property, scope, "entity", fmt::format("NOT regexp_matches({}, {})", scope.value, SqlText(entity->pattern)),
        fmt::format("{} identifies a {}: it matches {}", scope.path, entity->name, entity->pattern));
  }

  void Unique(const std::vector<std::string>& columns, const std::string& id, const Place& place) {
    Check check;
    check.id = id;
    check.kind = Check::Kind::kUnique;
    check.columns = columns;
    check.description = columns.size() == 1 ? columns[0] + " has no duplicates"
                                            : fmt::format("({}) has no duplicates", Join(columns, ", "));
    check.dimension = "uniqueness";
    check.place = place;
    list_.Add(std::move(check));
  }

 private:
  void Row(const Property& property, const Scope& scope, std::string_view what, const std::string& failing,
           std::string description, std::string_view dimension = "conformity") {
    Check check;
    check.id = scope.path + "." + std::string(what);
    check.description = std::move(description);
    check.failing = scope.Wrap(failing);
    check.dimension = dimension;
    check.place = property.place;
    list_.Add(std::move(check));
  }

  void Enum(const Property& property, const Scope& scope) {
    if (property.enum_values.empty()) return;
    Json::Array values;
    std::vector<std::string> shown;
    for (const EnumValue& value : property.enum_values) {
      values.push_back(value.value);
      if (shown.size() < 8) shown.push_back(value.value.is_text() ? value.value.Text() : value.value.Dump());
    }
    if (values.size() > shown.size()) shown.push_back("…");
    const std::string literals = LiteralsOf(values, scope, property.place, list_);
    if (literals.empty()) return;
    Row(property, scope, "enum", fmt::format("{} NOT IN ({})", scope.value, literals),
        fmt::format("{} is one of {}", scope.path, Join(shown, ", ")));
  }

  void Options(const Property& property, const Scope& scope) {
    for (const auto& [name, value] : property.options.Members()) {
      const bool done = scope.type.kind == Kind::kString ? TextOption(property, scope, name, value)
                        : scope.type.kind == Kind::kList ? ListOption(property, scope, name, value)
                        : name == "required"             ? FieldsOption(property, scope, value)
                                                         : RangeOption(property, scope, name, value);
      if (!done && Judges(name)) {
        list_.Complain(property.place,
                       fmt::format("{} of {} has no meaning for the type {}", name, scope.path, scope.type.DuckDb()));
      }
    }
  }

  static bool Judges(std::string_view name) {
    constexpr std::string_view kJudges[] = {
        "minLength",  "maxLength", "pattern",  "minimum",     "maximum",  "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf", "minItems",  "maxItems", "uniqueItems", "required", "minProperties",    "maxProperties"};
    return std::find(std::begin(kJudges), std::end(kJudges), name) != std::end(kJudges);
  }

  bool TextOption(const Property& property, const Scope& scope, const std::string& name, const Json& value) {
    const std::string& x = scope.value;
    if (name == "minLength") {
      Row(property, scope, name, fmt::format("length({}) < {}", x, value.Int()),
          fmt::format("{} has at least {}", scope.path, Count(value.Int(), "character")));
    } else if (name == "maxLength") {
      Row(property, scope, name, fmt::format("length({}) > {}", x, value.Int()),
          fmt::format("{} has at most {}", scope.path, Count(value.Int(), "character")));
    } else if (name == "pattern") {
      if (!PatternHolds(value.Text(), property.place, list_)) return true;
      Row(property, scope, name, fmt::format("NOT regexp_matches({}, {})", x, SqlText(value.Text())),
          fmt::format("{} matches {}", scope.path, value.Text()));
    } else if (name == "format") {
      FormatOf(property, scope, value.Text());
    } else {
      return false;
    }
    return true;
  }

  // Any word may stand there; one that nearly is a format that is checked was meant as it.
  void FormatOf(const Property& property, const Scope& scope, const std::string& format) {
    if (const std::string_view pattern = FormatPattern(format); !pattern.empty()) {
      Row(property, scope, "format", fmt::format("NOT regexp_full_match({}, {})", scope.value, SqlText(pattern)),
          fmt::format("{} is a valid {}", scope.path, format));
    } else if (const std::string_view nearest = NearestFormat(format); !nearest.empty()) {
      list_.Complain(property.place,
                     fmt::format("'{}' is no format that is checked; did you mean '{}'?", format, nearest));
    }
  }

  bool ListOption(const Property& property, const Scope& scope, const std::string& name, const Json& value) {
    const std::string& x = scope.value;
    if (name == "minItems") {
      Row(property, scope, name, fmt::format("len({}) < {}", x, value.Int()),
          fmt::format("{} has at least {}", scope.path, Count(value.Int(), "item")));
    } else if (name == "maxItems") {
      Row(property, scope, name, fmt::format("len({}) > {}", x, value.Int()),
          fmt::format("{} has at most {}", scope.path, Count(value.Int(), "item")));
    } else if (name == "uniqueItems") {
      if (value.Bool()) {
        Row(property, scope, name,
            fmt::format("list_unique({0}) < len(list_filter({0}, lambda weft_item: weft_item IS NOT NULL))", x),
            fmt::format("{} repeats no item", scope.path));
      }
    } else {
      return false;
    }
    return true;
  }

  // The fields that an object always has.
  bool FieldsOption(const Property& property, const Scope& scope, const Json& value) {
    if (scope.type.kind != Kind::kStruct) return false;
    std::vector<std::string_view> fields;
    for (const Field& field : scope.type.fields) fields.push_back(field.name);
    for (const std::string& name : value.Texts()) {
      if (std::ranges::find(fields, name) == fields.end()) {
        list_.Complain(property.place,
                       fmt::format("'{}' is no field of {}{}", name, scope.path, DidYouMean(name, fields)));
        continue;
      }
      Row(property, scope, name + ".required",
          fmt::format("{0} IS NOT NULL AND struct_extract({0}, {1}) IS NULL", scope.value, SqlText(name)),
          fmt::format("{}.{} is never null", scope.path, name), "completeness");
    }
    return true;
  }

  bool RangeOption(const Property& property, const Scope& scope, const std::string& name, const Json& value) {
    struct Bound {
      std::string_view name, fails, words;
      bool lower;
    };
    constexpr Bound kBounds[] = {{"minimum", "<", "at least", true},
                                 {"exclusiveMinimum", "<=", "more than", true},
                                 {"maximum", ">", "at most", false},
                                 {"exclusiveMaximum", ">=", "less than", false}};
    if (name == "format") return WidthOf(property, scope, value);
    if (!IsNumber(scope.type) && !IsMoment(scope.type)) return false;
    for (const Bound& bound : kBounds) {
      if (bound.name != name) continue;
      const auto literal = LiteralOf(value, scope.type);
      if (!literal) {
        list_.Complain(property.place, fmt::format("{} of {} is {}, which is no value of {}", name, scope.path,
                                                   value.Dump(), scope.type.DuckDb()));
        return true;
      }
      // DuckDB sorts NaN above every number, so that it would meet a minimum.
      const std::string nan = bound.lower && IsFloat(scope.type) ? fmt::format(" OR isnan({})", scope.value) : "";
      Row(property, scope, name, fmt::format("({} {} {}{})", scope.value, bound.fails, *literal, nan),
          fmt::format("{} is {} {}", scope.path, bound.words, value.is_text() ? value.Text() : value.Dump()));
      return true;
    }
    if (name == "multipleOf" && IsNumber(scope.type)) {
      MultipleOf(property, scope, value);
      return true;
    }
    return false;
  }

  bool WidthOf(const Property& property, const Scope& scope, const Json& value) {
    if (scope.type.kind != Kind::kInt && scope.type.kind != Kind::kLong && scope.type.kind != Kind::kDecimal)
      return true;
    for (const Width& width : kWidths) {
      if (width.name != value.Text() || (width.name == "i32" && scope.type.kind == Kind::kInt)) continue;
      std::string failing = fmt::format("{} < {}", scope.value, width.least);
      if (!width.most.empty()) failing += fmt::format(" OR {} > {}", scope.value, width.most);
      Row(property, scope, "format", "(" + failing + ")", fmt::format("{} fits {}", scope.path, width.name));
    }
    return true;
  }

  void MultipleOf(const Property& property, const Scope& scope, const Json& value) {
    const std::string literal = value.Dump();
    if (value.Double() <= 0) {
      list_.Complain(property.place, fmt::format("multipleOf of {} is {}; it must be above 0", scope.path, literal));
      return;
    }
    // Decimals and integers divide exactly; binary fractions only nearly.
    const bool exact = !IsFloat(scope.type) && literal.find('e') == literal.npos;
    Row(property, scope, "multipleOf",
        exact
            ? fmt::format("{} % {} <> 0", scope.value, literal)
            : fmt::format("NOT coalesce(abs({0} / {1} - round({0} / {1})) < 1e-9, {0} IS NULL)", scope.value, literal),
        fmt::format("{} is a multiple of {}", scope.path, literal));
  }

  // varchar(n) and char(n): a length that the storage, which has none, would not hold.
  void Length(const Property& property, const Scope& scope) {
    static const RE2 kSized(R"((?i)\s*(?:n?varchar2?|n?char|character|character varying|string)\s*\(\s*(\d+)\s*\)\s*)");
    int64_t most = 0;
    if (scope.type.kind != Kind::kString || !RE2::FullMatch(property.physical_type, kSized, &most)) return;
    Row(property, scope, "length", fmt::format("length({}) > {}", scope.value, most),
        fmt::format("{} fits {}", scope.path, property.physical_type));
  }

  const Type* FieldOf(const Type& type, size_t index) const {
    return index < type.fields.size() ? &type.fields[index].type : nullptr;
  }

  void Inside(const Property& property, const Scope& scope) {
    for (const Property& child : property.properties) {
      for (const Field& field : scope.type.fields) {
        if (field.name != child.name) continue;
        Scope inner{scope.path + "." + child.name,
                    fmt::format("struct_extract({}, {})", scope.value, SqlText(child.name)), field.type, scope.lists,
                    false};
        Compile(child, inner, scope.value);
      }
    }
    if (!property.items.empty() && scope.type.kind == Kind::kList) {
      if (const Type* type = FieldOf(scope.type, 0)) Each(property.items[0], scope, scope.value, "[]", *type);
    }
    if (scope.type.kind != Kind::kMap) return;
    for (size_t i = 0; i < property.map.size() && i < 2; ++i) {
      const Type* type = FieldOf(scope.type, i);
      if (!type) continue;
      Each(property.map[i], scope, fmt::format("{}({})", i == 0 ? "map_keys" : "map_values", scope.value),
           i == 0 ? "{key}" : "{value}", *type);
    }
  }

  void Each(const Property& item, const Scope& scope, const std::string& list, std::string_view mark,
            const Type& type) {
    Scope inner{scope.path + std::string(mark), fmt::format("weft_{}", scope.lists.size()), type, scope.lists, false};
    inner.lists.emplace_back(list, inner.value);
    Compile(item, inner, "");
  }

  const SchemaObject& object_;
  const TableSchema& schema_;
  CheckList& list_;
};

// Foreign keys, of the object or (then `own` is its column) of a property.
void CompileRelationships(const SchemaObject& object, const std::vector<Relationship>& relationships,
                          const std::string& own, CheckList& list) {
  for (const Relationship& relationship : relationships) {
    if (!relationship.type.empty() && relationship.type != "foreignKey") {
      list.Complain(relationship.place,
                    fmt::format("a relationship of type '{}' is not known; it is foreignKey", relationship.type));
      continue;
    }
    Check check;
    check.kind = Check::Kind::kForeign;
    check.place = relationship.place;
    check.dimension = "consistency";
    for (const std::string& from : relationship.from) {
      const std::string column = from.substr(from.rfind(from.starts_with('/') ? '/' : '.') + 1);
      const Property* property = object.Find(column);
      if (!property) {
        for (const Property& each : object.properties) property = each.id == column ? &each : property;
      }
      if (property)
        check.columns.push_back(property->name);
      else
        list.Complain(relationship.place,
                      fmt::format("the relationship is from '{}', which is no column of {}", from, object.name));
    }
    if (relationship.from.empty() && !own.empty()) check.columns = {own};
    std::set<std::string> targets;
    for (const std::string& to : relationship.to) {
      std::string table, column;
      const auto pieces = Split(to, '/');
      if (pieces.size() == 5 && pieces[1] == "schema" && pieces[3] == "properties") {
        table = pieces[2];
        column = pieces[4];
      } else if (const size_t dot = to.rfind('.'); dot != to.npos) {
        table = to.substr(0, dot);
        column = to.substr(dot + 1);
      }
      if (table.empty() || column.empty()) {
        list.Complain(relationship.place, fmt::format("the relationship is to '{}'; write port.column, "
                                                      "domain.product.port.column or /schema/ID/properties/ID",
                                                      to));
        continue;
      }
      if (table == object.id || table == object.name || table == object.physical_name) {
        for (const Property& each : object.properties)
          column = !each.id.empty() && each.id == column ? each.name : column;
        table = "{table}";
      }
      targets.insert(table);
      check.target_columns.push_back(column);
    }
    if (targets.size() > 1) {
      list.Complain(relationship.place,
                    fmt::format("one foreign key cannot point at {} and {}", *targets.begin(), *targets.rbegin()));
    } else if (targets.size() == 1 && check.columns.size() == check.target_columns.size()) {
      check.target = *targets.begin();
      check.id = Join(check.columns, "+") + ".foreignKey";
      check.description = fmt::format("every {} exists in {}", Join(check.columns, ", "), Join(relationship.to, ", "));
      list.Add(std::move(check));
    } else if (!targets.empty()) {
      list.Complain(relationship.place,
                    fmt::format("a foreign key has as many columns as its target: {} and {} are written",
                                check.columns.size(), check.target_columns.size()));
    }
  }
}

}  // namespace

std::string Scope::Wrap(std::string predicate) const {
  for (auto list = lists.rbegin(); list != lists.rend(); ++list) {
    predicate = fmt::format("len(list_filter({}, lambda {}: {})) > 0", list->first, list->second, predicate);
  }
  return predicate;
}

void CheckList::Add(Check check) {
  std::string id = check.id;
  for (int n = 2; !ids_.insert(id).second; ++n) id = fmt::format("{}-{}", check.id, n);
  check.id = std::move(id);
  checks_.push_back(std::move(check));
}

void CheckList::Complain(const Place& place, std::string message) {
  problems_.push_back({contract_.file, place.line, place.column, place.path, "weft.check", std::move(message)});
}

Result<std::vector<Check>> CheckList::Take() {
  if (problems_.empty()) return std::move(checks_);
  Error error{Code::kInvalid, fmt::format("{}: {}", contract_.file, Count(problems_.size(), "check") + " cannot run")};
  error.problems = std::move(problems_);
  return error;
}

std::optional<std::string> LiteralOf(const Json& value, const Type& type) {
  const std::string text = value.is_text() ? value.Text() : value.Dump();
  if (type.kind == Kind::kString)
    return value.is_object() || value.is_array() ? std::nullopt : std::optional(SqlText(text));
  if (type.kind == Kind::kBoolean && value.kind() == Json::Kind::kBool) return text;
  if (IsNumber(type)) {
    if (!value.is_number() || !std::isfinite(value.Double())) return std::nullopt;
    return IsFloat(type) ? fmt::format("CAST({} AS {})", text, type.DuckDb()) : text;
  }
  if (!IsMoment(type) || !value.is_text()) return std::nullopt;
  static const RE2 kTime(R"(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?)");
  if (type.kind == Kind::kTime) {
    return RE2::FullMatch(text, kTime) ? std::optional("TIME " + SqlText(text)) : std::nullopt;
  }
  const auto moment = Instant::Parse(text);
  if (!moment) return std::nullopt;
  if (text.size() <= 10)
    return (type.kind == Kind::kTimestampTz ? "TIMESTAMPTZ " + SqlText(text + " 00:00:00+00")
                                            : "DATE " + SqlText(text));
  std::string utc = moment->Text();
  utc.pop_back();  // The Z: a TIMESTAMP has no zone, and is UTC here.
  utc[10] = ' ';
  return type.kind == Kind::kTimestampTz ? "TIMESTAMPTZ " + SqlText(utc + "+00") : "TIMESTAMP " + SqlText(utc);
}

std::string LiteralsOf(const Json::Array& values, const Scope& scope, const Place& place, CheckList& list) {
  std::vector<std::string> literals;
  for (const Json& value : values) {
    if (value.is_null()) continue;
    if (auto literal = LiteralOf(value, scope.type)) {
      literals.push_back(*literal);
    } else {
      list.Complain(place,
                    fmt::format("{} is no value of {}, which is {}", value.Dump(), scope.path, scope.type.DuckDb()));
    }
  }
  return Join(literals, ", ");
}

bool PatternHolds(const std::string& pattern, const Place& place, CheckList& list) {
  const RE2 compiled(pattern, RE2::Quiet);
  if (compiled.ok()) return true;
  list.Complain(place,
                fmt::format("the pattern '{}' cannot be run: {}; look-around and back-references are not supported",
                            pattern, compiled.error()));
  return false;
}

std::string Check::Expected() const {
  const std::string unit = percent ? " %" : kind == Kind::kSet ? "" : kind == Kind::kUnique ? " keys" : " rows";
  const Json::Array& two = bound.Items();
  const std::string number = two.size() == 2 ? two[0].Dump() + " and " + two[1].Dump() : bound.Dump();
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {{"mustBe", ""},
                                                                      {"mustNotBe", "not "},
                                                                      {"mustBeGreaterThan", "more than "},
                                                                      {"mustBeGreaterOrEqualTo", "at least "},
                                                                      {"mustBeLessThan", "less than "},
                                                                      {"mustBeLessOrEqualTo", "at most "},
                                                                      {"mustBeBetween", "between "},
                                                                      {"mustNotBeBetween", "not between "}};
  for (const auto& [name, words] : kWords) {
    if (op == name) return std::string(words) + number + unit;
  }
  return number + unit;
}

Result<std::vector<Check>> CompileChecks(const Contract& contract, const TableSchema& schema,
                                         const Entities& entities) {
  CheckList list(contract);
  if (contract.schema.size() != 1) {
    list.Complain(
        {}, fmt::format("a table port's contract has exactly one schema object; this has {}", contract.schema.size()));
    return list.Take();
  }
  const SchemaObject& object = contract.schema[0];
  PropertyCompiler compiler(object, schema, list);
  for (const Property& property : object.properties) {
    const Field* field = schema.Find(property.name);
    if (!field) {
      list.Complain(property.place, fmt::format("{} is not among the table's columns", property.name));
      continue;
    }
    compiler.Compile(property, {property.name, SqlName(property.name), field->type, {}, true}, "");
    compiler.Identifier(property, {property.name, SqlName(property.name), field->type, {}, true}, entities);
    CompileRelationships(object, property.relationships, property.name, list);
  }
  const std::vector<std::string> key = object.PrimaryKey();
  const Property* only = key.size() == 1 ? object.Find(key[0]) : nullptr;
  if (!key.empty() && !(only && only->unique)) compiler.Unique(key, "primaryKey", object.Find(key[0])->place);
  CompileQuality(object, schema, nullptr, object.quality, list);
  CompileRelationships(object, object.relationships, "", list);
  return list.Take();
}

bool Meets(std::string_view op, const Json& bound, double value) {
  if (!std::isfinite(value)) return false;
  if (op == "mustBeBetween") return value >= bound.Items()[0].Double() && value <= bound.Items()[1].Double();
  if (op == "mustNotBeBetween") return value < bound.Items()[0].Double() || value > bound.Items()[1].Double();
  if (!bound.is_number()) return false;
  const double limit = bound.Double();
  if (op == "mustBe") return value == limit;
  if (op == "mustNotBe") return value != limit;
  if (op == "mustBeGreaterThan") return value > limit;
  if (op == "mustBeGreaterOrEqualTo") return value >= limit;
  if (op == "mustBeLessThan") return value < limit;
  if (op == "mustBeLessOrEqualTo") return value <= limit;
  return false;
}

}  // namespace weft::model
