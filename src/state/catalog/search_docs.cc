#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "base/text.h"
#include "state/catalog/rows.h"
#include "state/catalog/search.h"
#include "state/catalog/search_docs.h"
#include "state/catalog/search_index.h"
#include "state/catalog/terms.h"
#include "state/catalog/words.h"

namespace weft::catalog {
namespace {

constexpr size_t kShortest = 4, kLongest = 32;  // Letters of a word that slips of the pen are looked for.
constexpr size_t kWordsAtOnce = 16;

// One document: what is found of a product, in words and by what it is.
struct Document {
  std::string title, tags, description, context;
  std::set<std::string> kinds, tag_set, statuses, owners, classifications, formats;
  std::set<std::string> marks;
  Json::Array ports;

  void Words(std::string* field, std::string_view text) const {
    const std::string words = IndexText(text);
    if (words.empty()) return;
    if (!field->empty()) *field += ' ';
    *field += words;
  }
  void Tag(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      Words(&tags, text);
      tag_set.insert(text);
    }
  }
  void Mean(const std::vector<model::TermUse>& uses) {
    for (const model::TermUse& use : uses) {
      Words(&tags, use.term);
      marks.insert(MarkOf("term", use.term));
    }
  }
  std::string Facets() const {
    std::vector<std::string> fields;
    for (const auto* values : {&kinds, &tag_set, &statuses, &owners, &classifications, &formats}) {
      fields.push_back(Join(std::vector(values->begin(), values->end()), "\x1f"));
    }
    return Join(fields, "\x1e");
  }
};

void AddColumns(Document* document, const std::vector<model::Property>& properties, Json::Array* columns) {
  for (const model::Property& property : properties) {
    document->Words(&document->description, property.name);
    document->Words(&document->description, property.business_name);
    document->Words(&document->context, property.description);
    for (const std::string& tag : property.tags) document->Words(&document->tags, tag);
    std::string tags = Join(property.tags, " ");
    if (property.entity) {
      document->Words(&document->tags, property.entity->name);
      document->marks.insert(MarkOf("entity", property.entity->name));
      tags += " " + property.entity->name;
    }
    document->marks.insert(MarkOf("column", Lower(property.name)));
    columns->push_back(Json::Array{property.name, property.business_name, property.description, tags});
    for (const auto* inner : {&property.properties, &property.items, &property.map}) {
      for (const model::Property& each : *inner) {
        document->Words(&document->description, each.name);
        document->Words(&document->context, each.description);
      }
    }
  }
}

void AddPort(Document* document, const model::Bundle& bundle, const PortRow& row, const model::OutputPort& port) {
  const model::Contract* contract = bundle.ContractOf(port);
  document->Words(&document->title, port.name);
  document->Words(&document->description, port.description);
  document->Tag(port.tags);
  document->statuses.insert(row.status);
  document->formats.insert(port.type.empty() ? "table" : port.type);
  if (!row.classification.empty()) document->classifications.insert(row.classification);
  Json::Array columns;
  if (contract) {
    document->Words(&document->title, contract->name);
    document->Words(&document->description, contract->description);
    document->Tag(contract->tags);
    document->Mean(model::TermsOf(*contract));
    for (const model::SchemaObject& object : contract->schema) {
      document->Words(&document->context, object.description);
      document->Tag(object.tags);
      AddColumns(document, object.properties, &columns);
    }
  }
  document->ports.push_back(Json::Map({{"address", row.key.Text()},
                                       {"status", row.status},
                                       {"name", contract && contract->name != port.name ? contract->name : ""},
                                       {"text", port.description},
                                       {"columns", std::move(columns)}}));
}

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

Status Remove(store::Txn& txn, const store::Cell& id) {
  TRY(index::Remove(txn, std::strtoll(id.value_or("").c_str(), nullptr, 10)));
  TRY(txn.Run("DELETE FROM search_docs WHERE id = $1", {id}));
  TRY(txn.Run("DELETE FROM search_facets WHERE id = $1", {id}));
  return {};
}

// What a document is about: a product by its domain and name, or a term by its name.
struct About {
  std::string kind, domain, name, status, type, text;
  bool retired = false;
};

Status Write(store::Txn& txn, const About& about, Document document, const std::string& fresh_at) {
  std::set<std::string>& marks = document.marks;
  if (!about.domain.empty()) marks.insert(MarkOf("domain", about.domain));
  if (about.retired) marks.insert(MarkOf("retired", ""));
  for (const auto& [name, values] :
       {std::pair("kind", &document.kinds), std::pair("tag", &document.tag_set),
        std::pair("status", &document.statuses), std::pair("owner", &document.owners),
        std::pair("classification", &document.classifications), std::pair("format", &document.formats)}) {
    for (const std::string& value : *values) marks.insert(MarkOf(name, value));
  }
  const auto inserted = TRY(txn.Run(
      "INSERT INTO search_docs (id, kind, domain, name, retired, status, type, text, title, tags, description, "
      "context, marks, ports) VALUES ((SELECT COALESCE(max(id), 0) + 1 FROM search_docs), $1, $2, $3, $4, $5, $6, $7, "
      "$8, $9, $10, $11, $12, $13) RETURNING id",
      {about.kind, about.domain, about.name, store::Flag(about.retired), about.status, about.type, about.text,
       document.title, document.tags, document.description, document.context,
       Join(std::vector(marks.begin(), marks.end()), " "), Json(std::move(document.ports)).Dump()}));
  TRY(txn.Run("INSERT INTO search_facets (id, domain, facets, fresh_at) VALUES ($1, $2, $3, $4)",
              {inserted[0][0], about.domain, document.Facets(), fresh_at}));
  TRY(index::Add(txn, inserted[0].integer(0)));
  std::set<std::string> words;
  for (const std::string* field : {&document.title, &document.tags, &document.description, &document.context}) {
    for (std::string& word : Split(*field, ' ')) {
      if (IsLearnt(word)) words.insert(std::move(word));
    }
  }
  return Learn(txn, words);
}

Status WriteProduct(store::Txn& txn, const model::Product& product, Document document, bool retired,
                    const std::string& fresh_at) {
  const std::string status = retired ? "retired" : model::PlainStatus(product.status);
  document.Words(&document.title, product.name);
  document.Words(&document.description, product.description);
  document.Words(&document.context, product.domain);
  document.Tag(product.tags);
  document.Mean(model::TermsOf(product));
  document.statuses.insert(status);
  document.kinds.insert(product.type);
  document.owners.insert(product.owners.begin(), product.owners.end());
  return Write(txn, {"product", product.domain, product.name, status, product.type, product.description, retired},
               std::move(document), fresh_at);
}

Status WriteTerm(store::Txn& txn, const model::Term& term) {
  Document document;
  document.Words(&document.title, term.name);
  for (const std::string& synonym : term.synonyms) document.Words(&document.title, synonym);
  for (const std::string& related : term.related) document.Words(&document.tags, related);
  document.Words(&document.description, term.definition);
  for (const std::string& example : term.examples) document.Words(&document.context, example);
  document.kinds.insert("term");
  if (!term.owner.empty()) document.owners.insert(term.owner);
  return Write(txn, {"term", "", term.name, "", "term", term.definition, false}, std::move(document), "");
}

}  // namespace

