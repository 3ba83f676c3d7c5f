#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "state/catalog/rows.h"

namespace weft::catalog {
namespace {

// Everything here speaks SQLite's FTS5; a store with another full text gets a file of its own beside this one.

constexpr size_t kMaxWords = 16;

struct Document {
  std::string kind;
  std::string address;
  std::string status;
  std::string title;
  std::string description;
  std::string tags;
  std::string context;  // The names above it, so that words of both find it.
};

Status Insert(store::Txn& txn, const model::Product& product, const Document& document) {
  auto rows = TRY(txn.Run("INSERT INTO search_rows (domain, product) VALUES ($1, $2) RETURNING id",
                          {product.domain, product.name}));
  TRY(
      txn.Run("INSERT INTO search (rowid, kind, address, domain, status, title, description, tags, context) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
              {rows[0][0], document.kind, document.address, product.domain, document.status, document.title,
               document.description, document.tags, document.context}));
  return {};
}

std::string TitleOf(const std::string& name, const std::string& other) {
  return other.empty() || other == name ? name : fmt::format("{} ({})", name, other);
}

Status InsertColumns(store::Txn& txn, const model::Product& product, const Document& port,
                     const std::vector<model::Property>& properties) {
  for (const model::Property& property : properties) {
    std::vector<std::string> tags = property.tags;
    if (property.entity) tags.push_back(property.entity->name);
    TRY(Insert(txn, product,
               {"column", port.address, port.status, TitleOf(property.name, property.business_name),
                property.description, Join(tags, " "), port.context + " " + port.title}));
  }
  return {};
}

Status InsertPort(store::Txn& txn, const model::Bundle& bundle, const PortRow& row, const model::OutputPort& port) {
  const model::Contract* contract = bundle.ContractOf(port);
  std::string description = port.description;
  std::vector<std::string> tags = port.tags;
  if (contract) {
    description += description.empty() ? contract->description : "\n" + contract->description;
    tags.insert(tags.end(), contract->tags.begin(), contract->tags.end());
  }
  Document document = {"port",
                       row.key.Text(),
                       row.status,
                       TitleOf(port.name, contract ? contract->name : ""),
                       description,
                       Join(tags, " "),
                       row.key.domain + " " + row.key.product};
  TRY(Insert(txn, bundle.product, document));
  document.title = port.name;
  for (size_t i = 0; contract && i < contract->schema.size(); ++i) {
    TRY(InsertColumns(txn, bundle.product, document, contract->schema[i].properties));
  }
  return {};
}

// Words of letters and digits; bytes beyond ASCII belong to words.
std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : Lower(text) + " ") {
    const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (part) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (words.size() > kMaxWords) words.resize(kMaxWords);
  return words;
}

// FTS5's "word"* in PostgreSQL's own language: 'word':*.
std::string ForPostgres(std::string term) {
  const bool beginning = term.ends_with('*');
  if (beginning) term.pop_back();
  return "'" + term.substr(1, term.size() - 2) + "'" + (beginning ? ":*" : "");
}

Result<bool> IsThere(store::Txn& txn, const std::string& term) {
  if (txn.dialect() == store::Dialect::kPostgres) {
    return !TRY(txn.Run("SELECT 1 FROM search WHERE words @@ to_tsquery('simple', $1) LIMIT 1", {ForPostgres(term)}))
    .empty();
  }
  return !TRY(txn.Run("SELECT rowid FROM search WHERE search MATCH $1 LIMIT 1", {term}))
  .empty();
}

// How a word is asked for: as it stands (a plural with its singular), as a beginning, or as the nearest word that the
// index has.
Result<std::string> TermOf(store::Txn& txn, const std::string& word, bool last) {
  const bool plural = word.size() > 3 && word.ends_with('s');
  const std::string beginning = fmt::format("\"{}\"*", plural ? word.substr(0, word.size() - 1) : word);
  const std::string exact = plural ? beginning : fmt::format("\"{}\"", word);
  if (!last && TRY(IsThere(txn, exact))) return exact;
  if (TRY(IsThere(txn, beginning))) return beginning;
  const auto size = static_cast<int64_t>(word.size());
  const std::string_view words = txn.dialect() == store::Dialect::kPostgres
                                     ? "(SELECT word AS term FROM ts_stat('SELECT words FROM search')) AS all_words"
                                     : "search_words";
  auto rows = TRY(txn.Run(fmt::format("SELECT term FROM {} WHERE length(term) BETWEEN CAST($1 AS INTEGER) AND "
                                      "CAST($2 AS INTEGER)",
                                      words),
                          {store::Int(size - size / 3 - 1), store::Int(size + size / 3 + 1)}));
  std::vector<std::string> terms;
  for (const store::Row& row : rows) terms.push_back(row.text(0));
  std::vector<std::string_view> candidates(terms.begin(), terms.end());
  std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? exact : fmt::format("\"{}\"*", nearest);
}

}  // namespace

