#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "state/catalog/search_index.h"

// SQLite's FTS5, over search_docs. All that is here speaks it, and nothing else does.
namespace weft::catalog::index {
namespace {

constexpr std::string_view kColumns = "title, tags, description, context, marks";

std::string TermText(const Term& term) { return fmt::format("\"{}\"{}", term.word, term.beginning ? "*" : ""); }

std::string OneOf(const std::vector<std::string>& marks) { return fmt::format("(marks : ({}))", Join(marks, " OR ")); }

std::string WordsIn(std::string_view fields, const std::vector<Term>& terms, std::string_view between) {
  std::vector<std::string> each;
  for (const Term& term : terms) each.push_back(fmt::format("({} : {})", fields, TermText(term)));
  return "(" + Join(each, between) + ")";
}

// The query in FTS5's own language. Words and marks are letters and digits, or bytes beyond ASCII, and stand in quotes.
std::string MatchOf(const Query& query, Scope scope) {
  constexpr std::string_view kAll = "{title tags description context}";
  std::vector<std::string> all;
  if (!query.terms.empty()) {
    const std::string_view fields = scope == Scope::kTitle         ? "{title}"
                                    : scope == Scope::kTitleOrTags ? "{title tags}"
                                                                   : kAll;
    all.push_back(WordsIn(fields, query.terms, " AND "));
    if (scope == Scope::kSomeInTitle) all.push_back(WordsIn("{title}", query.terms, " OR "));
  }
  for (const std::vector<std::string>& marks : query.marks) all.push_back(OneOf(marks));
  std::string match = Join(all, " AND ");
  return query.without.empty() ? match : fmt::format("({}) NOT {}", match, OneOf(query.without));
}

constexpr std::string_view kFresh = " AND ($2 = '' OR rowid IN (SELECT id FROM search_facets WHERE fresh_at >= $2))";

}  // namespace

Status Add(store::Txn& txn, int64_t id) {
  TRY(txn.Run(fmt::format("INSERT INTO search (rowid, {0}) SELECT id, {0} FROM search_docs WHERE id = $1", kColumns),
              {store::Int(id)}));
  return {};
}

Status Remove(store::Txn& txn, int64_t id) {
  TRY(txn.Run(fmt::format("INSERT INTO search (search, rowid, {0}) SELECT 'delete', id, {0} FROM search_docs "
                          "WHERE id = $1",
                          kColumns),
              {store::Int(id)}));
  return {};
}

Result<int64_t> Count(store::Txn& txn, const Query& query) {
  const std::string match = MatchOf(query, Scope::kAnywhere);
  const auto rows =
      query.fresh_since.empty() ? TRY(txn.Run("SELECT count(*) FROM search WHERE search MATCH $1", {match}))
                        : TRY(txn.Run(fmt::format("SELECT count(*) FROM search WHERE search MATCH $1{}", kFresh),
                                      {match, query.fresh_since}));
                        return rows[0].integer(0);
}

Result<std::vector<int64_t>> Find(store::Txn& txn, const Query& query, Scope scope, int limit) {
                        std::vector<int64_t> ids;
                        for (const store::Row& row : TRY(txn.Run(
                                 fmt::format(
                                     "SELECT rowid FROM search WHERE search MATCH $1{} ORDER BY rowid DESC LIMIT $3",
                                     kFresh),
                                 {MatchOf(query, scope), query.fresh_since, store::Int(limit)}))) {
                          ids.push_back(row.integer(0));
                        }
                        return ids;
}

Result<std::vector<store::Row>> Facets(store::Txn& txn, const Query& query) {
                        return txn.Run(
                            "SELECT f.domain, f.facets, f.fresh_at FROM search s JOIN search_facets f ON f.id = "
                            "s.rowid "
                            "WHERE search MATCH $1 AND ($2 = '' OR f.fresh_at >= $2)",
                            {MatchOf(query, Scope::kAnywhere), query.fresh_since});
}

}  // namespace weft::catalog::index
