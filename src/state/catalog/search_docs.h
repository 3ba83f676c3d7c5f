// A document: what is found of a product or a term, in words and by what it is. Inside this room only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "drivers/store/store.h"

namespace weft::catalog {

// What a document is found by that is no word: what filters ask for, and who may see it.
std::string MarkOf(std::string_view what, std::string_view value);

// Parts of a product that are found apart; the part of everybody has no name. kDrafts is all that there is but what is
// retired, instead of the part of everybody, for those who see all its drafts; of each draft port there is a part
// besides, for those who were granted that one.
inline constexpr std::string_view kRetired = "retired", kDrafts = "drafts";
std::string PartOf(std::string_view port, int major);  // "orders@1"
// Marks of who may see it: a part with drafts, one for those alone who were granted it, and the part of everybody where
// there is one with drafts too.
inline constexpr std::string_view kHidden = "hidden", kGranted = "granted", kShadowed = "shadowed";

// The word, and each that it becomes without one of its letters: two words with one in common are a slip of the pen
// apart, or little more.
std::vector<std::string> VariantsOf(const std::string& word);

struct Document {
  std::string kind, domain, name, part, status, type, text;  // By the first four it is known.
  std::string title, tags, description, context;             // Words between spaces.
  std::set<std::string> kinds, tag_set, statuses, owners, classifications, formats;
  std::set<std::string> marks;
  Json::Array ports;

  // Adds the words of the text to one of the fields.
  static void Words(std::string* field, std::string_view written);
  void Tag(const std::vector<std::string>& written);
};

// Puts the document in the place of the one that is known so, and keeps when its rows came; the first time, `fresh_at`.
Status WriteDocument(store::Txn& txn, Document document, const std::string& fresh_at);
// Of a product or term: part → when its rows came.
Result<std::map<std::string, std::string>> PartsOf(store::Txn& txn, std::string_view kind, const std::string& domain,
                                                   const std::string& name);
Status RemoveDocument(store::Txn& txn, std::string_view kind, const std::string& domain, const std::string& name,
                      const std::string& part);

}  // namespace weft::catalog