Status PutIndex(store::Txn& txn, const model::Bundle& bundle) {
  const model::Product& product = bundle.product;
  for (const store::Row& row : TRY(txn.Run("DELETE FROM search_rows WHERE domain = $1 AND product = $2 RETURNING id",
                                           {product.domain, product.name}))) {
    TRY(txn.Run("DELETE FROM search WHERE rowid = $1", {row[0]}));
  }
  TRY(txn.Run("DELETE FROM entity_columns WHERE domain = $1 AND product = $2", {product.domain, product.name}));
  TRY(Insert(txn, product,
             {"product", product.domain + "/" + product.name, product.status, product.name, product.description,
              Join(product.tags, " "), product.domain}));
  // Each in the words of the version that speaks for it: an older major may stand in an older bundle alone.
  for (const PortRow& row : TRY(Ports(txn, product.domain, product.name))) {
    BundlePtr other;
    if (row.product_version != product.version) {
      other = TRY(Product(txn, product.domain, product.name, row.product_version));
    }
    const model::Bundle& its = other ? *other : bundle;
    for (const model::OutputPort& port : its.product.outputs) {
      if (port.name != row.key.port || port.version != row.version) continue;
      TRY(InsertPort(txn, its, row, port));
      TRY(PutEntityColumns(txn, row, its.ContractOf(port)));
    }
  }
  return {};
}

Result<std::vector<Hit>> Search(store::Txn& txn, const std::string& words, const std::string& domain, int limit) {
  std::vector<std::string> terms;
  const std::vector<std::string> asked = WordsOf(words);
  for (size_t i = 0; i < asked.size(); ++i) terms.push_back(TRY(TermOf(txn, asked[i], i + 1 == asked.size())));
  std::vector<Hit> hits;
  if (terms.empty()) return hits;
  // A hit in a name weighs most, one in the names above it least; a product comes before its ports, and they before
  // their columns. bm25 is the better the lower, and below zero.
  constexpr std::string_view kSql =
      "SELECT kind, address, title, snippet(search, 5, '«', '»', '…', 16), status, "
      "bm25(search, 0, 0, 0, 0, 10.0, 4.0, 6.0, 0.5) * CASE kind WHEN 'product' THEN 2.0 WHEN 'port' THEN 1.5 ELSE 1.0 "
      "END AS score, instr(highlight(search, 4, char(2), '') || highlight(search, 5, char(2), '') || "
      "highlight(search, 6, char(2), ''), char(2)) AS own FROM search "
      "WHERE search MATCH $1 AND ($2 = '' OR domain = $2) ORDER BY score, address, title LIMIT $3";
  constexpr std::string_view kPostgres =
      "SELECT kind, address, title, ts_headline('simple', description, query, 'StartSel=«, StopSel=», MaxWords=16, "
      "MinWords=4'), status, -ts_rank(words, query) * CASE kind WHEN 'product' THEN 2.0 WHEN 'port' THEN 1.5 ELSE 1.0 "
      "END AS score, CASE WHEN own @@ to_tsquery('simple', $4) THEN 1 ELSE 0 END FROM search, "
      "to_tsquery('simple', $1) AS query WHERE words @@ query AND ($2 = '' OR domain = $2) "
      "ORDER BY score, address, title LIMIT $3";
  std::vector<store::Row> rows;
  if (txn.dialect() == store::Dialect::kPostgres) {
    std::ranges::transform(terms, terms.begin(), ForPostgres);
    rows = TRY(txn.Run(kPostgres, {Join(terms, " & "), domain, store::Int(limit), Join(terms, " | ")}));
  } else {
    rows = TRY(txn.Run(kSql, {Join(terms, " AND "), domain, store::Int(limit)}));
  }
  for (const store::Row& row : rows) {
    // A column that only the names above it made a hit says nothing beside its port, which is one too.
    if (row.text(0) == "column" && row.text(6) == "0") continue;
    Hit hit{row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), 0};
    hit.rank = -std::strtod(row.text(5).c_str(), nullptr);
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace weft::catalog
