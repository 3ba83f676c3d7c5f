#include "model/term.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"
#include "model/address.h"
#include "model/reading.h"

namespace weft::model {
namespace {

using namespace shape;  // The tables below are made of its words.
using reading::Text;
using yaml::Node;

constexpr std::string_view kRule = "weft.term";

constexpr Key kTermKeys[] = {{"name", &kText, kRequired}, {"definition", &kText, kRequired},
                             {"synonyms", &kTexts},       {"owner", &kText},
                             {"related", &kTexts},        {"examples", &kTexts}};

void TermRule(Checker& checker, const Node& map, const std::string& path) {
  if (!map["name"].is_scalar()) return;
  if (auto slug = CheckSlug(map["name"].scalar, "a term"); !slug) {
    checker.Fail(map["name"], path + ".name", slug.error().message);
  }
}
constexpr Shape kTermShape{"a term", kTermKeys, 0, nullptr, TermRule};
constexpr shape::Type kTerm = MapOf(kTermShape);
constexpr shape::Type kTermList = ListOf(kTerm);
constexpr Key kFileKeys[] = {{"terms", &kTermList, kRequired}};
constexpr Shape kFileShape{"a terms file", kFileKeys};
constexpr shape::Type kFile = MapOf(kFileShape);

Term TermOf(const Node& node, const std::string& path, const std::string& file) {
  Term term;
  term.name = Text(node["name"]);
  term.definition = Text(node["definition"]);
  term.synonyms = reading::Texts(node["synonyms"]);
  term.owner = Text(node["owner"]);
  term.related = reading::Texts(node["related"]);
  term.examples = reading::Texts(node["examples"]);
  term.file = file;
  term.place = reading::PlaceOf(node, path);
  return term;
}

// Of the parts of a contract that have names, those inside a schema object make up a column's.
void Collect(const Json& node, const std::string& column, std::vector<TermUse>* uses) {
  for (const Json& property : node["customProperties"].Items()) {
    const std::string& name = property["property"].Text();
    if (name != "weft.term" && !(name == "term" && property["vendor"].Text() == "weft")) continue;
    const Json& value = property["value"];
    if (value.is_array()) {
      for (const std::string& each : value.Texts()) uses->push_back({each, column});
    } else {
      uses->push_back({value.is_text() ? value.Text() : value.Dump(), column});
    }
  }
  const auto inside = [&](const Json& child, const std::string& name) {
    Collect(child, column.empty() ? name : column + "." + name, uses);
  };
  for (const Json& child : node["properties"].Items()) inside(child, child["name"].Text());
  if (node["items"].is_object()) inside(node["items"], "element");
  for (const char* side : {"key", "value"}) {
    if (node["map"][side].is_object()) inside(node["map"][side], side);
  }
}

Problem ProblemAt(const std::string& file, const Place& place, std::string message) {
  return {file, place.line, place.column, place.path, std::string(kRule), std::move(message)};
}

// Where the column stands; the whole of its contract where it is none.
Place PlaceOf(const Contract& contract, const std::string& column) {
  const std::string top = column.substr(0, column.find('.'));
  for (const SchemaObject& object : contract.schema) {
    if (const Property* property = object.Find(top)) return property->place;
    if (column.empty()) return object.place;
  }
  return {};
}

}  // namespace

namespace own {
constexpr shape::Type kTermsFile = kFile;
}  // namespace own

std::string Term::Where() const { return fmt::format("{}:{}", file, place.line); }

Result<TermFile> TermFile::Parse(std::string_view text, const std::string& file) {
  const Node node = TRY(yaml::Parse(text, file));
  Checker checker(file, std::string(kRule), 0);
  checker.Check(node, kFile, "");
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return AsError(std::move(problems));
  TermFile parsed;
  parsed.file = file;
  parsed.bytes = text;
  for (size_t i = 0; i < node["terms"].size(); ++i) {
    parsed.terms.push_back(TermOf(node["terms"][i], fmt::format("terms[{}]", i), file));
  }
  return parsed;
}

std::vector<TermUse> TermsOf(const Contract& contract) {
  std::vector<TermUse> uses;
  Json whole = Json::Map({{"customProperties", contract.document["customProperties"]}});
  Collect(whole, "", &uses);
  for (const Json& object : contract.document["schema"].Items()) Collect(object, "", &uses);
  return uses;
}

std::vector<TermUse> TermsOf(const Product& product) {
  std::vector<TermUse> uses;
  Collect(product.document, "", &uses);
  for (const Json& port : product.document["outputPorts"].Items()) Collect(port, "", &uses);
  return uses;
}

Result<std::shared_ptr<const Terms>> Terms::Of(std::vector<TermFile> files) {
  auto terms = std::make_shared<Terms>();
  terms->files_ = std::move(files);
  std::vector<Problem> problems;
  for (const TermFile& file : terms->files_) {
    for (const Term& term : file.terms) {
      const auto [other, fresh] = terms->by_name_.emplace(term.name, &term);
      if (fresh) continue;
      problems.push_back(
          ProblemAt(file.file, term.place,
                    fmt::format("the term '{}' stands in {} too: rename one", term.name, other->second->Where())));
    }
  }
  for (const TermFile& file : terms->files_) {
    for (const Term& term : file.terms) {
      for (const std::string& related : term.related) {
        if (terms->Find(related)) continue;
        std::vector<std::string_view> names;
        for (const auto& [name, each] : terms->by_name_) names.push_back(name);
        problems.push_back(ProblemAt(file.file, term.place,
                                     fmt::format("the term '{}' is related to '{}', which terms/*.yaml do not have{}",
                                                 term.name, related, DidYouMean(related, names))));
      }
    }
  }
  if (!problems.empty()) return AsError(std::move(problems));
  return std::shared_ptr<const Terms>(std::move(terms));
}

const Term* Terms::Find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

std::vector<Problem> Terms::Judge(const Bundle& bundle) const {
  std::vector<Problem> problems;
  const auto unknown = [&](const std::string& term, std::string_view what) {
    std::vector<std::string_view> names;
    for (const auto& [name, each] : by_name_) names.push_back(name);
    return fmt::format("{} means '{}', a term that terms/*.yaml do not have{}", what, term, DidYouMean(term, names));
  };
  for (const TermUse& use : TermsOf(bundle.product)) {
    if (!Find(use.term)) problems.push_back(ProblemAt(bundle.product.file, {}, unknown(use.term, "the product")));
  }
  for (const Contract& contract : bundle.contracts) {
    for (const TermUse& use : TermsOf(contract)) {
      if (Find(use.term)) continue;
      const std::string what = use.column.empty() ? "the contract" : fmt::format("the column '{}'", use.column);
      problems.push_back(ProblemAt(contract.file, PlaceOf(contract, use.column), unknown(use.term, what)));
    }
  }
  return problems;
}

TermFolder TermsIn(const std::vector<TextFile>& files) {
  TermFolder folder;
  for (const TextFile& file : files) {
    if (!file.path.starts_with("terms/")) continue;
    if (file.path.ends_with(".yml")) {
      folder.problems.push_back({file.path, 0, 0, "", "weft.folder", "must end in .yaml to be read: rename it"});
    } else if (file.path.ends_with(".yaml")) {
      auto parsed = TermFile::Parse(file.text, file.path);
      if (parsed) {
        folder.files.push_back(parsed.TakeValue());
      } else {
        std::ranges::move(parsed.TakeError().problems, std::back_inserter(folder.problems));
      }
    }
  }
  return folder;
}

std::vector<Problem> JudgeOwners(const std::vector<TermFile>& files, const Mesh& mesh) {
  std::vector<Problem> problems;
  for (const TermFile& file : files) {
    for (const Term& term : file.terms) {
      std::string unknown = mesh.UnknownGroup(term.owner);
      if (!unknown.empty()) problems.push_back(ProblemAt(file.file, term.place, std::move(unknown)));
    }
  }
  return problems;
}

std::vector<Problem> JudgeByTerms(const TermFolder& folder, const Repository& repository) {
  std::vector<Problem> problems = folder.problems;
  auto terms = Terms::Of(folder.files);
  if (!terms) {
    std::ranges::move(terms.TakeError().problems, std::back_inserter(problems));
    return problems;
  }
  if (!repository.mesh) return problems;
  std::ranges::move(JudgeOwners(folder.files, *repository.mesh), std::back_inserter(problems));
  for (const Bundle& bundle : repository.bundles) {
    std::ranges::move((*terms)->Judge(bundle), std::back_inserter(problems));
  }
  return problems;
}

}  // namespace weft::model
