#include "state/catalog/terms.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Json TermJson(const model::Term& term) {
  return Json::Map({{"name", term.name},
                    {"definition", term.definition},
                    {"synonyms", term.synonyms},
                    {"related", term.related},
                    {"examples", term.examples},
                    {"owner", term.owner},
                    {"where", term.Where()}});
}

// By its name or a synonym, with hyphens for spaces; kNotFound with near names.
Result<const model::Term*> TermNamed(const model::Terms& terms, const std::string& name) {
  if (const model::Term* term = terms.Find(name)) return term;
  std::vector<std::string_view> names;
  for (const auto& [each, term] : terms.all()) {
    names.push_back(each);
    for (const std::string& synonym : term->synonyms) {
      if (Lower(ReplaceAll(synonym, " ", "-")) == Lower(name)) return term;
    }
  }
  return Error{Code::kNotFound, fmt::format("the mesh has no term '{}'{}", name, DidYouMean(name, names))};
}

}  // namespace

Answer ListTerms(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  const auto terms = TRY(catalog::TermsOf(*txn));
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  std::map<std::string, std::set<std::string>> products;
  for (const catalog::TermColumn& use : TRY(catalog::TermColumns(*txn, sight))) {
    products[use.term].insert(use.port.domain + "/" + use.port.product);
  }
  Json::Array list;
  for (const auto& [name, term] : terms->all()) {
    Json json = TermJson(*term);
    json.Set("products", static_cast<int64_t>(products[name].size()));
    list.push_back(std::move(json));
  }
  return http::Response::Of(Json::Map({{"terms", std::move(list)}}));
}

Answer ShowTerm(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {}));
  auto txn = TRY(api.store.Read());
  const auto terms = TRY(catalog::TermsOf(*txn));
  const model::Term& term = *TRY(TermNamed(*terms, request.captures.at("term")));
  Json json = TermJson(term);
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  Json::Array uses;
  for (const catalog::TermColumn& use : TRY(catalog::TermColumns(*txn, sight, term.name))) {
    uses.push_back(Json::Map({{"address", use.Where()}, {"column", use.column}}));
  }
  json.Set("uses", std::move(uses));
  return http::Response::Of(json);
}

}  // namespace weft::rest