std::string MarkOf(std::string_view what, std::string_view value) {
  return "zz0" + Sha256(fmt::format("{}\n{}", what, value)).substr(0, 14);
}

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

Status PutIndex(store::Txn& txn, const model::Bundle& bundle) {
  const model::Product& product = bundle.product;
  std::map<int64_t, std::string> fresh;  // By whether it is retired: when rows were last committed.
  for (const store::Row& row :
       TRY(txn.Run("SELECT d.id, d.retired, f.fresh_at FROM search_docs d JOIN search_facets f ON f.id = d.id "
                   "WHERE d.kind = 'product' AND d.domain = $1 AND d.name = $2",
                   {product.domain, product.name}))) {
    TRY(Remove(txn, row[0]));
    fresh[row.integer(1)] = row.text(2);
  }
  for (const char* uses : {"entity_columns", "term_uses", "port_references"}) {
    TRY(txn.Run(fmt::format("DELETE FROM {} WHERE domain = $1 AND product = $2", uses),
                {product.domain, product.name}));
  }
  TRY(PutTermUses(txn, {product.domain, product.name, "", 0}, model::TermsOf(product)));
  // What is retired is found apart, by those who ask for it.
  const bool gone = model::PlainStatus(product.status) == "retired";
  Document live, retired;
  // Each in the words of the version that speaks for it: an older major may stand in an older bundle alone.
  for (const PortRow& row : TRY(Ports(txn, product.domain, product.name))) {
    BundlePtr other;
    if (row.product_version != product.version) {
      other = TRY(Product(txn, product.domain, product.name, row.product_version));
    }
    const model::Bundle& its = other ? *other : bundle;
    for (const model::OutputPort& port : its.product.outputs) {
      if (port.name != row.key.port || port.version != row.version) continue;
      AddPort(gone || row.status == "retired" ? &retired : &live, its, row, port);
      const model::Contract* contract = its.ContractOf(port);
      TRY(PutEntityColumns(txn, row, contract));
      TRY(PutReferences(txn, its, row, contract));
      if (contract) TRY(PutTermUses(txn, row.key, model::TermsOf(*contract)));
    }
  }
  if (!gone) TRY(WriteProduct(txn, product, std::move(live), false, fresh[0]));
  if (gone || !retired.ports.empty()) TRY(WriteProduct(txn, product, std::move(retired), true, fresh[1]));
  return {};
}

