#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "model/exchange/datacontract.h"
#include "model/exchange/datacontract_field.h"
#include "model/exchange/part.h"
#include "model/exchange/product.h"
#include "model/exchange/settle.h"
#include "model/exchange/text.h"

namespace weft::model::exchange::datacontract {
namespace {

constexpr LevelWord kLevels[] = {
    {"availability", "percentage", ""},
    {"retention", "period", "timestampField"},
    {"latency", "threshold", "sourceTimestampField"},
    {"freshness", "threshold", "timestampField"},
    {"frequency", "interval", ""},
    {"support", "time", ""},
    {"backup", "interval", ""},
};

// "30d", "1 year", "P7D", "99.9%" as a number with its unit; any other text as it is.
void Measured(const std::string& text, Json& promise) {
  static constexpr std::pair<char, std::string_view> kIso[] = {{'Y', "y"}, {'M', "mo"}, {'W', "w"},
                                                               {'D', "d"}, {'H', "h"},  {'S', "s"}};
  std::string_view rest = text;
  const bool iso = rest.starts_with('P'), time = rest.starts_with("PT");
  rest.remove_prefix(time ? 2 : iso ? 1 : 0);
  const size_t end = std::min(rest.find_first_not_of("0123456789."), rest.size());
  const auto number = Json::Parse(rest.substr(0, end));
  std::string unit(rest.substr(end));
  const bool spaced = unit.starts_with(' ');
  if (spaced) unit.erase(0, 1);
  if (iso && unit.size() == 1 && !spaced) {
    for (const auto& [letter, name] : kIso) {
      if (unit[0] == letter) unit = time && letter == 'M' ? "m" : name;
    }
  } else if (unit == "%") {
    unit = "percent";
  }
  const bool word = !unit.empty() && std::ranges::all_of(unit, [](char c) { return c >= 'a' && c <= 'z'; });
  // As it is written again: "30d" and "1 year".
  const bool right = unit.empty() ? !spaced : word && (iso || unit == "percent" || spaced == (unit.size() > 2));
  if (end == 0 || !number || !number->is_number() || !right) {
    promise.Set("value", text);
    return;
  }
  promise.Set("value", *number);
  Put(promise, "unit", unit);
}

class Importer {
 public:
  Importer(Document& document, const ImportOptions& options)
      : document_(document), root_(document.Root()), options_(options) {}

  Result<Imported> Run() {
    root_["dataContractSpecification"].Take();
    const Part models = root_["models"];
    if (models.Members().empty()) {
      return Error{Code::kInvalid, "it has no `models`: there is nothing to make an output port of"};
    }
    const std::string id = root_["id"].TakeText();
    Json contract = Head();
    ProductDraft draft;
    draft.domain = options_.domain.empty() ? Slugged(contract["domain"].Text()) : options_.domain;
    draft.product = options_.product;
    if (draft.product.empty()) draft.product = Slugged(contract["dataProduct"].Text());
    if (draft.product.empty()) draft.product = SlugOf(contract["name"].Text(id));
    draft.purpose = contract["description"]["purpose"].Text();
    draft.owner = contract["team"]["name"].Text();
    std::set<std::string> slugs;
    for (const auto& [name, model] : models.Members()) names_[name] = SlugOf(name, slugs);
    const bool alone = names_.size() == 1;
    for (const auto& [name, model] : models.Members()) {
      const std::string& port = names_[name];
      Json own = contract;
      own.Set("id", alone && !id.empty() ? id : fmt::format("{}-{}", id.empty() ? draft.product : id, port));
      Origins origins = {{"", {}}};
      Json schema = Json::Array();
      schema.Push(TRY(FieldReader(document_, root_["definitions"], names_, origins).Model(name, model)));
      own.Set("schema", std::move(schema));
      for (const std::string_view last : kLast) {
        if (!contract[last].is_null()) own = Last(own, last);
      }
      Settle(own, origins, kVendor, document_);
      draft.ports.push_back({port, own, ""});
    }
    Imported imported = DraftedProduct(draft);
    imported.told = document_.Finish();
    return imported;
  }

 private:
  // In the order that people write them in.
  static constexpr std::string_view kLast[] = {
      "servers", "team", "support", "slaProperties", "authoritativeDefinitions", "customProperties"};
  static Json Last(const Json& contract, std::string_view key) {
    Json ordered = Json::Object();
    for (const auto& [name, value] : contract.Members()) {
      if (name != key) ordered.Set(name, value);
    }
    ordered.Set(key, contract[key]);
    return ordered;
  }

  static std::string Slugged(const std::string& name) { return name.empty() ? "" : SlugOf(name); }

  // All but the schema.
  Json Head() {
    const Part info = root_["info"];
    Json contract = Json::Map({{"apiVersion", "v3.2.0"}, {"kind", "DataContract"}, {"id", ""}});
    const std::string title = info["title"].TakeText();
    if (title != root_["id"].node().scalar) Put(contract, "name", title);
    Version(info["version"], contract);
    Status(info["status"], contract);
    for (const char* key : {"domain", "dataProduct", "tenant"}) Put(contract, key, info[key].TakeWords());
    if (const Json tags = root_["tags"].TakeTexts(); tags.size() > 0) contract.Set("tags", tags);
    Put(contract, "description", Description(info));
    Put(contract, "servers", Servers());
    if (const std::string owner = info["owner"].TakeText(); !owner.empty()) {
      contract.Set("team", Json::Map({{"name", owner}}));
    }
    Put(contract, "support", Contact(info["contact"]));
    Put(contract, "slaProperties", Levels());
    Put(contract, "authoritativeDefinitions", LinksOf(root_["links"]));
    // The specification lets `info` be extended.
    for (const auto& [key, part] : info.Members()) {
      if (!IsEmpty(part.node()) && !document_.IsTouched(part.node())) AddCustomOf(contract, key, part.Take());
    }
    for (const auto& [key, part] : root_.Members()) {
      static constexpr std::string_view kWords[] = {"dataContractSpecification",
                                                    "id",
                                                    "info",
                                                    "servers",
                                                    "terms",
                                                    "models",
                                                    "definitions",
                                                    "links",
                                                    "tags",
                                                    "servicelevels"};
      if (std::ranges::find(kWords, key) != std::end(kWords) || IsEmpty(part.node())) continue;
      document_.Tell(part, "it is no word of the specification that Weft reads",
                     "a custom property of vendor datacontract");
      AddCustom(contract, key, part.Take(), kVendor);
    }
    return contract;
  }

