#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/id.h"
#include "base/text.h"
#include "state/catalog/catalog.h"
#include "state/catalog/search_docs.h"
#include "state/catalog/search_match.h"
#include "state/catalog/words.h"

// Documents as the store has them: their rows, their words' lists, and the vocabulary.
namespace weft::catalog {
namespace {

constexpr size_t kShortest = 4, kLongest = 32;  // Letters of a word that slips of the pen are looked for.
constexpr size_t kWordsAtOnce = 16;

// The words that nobody has written before, with what slips of the pen make of them.
Status Learn(store::Txn& txn, const std::set<std::string>& words) {
  for (auto at = words.begin(); at != words.end();) {
    std::string values;
    std::vector<store::Cell> cells;
    for (; at != words.end() && cells.size() < kWordsAtOnce; ++at) {
      cells.emplace_back(*at);
      values += fmt::format("{}(${})", cells.size() == 1 ? "" : ", ", cells.size());
    }
    const auto fresh =
        TRY(txn.Run(fmt::format("INSERT INTO search_vocabulary (word) VALUES {} ON CONFLICT (word) DO NOTHING "
                                "RETURNING word",
                                values),
                    cells));
    for (const store::Row& row : fresh) {
      for (const std::string& variant : VariantsOf(row.text(0))) {
        TRY(txn.Run("INSERT INTO search_near (variant, word) VALUES ($1, $2) ON CONFLICT (variant, word) DO NOTHING",
                    {variant, row.text(0)}));
      }
    }
  }
  return {};
}

bool IsLearnt(const std::string& word) {
  return word.size() >= kShortest && word.size() <= kLongest &&
         std::ranges::none_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

// A document's row, but for what is shown of it alone.
struct Indexed {
  std::string kind, name, status, title, tags, description, context, marks;
  int popular = 0;
};
constexpr std::string_view kIndexed = "kind, name, status, title, tags, description, context, marks, popular";
Indexed IndexedOf(const store::Row& row, size_t from) {
  return {row.text(from),     row.text(from + 1), row.text(from + 2),
          row.text(from + 3), row.text(from + 4), row.text(from + 5),
          row.text(from + 6), row.text(from + 7), static_cast<int>(row.integer(from + 8))};
}

// How much each word counts in the document: where it stands, and more where it is most of the name. What is not active
// counts for less.
index::Postings PostingsOf(const Indexed& document) {
  constexpr double kTitle = 10, kTags = 6, kDescription = 4, kContext = 1, kName = 8;
  constexpr double kTerm = 1.5, kNotActive = 0.8, kFineness = 4;
  std::map<std::string, double> words;
  for (const auto& [field, weight] :
       {std::pair(&document.title, kTitle), std::pair(&document.tags, kTags),
        std::pair(&document.description, kDescription), std::pair(&document.context, kContext)}) {
    for (std::string& word : Split(*field, ' ')) {
      if (!word.empty()) words.try_emplace(std::move(word), weight);  // Where it stands best comes first.
    }
  }
  const std::vector<Token> name = TokensOf(document.name);
  for (const Token& token : name) {
    if (const auto at = words.find(token.word); at != words.end())
      at->second += kName / static_cast<double>(name.size());
  }
  const bool term = document.kind == "term";
  const double factor = kFineness * (term ? kTerm : document.status == "active" ? 1 : kNotActive);
  index::Postings postings;
  for (const auto& [word, weight] : words) {
    postings[word] = std::clamp(static_cast<int>(std::lround(weight * factor)), 1, index::kMostImpact);
  }
  for (std::string& mark : Split(document.marks, ' ')) {
    if (!mark.empty()) postings[std::move(mark)] = 1;
  }
  if (document.popular > 0) postings[index::PopularMark()] = document.popular;
  return postings;
}

std::string FacetsOf(const Document& document) {
  std::vector<std::string> fields;
  for (const auto* values : {&document.kinds, &document.tag_set, &document.statuses, &document.owners,
                             &document.classifications, &document.formats}) {
    fields.push_back(Join(std::vector(values->begin(), values->end()), "\x1f"));
  }
  return Join(fields, "\x1e");
}

void MarkAll(Document* document) {
  std::set<std::string>& marks = document->marks;
  if (!document->domain.empty()) marks.insert(MarkOf("domain", document->domain));
  if (document->part == kRetired) marks.insert(MarkOf(kRetired, ""));
  for (const auto& [name, values] :
       {std::pair("kind", &document->kinds), std::pair("tag", &document->tag_set),
        std::pair("status", &document->statuses), std::pair("owner", &document->owners),
        std::pair("classification", &document->classifications), std::pair("format", &document->formats)}) {
    for (const std::string& value : *values) marks.insert(MarkOf(name, value));
  }
}

Status PutRow(store::Txn& txn, const store::Cell& id, const Document& document, const std::string& marks, int popular,
              bool fresh, const std::string& fresh_at) {
  if (!fresh) {
    TRY(txn.Run("DELETE FROM search_docs WHERE id = $1", {id}));
    TRY(txn.Run("UPDATE search_facets SET facets = $2 WHERE id = $1", {id, FacetsOf(document)}));
  } else {
    TRY(txn.Run("INSERT INTO search_facets (id, domain, facets, fresh_at) VALUES ($1, $2, $3, $4)",
                {id, document.domain, FacetsOf(document), fresh_at}));
  }
  TRY(txn.Run(
      "INSERT INTO search_docs (id, kind, domain, name, part, status, type, text, title, tags, description, "
      "context, marks, popular, ports) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
      {id, document.kind, document.domain, document.name, document.part, document.status, document.type, document.text,
       document.title, document.tags, document.description, document.context, marks, store::Int(popular),
       Json(document.ports).Dump()}));
  return {};
}

}  // namespace

// No word of a text begins so.
std::string MarkOf(std::string_view what, std::string_view value) {
  return "=" + Sha256(fmt::format("{}\n{}", what, value)).substr(0, 16);
}

std::string PartOf(std::string_view port, int major) { return fmt::format("{}@{}", port, major); }

std::vector<std::string> VariantsOf(const std::string& word) {
  std::vector<std::string> variants = {word};
  for (size_t at = 0; at < word.size(); ++at) {
    // Bytes of one letter go together.
    if ((static_cast<unsigned char>(word[at]) & 0xC0) == 0x80) continue;
    size_t end = at + 1;
    while (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) ++end;
    variants.push_back(word.substr(0, at) + word.substr(end));
  }
  std::ranges::sort(variants);
  const auto twice = std::ranges::unique(variants);
  variants.erase(twice.begin(), twice.end());
  return variants;
}

void Document::Words(std::string* field, std::string_view written) {
  const std::string words = IndexText(written);
  if (words.empty()) return;
  if (!field->empty()) *field += ' ';
  *field += words;
}

void Document::Tag(const std::vector<std::string>& written) {
  for (const std::string& tag : written) {
    Words(&tags, tag);
    tag_set.insert(tag);
  }
}

Status WriteDocument(store::Txn& txn, Document document, const std::string& fresh_at) {
  MarkAll(&document);
  const std::string marks = Join(std::vector(document.marks.begin(), document.marks.end()), " ");
  const auto known =
      TRY(txn.Run(fmt::format("SELECT id, {} FROM search_docs WHERE kind = $1 AND domain = $2 AND name = $3 AND part = "
                              "$4",
                              kIndexed),
                  {document.kind, document.domain, document.name, document.part}));
  store::Cell id;
  index::Postings before;
  int popular = 0;
  if (known.empty()) {
    id = TRY(txn.Run("SELECT COALESCE(max(id), 0) + 1 FROM search_docs"))[0][0];
  } else {
    id = known[0][0];
    const Indexed was = IndexedOf(known[0], 1);
    before = PostingsOf(was);
    popular = was.popular;
  }
  const index::Postings now = PostingsOf({document.kind, document.name, document.status, document.title, document.tags,
                                          document.description, document.context, marks, popular});
  TRY(PutRow(txn, id, document, marks, popular, known.empty(), fresh_at));
  TRY(index::Put(txn, std::strtoll(id->c_str(), nullptr, 10), before, now));
  std::set<std::string> words;
  for (const auto& [word, impact] : now) {
    if (!before.contains(word) && !word.starts_with('=') && IsLearnt(word)) words.insert(word);
  }
  return Learn(txn, words);
}

Result<std::map<std::string, std::string>> PartsOf(store::Txn& txn, std::string_view kind, const std::string& domain,
                                                   const std::string& name) {
  std::map<std::string, std::string> parts;
  for (const store::Row& row :
       TRY(txn.Run("SELECT d.part, f.fresh_at FROM search_docs d JOIN search_facets f ON f.id = d.id WHERE d.kind = $1 "
                   "AND d.domain = $2 AND d.name = $3",
                   {std::string(kind), domain, name}))) {
    parts[row.text(0)] = row.text(1);
  }
  return parts;
}

Status RemoveDocument(store::Txn& txn, std::string_view kind, const std::string& domain, const std::string& name,
                      const std::string& part) {
  for (const store::Row& row : TRY(txn.Run(
           fmt::format("SELECT id, {} FROM search_docs WHERE kind = $1 AND domain = $2 AND name = $3 AND part = "
                       "$4",
                       kIndexed),
           {std::string(kind), domain, name, part}))) {
    TRY(index::Put(txn, row.integer(0), PostingsOf(IndexedOf(row, 1)), {}));
    TRY(txn.Run("DELETE FROM search_docs WHERE id = $1", {row[0]}));
    TRY(txn.Run("DELETE FROM search_facets WHERE id = $1", {row[0]}));
  }
  return {};
}

Status NotePopularity(store::Txn& txn, const std::string& domain, const std::string& product, int64_t grants) {
  const int level = index::PopularOf(grants);
  for (const store::Row& row : TRY(txn.Run(
           fmt::format("SELECT id, {} FROM search_docs WHERE kind = 'product' AND domain = $1 AND name = $2 AND "
                       "popular <> $3",
                       kIndexed),
           {domain, product, store::Int(level)}))) {
    Indexed document = IndexedOf(row, 1);
    const index::Postings before = PostingsOf(document);
    document.popular = level;
    TRY(index::Put(txn, row.integer(0), before, PostingsOf(document)));
    TRY(txn.Run("UPDATE search_docs SET popular = $2 WHERE id = $1", {row[0], store::Int(level)}));
  }
  return {};
}

Status IndexAll(store::Txn& txn) {
  TRY(txn.Run("DELETE FROM search_postings"));
  for (const store::Row& row : TRY(txn.Run(fmt::format("SELECT id, {} FROM search_docs ORDER BY id", kIndexed)))) {
    TRY(index::Put(txn, row.integer(0), {}, PostingsOf(IndexedOf(row, 1))));
  }
  return {};
}

}  // namespace weft::catalog
