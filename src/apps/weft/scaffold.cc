#include "apps/weft/scaffold.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/id.h"
#include "base/text.h"

namespace weft::app {
namespace {

using model::Type;
using Kind = Type::Kind;
using run::ColumnProfile;
using run::TableProfile;

constexpr int kRowsOfAnEnum = 10;    // On average, of each value.
constexpr size_t kLongestWord = 40;  // Of an enum.
constexpr int kLooksOfAPattern = 20;

// A scalar of YAML: plain where it cannot be misread, else as JSON writes it.
std::string Scalar(const std::string& text) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-/.";
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) { return kPlain.find(c) != kPlain.npos; }) &&
                     std::isalpha(static_cast<unsigned char>(text[0]));
  for (const std::string_view word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}) {
    if (Lower(text) == word) return Json(text).Dump();
  }
  return plain ? text : Json(text).Dump();
}

// "order_date" as "Order date".
std::string Spoken(const std::string& name) {
  std::string spoken = ReplaceAll(name, "_", " ");
  if (!spoken.empty()) spoken[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(spoken[0])));
  return spoken;
}

// The regular expression of a shape: "AA-9999" as ^[A-Z]{2}-[0-9]{4}$; empty where the shape says too little.
std::string PatternOf(const std::string& shape) {
  if (shape.size() < 2 || shape.size() > kLongestWord || shape.find_first_of("A9") == shape.npos) return "";
  std::string pattern = "^";
  for (size_t i = 0; i < shape.size();) {
    const char c = shape[i];
    const size_t end = std::min(shape.find_first_not_of(c, i), shape.size());
    const std::string_view set = c == 'A' ? "[A-Z]" : c == 'a' ? "[a-z]" : c == '9' ? "[0-9]" : "";
    if (set.empty() && std::string_view("-_/:. #").find(c) == std::string_view::npos) return "";
    pattern += set.empty() ? (c == '.' ? "[.]" : std::string(1, c)) : std::string(set);
    if (end - i > 1) pattern += fmt::format("{{{}}}", end - i);
    i = end;
  }
  return pattern + "$";
}

// What a person calls the source: its file's name, or its table's.
std::string NameOf(const Json& source) {
  if (source.Has("table")) return source["table"].Text();
  const std::string& path = source["path"].Text();
  return path.substr(path.rfind('/') + 1);
}

std::string InputName(const TableProfile& table) {
  return PortName(table.name) + (table.declared ? "-table" : "-file");
}

// The lines of one contract.
class ContractWriter {
 public:
  ContractWriter(const Scaffold& scaffold, const TableProfile& table, size_t at)
      : scaffold_(scaffold), table_(table), at_(at) {}

  // What the port promises.
  std::string Output(const std::string& id) {
    const bool told = table_.declared && !table_.declared->comment.empty();
    Head(id, PortName(table_.name), told ? table_.declared->comment : fmt::format("The rows of {}.", SourceText()));
    promises_ = true;
    for (const ColumnProfile& column : table_.columns) Property(column.plain, column);
    Together();
    if (table_.rows == 0) return std::move(text_);
    text_ +=
        "    quality:\n"
        "      - {id: not_empty, type: library, metric: rowCount, mustBeGreaterThan: 0, dimension: completeness, "
        "description: There is a row at least.}\n";
    return std::move(text_);
  }

  // What the source holds: its own names, and the types to read them as.
  std::string Input(const std::string& id) {
    Head(id, InputName(table_), fmt::format("The columns of {}, as they are called there.", SourceText()));
    promises_ = false;
    for (const ColumnProfile& column : table_.columns) Property(column.name, column);
    return std::move(text_);
  }

 private:
  std::string SourceText() const { return NameOf(scaffold_.sources.at(table_.name)); }

  void Head(const std::string& id, const std::string& name, const std::string& purpose) {
    text_ = fmt::format(
        "apiVersion: v3.2.0\nkind: DataContract\nid: {}\nname: {}\nversion: 1.0.0\nstatus: draft\ndomain: {}\n"
        "dataProduct: {}\ndescription:\n  purpose: {}\nschema:\n  - id: {}\n    name: {}\n    logicalType: object\n"
        "    physicalType: table\n    properties:\n",
        id, Scalar(name), Scalar(scaffold_.domain), Scalar(scaffold_.product), Scalar(purpose), Scalar(table_.name),
        Scalar(table_.name));
  }

  void Line(int indent, const std::string& key, const std::string& value) {
    text_ += fmt::format("{}{}: {}\n", std::string(indent, ' '), key, value);
  }