Status PutTermIndex(store::Txn& txn, const model::Terms& terms) {
  for (const store::Row& row : TRY(txn.Run("SELECT id FROM search_docs WHERE kind = 'term'"))) {
    TRY(Remove(txn, row[0]));
  }
  for (const auto& [name, term] : terms.all()) TRY(WriteTerm(txn, *term));
  return {};
}

Status NoteCommit(store::Txn& txn, const model::PortKey& port, Instant at) {
  TRY(
      txn.Run("UPDATE search_facets SET fresh_at = $3 WHERE id IN (SELECT id FROM search_docs WHERE kind = 'product' "
              "AND domain = $1 AND name = $2 AND retired = 0)",
              {port.domain, port.product, at.Text()}));
  return {};
}

Status EnsureIndexed(store::Store& store, const LastCommit& last_commit) {
  constexpr std::string_view kMissing =
      "SELECT p.domain, p.name FROM products p LEFT JOIN search_docs d ON d.kind = 'product' AND d.domain = p.domain "
      "AND d.name = p.name WHERE d.id IS NULL ORDER BY p.domain, p.name LIMIT 100";
  while (true) {
    {
      auto reading = TRY(store.Read());
      if (TRY(reading->Run(kMissing)).empty()) return {};
    }
    auto txn = TRY(store.Begin());
    for (const store::Row& row : TRY(txn->Run(kMissing))) {
      const BundlePtr bundle = TRY(Product(*txn, row.text(0), row.text(1)));
      TRY(PutIndex(*txn, *bundle));
      std::optional<Instant> newest;
      for (const PortRow& port : TRY(Ports(*txn, row.text(0), row.text(1)))) {
        newest = std::max(newest, TRY(last_commit(*txn, port.key)));
      }
      if (newest) TRY(NoteCommit(*txn, {row.text(0), row.text(1), "", 0}, *newest));
    }
    TRY(txn->Commit());
  }
}

}  // namespace weft::catalog
