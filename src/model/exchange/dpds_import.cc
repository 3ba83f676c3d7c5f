#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/exchange/dbt.h"
#include "model/exchange/dpds.h"
#include "model/exchange/product.h"
#include "model/exchange/settle.h"
#include "model/exchange/text.h"

namespace weft::model::exchange::dpds {
namespace {

constexpr int kDeepest = 24;
constexpr std::string_view kLogical[] = {"string", "integer",   "number", "boolean", "date",
                                         "time",   "timestamp", "array",  "object",  "map"};

class Importer {
 public:
  Importer(Document& document, const ImportOptions& options)
      : document_(document), root_(document.Root()), options_(options) {}

  Result<Imported> Run() {
    root_["dataProductDescriptor"].Take();
    Info(root_["info"]);
    const Part ports = root_["interfaceComponents"]["outputPorts"];
    std::set<std::string> slugs;
    for (const Part& port : ports.Items()) TRY(Port(port, slugs));
    if (draft_.ports.empty()) {
      return Error{
          Code::kInvalid,
          fmt::format("it has no output port whose columns are known: Weft reads them from promises.api.definition "
                      "of the specification datastoreapi, in the file itself{}",
                      ports.Items().empty() ? "; and there is no output port" : "")};
    }
    // What else there is goes along as it is, and back again on export.
    for (const auto& [kind, part] : root_["interfaceComponents"].Members()) {
      if (kind != "outputPorts") Keep(part, kind);
    }
    for (const auto& [key, part] : root_.Members()) {
      if (key == "tags") Put(draft_.more, "tags", part.TakeTexts());
      if (key != "info" && key != "interfaceComponents") Keep(part, key);
    }
    Imported imported = DraftedProduct(draft_);
    imported.told = document_.Finish();
    return imported;
  }

 private:
  void Keep(const Part& part, const std::string& name) {
    if (IsEmpty(part.node()) || document_.IsTouched(part.node())) return;
    document_.Tell(part, "ODPS of Bitol has no word for it", "a custom property of vendor dpds");
    AddCustom(draft_.more, name, part.Take(), kVendor);
  }

  void Info(const Part& info) {
    const std::string name = info["name"].Text();
    draft_.product = options_.product.empty() ? SlugOf(name) : options_.product;
    if (draft_.product == name) info["name"].Take();
    const std::string domain = info["domain"].Text();
    draft_.domain = !options_.domain.empty() ? options_.domain : domain.empty() ? "" : SlugOf(domain);
    if (draft_.domain == domain) info["domain"].Take();
    Put(draft_.more, "id", info["fullyQualifiedName"].TakeText());
    draft_.purpose = info["description"].TakeText();
    const std::string version = info["version"].Text(), semver = SemverOf(version);
    if (!semver.empty()) draft_.version = semver;
    if (semver == version) info["version"].Take();
    info["entityType"].TakeIf("dataproduct");
    const Part owner = info["owner"];
    if (const std::string id = owner["id"].TakeText(); !id.empty()) {
      Json member = Json::Map({{"username", id}});
      Put(member, "name", owner["name"].TakeText());
      member.Set("role", "owner");
      draft_.more.Set("team", Json::Map({{"members", Json::Array{member}}}));
    }
    for (const auto& [key, part] : info.Members()) Keep(part, "info." + key);
  }

