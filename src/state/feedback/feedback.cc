#include "state/feedback/feedback.h"

#include <fmt/format.h>

#include <map>

#include "base/id.h"

namespace weft::feedback {
namespace {

constexpr store::Migration kMigrations[] = {{"feedback", 1, R"(
CREATE TABLE feedback (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  product TEXT NOT NULL,
  address TEXT NOT NULL,
  author TEXT NOT NULL,
  stars INTEGER NOT NULL,
  said TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX feedback_product ON feedback (domain, product, kind);
CREATE INDEX feedback_author ON feedback (author);
CREATE UNIQUE INDEX feedback_rating ON feedback (domain, product, author) WHERE kind = 'rating';
CREATE TABLE feedback_answers (
  feedback TEXT NOT NULL,
  number INTEGER NOT NULL,
  who TEXT NOT NULL,
  said TEXT NOT NULL,
  closes INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (feedback, number)
);
)"}};

constexpr std::string_view kColumns = "id, kind, domain, product, address, author, stars, said, is_open, at";

Result<Entry> EntryOf(const store::Row& row) {
  Entry entry;
  entry.id = row.text(0);
  entry.kind = row.text(1);
  entry.domain = row.text(2);
  entry.product = row.text(3);
  entry.address = row.text(4);
  entry.author = row.text(5);
  entry.stars = static_cast<int>(row.integer(6));
  entry.text = row.text(7);
  entry.open = row.flag(8);
  entry.at = TRY(row.time(9));
  return entry;
}

// The entries that `sql` gives, with their answers, in two statements.
Result<std::vector<Entry>> Select(store::Txn& txn, const std::string& rest, std::initializer_list<store::Cell> args) {
  std::vector<Entry> entries;
  std::map<std::string, size_t> places;
  for (const store::Row& row : TRY(txn.Run(fmt::format("SELECT {} FROM feedback {}", kColumns, rest), args))) {
    places[row.text(0)] = entries.size();
    entries.push_back(TRY(EntryOf(row)));
  }
  if (entries.empty()) return entries;
  const std::string sql = fmt::format(
      "SELECT feedback, who, said, closes, at FROM feedback_answers WHERE feedback IN (SELECT id FROM feedback {}) "
      "ORDER BY feedback, number",
      rest);
  for (const store::Row& answer : TRY(txn.Run(sql, args))) {
    entries[places.at(answer.text(0))].answers.push_back(
        {answer.text(1), answer.text(2), answer.flag(3), TRY(answer.time(4))});
  }
  return entries;
}

}  // namespace

std::span<const store::Migration> Migrations() { return kMigrations; }

Result<Entry> Put(store::Txn& txn, Entry entry) {
  entry.id = NewId("fbk");
  entry.open = entry.kind != kRating;
  const auto rows =
      TRY(txn.Run(fmt::format("INSERT INTO feedback ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                              "ON CONFLICT (domain, product, author) WHERE kind = 'rating' DO UPDATE SET address = "
                              "excluded.address, stars = excluded.stars, said = excluded.said, at = excluded.at "
                              "RETURNING id",
                              kColumns),
                  {entry.id, entry.kind, entry.domain, entry.product, entry.address, entry.author,
                   store::Int(entry.stars), entry.text, store::Flag(entry.open), entry.at.Text()}));
  return Find(txn, rows.at(0).text(0));
}

Status Add(store::Txn& txn, const std::string& id, const Answer& answer) {
  TRY(
      txn.Run("INSERT INTO feedback_answers (feedback, number, who, said, closes, at) SELECT $1, "
              "coalesce(max(number), 0) + 1, $2, $3, $4, $5 FROM feedback_answers WHERE feedback = $1",
              {id, answer.who, answer.text, store::Flag(answer.closes), answer.at.Text()}));
  if (answer.closes) TRY(txn.Run("UPDATE feedback SET is_open = 0 WHERE id = $1", {id}));
  return {};
}

Status Remove(store::Txn& txn, const std::string& id) {
  TRY(txn.Run("DELETE FROM feedback_answers WHERE feedback = $1", {id}));
  TRY(txn.Run("DELETE FROM feedback WHERE id = $1", {id}));
  return {};
}

Result<Entry> Find(store::Txn& txn, const std::string& id) {
  std::vector<Entry> entries = TRY(Select(txn, "WHERE id = $1", {id}));
  if (!entries.empty()) return std::move(entries[0]);
  return Error{Code::kNotFound, fmt::format("there is no feedback '{}'; see weft feedback list ADDRESS", id)};
}

Result<std::vector<Entry>> List(store::Txn& txn, const Query& query) {
  return Select(txn,
                fmt::format("WHERE ($1 = '' OR domain = $1) AND ($2 = '' OR product = $2) AND ($3 = '' OR author = $3) "
                            "AND ($4 = '' OR is_open = 1) ORDER BY is_open DESC, at DESC, id DESC LIMIT {}",
                            query.limit),
                {query.domain, query.product, query.author, query.open ? "open" : ""});
}

Result<std::vector<std::pair<std::string, std::string>>> OpenProducts(store::Txn& txn) {
  std::vector<std::pair<std::string, std::string>> products;
  for (const store::Row& row :
       TRY(txn.Run("SELECT DISTINCT domain, product FROM feedback WHERE is_open = 1 ORDER BY domain, product"))) {
    products.emplace_back(row.text(0), row.text(1));
  }
  return products;
}

Result<int> OpenOf(store::Txn& txn, const std::string& domain, const std::string& product, const std::string& author) {
  const auto rows =
      TRY(txn.Run("SELECT count(*) FROM feedback WHERE domain = $1 AND product = $2 AND author = $3 AND is_open = 1",
                  {domain, product, author}));
  return static_cast<int>(rows.at(0).integer(0));
}

Summary SummaryOf(const std::vector<Entry>& entries) {
  Summary summary;
  for (const Entry& entry : entries) {
    if (entry.kind == kRating) summary.stars += entry.stars, ++summary.ratings;
    if (entry.kind == kQuestion && entry.open) ++summary.questions;
    if (entry.kind == kIssue && entry.open) ++summary.issues;
  }
  if (summary.ratings > 0) summary.stars /= summary.ratings;
  return summary;
}

}  // namespace weft::feedback
