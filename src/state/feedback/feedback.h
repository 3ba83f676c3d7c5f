// What readers say of products: ratings, questions, issues, and the answers. Owns feedback, feedback_answers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/store/store.h"

namespace weft::feedback {

std::span<const store::Migration> Migrations();

inline constexpr std::string_view kRating = "rating", kQuestion = "question", kIssue = "issue";

struct Answer {
  std::string who;
  std::string text;
  bool closes = false;
  Instant at;
};

// Somebody's rating, question or issue. A rating is never open; the others are until they are closed.
struct Entry {
  std::string id;
  std::string kind;    // kRating, kQuestion, kIssue
  std::string domain;  // Of the product that it is about;
  std::string product;
  std::string address;  // the product's, or that of one of its ports.
  std::string author;
  int stars = 0;  // 1 to 5, of a rating.
  std::string text;
  bool open = false;
  Instant at;
  std::vector<Answer> answers = {};  // In order.
};

// A rating replaces the one that its author gave the same product before, and keeps its id.
Result<Entry> Put(store::Txn& txn, Entry entry);
Status Add(store::Txn& txn, const std::string& id, const Answer& answer);
// With its answers.
Status Remove(store::Txn& txn, const std::string& id);
Result<Entry> Find(store::Txn& txn, const std::string& id);  // kNotFound

struct Query {
  std::string domain = {}, product = {};  // Of one product.
  std::string author = {};
  bool open = false;  // Only what waits for an answer.
  int limit = 200;
};
// The open first, then the newest; with answers.
Result<std::vector<Entry>> List(store::Txn& txn, const Query& query);
// Products, as (domain, product), with open questions or issues.
Result<std::vector<std::pair<std::string, std::string>>> OpenProducts(store::Txn& txn);
// How many questions and issues of theirs are open on the product.
Result<int> OpenOf(store::Txn& txn, const std::string& domain, const std::string& product, const std::string& author);

// What all have said of a product, in numbers.
struct Summary {
  int ratings = 0;
  double stars = 0;  // On average; 0 where nobody rated.
  int questions = 0;
  int issues = 0;  // Open ones, as the questions.
};
Summary SummaryOf(const std::vector<Entry>& entries);

}  // namespace weft::feedback
