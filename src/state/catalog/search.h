// What somebody finds: products, their columns and the mesh's terms, by words and by what they are. Owns search_docs,
// search_postings, search_facets, search_vocabulary and search_near, all written by the transaction that publishes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/address.h"
#include "model/sight.h"

namespace weft::catalog {

// What is asked of everything that is found, besides the words; empty asks nothing.
struct Filters {
  std::string domain = {};
  std::string kind = {};    // sourceAligned, aggregate, consumerAligned; "term".
  std::string tag = {};     // Of the product, a port or its contract.
  std::string status = {};  // Of the product or a port; "retired" asks for those alone, which are not found otherwise.
  std::string owner = {};   // "ana", "group:ops"
  std::string classification = {};
  std::string format = {};                  // Of an output port.
  std::optional<Instant> fresh_since = {};  // Rows were committed since then.

  bool operator==(const Filters&) const = default;
};

struct Question {
  std::string words;
  Filters filters;
  int limit = 20;
  bool facets = false;
};

// A column that the words are in.
struct FoundColumn {
  std::string name;
  std::string title;    // Its business name.
  std::string snippet;  // Its description, with the words found between « and ».
};
struct FoundPort {
  std::string address;
  std::string status;
  std::string snippet;
  std::vector<FoundColumn> columns;  // The best of them,
  size_t more = 0;                   // and how many there are besides.
};
struct Hit {
  std::string kind;     // product, term
  std::string address;  // "operations/flights", "on-time"
  std::string title;
  std::string snippet;
  std::string status;
  std::string type;
  std::vector<std::string> owners;  // Its own, and then its domain's.
  std::vector<std::string> tags;
  std::optional<Instant> fresh_at;
  std::vector<FoundPort> ports;  // Those that the words are in; of a term, some that speak of it.
};
struct Facet {
  std::string name;  // domain, kind, tag, status, owner, classification, format, freshness
  std::vector<std::pair<std::string, int64_t>> values;  // The most frequent ones first.
};
struct Found {
  std::vector<Hit> hits;  // Best first.
  int64_t total = 0;      // Of all that there are.
  std::vector<Facet> facets;
  std::vector<std::pair<std::string, std::string>> read_as;  // Words that nothing has, and what was looked for.
  std::vector<std::pair<std::string, int64_t>> instead;      // Where nothing is found: what finds something.
};

// Every word must be found, the last as a beginning too, in any field; a word that nothing has is taken for the nearest
// one. A product whose name has the words stands before one that is tagged so, then come descriptions and columns; of
// two that are equal the one that more were granted. What is not seen is not there, before anything is ranked or
// counted.
Result<Found> Search(store::Txn& txn, Clock& clock, const model::Sight& sight, const Question& question);

// A commit of the port's rows.
Status NoteCommit(store::Txn& txn, const model::PortKey& port, Instant at);

// How many hold grants on ports of the product.
Status NotePopularity(store::Txn& txn, const std::string& domain, const std::string& product, int64_t grants);

// Writes what a store that an earlier version wrote lacks of the index; does nothing where it is whole. `last_commit`
// says when rows of a port were last committed, if ever.
using LastCommit = std::function<Result<std::optional<Instant>>(store::Txn&, const model::PortKey&)>;
Status EnsureIndexed(store::Store& store, const LastCommit& last_commit);

}  // namespace weft::catalog
