// A foreign document that remembers what was taken from it, so that what nobody took can be told.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "model/exchange/exchange.h"

namespace weft::model::exchange {

class Part;

// Outlives its parts. What is empty (null, {}, [], "") says nothing and is never told.
class Document {
 public:
  // `why`: what is said of the parts that nobody took.
  explicit Document(const yaml::Node& root, std::string why = "Weft has no word for it")
      : root_(&root), why_(std::move(why)) {}

  Part Root();
  void Take(const yaml::Node& node) { taken_.insert(&node); }
  bool IsTaken(const yaml::Node& node) const { return taken_.contains(&node); }
  bool IsTouched(const yaml::Node& node) const;  // It, or anything in it, was taken.
  void Tell(const Part& part, std::string why, std::string kept = "");
  void Tell(Told told) { told_.push_back(std::move(told)); }
  // All that was told, and last every part that nobody took, each as large as it can be.
  std::vector<Told> Finish();

 private:
  void Rest(const yaml::Node& node, const std::string& path);

  const yaml::Node* root_;
  std::string why_;
  std::unordered_set<const yaml::Node*> taken_;
  std::vector<Told> told_;
};

// One node of it, with its path. What is missing, or is of another kind than was asked, reads as empty and stays.
class Part {
 public:
  Part(Document& document, const yaml::Node& node, std::string path)
      : document_(&document), node_(&node), path_(std::move(path)) {}

  const yaml::Node& node() const { return *node_; }
  const std::string& path() const { return path_; }
  Document& document() const { return *document_; }
  bool there() const { return node_->kind != yaml::Node::Kind::kMissing; }
  bool is_map() const { return node_->kind == yaml::Node::Kind::kMap; }
  bool is_list() const { return node_->kind == yaml::Node::Kind::kList; }
  Part operator[](std::string_view key) const;
  std::vector<std::pair<std::string, Part>> Members() const;  // Of a map, in order.
  std::vector<Part> Items() const;                            // Of a list.

  std::string Text() const;                  // A scalar's, which is not taken by it.
  Json Take() const;                         // All of it; null where it is missing.
  std::string TakeText() const;              // A text's, or what a number was written as.
  std::string TakeWords() const;             // Only of a text.
  bool TakeTrue() const;                     // Only true is taken.
  bool TakeIf(std::string_view text) const;  // Whether it is that text; only then it is taken.
  Json TakeBool() const;                     // Null where it is none.
  Json TakeNumber() const;
  Json TakeTexts() const;  // Of a list of texts; null otherwise.

  // What `key` names that nobody took becomes a custom property of `target`, of the vendor who has the word.
  void KeepRest(Json& target, std::string_view vendor) const;

 private:
  Document* document_;
  const yaml::Node* node_;
  std::string path_;
};

bool IsEmpty(const yaml::Node& node);
std::string Shown(const Json& value);  // As a message quotes it.
yaml::Node NodeOf(const Json& json);   // Without lines.
// YAML or JSON: of JSON that is no YAML, without lines.
Result<yaml::Node> ParseEither(const std::string& text, const std::string& file);

// Sets what is not empty.
void Put(Json& object, std::string_view key, Json value);
void AddCustom(Json& object, std::string_view property, Json value, std::string_view vendor);

}  // namespace weft::model::exchange