  void TypeLines(const Type& type, int indent) {
    static const std::map<Kind, std::pair<std::string_view, std::string_view>> kTypes = {
        {Kind::kBoolean, {"boolean", "boolean"}},
        {Kind::kInt, {"integer", "integer"}},
        {Kind::kLong, {"integer", "bigint"}},
        {Kind::kFloat, {"number", "float"}},
        {Kind::kDouble, {"number", "double"}},
        {Kind::kDecimal, {"number", ""}},
        {Kind::kDate, {"date", "date"}},
        {Kind::kTime, {"time", "time"}},
        {Kind::kTimestamp, {"timestamp", "timestamp"}},
        {Kind::kTimestampTz, {"timestamp", "timestamptz"}},
        {Kind::kString, {"string", "varchar"}},
        {Kind::kBinary, {"string", "binary"}},
        {Kind::kList, {"array", "array"}},
        {Kind::kStruct, {"object", "struct"}},
        {Kind::kMap, {"map", "map"}}};
    const auto& [logical, physical] = kTypes.at(type.kind);
    Line(indent, "logicalType", std::string(logical));
    Line(indent, "physicalType", type.kind == Kind::kDecimal ? Scalar(Lower(type.DuckDb())) : std::string(physical));
    const std::string in(indent, ' ');
    if (type.kind == Kind::kList) {
      text_ += in + "items:\n";
      TypeLines(type.fields[0].type, indent + 2);
    } else if (type.kind == Kind::kMap) {
      text_ += in + "map:\n" + in + "  key:\n";
      TypeLines(type.fields[0].type, indent + 4);
      text_ += in + "  value:\n";
      TypeLines(type.fields[1].type, indent + 4);
    } else if (type.kind == Kind::kStruct) {
      text_ += in + "properties:\n";
      for (const model::Field& field : type.fields) {
        Line(indent + 2, "- name", Scalar(field.name));
        TypeLines(field.type, indent + 4);
      }
    }
  }

  // `name`: what the column is called here.
  void Property(const std::string& name, const ColumnProfile& column) {
    personal_ = run::PersonalOf(column);
    if (promises_ && personal_) {
      text_ += fmt::format("      # Seems to be {}: {}. Take the tag away if it is not.\n", personal_->what,
                           personal_->evidence);
    }
    const database::Column* declared = table_.Declared(column);
    if (promises_ && declared) text_ += fmt::format("      # Declared: {}.\n", DeclaredText(*declared));
    Line(6, "- id", Scalar(column.plain));
    Line(8, "name", Scalar(name));
    if (promises_) Line(8, "businessName", Scalar(Spoken(column.name)));
    TypeLines(column.type, 8);
    if (!promises_) return;
    Keys(column);
    const std::string options = Options(column);
    if (!options.empty()) Line(8, "logicalTypeOptions", "{" + options + "}");
    if (personal_) {
      Line(8, "tags", "[pii]");
      Line(8, "classification", "restricted");
    }
    const bool words = declared && !declared->words.empty();
    if (words || IsEnum(column)) {
      text_ += "        enum:\n";
      for (const std::string& value : words ? declared->words : column.all)
        text_ += fmt::format("          - {{value: {}}}\n", Json(value).Dump());
    }
    References(column);
    Line(8, "description", Scalar(Described(column)));
  }

  void Keys(const ColumnProfile& column) {
    // What a database lets be missing will be, one day.
    const database::Column* declared = table_.Declared(column);
    const bool filled = column.values == table_.rows && table_.rows > 0;
    const auto key = std::ranges::find(table_.key, column.name);
    const bool required = declared ? declared->required || (key != table_.key.end() && filled) : filled;
    if (required) Line(8, "required", "true");
    if (declared && std::ranges::count(table_.declared->unique, column.name) > 0) Line(8, "unique", "true");
    if (key == table_.key.end()) return;
    Line(8, "primaryKey", "true");
    Line(8, "primaryKeyPosition", std::to_string(key - table_.key.begin() + 1));
  }

  bool IsEnum(const ColumnProfile& column) const {
    return !personal_ && column.all.size() >= 2 &&
           column.values >= static_cast<int64_t>(column.all.size()) * kRowsOfAnEnum &&
           std::ranges::all_of(column.all,
                               [](const std::string& value) { return !value.empty() && value.size() <= kLongestWord; });
  }

  // What every value keeps to, where that is no accident of these rows.
  std::string Options(const ColumnProfile& column) const {
    const Kind kind = column.type.kind;
    if (kind == Kind::kTimestampTz) return "timezone: true, defaultTimezone: Etc/UTC";
    const bool number = kind == Kind::kInt || kind == Kind::kLong || kind == Kind::kDouble || kind == Kind::kFloat ||
                        kind == Kind::kDecimal;
    if (number && column.values > 0) return column.least.starts_with('-') ? "" : "minimum: 0";
    if (kind != Kind::kString || column.looked == 0 || IsEnum(column)) return "";
    for (const std::string_view format : {"email", "uuid", "uri", "ipv4"}) {
      if (column.like.at(std::string(format)) == column.looked) return fmt::format("format: {}", format);
    }
    const std::string pattern = column.looked >= kLooksOfAPattern ? PatternOf(column.shape) : "";
    if (!pattern.empty()) return "pattern: " + Json(pattern).Dump();
    return column.like.at("empty") == 0 ? "minLength: 1" : "";
  }