  Status Port(const Part& port, std::set<std::string>& slugs) {
    const Part api = port["promises"]["api"], definition = api["definition"], schema = definition["schema"];
    std::vector<Part> tables = schema["content"]["entities"].Items();
    if (tables.empty()) tables = schema["tables"].Items();
    if (tables.empty() && schema["properties"].is_map()) tables.push_back(schema);
    if (tables.empty()) {
      document_.Tell(port, "its columns are not in the file, and a port needs them");
      document_.Take(port.node());
      return {};
    }
    Json contract = Json::Map({{"apiVersion", "v3.2.0"}, {"kind", "DataContract"}});
    const std::string name = port["name"].TakeText();
    const std::string id = port["fullyQualifiedName"].TakeText();
    const std::string version = port["version"].Text(), semver = SemverOf(version);
    if (version == semver) port["version"].Take();
    Put(contract, "name", port["displayName"].TakeText());
    contract.Set("version", semver.empty() ? "1.0.0" : semver);
    if (const std::string said = port["description"].TakeText(); !said.empty()) {
      contract.Set("description", Json::Map({{"purpose", said}}));
    }
    Put(contract, "tags", port["tags"].TakeTexts());
    port["entityType"].TakeIf("outputport");
    api["specification"].TakeIf("datastoreapi");
    api["specificationVersion"].TakeIf("1.0.0");
    definition["datastoreapi"].TakeIf("1.0.0");
    for (const Part& table : tables) {
      const std::string own = tables.size() == 1 ? name : table["name"].Text();
      const std::string slug = SlugOf(own, slugs);
      Json one = contract;
      one.Set("id", id.empty() ? draft_.product + "-" + slug : tables.size() == 1 ? id : id + ":" + slug);
      Origins origins = {{"", {port.node().line, port.node().column, port.path()}}};
      one.Set("schema", Json(Json::Array{TRY(Table(table, name, origins))}));
      // The first speaks for what is said of all.
      if (&table == &tables.front()) Rest(port, schema, one);
      Settle(one, origins, kVendor, document_);
      draft_.ports.push_back({slug, one, "", {}});
    }
    return {};
  }

  // What no column took of the port, by its path within it.
  void Rest(const Part& port, const Part& schema, Json& contract) {
    for (const auto& [outer, steps] : std::initializer_list<std::pair<std::string, Part>>{
             {"", port},
             {"promises.", port["promises"]},
             {"promises.api.", port["promises"]["api"]},
             {"promises.api.definition.", port["promises"]["api"]["definition"]},
             {"promises.api.definition.schema.", schema}}) {
      for (const auto& [key, part] : steps.Members()) {
        const bool inside = key == "promises" || key == "api" || key == "definition" || key == "schema" ||
                            key == "properties" || key == "tables" || key == "content";
        if (inside || IsEmpty(part.node()) || document_.IsTouched(part.node())) continue;
        document_.Tell(part, "ODCS has no word for it", "a custom property of vendor dpds");
        AddCustom(contract, outer + key, part.Take(), kVendor);
      }
    }
  }

  Result<Json> Table(const Part& table, const std::string& port, Origins& origins) {
    origins["schema[0]"] = {table.node().line, table.node().column, table.path()};
    const std::string name = table["name"].TakeText();
    Json object = Json::Map({{"name", name.empty() ? port : name}});
    Put(object, "physicalType", Lower(table["physicalType"].TakeText()));
    Put(object, "businessName", table["displayName"].TakeText());
    Put(object, "description", table["description"].TakeText());
    table["type"].TakeIf("object");
    Json properties = Json::Array();
    for (const auto& [column, part] : table["properties"].Members()) {
      if (!part.is_map()) continue;
      properties.Push(
          TRY(Column(column, part, fmt::format("schema[0].properties[{}]", properties.size()), origins, 1)));
    }
    object.Set("properties", std::move(properties));
    return object;
  }