  static void AddCustomOf(Json& target, const std::string& key, Json value) {
    if (key.starts_with("weft.")) return AddCustom(target, key.substr(5), std::move(value), "weft");
    AddCustom(target, key, std::move(value), "");
  }

  void Version(const Part& part, Json& contract) {
    const std::string written = part.TakeText(), version = SemverOf(written);
    contract.Set("version", version.empty() ? "1.0.0" : version);
    if (version == written) return;
    document_.Tell(part, fmt::format("versions are of three numbers: it is {} here", contract["version"].Text()),
                   "the custom property version of vendor datacontract");
    AddCustom(contract, "version", written, kVendor);
  }

  void Status(const Part& part, Json& contract) {
    static constexpr std::string_view kStatuses[] = {"proposed", "draft", "active", "deprecated", "retired"};
    const std::string status = part.TakeText();
    if (status.empty()) return;
    const bool known = std::ranges::find(kStatuses, status) != std::end(kStatuses);
    contract.Set("status", known ? status : "draft");
    if (known) return;
    document_.Tell(part, "it is none of proposed, draft, active, deprecated, retired: it is draft here",
                   "the custom property status of vendor datacontract");
    AddCustom(contract, "status", status, kVendor);
  }

  Json Description(const Part& info) {
    const Part terms = root_["terms"];
    Json description = Json::Object();
    Put(description, "purpose", info["description"].TakeText());
    Put(description, "usage", terms["usage"].TakeText());
    Put(description, "limitations", terms["limitations"].TakeText());
    Json definitions = Json::Array();
    for (const Part& policy : terms["policies"].Items()) {
      Json definition = Json::Object();
      for (const char* key : {"id", "type", "url", "description"}) Put(definition, key, policy[key].TakeWords());
      definitions.Push(std::move(definition));
    }
    Put(description, "authoritativeDefinitions", definitions);
    for (const auto& [key, part] : terms.Members()) {
      if (!IsEmpty(part.node()) && !document_.IsTouched(part.node())) AddCustomOf(description, key, part.Take());
    }
    return description;
  }

  Json Servers() {
    Json servers = Json::Array();
    for (const auto& [name, part] : root_["servers"].Members()) {
      Json server = Json::Map({{"server", name}});
      for (const auto& [key, value] : part.Members()) {
        if (key != "roles") Put(server, key, value.Take());
      }
      Json roles = Json::Array();
      for (const Part& role : part["roles"].Items()) {
        Json kept = Json::Object();
        Put(kept, "role", role["name"].TakeText());
        for (const auto& [key, value] : role.Members()) {
          if (key != "name") Put(kept, key, value.Take());
        }
        roles.Push(std::move(kept));
      }
      Put(server, "roles", roles);
      servers.Push(std::move(server));
    }
    return servers;
  }

  static Json Contact(const Part& contact) {
    Json support = Json::Array();
    const std::string name = contact["name"].TakeText(), url = contact["url"].TakeText(),
                      email = contact["email"].TakeText();
    if (!name.empty() || !url.empty()) {
      Json channel = Json::Map({{"channel", name.empty() ? url : name}});
      Put(channel, "url", url);
      support.Push(std::move(channel));
    }
    if (!email.empty()) {
      support.Push(Json::Map({{"channel", email}, {"tool", "email"}, {"url", "mailto:" + email}}));
    }
    return support;
  }

  Json Levels() {
    Json promises = Json::Array();
    for (const auto& [name, part] : root_["servicelevels"].Members()) {
      if (!part.is_map()) continue;
      const auto* const word = std::ranges::find(kLevels, std::string_view(name), &LevelWord::name);
      const bool known = word != std::end(kLevels);
      Json promise = Json::Map({{"property", name}, {"value", Json()}});
      if (known) {
        if (const std::string value = part[word->value].TakeWords(); !value.empty()) Measured(value, promise);
        if (!word->element.empty()) Put(promise, "element", part[word->element].TakeText());
      }
      Put(promise, "description", part["description"].TakeText());
      if (std::ranges::find(kIntervals, name) != std::end(kIntervals)) {
        if (const std::string cron = part["cron"].TakeText(); !cron.empty()) {
          promise.Set("scheduler", "cron");
          promise.Set("schedule", cron);
        }
      }
      for (const auto& [key, value] : part.Members()) {
        if (!IsEmpty(value.node()) && !document_.IsTouched(value.node())) AddCustom(promise, key, value.Take(), "");
      }
      promises.Push(std::move(promise));
    }
    return promises;
  }

  Document& document_;
  const Part root_;
  const ImportOptions& options_;
  std::map<std::string, std::string> names_;  // Model → port.
};

}  // namespace

std::span<const LevelWord> LevelWords() { return kLevels; }

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options) {
  const yaml::Node node = TRY(ParseEither(text, file));
  Document document(node);
  return Importer(document, options).Run();
}

}  // namespace weft::model::exchange::datacontract
