#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/address.h"
#include "model/exchange/dbt.h"
#include "model/exchange/text.h"
#include "model/schema.h"

namespace weft::model::exchange::dbt {
namespace {

// Custom properties `meta.NAME` of the vendor dbt, as its `meta` again.
Json MetaOf(const Part& customs) {
  Json meta = Json::Object();
  for (const Part& each : customs.Items()) {
    const std::string name = each["property"].Text();
    if (each["vendor"].Text() != kVendor || !name.starts_with("meta.")) continue;
    meta.Set(name.substr(5), each["value"].node().ToJson());
    each.Take();
  }
  return meta;
}

class Exporter {
 public:
  explicit Exporter(const Bundle& bundle) : product_(bundle.product), bundle_(bundle) {}

  Result<Exported> Run() {
    Json tables = Json::Array();
    for (const OutputPort& port : product_.outputs) {
      const Contract* contract = bundle_.ContractOf(port);
      if (!contract || contract->schema.size() != 1) {
        return Error{Code::kInvalid, fmt::format("the output port '{}' has no contract with one table", port.name)};
      }
      tables.Push(TRY(Table(port, *contract)));
    }
    Json source = Json::Map({{"name", Source()}});
    Put(source, "description", product_.description);
    source.Set("schema", product_.domain + "." + product_.name);
    source.Set("quoting", Json::Map({{"schema", true}}));
    source.Set("tables", std::move(tables));
    exported_.text = YamlText(Json::Map({{"version", 2}, {"sources", Json::Array{source}}}));
    return std::move(exported_);
  }

 private:
  std::string Source() const { return SqlNameOf(product_.domain) + "__" + SqlNameOf(product_.name); }

  static std::string NameOf(const OutputPort& port) {
    return fmt::format("{}_v{}", SqlNameOf(port.name), port.version.substr(0, port.version.find('.')));
  }

  Result<Json> Table(const OutputPort& port, const Contract& contract) {
    const yaml::Node node = TRY(yaml::Parse(contract.bytes, contract.file));
    Document document(node, "a source of dbt has no word for it");
    const Part root = document.Root(), object = root["schema"].Items()[0];
    for (const char* known : {"apiVersion", "kind", "name", "domain", "dataProduct"}) root[known].Take();
    for (const char* known : {"name", "logicalType", "physicalType", "id"}) object[known].Take();
    Json table = Json::Map({{"name", NameOf(port)}});
    std::string said = object["description"].TakeText();
    if (const std::string purpose = root["description"]["purpose"].TakeText(); said.empty()) said = purpose;
    Put(table, "description", said);
    Json meta = MetaOf(object["customProperties"]);
    meta.Set("weft", Json::Map({{"address", fmt::format("{}/{}/{}@{}", product_.domain, product_.name, port.name,
                                                        port.version.substr(0, port.version.find('.')))},
                                {"contract", root["id"].TakeText()},
                                {"version", root["version"].TakeText()},
                                {"status", root["status"].TakeText()}}));
    Json config = Json::Map({{"meta", std::move(meta)}});
    Put(config, "tags", object["tags"].TakeTexts());
    Freshness(root["slaProperties"], config);
    table.Set("config", std::move(config));
    Json columns = Json::Array();
    const std::vector<Part> properties = object["properties"].Items();
    for (size_t i = 0; i < properties.size(); ++i) {
      columns.Push(Column(properties[i], contract.schema[0].properties[i], contract.schema[0].PrimaryKey()));
    }
    table.Set("columns", std::move(columns));
    for (Told& told : document.Finish()) {
      told.file = NameOfFile(contract.file);
      exported_.told.push_back(std::move(told));
    }
    return table;
  }

  static void Freshness(const Part& promises, Json& config) {
    for (const Part& promise : promises.Items()) {
      const std::string unit = promise["unit"].Text();
      static constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
          {"h", "hour"},   {"hour", "hour"}, {"hours", "hour"},    {"d", "day"},         {"day", "day"},
          {"days", "day"}, {"m", "minute"},  {"minute", "minute"}, {"minutes", "minute"}};
      const auto* const period = std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::string_view>::first);
      std::string element = promise["element"].Text();
      if (Lower(promise["property"].Text()) != "freshness" || period == std::end(kUnits) || element.empty() ||
          promise["value"].node().kind != yaml::Node::Kind::kInt || config.Has("freshness")) {
        continue;
      }
      element = element.substr(element.rfind('.') + 1);
      config.Set("freshness", Json::Map({{"error_after", Json::Map({{"count", promise["value"].Take()},
                                                                    {"period", std::string(period->second)}})}}));
      config.Set("loaded_at_field", element);
      for (const char* taken : {"property", "unit", "element"}) promise[taken].Take();
    }
  }

  Json Column(const Part& part, const Property& property, const std::vector<std::string>& key) const {
    Json column = Json::Map({{"name", property.name}});
    for (const char* known : {"name", "logicalType", "physicalType"}) part[known].Take();
    Put(column, "description", part["description"].TakeText());
    if (const auto type = TypeOf(property)) {
      column.Set("data_type", Lower(type->DuckDb()));
      TakeType(part);
    }
    Json config = Json::Object();
    Put(config, "meta", MetaOf(part["customProperties"]));
    Put(config, "tags", part["tags"].TakeTexts());
    Put(column, "config", config);
    Json tests = Json::Array();
    const bool alone = key.size() == 1 && key[0] == property.name;
    if (part["required"].TakeTrue() || property.primary_key) tests.Push("not_null");
    if (part["unique"].TakeTrue() || alone) tests.Push("unique");
    if (alone) {
      part["primaryKey"].Take();
      part["primaryKeyPosition"].Take();
    }
    Accepted(part["enum"], tests);
    Relations(part["relationships"], tests);
    Put(column, "data_tests", tests);
    return column;
  }

  // What the type says; the words about what is within it stay.
  static void TakeType(const Part& part) {
    for (const char* known : {"name", "logicalType", "physicalType"}) part[known].Take();
    for (const Part& inner : part["properties"].Items()) TakeType(inner);
    for (const Part& inner : {part["items"], part["map"]["key"], part["map"]["value"]}) {
      if (inner.is_map()) TakeType(inner);
    }
  }

  static void Accepted(const Part& list, Json& tests) {
    Json values = Json::Array();
    bool text = true;
    for (const Part& each : list.Items()) {
      values.Push(each["value"].Take());
      text = text && each["value"].node().kind == yaml::Node::Kind::kText;
    }
    if (values.size() == 0) return;
    Json arguments = Json::Map({{"values", std::move(values)}});
    if (!text) arguments.Set("quote", false);
    tests.Push(Json::Map({{"accepted_values", Json::Map({{"arguments", std::move(arguments)}})}}));
  }

  // Only to a port of the same product: others are another source.
  void Relations(const Part& list, Json& tests) const {
    for (const Part& each : list.Items()) {
      const std::vector<std::string> steps = Split(each["to"].Text(), '.');
      if (steps.size() != 2) continue;
      for (const OutputPort& port : product_.outputs) {
        if (port.name != steps[0]) continue;
        each.Take();
        const Json to =
            Json::Map({{"to", fmt::format("source('{}', '{}')", Source(), NameOf(port))}, {"field", steps[1]}});
        tests.Push(Json::Map({{"relationships", Json::Map({{"arguments", to}})}}));
        break;
      }
    }
  }

  const Product& product_;
  const Bundle& bundle_;
  Exported exported_;
};

}  // namespace

Result<Exported> Export(const Bundle& bundle) { return Exporter(bundle).Run(); }

}  // namespace weft::model::exchange::dbt
