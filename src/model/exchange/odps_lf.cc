#include "model/exchange/odps_lf.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/exchange/datacontract.h"
#include "model/exchange/missing.h"
#include "model/exchange/part.h"
#include "model/exchange/product.h"
#include "model/exchange/settle.h"
#include "model/exchange/text.h"

namespace weft::model::exchange::odps_lf {
namespace {

constexpr std::string_view kSchema = "https://opendataproducts.org/v4.1/schema/odps.json";

// Theirs, and ours; what has no twin is a draft.
constexpr std::pair<std::string_view, std::string_view> kStatuses[] = {{"production", "active"},
                                                                       {"draft", "draft"},
                                                                       {"announcement", "proposed"},
                                                                       {"sunset", "deprecated"},
                                                                       {"retired", "retired"}};
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"raw data", "sourceAligned"}, {"derived data", "aggregate"}, {"analytic view", "consumerAligned"}};
constexpr std::string_view kNoType = "dataset",
                           kNoVisibility = "organisation";  // What is written where none is stated.

using Pair = std::pair<std::string_view, std::string_view>;

// How `dataAccess` tells of a port.
Json WayTo(const std::string& port) {
  return Json::Map({{"name", Json::Map({{"en", port}})}, {"outputPortType", "SQL"}});
}

// The contracts that the product holds, each with the port that it is of.
class Importer {
 public:
  Importer(Document& document, const ImportOptions& options)
      : document_(document), root_(document.Root()), options_(options) {}

  Result<Imported> Run() {
    root_["schema"].Take();
    root_["version"].Take();
    const Part product = root_["product"];
    if (!product.is_map()) return Error{Code::kInvalid, "it has no `product`"};
    Details(product["details"]);
    if (draft_.product.empty()) draft_.product = "product";
    draft_.domain = options_.domain;
    if (!options_.product.empty()) draft_.product = options_.product;
    TRY(Contract(product["contract"]));
    // Everything else of a marketplace goes along as it is, and back again on export.
    for (const auto& [key, part] : product.Members()) {
      if (IsEmpty(part.node()) || document_.IsTouched(part.node())) continue;
      document_.Tell(part, "ODPS of Bitol has no word for it", "a custom property of vendor odps-lf");
      AddCustom(draft_.more, key, part.Take(), kVendor);
    }
    Imported imported = DraftedProduct(draft_);
    imported.told = document_.Finish();
    return imported;
  }

 private:
  void Details(const Part& details) {
    // English, else the first language that there is.
    const auto languages = details.Members();
    if (languages.empty()) return;
    auto chosen = std::ranges::find(languages, "en", [](const auto& each) { return each.first; });
    if (chosen == languages.end()) chosen = languages.begin();
    const auto& [language, words] = *chosen;
    const std::string name = words["name"].node().scalar;
    draft_.product = SlugOf(name);
    draft_.purpose = words["description"].TakeText();
    Put(draft_.more, "tags", words["tags"].TakeTexts());
    const std::string version = words["productVersion"].node().scalar;
    if (const std::string semver = SemverOf(version); !semver.empty()) draft_.version = semver;
    if (draft_.version == version) words["productVersion"].Take();
    for (const auto& [theirs, ours] : kStatuses) {
      if (words["status"].TakeIf(theirs)) draft_.status = ours;
    }
    for (const auto& [theirs, ours] : kTypes) {
      if (words["type"].TakeIf(theirs)) draft_.more.Set("type", std::string(ours));
    }
    words["type"].TakeIf(kNoType);
    words["visibility"].TakeIf(kNoVisibility);
    words["name"].TakeIf(draft_.product);
    Put(draft_.more, "id", words["productID"].TakeText());
    for (const auto& [key, part] : words.Members()) {
      if (IsEmpty(part.node()) || document_.IsTouched(part.node())) continue;
      document_.Tell(part, "ODPS of Bitol has no word for it", "a custom property of vendor odps-lf");
      AddCustom(draft_.more, fmt::format("details.{}.{}", language, key), part.Take(), kVendor);
    }
    for (const auto& [other, part] : languages) {
      if (other == language) continue;
      document_.Tell(part, fmt::format("a product is described in one language, here {}", language),
                     "a custom property of vendor odps-lf");
      AddCustom(draft_.more, "details." + other, part.Take(), kVendor);
    }
  }

  Status Contract(const Part& contract) {
    const Part spec = contract["spec"];
    if (!spec.is_map()) {
      return Error{Code::kInvalid,
                   "it says nothing of columns: a port needs a contract, which is read where product.contract.spec "
                   "holds one (ODCS or a Data Contract Specification); contractURL and $ref are not followed. Put it "
                   "there, or import the contract itself"};
    }
    contract["type"].Take();
    contract["id"].Take();
    contract["contractVersion"].Take();
    Json document = spec.Take();
    if (document.Has("dataContractSpecification")) {
      const ImportOptions inner{draft_.domain, draft_.product, {}, "", nullptr};
      const Imported imported = TRY(datacontract::Import(document.Dump(), "product.contract.spec", inner));
      for (const auto& [name, text] : imported.files) {
        if (!name.ends_with(".odcs.yaml")) continue;
        Add(name.substr(0, name.size() - std::string_view(".odcs.yaml").size()), TRY(yaml::Parse(text, name)).ToJson());
      }
      for (Told told : imported.told) {
        told.path = "product.contract.spec." + told.path;
        document_.Tell(std::move(told));
      }
      return {};
    }
    if (document["schema"].size() == 0) {
      return Error{Code::kInvalid, "product.contract.spec has no `schema`: a port needs columns"};
    }
    // A contract may have several tables, and a port has one.
    std::set<std::string> slugs;
    for (const Json& table : document["schema"].Items()) {
      Json own = document;
      own.Set("schema", Json(Json::Array{table}));
      std::string port = SlugOf(table["name"].Text("table"), slugs);
      if (document["schema"].size() == 1) port = NameOfPort(port);
      if (document["schema"].size() > 1) own.Set("id", fmt::format("{}-{}", document["id"].Text(), port));
      Settle(own, {{"", {spec.node().line, spec.node().column, spec.path()}}}, kVendor, document_);
      Add(port, own);
    }
    return {};
  }