  void References(const ColumnProfile& column) {
    for (const run::Reference& reference : scaffold_.references) {
      if (reference.from != at_ || reference.columns != std::vector{column.name} || reference.missing > 0) continue;
      text_ += fmt::format("        relationships:\n          - {{type: foreignKey, to: {}.{}}}\n",
                           PortName(scaffold_.tables[reference.to].name), reference.keys[0]);
      return;
    }
  }

  // References of several columns, which are the table's.
  void Together() {
    std::string lines;
    for (const run::Reference& reference : scaffold_.references) {
      if (reference.from != at_ || reference.columns.size() < 2 || reference.missing > 0) continue;
      std::vector<std::string> from, to;
      for (const std::string& name : reference.columns) {
        const auto column = std::ranges::find(table_.columns, name, &ColumnProfile::name);
        from.push_back(fmt::format("{}.{}", table_.name, column->plain));
      }
      for (const std::string& key : reference.keys) {
        to.push_back(fmt::format("{}.{}", PortName(scaffold_.tables[reference.to].name), key));
      }
      lines += fmt::format("      - {{type: foreignKey, from: [{}], to: [{}]}}\n", Join(from, ", "), Join(to, ", "));
    }
    if (!lines.empty()) text_ += "    relationships:\n" + lines;
  }

  std::string DeclaredText(const database::Column& column) const {
    std::vector<std::string> said{column.declared.empty() ? "without a type" : column.declared};
    if (column.required) said.emplace_back("not null");
    if (std::ranges::count(table_.key, column.name) > 0 && !table_.declared->key.empty()) {
      said.emplace_back(table_.key.size() == 1 ? "primary key" : "part of the primary key");
    }
    if (std::ranges::count(table_.declared->unique, column.name) > 0) said.emplace_back("unique");
    for (const database::Reference& reference : table_.declared->references) {
      if (std::ranges::count(reference.columns, column.name) > 0) said.push_back("refers to " + reference.table);
    }
    return ReplaceAll(Join(said, ", "), "\n", " ");
  }

  // No value of a person stands in it.
  std::string Described(const ColumnProfile& column) const {
    std::vector<std::string> facts;
    const bool ordered =
        column.type.IsPrimitive() && column.type.kind != Kind::kString && column.type.kind != Kind::kBoolean;
    if (ordered && !personal_ && !column.least.empty()) {
      facts.push_back(column.least == column.greatest ? "always " + column.least
                                                      : fmt::format("from {} to {}", column.least, column.greatest));
    } else if (column.unique() && column.type.kind == Kind::kString) {
      facts.emplace_back("another in every row");
    } else if (!column.all.empty()) {
      facts.push_back(Count(column.all.size(), "different value"));
    }
    const database::Column* declared = table_.Declared(column);
    if (declared && !declared->comment.empty()) return declared->comment;
    const int64_t missing = table_.rows - column.values;
    if (missing == table_.rows) {
      facts = {"always missing"};
    } else if (missing > 0) {
      facts.push_back(fmt::format("missing in {} of {} rows", HumanCount(missing), HumanCount(table_.rows)));
    }
    return Spoken(column.name) + (facts.empty() ? "" : ": " + Join(facts, "; ")) + ".";
  }

  const Scaffold& scaffold_;
  const TableProfile& table_;
  const size_t at_;
  std::string text_;
  bool promises_ = false;
  std::optional<run::Personal> personal_;  // Of the column that is being written.
};

bool Renames(const TableProfile& table) {
  return std::ranges::any_of(table.columns, [](const ColumnProfile& column) { return column.plain != column.name; });
}

std::string Select(const TableProfile& table) {
  std::vector<std::string> columns;
  for (const ColumnProfile& column : table.columns) {
    const std::string& name = column.plain;
    columns.push_back(name == column.name ? SqlName(name) : SqlName(column.name) + " AS " + SqlName(name));
  }
  return fmt::format("SELECT {}\nFROM {}\n", Join(columns, ",\n       "), model::SqlNameOf(InputName(table)));
}

std::string Custom(std::string_view property, const std::string& value) {
  return fmt::format("    customProperties:\n      - property: {}\n        vendor: weft\n        value: {}\n", property,
                     value);
}

