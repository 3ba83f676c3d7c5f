#include "state/catalog/search_docs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "model/sight.h"
#include "state/catalog/rows.h"
#include "state/catalog/search.h"
#include "state/catalog/terms.h"

// What is written of a product, and of terms.
namespace weft::catalog {
namespace {

constexpr std::string_view kProduct = "product", kTerm = "term", kDraft = "draft";

void Mean(Document* document, const std::vector<model::TermUse>& uses) {
  for (const model::TermUse& use : uses) {
    Document::Words(&document->tags, use.term);
    document->marks.insert(MarkOf(kTerm, use.term));
  }
}

void AddColumns(Document* document, const std::vector<model::Property>& properties, Json::Array* columns) {
  for (const model::Property& property : properties) {
    Document::Words(&document->description, property.name);
    Document::Words(&document->description, property.business_name);
    Document::Words(&document->context, property.description);
    for (const std::string& tag : property.tags) Document::Words(&document->tags, tag);
    std::string tags = Join(property.tags, " ");
    if (property.entity) {
      Document::Words(&document->tags, property.entity->name);
      document->marks.insert(MarkOf("entity", property.entity->name));
      tags += " " + property.entity->name;
    }
    document->marks.insert(MarkOf("column", Lower(property.name)));
    columns->push_back(Json::Array{property.name, property.business_name, property.description, tags});
    for (const auto* inner : {&property.properties, &property.items, &property.map}) {
      for (const model::Property& each : *inner) {
        Document::Words(&document->description, each.name);
        Document::Words(&document->context, each.description);
      }
    }
  }
}

// An output port in the words of the version that speaks for it.
struct Spoken {
  PortRow row;
  BundlePtr other;  // Where that is not the product's newest.
  const model::OutputPort* port = nullptr;
  const model::Contract* contract = nullptr;
};

void AddPort(Document* document, const Spoken& spoken) {
  const model::OutputPort& port = *spoken.port;
  const model::Contract* contract = spoken.contract;
  Document::Words(&document->title, port.name);
  Document::Words(&document->description, port.description);
  document->Tag(port.tags);
  document->statuses.insert(spoken.row.status);
  document->formats.insert(port.type.empty() ? "table" : port.type);
  if (!spoken.row.classification.empty()) document->classifications.insert(spoken.row.classification);
  Json::Array columns;
  if (contract) {
    Document::Words(&document->title, contract->name);
    Document::Words(&document->description, contract->description);
    document->Tag(contract->tags);
    Mean(document, model::TermsOf(*contract));
    for (const model::SchemaObject& object : contract->schema) {
      Document::Words(&document->context, object.description);
      document->Tag(object.tags);
      AddColumns(document, object.properties, &columns);
    }
  }
  document->ports.push_back(Json::Map({{"address", spoken.row.key.Text()},
                                       {"status", spoken.row.status},
                                       {"name", contract && contract->name != port.name ? contract->name : ""},
                                       {"text", port.description},
                                       {"columns", std::move(columns)}}));
}

// The parts of one product.
class Parts {
 public:
  Parts(const model::Product& product, std::vector<Spoken> ports) : product_(product), ports_(std::move(ports)) {
    gone_ = model::PlainStatus(product.status) == kRetired;
    draft_ = model::PlainStatus(product.status) == kDraft;
  }

  std::vector<Document> Make() const {
    std::vector<Document> parts;
    const bool drafts = draft_ || Any(kDraft);
    if (!gone_ && !draft_) {
      parts.push_back(Part("", "", [&](const PortRow& row) { return IsOpen(row); }));
      if (drafts) parts.back().marks.insert(MarkOf(kShadowed, ""));
    }
    // What is retired is found apart, by those who ask for it.
    if (gone_ || Any(kRetired)) {
      parts.push_back(
          Part(kRetired, kRetired, [&](const PortRow& row) { return StatusOf(row) != kDraft && !IsOpen(row); }));
    }
    if (!drafts) return parts;
    parts.push_back(Part(kDrafts, "", [&](const PortRow& row) { return StatusOf(row) == kDraft || IsOpen(row); }));
    parts.back().marks.insert(MarkOf(kHidden, ""));
    for (const Spoken& each : ports_) {
      if (StatusOf(each.row) != kDraft) continue;
      parts.push_back(Part(PartOf(each.row.key.port, each.row.key.major), "",
                           [&](const PortRow& row) { return row.key == each.row.key || IsOpen(row); }));
      parts.back().marks.insert(MarkOf(kHidden, ""));
      parts.back().marks.insert(MarkOf(kGranted, ""));
    }
    return parts;
  }

