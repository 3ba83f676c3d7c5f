#include <fmt/format.h>

#include "base/text.h"
#include "state/catalog/search_index.h"

// PostgreSQL's text search, over search_docs: the words are taken as they are, without its parsers and dictionaries, so
// that they are the same as in SQLite. All that is here speaks it, and nothing else does.
namespace weft::catalog::index::postgres {
namespace {

// Its words are at most 2,046 bytes long.
std::string VectorOf(std::string_view texts) {
  return fmt::format(
      "array_to_tsvector(ARRAY(SELECT DISTINCT word FROM unnest(string_to_array({}, ' ')) AS word WHERE "
      "octet_length(word) BETWEEN 1 AND 1000))",
      texts);
}

std::string Quoted(const std::string& word) {
  return "'" + ReplaceAll(ReplaceAll(word, "\\", "\\\\"), "'", "''") + "'";
}

std::string WordsOf(const std::vector<Term>& terms, std::string_view between) {
  std::vector<std::string> each;
  for (const Term& term : terms) each.push_back(Quoted(term.word) + (term.beginning ? ":*" : ""));
  return Join(each, between);
}

std::string OneOf(const std::vector<std::string>& marks) {
  std::vector<std::string> each;
  for (const std::string& mark : marks) each.push_back(Quoted(mark));
  return "(" + Join(each, " | ") + ")";
}

std::string MarksOf(const Query& query) {
  std::vector<std::string> all;
  for (const std::vector<std::string>& marks : query.marks) all.push_back(OneOf(marks));
  if (!query.without.empty()) all.push_back("!" + OneOf(query.without));
  return Join(all, " & ");
}

struct Asked {
  std::string where;
  std::vector<store::Cell> args;
};

Asked AskedOf(const Query& query, Scope scope) {
  Asked asked{"true", {}};
  const auto also = [&](std::string_view vector, std::string text) {
    asked.args.emplace_back(std::move(text));
    asked.where += fmt::format(" AND s.{} @@ (${}::text)::tsquery", vector, asked.args.size());
  };
  if (!query.marks.empty() || !query.without.empty()) also("marks", MarksOf(query));
  if (!query.terms.empty()) {
    const std::string_view vector = scope == Scope::kTitle ? "title" : scope == Scope::kTitleOrTags ? "named" : "words";
    also(vector, WordsOf(query.terms, " & "));
    if (scope == Scope::kSomeInTitle) also("title", WordsOf(query.terms, " | "));
  }
  if (!query.fresh_since.empty()) {
    asked.args.emplace_back(query.fresh_since);
    asked.where += fmt::format(" AND s.id IN (SELECT id FROM search_facets WHERE fresh_at >= ${})", asked.args.size());
  }
  return asked;
}

}  // namespace

Status Add(store::Txn& txn, int64_t id) {
  TRY(txn.Run(fmt::format("INSERT INTO search (id, title, named, words, marks) SELECT id, {}, {}, {}, {} FROM "
                          "search_docs WHERE id = $1",
                          VectorOf("title"), VectorOf("title || ' ' || tags"),
                          VectorOf("title || ' ' || tags || ' ' || description || ' ' || context"), VectorOf("marks")),
              {store::Int(id)}));
  return {};
}

Status Remove(store::Txn& txn, int64_t id) {
  TRY(txn.Run("DELETE FROM search WHERE id = $1", {store::Int(id)}));
  return {};
}

Result<int64_t> Count(store::Txn& txn, const Query& query, int64_t most) {
  const Asked asked = AskedOf(query, Scope::kAnywhere);
  const auto rows = TRY(txn.Run(
      fmt::format("SELECT count(*) FROM (SELECT 1 FROM search AS s WHERE {} LIMIT {}) AS counted", asked.where, most),
      asked.args));
  return rows[0].integer(0);
}

Result<std::vector<int64_t>> Find(store::Txn& txn, const Query& query, Scope scope, int limit) {
  const Asked asked = AskedOf(query, scope);
  const std::string sql =
      fmt::format("SELECT s.id FROM search AS s WHERE {} ORDER BY s.id DESC LIMIT {}", asked.where, limit);
  std::vector<int64_t> ids;
  for (const store::Row& row : TRY(txn.Run(sql, asked.args))) ids.push_back(row.integer(0));
  return ids;
}

Result<std::vector<store::Row>> Facets(store::Txn& txn, const Query& query) {
  const Asked asked = AskedOf(query, Scope::kAnywhere);
  return txn.Run(
      "SELECT f.domain, f.facets, f.fresh_at FROM search AS s JOIN search_facets AS f ON f.id = s.id WHERE " +
          asked.where,
      asked.args);
}

}  // namespace weft::catalog::index::postgres