std::string ProductText(const std::string& domain, const std::string& product, std::string_view type,
                        const std::string& purpose, const std::string& inputs, const std::string& outputs) {
  return fmt::format(
      "apiVersion: v1.1.0\nkind: DataProduct\nid: {}\nname: {}\ndomain: {}\nversion: 1.0.0\nstatus: draft\n"
      "type: {}\ndescription:\n  purpose: {}\ninputPorts:\n{}outputPorts:\n{}",
      NewUuid(), Scalar(product), Scalar(domain), type, Scalar(purpose), inputs, outputs);
}

std::string OutputText(const std::string& port, const std::string& description, const std::string& contract,
                       const std::string& build) {
  return fmt::format(
             "  - id: {0}\n    name: {0}\n    description: {1}\n    type: table\n    version: 1.0.0\n    contractId: "
             "{2}\n",
             port, Scalar(description), contract) +
         Custom("build", build);
}

}  // namespace

std::string PortName(const std::string& table) { return ReplaceAll(table, "_", "-"); }

std::map<std::string, std::string> Descriptors(const Scaffold& scaffold) {
  std::map<std::string, std::string> files;
  std::string inputs, outputs, names;
  const bool tables =
      std::ranges::any_of(scaffold.tables, [](const TableProfile& each) { return each.declared.has_value(); });
  const std::string_view of = tables ? "the tables" : "the files";
  for (size_t i = 0; i < scaffold.tables.size(); ++i) {
    const TableProfile& table = scaffold.tables[i];
    const std::string port = PortName(table.name), contract = NewUuid();
    ContractWriter writer(scaffold, table, i);
    files[port + ".odcs.yaml"] = writer.Output(contract);
    std::string input_contract, build = "{mode: replace}";
    const bool renames = Renames(table);
    const Json& source = scaffold.sources.at(table.name);
    if (renames || table.declared) {
      const std::string id = NewUuid();
      files[InputName(table) + ".odcs.yaml"] = writer.Input(id);
      input_contract = fmt::format("    contractId: {}\n", id);
    }
    if (renames || scaffold.tables.size() > 1) {
      files[port + ".sql"] = Select(table);
      build = fmt::format("{{sql: {}.sql}}", port);
    }
    inputs += fmt::format("  - name: {}\n    version: 1.0.0\n{}", InputName(table), input_contract) +
              Custom("source", source.Dump());
    const std::string& path = source.Has("table") ? source["table"].Text() : source["path"].Text();
    outputs += OutputText(port, fmt::format("The rows of {}.", path), contract, build);
    names += (i == 0 ? "" : ", ") + table.name;
  }
  files["product.odps.yaml"] = ProductText(scaffold.domain, scaffold.product, "sourceAligned",
                                           fmt::format("{}, as {} have them.", Spoken(names), of), inputs, outputs);
  return files;
}

std::map<std::string, std::string> DescriptorsFrom(const std::string& domain, const std::string& product,
                                                   const model::Address& port, const Json& contract) {
  const Json& table = contract["schema"][size_t{0}];
  std::string properties;
  std::vector<std::string> columns;
  for (const Json& property : table["properties"].Items()) {
    Json kept = Json::Object();
    for (const auto& [key, value] : property.Members()) {
      // What points at other tables or counts rows is theirs to promise.
      if (key != "relationships" && key != "quality") kept.Set(key, value);
    }
    properties += "      - " + kept.Dump() + "\n";
    columns.push_back(SqlName(property["name"].Text()));
  }
  const std::string id = NewUuid(), from = port.Short();
  std::map<std::string, std::string> files;
  files[product + ".odcs.yaml"] = fmt::format(
      "apiVersion: v3.2.0\nkind: DataContract\nid: {}\nname: {}\nversion: 1.0.0\nstatus: draft\ndomain: {}\n"
      "dataProduct: {}\ndescription:\n  purpose: {}\nschema:\n  - name: {}\n    logicalType: object\n"
      "    physicalType: table\n    properties:\n{}",
      id, Scalar(product), Scalar(domain), Scalar(product), Scalar(fmt::format("What is made of {}.", from)),
      Scalar(model::SqlNameOf(product)), properties);
  files[product + ".sql"] =
      fmt::format("SELECT {}\nFROM {}\n", Join(columns, ",\n       "), SqlName(model::SqlNameOf(port.port)));
  const Json source = Json::Map({{"kind", "product"}, {"address", from}});
  files["product.odps.yaml"] = ProductText(
      domain, product, "consumerAligned", fmt::format("What is made of {}.", from),
      fmt::format("  - name: {}\n    version: {}\n    contractId: {}\n", port.port, contract["version"].Text("1.0.0"),
                  Scalar(contract["id"].Text())) +
          Custom("source", source.Dump()),
      OutputText(product, fmt::format("The rows of {}.", from), id, fmt::format("{{sql: {}.sql}}", product)));
  return files;
}

}  // namespace weft::app
