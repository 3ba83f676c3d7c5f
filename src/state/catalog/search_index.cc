#include "state/catalog/search_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

// A list is a text of three letters for each document, of six bits each: eleven bits say which one of its chunk it is,
// seven how much the word counts there. Lists are kept by chunk and then by word: what one publishes is written into a
// few pages, and a word is looked up once for each chunk.
namespace weft::catalog::index {
namespace {

constexpr int kChunkBits = 11, kImpactBits = 7;
constexpr int64_t kChunk = int64_t{1} << kChunkBits;
constexpr size_t kLetters = 3;
constexpr char kFirstLetter = '0';
constexpr size_t kLongest = 500;  // Bytes of a word: PostgreSQL's keys are not longer than a third of a page.
constexpr size_t kAtOnce = 16;    // Lists that one statement adds to.

std::string Entry(int64_t id, int impact) {
  const auto value = static_cast<unsigned>(((id % kChunk) << kImpactBits) | std::clamp(impact, 1, kMostImpact));
  return {static_cast<char>(kFirstLetter + (value >> 12)), static_cast<char>(kFirstLetter + ((value >> 6) & 63U)),
          static_cast<char>(kFirstLetter + (value & 63U))};
}

unsigned ValueAt(const std::string& list, size_t at) {
  const auto letter = [&](size_t i) { return static_cast<unsigned>(list[at + i] - kFirstLetter) & 63U; };
  return (letter(0) << 12) | (letter(1) << 6) | letter(2);
}

using Entries = std::vector<std::pair<std::string, std::string>>;  // Word, entry.

Status Append(store::Txn& txn, const store::Cell& chunk, const Entries& entries) {
  for (size_t at = 0; at < entries.size(); at += kAtOnce) {
    std::string values;
    std::vector<store::Cell> cells = {chunk};
    for (size_t i = at; i < std::min(at + kAtOnce, entries.size()); ++i) {
      cells.emplace_back(entries[i].first);
      cells.emplace_back(entries[i].second);
      values += fmt::format("{}($1, ${}, ${})", i == at ? "" : ", ", cells.size() - 1, cells.size());
    }
    TRY(txn.Run(fmt::format("INSERT INTO search_postings (chunk, word, docs) VALUES {} ON CONFLICT (chunk, word) "
                            "DO UPDATE SET docs = search_postings.docs || excluded.docs",
                            values),
                cells));
  }
  return {};
}

// Takes the document out of the word's list, or puts the entry in its place.
Status Edit(store::Txn& txn, const store::Cell& chunk, int64_t id, const std::string& word, const std::string& entry) {
  const auto rows = TRY(txn.Run("SELECT docs FROM search_postings WHERE chunk = $1 AND word = $2", {chunk, word}));
  if (rows.empty()) return {};
  std::string list = rows[0].text(0);
  for (size_t at = 0; at + kLetters <= list.size(); at += kLetters) {
    if (static_cast<int64_t>(ValueAt(list, at) >> kImpactBits) != id % kChunk) continue;
    list.replace(at, kLetters, entry);
    break;
  }
  if (list.empty()) {
    TRY(txn.Run("DELETE FROM search_postings WHERE chunk = $1 AND word = $2", {chunk, word}));
    return {};
  }
  TRY(txn.Run("UPDATE search_postings SET docs = $3 WHERE chunk = $1 AND word = $2", {chunk, word, list}));
  return {};
}

}  // namespace

Status Put(store::Txn& txn, int64_t id, const Postings& before, const Postings& now) {
  const store::Cell chunk = store::Int(id / kChunk);
  for (const auto& [word, impact] : before) {
    if (word.size() > kLongest) continue;
    const auto still = now.find(word);
    if (still != now.end() && still->second == impact) continue;
    TRY(Edit(txn, chunk, id, word, still == now.end() ? "" : Entry(id, still->second)));
  }
  Entries fresh;
  for (const auto& [word, impact] : now) {
    if (word.size() <= kLongest && !before.contains(word)) fresh.emplace_back(word, Entry(id, impact));
  }
  return Append(txn, chunk, fresh);
}

Reader::Reader(store::Txn& txn, size_t chunks)
    : txn_(txn), chunks_(chunks), size_(chunks * static_cast<size_t>(kChunk)) {}

Result<Reader> Reader::Open(store::Txn& txn) {
  const auto rows = TRY(txn.Run("SELECT max(chunk) FROM search_postings"));
  return Reader(txn, rows[0].null(0) ? 0 : static_cast<size_t>(rows[0].integer(0)) + 1);
}

Result<Impacts> Reader::Find(const Term& term) const {
  Impacts impacts(size_);
  if (chunks_ == 0) return impacts;
  constexpr std::string_view kChunks =
      "WITH RECURSIVE chunks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM chunks WHERE n < CAST($1 AS INTEGER)) "
      "SELECT p.chunk, p.word, p.docs FROM chunks CROSS JOIN search_postings p WHERE p.chunk = chunks.n AND ";
  const store::Cell last = store::Int(static_cast<int64_t>(chunks_) - 1);
  // No letter stands after the last of Unicode.
  const auto rows = term.beginning ? TRY(txn_.Run(fmt::format("{} p.word >= $2 AND p.word <= $3", kChunks),
                                                  {last, term.word, term.word + "\xF4\x8F\xBF\xBF"}))
                                   : TRY(txn_.Run(fmt::format("{} p.word = $2", kChunks), {last, term.word}));
  for (const store::Row& row : rows) {
    const auto base = static_cast<size_t>(row.integer(0)) * static_cast<size_t>(kChunk);
    const bool whole = *row[1] == term.word;
    const std::string& list = *row[2];
    for (size_t at = 0; at + kLetters <= list.size(); at += kLetters) {
      const unsigned value = ValueAt(list, at);
      const unsigned impact = value & static_cast<unsigned>(kMostImpact);
      uint8_t& best = impacts[base + (value >> kImpactBits)];
      best = std::max(best, static_cast<uint8_t>(whole ? impact : std::max(1U, impact * 3 / 5)));
    }
  }
  return impacts;
}

Result<Impacts> Reader::Marked(const std::vector<std::string>& marks) const {
  Impacts all(size_);
  for (const std::string& mark : marks) {
    const Impacts one = TRY(Marked(mark));
    for (size_t id = 0; id < size_; ++id) all[id] |= one[id];
  }
  return all;
}

}  // namespace weft::catalog::index
