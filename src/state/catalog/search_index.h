// The words and marks of the documents that are found, as lists of documents: inside this room only. Owns
// search_postings, which is the same in both kinds of store.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "drivers/store/store.h"
#include "state/catalog/words.h"

namespace weft::catalog::index {

// What a document is found by, and how much it counts there: 1 to kMostImpact. A mark is no word that text can have.
using Postings = std::map<std::string, int>;
inline constexpr int kMostImpact = 127;

// Makes a document found by `now` that was found by `before`.
Status Put(store::Txn& txn, int64_t id, const Postings& before, const Postings& now);

// For each document by its id, from 0 on, how much a term counts in it; 0 where it does not stand there.
using Impacts = std::vector<uint8_t>;

// What is looked up within one transaction.
class Reader {
 public:
  static Result<Reader> Open(store::Txn& txn);

  size_t size() const { return size_; }  // Of all Impacts: no document has a greater id.
  // A word that begins with the term counts less than the term itself.
  Result<Impacts> Find(const Term& term) const;
  Result<Impacts> Marked(const std::string& mark) const { return Find({mark, false}); }
  // All documents with any of the marks.
  Result<Impacts> Marked(const std::vector<std::string>& marks) const;
  Impacts None() const { return Impacts(size_); }

 private:
  Reader(store::Txn& txn, size_t chunks);

  store::Txn& txn_;
  const size_t chunks_, size_;
};

}  // namespace weft::catalog::index