  Result<Json> Column(const std::string& name, const Part& part, const std::string& place, Origins& origins,
                      int depth) {
    if (depth > kDeepest) return Error{Code::kInvalid, fmt::format("{}: more than {} deep", part.path(), kDeepest)};
    origins[place] = {part.node().line, part.node().column, part.path()};
    Json column = Json::Object();
    if (!name.empty()) column.Set("name", name);
    part["name"].TakeIf(name);
    TRY(TypeOf(part, place, origins, depth, column));
    for (const auto& [theirs, ours] : kSameWords) {
      if (ours != "physicalType") Put(column, ours, part[theirs].Take());
    }
    const std::string constraint = Lower(part["columnConstraint"].TakeWords());
    if (constraint == "primary_key") {
      column.Set("primaryKey", true);
      Put(column, "primaryKeyPosition", part["x-primaryKeyPosition"].TakeNumber());
    } else if (constraint == "not_null") {
      column.Set("required", true);
    } else if (constraint == "unique") {
      column.Set("unique", true);
    } else if (!constraint.empty()) {
      AddCustom(column, "columnConstraint", part["columnConstraint"].Take(), kVendor);
    }
    if (part["isNullable"].node().kind == yaml::Node::Kind::kBool) {
      const bool required = !part["isNullable"].Take().Bool();
      if (column["required"].is_null()) column.Set("required", required);
    }
    Json options = Json::Object();
    for (const std::string_view key : kSameLimits) Put(options, key, part[key].Take());
    for (const auto& [theirs, bound] : {std::pair("exclusiveMinimum", "minimum"), {"exclusiveMaximum", "maximum"}}) {
      if (!part[theirs].TakeTrue() || options[bound].is_null()) continue;
      Json exclusive = Json::Object();
      for (const auto& [key, value] : options.Members()) exclusive.Set(key == bound ? theirs : key, value);
      options = exclusive;
    }
    Put(column, "logicalTypeOptions", options);
    Json values = Json::Array();
    for (const Part& value : part["enum"].Items()) values.Push(Json::Map({{"value", value.Take()}}));
    Put(column, "enum", values);
    for (const auto& [key, value] : part.Members()) {
      if (!key.starts_with("x-") || IsEmpty(value.node()) || document_.IsTouched(value.node())) continue;
      AddCustom(column, key.substr(2), value.Take(), "");
    }
    part.KeepRest(column, kVendor);
    return column;
  }

  // By the type that it has in the store, else by what it is called.
  Status TypeOf(const Part& part, const std::string& place, Origins& origins, int depth, Json& column) {
    const std::string type = Lower(part["type"].Text()),
                      stored = part[part["physicalType"].there() ? "physicalType" : "dataType"].Text();
    if (std::ranges::find(kLogical, type) != std::end(kLogical)) {
      part["type"].Take();
      column.Set("logicalType", type);
      Put(column, "physicalType", part["physicalType"].TakeText());
      if (type == "array" && part["items"].is_map()) {
        column.Set("items", TRY(Column("", part["items"], place + ".items", origins, depth + 1)));
      }
      if (type == "map" && part["x-keys"].is_map() && part["x-values"].is_map()) {
        Json map = Json::Object();
        map.Set("key", TRY(Column("", part["x-keys"], place + ".map.key", origins, depth + 1)));
        map.Set("value", TRY(Column("", part["x-values"], place + ".map.value", origins, depth + 1)));
        column.Set("map", std::move(map));
      }
      Json properties = Json::Array();
      for (const auto& [name, inner] : part["properties"].Members()) {
        if (type != "object" || !inner.is_map()) continue;
        properties.Push(
            TRY(Column(name, inner, fmt::format("{}.properties[{}]", place, properties.size()), origins, depth + 1)));
      }
      Put(column, "properties", properties);
      return {};
    }
    std::string written = stored.empty() ? type : stored;
    const Json precision = part["precision"].node().ToJson(), scale = part["scale"].node().ToJson();
    const bool decimal = Lower(written) == "decimal" || Lower(written) == "numeric";
    if (decimal && precision.is_number()) written += fmt::format("({},{})", precision.Int(), scale.Int());
    const Json keys = dbt::TypeKeys(written);
    if (keys.is_null()) {
      column.Set("logicalType", "string");
      document_.Tell(part["type"].there() ? part["type"] : part, "Weft has no such type: it is read as a string");
      if (!written.empty()) AddCustom(column, "physicalType", written, kVendor);
    }
    // A type of the store alone says as much as both.
    const bool plain = type.empty() && part["physicalType"].there() && keys.size() == 2;
    if (plain) column.Set("physicalType", stored);
    for (const auto& [key, value] : keys.Members()) {
      if (!plain) column.Set(key, value);
    }
    for (const char* key : {"type", "physicalType", "dataType"}) part[key].Take();
    if (decimal && precision.is_number()) {
      part["precision"].Take();
      part["scale"].Take();
    }
    return {};
  }

  Document& document_;
  const Part root_;
  const ImportOptions& options_;
  ProductDraft draft_;
};

}  // namespace

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options) {
  const yaml::Node node = TRY(ParseEither(text, file));
  Document document(node);
  return Importer(document, options).Run();
}

}  // namespace weft::model::exchange::dpds
