#include <algorithm>

#include "base/text.h"
#include "model/exchange/dbt.h"

namespace weft::model::exchange::dbt {
namespace {

// `meta` stands beside the node and, again, in its config.
void Meta(const Part& part, Json& target) {
  for (const auto& [key, value] : part["meta"].Members()) AddCustom(target, "meta." + key, value.Take(), kVendor);
  for (const auto& [key, value] : part["config"]["meta"].Members()) {
    const std::string name = "meta." + key;
    const Json& customs = target["customProperties"];
    const bool there =
        std::ranges::any_of(customs.Items(), [&](const Json& each) { return each["property"].Text() == name; });
    if (there) {
      value.Take();
    } else {
      AddCustom(target, name, value.Take(), kVendor);
    }
  }
}

Part ColumnOf(const Part& columns, const std::string& name) {
  for (const auto& [key, column] : columns.Members()) {
    if (Lower(key) == Lower(name)) return column;
  }
  return columns[name];
}

Json Column(const std::string& name, const std::string& type, const Part& said, const std::string& comment) {
  Json column = Json::Map({{"name", name}});
  Json keys = TypeKeys(type);
  if (keys.is_null()) {
    column.Set("logicalType", "string");
    said.document().Tell({said.there() ? said.path() : "columns." + name, 0, 0, Shown(type),
                          type.empty() ? "no type is known: it is read as a string. `dbt docs generate` tells types"
                                       : "Weft has no such type: it is read as a string",
                          type.empty() ? "" : "the custom property data_type of vendor dbt"});
    if (!type.empty()) AddCustom(column, "data_type", type, kVendor);
  }
  for (const auto& [key, value] : keys.Members()) column.Set(key, value);
  const std::string described = said["description"].TakeText();
  Put(column, "description", described.empty() ? comment : described);
  Put(column, "tags", said["tags"].TakeTexts());
  Meta(said, column);
  said["config"]["tags"].Take();
  for (const char* key : {"name", "data_type", "quote", "doc_blocks"}) said[key].Take();
  for (const auto& [key, part] : said.Members()) {
    if (key == "constraints" || key == "config" || IsEmpty(part.node()) || said.document().IsTouched(part.node()))
      continue;
    said.document().Tell(part, "ODCS has no word for it", "a custom property of vendor dbt");
    AddCustom(column, key, part.Take(), kVendor);
  }
  return column;
}

}  // namespace

Json TableOf(const std::string& id, const Part& part, const Json& listed) {
  Json object = Json::Map({{"name", part["name"].Text()}, {"physicalType", "table"}});
  Put(object, "description", std::string(Trim(part["description"].TakeText())));
  Put(object, "tags", part["tags"].TakeTexts());
  Meta(part, object);
  Json properties = Json::Array();
  const Part columns = part["columns"];
  std::set<std::string> done;
  std::vector<const Json*> sorted;
  bool typed = listed.size() > 0;
  for (const auto& [name, column] : listed.Members()) sorted.push_back(&column);
  std::ranges::sort(sorted, {}, [](const Json* column) { return (*column)["index"].Int(); });
  for (const Json* column : sorted) {
    const std::string& name = (*column)["name"].Text();
    const Part said = ColumnOf(columns, name);
    done.insert(Lower(name));
    properties.Push(Column(name, (*column)["type"].Text(), said, (*column)["comment"].Text()));
  }
  for (const auto& [key, column] : columns.Members()) {
    const std::string name = column["name"].Text();
    if (done.contains(Lower(name))) continue;
    if (!sorted.empty()) {
      part.document().Tell(column, "the table has no such column, says catalog.json");
      column.Take();
    } else if (const std::string type = column["data_type"].Text(); !type.empty()) {
      typed = true;
      properties.Push(Column(name, type, column, ""));
    } else if (!IsInput(id)) {
      properties.Push(Column(name, "", column, ""));
    }
  }
  // Without a single type nothing is promised of the columns.
  if (!typed) properties = Json::Array();
  object.Set("properties", std::move(properties));
  return object;
}

}  // namespace weft::model::exchange::dbt