  // The way to the data is called as the port was, where Weft wrote it.
  std::string NameOfPort(const std::string& otherwise) {
    const auto ways = root_["product"]["dataAccess"].Members();
    if (ways.size() != 1 || ways[0].second.node().ToJson() != WayTo(ways[0].first)) return otherwise;
    root_["product"]["dataAccess"].Take();
    return ways[0].first;
  }

  void Add(const std::string& port, const Json& contract) { draft_.ports.push_back({port, contract, "", {}}); }

  Document& document_;
  const Part root_;
  const ImportOptions& options_;
  ProductDraft draft_;
};

std::string TheirsOf(std::span<const Pair> table, const std::string& ours, std::string_view otherwise) {
  for (const auto& [theirs, word] : table) {
    if (word == ours) return std::string(theirs);
  }
  return std::string(otherwise);
}

Json Translated(const Json& product, const Json& contract, const std::string& port) {
  Json details = Json::Object(), sections = Json::Object(), languages = Json::Object();
  std::string language = "en";
  for (const Json& custom : product["customProperties"].Items()) {
    if (custom["vendor"].Text() != kVendor) continue;
    const std::string& name = custom["property"].Text();
    const std::vector<std::string> steps = Split(name, '.');
    if (steps[0] != "details") {
      sections.Set(name, custom["value"]);
    } else if (steps.size() == 2) {
      languages.Set(steps[1], custom["value"]);
    } else {
      language = steps[1];
      details.Set(name.substr(steps[0].size() + steps[1].size() + 2), custom["value"]);
    }
  }
  auto state = [&](const char* key, Json value) {
    if (!details.Has(key)) Put(details, key, std::move(value));
  };
  state("name", product["name"]);
  state("productID", product["id"]);
  state("visibility", std::string(kNoVisibility));
  state("status", TheirsOf(kStatuses, product["status"].Text(), "development"));
  state("type", TheirsOf(kTypes, product["type"].Text(), kNoType));
  state("description", product["description"]["purpose"]);
  state("tags", product["tags"]);
  state("productVersion", product["version"]);
  Json all = Json::Map({{language, details}});
  for (const auto& [other, value] : languages.Members()) all.Set(other, value);
  Json written = Json::Map({{"details", std::move(all)}});
  written.Set(
      "contract",
      Json::Map(
          {{"id", contract["id"]}, {"type", "ODCS"}, {"contractVersion", contract["version"]}, {"spec", contract}}));
  // Where the table's name does not tell the port's.
  const bool told = SlugOf(contract["schema"][size_t{0}]["name"].Text()) == port;
  if (!sections.Has("dataAccess") && !told) written.Set("dataAccess", Json::Map({{port, WayTo(port)}}));
  for (const auto& [key, value] : sections.Members()) {
    if (!written.Has(key)) written.Set(key, value);
  }
  return Json::Map({{"schema", std::string(kSchema)}, {"version", "4.1"}, {"product", std::move(written)}});
}

}  // namespace

Result<Imported> Import(const std::string& text, const std::string& file, const ImportOptions& options) {
  const yaml::Node node = TRY(ParseEither(text, file));
  Document document(node);
  return Importer(document, options).Run();
}

Result<Exported> Export(const Bundle& bundle, const OutputPort& port) {
  const Contract* contract = bundle.ContractOf(port);
  if (!contract) return Error{Code::kInvalid, fmt::format("the output port '{}' has no contract", port.name)};
  const yaml::Node product = TRY(yaml::Parse(bundle.product.bytes, bundle.product.file)),
                   original = TRY(yaml::Parse(contract->bytes, contract->file));
  Exported exported;
  exported.text = YamlText(Translated(product.ToJson(), original.ToJson(), port.name));
  // What comes back is what was carried.
  const Imported back = TRY(Import(exported.text, "", {bundle.product.domain, bundle.product.name, {}, "", nullptr}));
  auto compare = [&](const yaml::Node& before, const std::string& file, const std::string& returned) -> Status {
    const yaml::Node after = TRY(yaml::Parse(returned, file));
    for (Told& told : Missing(before, after.ToJson(), "the specification has no word for it")) {
      told.file = NameOfFile(file);
      exported.told.push_back(std::move(told));
    }
    return {};
  };
  for (const auto& [name, text] : back.files) {
    const bool is_product = name == "product.odps.yaml";
    TRY(compare(is_product ? product : original, is_product ? bundle.product.file : contract->file, text));
  }
  return exported;
}

}  // namespace weft::model::exchange::odps_lf