 private:
  bool Any(std::string_view status) const {
    return std::ranges::any_of(ports_, [&](const Spoken& each) { return StatusOf(each.row) == status; });
  }
  // Found by everybody who asks for what lives.
  bool IsOpen(const PortRow& row) const {
    const std::string status = StatusOf(row);
    return !gone_ && status != kDraft && status != kRetired;
  }
  std::string StatusOf(const PortRow& row) const { return model::PortStatus(product_.status, row.status); }

  template <class Has>
  Document Part(std::string_view part, std::string_view status, const Has& has) const {
    Document document;
    document.kind = kProduct;
    document.domain = product_.domain;
    document.name = product_.name;
    document.part = part;
    document.status = status.empty() ? model::PlainStatus(product_.status) : std::string(status);
    document.type = product_.type;
    document.text = product_.description;
    for (const Spoken& each : ports_) {
      if (has(each.row)) AddPort(&document, each);
    }
    Document::Words(&document.title, product_.name);
    Document::Words(&document.description, product_.description);
    Document::Words(&document.context, product_.domain);
    document.Tag(product_.tags);
    Mean(&document, model::TermsOf(product_));
    document.statuses.insert(document.status);
    document.kinds.insert(product_.type);
    document.owners.insert(product_.owners.begin(), product_.owners.end());
    return document;
  }

