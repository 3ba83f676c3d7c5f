#include "state/catalog/search.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ports/rest/handlers.h"
#include "state/catalog/related.h"

namespace weft::rest {
namespace {

Result<catalog::Filters> FiltersOf(store::Txn& txn, const http::Request& request) {
  catalog::Filters filters;
  filters.domain = request.Query("domain");
  TRY(KnownDomain(txn, filters.domain));
  filters.kind = request.Query("kind");
  if (!filters.kind.empty()) {
    TRY(OneOf("kind", filters.kind, {"sourceAligned", "aggregate", "consumerAligned", "term"}));
  }
  filters.status = request.Query("status");
  if (!filters.status.empty()) {
    TRY(OneOf("status", filters.status, {"draft", "active", "deprecated", "retired"}));
  }
  filters.tag = request.Query("tag");
  filters.owner = request.Query("owner");
  filters.classification = request.Query("classification");
  filters.format = request.Query("format");
  const std::string since = request.Query("fresh_since");
  if (since.empty()) return filters;
  const auto time = Instant::Parse(since);
  if (!time) {
    return Error{Code::kInvalid, fmt::format("parameter fresh_since: '{}' is no time: write it like "
                                             "\"2026-01-31T12:00:00Z\"",
                                             since)};
  }
  filters.fresh_since = *time;
  return filters;
}

Json PortJson(const catalog::FoundPort& port) {
  Json::Array columns;
  for (const catalog::FoundColumn& column : port.columns) {
    columns.push_back(Json::Map({{"name", column.name}, {"title", column.title}, {"snippet", column.snippet}}));
  }
  return Json::Map({{"address", port.address},
                    {"status", port.status},
                    {"snippet", port.snippet},
                    {"columns", std::move(columns)},
                    {"more_columns", static_cast<int64_t>(port.more)}});
}

Json HitJson(const catalog::Hit& hit) {
  Json::Array ports;
  for (const catalog::FoundPort& port : hit.ports) ports.push_back(PortJson(port));
  return Json::Map({{"kind", hit.kind},
                    {"address", hit.address},
                    {"title", hit.title},
                    {"snippet", hit.snippet},
                    {"status", hit.status},
                    {"type", hit.type},
                    {"owners", hit.owners},
                    {"tags", hit.tags},
                    {"fresh_at", OptionalTime(hit.fresh_at)},
                    {"ports", std::move(ports)}});
}

template <class Pairs>
Json PairsJson(const Pairs& pairs, const char* first, const char* second) {
  Json::Array list;
  for (const auto& [a, b] : pairs) list.push_back(Json::Map({{first, a}, {second, b}}));
  return list;
}

}  // namespace

Answer Search(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"q", "domain", "kind", "tag", "status", "owner", "classification", "format", "fresh_since",
                          "facets", "limit"}));
  catalog::Question question;
  question.words = request.Query("q");
  question.limit = static_cast<int>(TRY(QueryInt(request, "limit", 20, 1, 500)));
  const std::string facets = request.Query("facets");
  if (!facets.empty()) TRY(OneOf("facets", facets, {"true", "false"}));
  question.facets = facets == "true";
  auto txn = TRY(api.store.Read());
  question.filters = TRY(FiltersOf(*txn, request));
  if (Trim(question.words).empty() && question.filters == catalog::Filters()) {
    return Error{Code::kInvalid, "parameter q is missing: the words to look for, or a filter alone"};
  }
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  const catalog::Found found = TRY(catalog::Search(*txn, api.clock, sight, question));
  Json::Array hits;
  for (const catalog::Hit& hit : found.hits) hits.push_back(HitJson(hit));
  Json answer = Json::Map({{"hits", std::move(hits)},
                           {"total", found.total},
                           {"read_as", PairsJson(found.read_as, "word", "as")},
                           {"instead", PairsJson(found.instead, "words", "total")}});
  if (question.facets) {
    Json counts = Json::Map({});
    for (const catalog::Facet& facet : found.facets) counts.Set(facet.name, PairsJson(facet.values, "value", "count"));
    answer.Set("facets", std::move(counts));
  }
  return http::Response::Of(answer);
}

// Other products that have much of the same.
Answer Alike(Api& api, const Caller& caller, const http::Request& request) {
  TRY(OnlyQuery(request, {"limit"}));
  const auto limit = static_cast<size_t>(TRY(QueryInt(request, "limit", 10, 1, 100)));
  auto txn = TRY(api.store.Read());
  const model::Sight sight = TRY(SightOf(api, *txn, caller));
  Json::Array list;
  for (const catalog::Alike& alike :
       TRY(catalog::LikeIt(*txn, sight, request.captures.at("domain"), request.captures.at("product"), limit))) {
    list.push_back(Json::Map({{"address", alike.address},
                              {"description", alike.description},
                              {"status", alike.status},
                              {"shares", alike.shares}}));
  }
  return http::Response::Of(Json::Map({{"alike", std::move(list)}}));
}

}  // namespace weft::rest