  const model::Product& product_;
  const std::vector<Spoken> ports_;
  bool gone_ = false, draft_ = false;
};

// Each port in the words of the version that speaks for it: an older major may stand in an older bundle alone.
Result<std::vector<Spoken>> SpokenOf(store::Txn& txn, const model::Bundle& bundle) {
  const model::Product& product = bundle.product;
  std::vector<Spoken> ports;
  for (PortRow& row : TRY(Ports(txn, product.domain, product.name))) {
    Spoken spoken;
    if (row.product_version != product.version) {
      spoken.other = TRY(Product(txn, product.domain, product.name, row.product_version));
    }
    const model::Bundle& its = spoken.other ? *spoken.other : bundle;
    for (const model::OutputPort& port : its.product.outputs) {
      if (port.name == row.key.port && port.version == row.version) spoken.port = &port;
    }
    if (!spoken.port) continue;
    spoken.contract = its.ContractOf(*spoken.port);
    TRY(PutEntityColumns(txn, row, spoken.contract));
    TRY(PutReferences(txn, its, row, spoken.contract));
    if (spoken.contract) TRY(PutTermUses(txn, row.key, model::TermsOf(*spoken.contract)));
    spoken.row = std::move(row);
    ports.push_back(std::move(spoken));
  }
  return ports;
}

Document DocumentOf(const model::Term& term) {
  Document document;
  document.kind = document.type = kTerm;
  document.name = term.name;
  document.text = term.definition;
  Document::Words(&document.title, term.name);
  for (const std::string& synonym : term.synonyms) Document::Words(&document.title, synonym);
  for (const std::string& related : term.related) Document::Words(&document.tags, related);
  Document::Words(&document.description, term.definition);
  for (const std::string& example : term.examples) Document::Words(&document.context, example);
  document.kinds.insert(std::string(kTerm));
  if (!term.owner.empty()) document.owners.insert(term.owner);
  return document;
}

}  // namespace

Status PutIndex(store::Txn& txn, const model::Bundle& bundle) {
  const model::Product& product = bundle.product;
  for (const char* uses : {"entity_columns", "term_uses", "port_references"}) {
    TRY(txn.Run(fmt::format("DELETE FROM {} WHERE domain = $1 AND product = $2", uses),
                {product.domain, product.name}));
  }
  TRY(PutTermUses(txn, {product.domain, product.name, "", 0}, model::TermsOf(product)));
  const std::vector<Document> parts = Parts(product, TRY(SpokenOf(txn, bundle))).Make();
  std::map<std::string, std::string> known = TRY(PartsOf(txn, kProduct, product.domain, product.name));
  const auto fresh = [&](std::string_view part) {
    const auto at = known.find(std::string(part));
    return at == known.end() ? std::string() : at->second;
  };
  // What was a draft and is none any more keeps when its rows came.
  const bool drafts = std::ranges::any_of(parts, [](const Document& part) { return part.part == kDrafts; });
  const std::string came = drafts && known.contains("") ? fresh("") : std::max(fresh(""), fresh(kDrafts));
  if (!drafts && fresh("") < came) {
    TRY(
        txn.Run("UPDATE search_facets SET fresh_at = $3 WHERE id IN (SELECT id FROM search_docs WHERE kind = 'product' "
                "AND domain = $1 AND name = $2 AND part = '')",
                {product.domain, product.name, came}));
  }
  for (const Document& part : parts) {
    TRY(WriteDocument(txn, part, part.part == kRetired ? "" : came));
    known.erase(part.part);
  }
  for (const auto& [part, fresh_at] : known) {
    TRY(RemoveDocument(txn, kProduct, product.domain, product.name, part));
  }
  return {};
}

Status PutTermIndex(store::Txn& txn, const model::Terms& terms) {
  for (const store::Row& row : TRY(txn.Run("SELECT name FROM search_docs WHERE kind = 'term'"))) {
    if (!terms.Find(row.text(0))) TRY(RemoveDocument(txn, kTerm, "", row.text(0), ""));
  }
  for (const auto& [name, term] : terms.all()) TRY(WriteDocument(txn, DocumentOf(*term), ""));
  return {};
}

Status NoteCommit(store::Txn& txn, const model::PortKey& port, Instant at) {
  const auto rows = TRY(
      txn.Run(fmt::format("SELECT status, {} FROM output_ports WHERE domain = $1 AND product = $2 AND port = $3 AND "
                          "major = $4 AND newest = 1",
                          kProductStatus),
              {port.domain, port.product, port.port, store::Int(port.major)}));
  // Of a draft's rows nobody else hears.
  const bool draft = !rows.empty() && model::PortStatus(rows[0].text(1), rows[0].text(0)) == kDraft;
  TRY(
      txn.Run("UPDATE search_facets SET fresh_at = $3 WHERE id IN (SELECT id FROM search_docs WHERE kind = 'product' "
              "AND domain = $1 AND name = $2 AND part <> 'retired' AND ($4 = '' OR part IN ('drafts', $4))) AND "
              "fresh_at < $3",
              {port.domain, port.product, at.Text(), draft ? PartOf(port.port, port.major) : ""}));
  return {};
}

Status EnsureIndexed(store::Store& store, const LastCommit& last_commit) {
  constexpr std::string_view kMissing =
      "SELECT p.domain, p.name FROM products p WHERE NOT EXISTS (SELECT 1 FROM search_docs d WHERE d.kind = 'product' "
      "AND d.domain = p.domain AND d.name = p.name) ORDER BY p.domain, p.name LIMIT 100";
  {
    auto txn = TRY(store.Begin());
    const auto found = TRY(txn->Run("SELECT 1 FROM search_docs WHERE kind = 'term' LIMIT 1"));
    if (found.empty()) TRY(PutTermIndex(*txn, *TRY(TermsOf(*txn))));
    TRY(txn->Commit());
  }
  for (bool first = true;; first = false) {
    {
      auto reading = TRY(store.Read());
      if (TRY(reading->Run(kMissing)).empty()) return {};
    }
    if (first) log::Info("what an earlier version published is made to be found");
    auto txn = TRY(store.Begin());
    for (const store::Row& row : TRY(txn->Run(kMissing))) {
      TRY(PutNewest(*txn, row.text(0), row.text(1), nullptr));
      for (const PortRow& port : TRY(Ports(*txn, row.text(0), row.text(1)))) {
        const std::optional<Instant> committed = TRY(last_commit(*txn, port.key));
        if (committed) TRY(NoteCommit(*txn, port.key, *committed));
      }
    }
    TRY(txn->Commit());
  }
}

}  // namespace weft::catalog
