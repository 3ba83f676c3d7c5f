#include "state/catalog/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "state/catalog/rows.h"
#include "state/catalog/search_docs.h"
#include "state/catalog/search_facets.h"
#include "state/catalog/search_match.h"
#include "state/catalog/terms.h"
#include "state/catalog/words.h"

namespace weft::catalog {
namespace {

constexpr size_t kMaxWords = 16;
constexpr size_t kCandidates = 100;  // Of equals, that are put in the order of their names.
constexpr size_t kRowsAtOnce = 50;   // Of one statement.
constexpr size_t kColumnsShown = 3;  // Of a port.
constexpr size_t kUsersShown = 5;    // Ports that speak of a term.
constexpr size_t kMostNear = 8;      // Words that one which nothing has is taken for.

// What is asked of the index, but for the words.
Result<index::Narrowed> NarrowedBy(store::Txn& txn, const Filters& filters) {
  index::Narrowed to;
  const auto ask = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) to.marks.push_back({MarkOf(what, value)});
  };
  ask("domain", filters.domain);
  ask("kind", filters.kind);
  ask("tag", filters.tag);
  ask("classification", filters.classification);
  ask("format", filters.format);
  const std::string retired = MarkOf(kRetired, "");
  if (filters.status == kRetired) {
    to.marks.push_back({retired});
  } else {
    ask("status", filters.status);
    to.without.push_back(retired);
  }
  if (!filters.owner.empty()) {
    std::vector<std::string> any = {MarkOf("owner", filters.owner)};
    for (const store::Row& row :
         TRY(txn.Run("SELECT domain FROM team_members WHERE principal = $1 AND product = '' AND role = 'owner' "
                     "ORDER BY domain",
                     {filters.owner}))) {
      any.push_back(MarkOf("domain", row.text(0)));
    }
    to.marks.push_back(std::move(any));
  }
  if (filters.fresh_since) to.fresh_since = filters.fresh_since->Text();
  return to;
}

// A word that was asked for: how it is looked for, and where it stands.
struct Sought {
  Term term;
  index::Impacts in;
};

bool Meets(const index::Impacts& a, const index::Impacts& b) {
  for (size_t id = 0; id < a.size(); ++id) {
    if (a[id] != 0 && b[id] != 0) return true;
  }
  return false;
}

// Looks for the word as it stands, as a beginning, or as the nearest one that finds something of what is asked.
Result<Sought> Seek(store::Txn& txn, const index::Reader& reader, const index::Frame& frame, const std::string& word,
                    const std::string& written, bool last, Found* found) {
  Sought sought{{word, last && word.size() > 1}, {}};
  sought.in = TRY(reader.Find(sought.term));
  if (Meets(sought.in, frame.in)) return sought;
  if (!last && word.size() > 1) {  // One letter begins too much to mean something.
    sought = {{word, true}, TRY(reader.Find({word, true}))};
    if (Meets(sought.in, frame.in)) return sought;
  }
  std::vector<std::string> near;
  for (const std::string& variant : VariantsOf(word)) {
    for (const store::Row& row : TRY(txn.Run("SELECT word FROM search_near WHERE variant = $1", {variant}))) {
      near.push_back(row.text(0));
    }
  }
  std::ranges::sort(near);
  const auto twice = std::ranges::unique(near);
  near.erase(twice.begin(), twice.end());
  for (size_t tried = 0; tried < kMostNear; ++tried) {
    const std::vector<std::string_view> candidates(near.begin(), near.end());
    const std::string nearest(Nearest(word, candidates));
    if (nearest.empty()) break;
    index::Impacts in = TRY(reader.Find({nearest, false}));
    if (Meets(in, frame.in)) {
      found->read_as.emplace_back(written, nearest);
      return Sought{{nearest, false}, std::move(in)};
    }
    std::erase(near, nearest);
  }
  return sought;
}

// How well a term stands in a field: a whole word counts for more than a beginning.
double Stands(const std::string& field, const Term& term) {
  const std::string words = " " + field + " ";
  if (words.find(" " + term.word + " ") != words.npos) return 1;
  return term.beginning && words.find(" " + term.word) != words.npos ? 0.6 : 0;
}

// Rows of search_docs by their ids, in statements of one form.
Result<std::vector<store::Row>> Docs(store::Txn& txn, std::string_view columns, const std::vector<std::string>& ids) {
  std::vector<std::string> places;
  for (size_t i = 1; i <= kRowsAtOnce; ++i) places.push_back(fmt::format("${}", i));
  const std::string sql =
      fmt::format("SELECT {} FROM search_docs d JOIN search_facets f ON f.id = d.id WHERE d.id IN ({})", columns,
                  Join(places, ", "));
  std::vector<store::Row> rows;
  for (size_t at = 0; at < ids.size(); at += kRowsAtOnce) {
    std::vector<store::Cell> cells;
    for (size_t i = at; i < at + kRowsAtOnce; ++i) cells.emplace_back(ids[std::min(i, ids.size() - 1)]);
    for (store::Row& row : TRY(txn.Run(sql, cells))) rows.push_back(std::move(row));
  }
  return rows;
}

// The ids of the best, best first; of those that are equal in all but their names, by these.
Result<std::vector<std::string>> Rank(store::Txn& txn, const index::Reader& reader, const index::Scores& scores,
                                      size_t limit) {
  struct Candidate {
    index::Ranked ranked;
    std::string address;
  };
  std::vector<std::string> ids;
  std::map<int64_t, index::Ranked> best;
  for (const index::Ranked& ranked : TRY(index::Best(reader, scores, std::max(kCandidates, limit)))) {
    ids.push_back(std::to_string(ranked.id));
    best[ranked.id] = ranked;
  }
  std::vector<Candidate> candidates;
  for (const store::Row& row : TRY(Docs(txn, "d.id, d.domain, d.name", ids))) {
    const auto at = best.find(row.integer(0));
    if (at == best.end()) continue;  // Of a statement of one form, the last stands more than once.
    candidates.push_back({at->second, row.text(1).empty() ? row.text(2) : row.text(1) + "/" + row.text(2)});
    best.erase(at);
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(b.ranked.score, b.ranked.popular, a.address, a.ranked.id) <
           std::tie(a.ranked.score, a.ranked.popular, b.address, b.ranked.id);
  });
  ids.clear();
  for (const Candidate& candidate : candidates) {
    if (ids.size() < limit) ids.push_back(std::to_string(candidate.ranked.id));
  }
  return ids;
}

// A text that is short where the words are not in it.
std::string SnippetOrText(const std::string& text, const std::vector<Term>& terms) {
  constexpr size_t kMost = 120;
  std::string snippet = Snippet(text, terms);
  if (!snippet.empty()) return snippet;
  std::string line = text.substr(0, text.find('\n'));
  if (line.size() <= kMost) return line;
  const size_t space = line.rfind(' ', kMost);
  return line.substr(0, space == line.npos ? line.find(' ') : space) + "…";
}

// A column, if the words are in it: its place among its port's, by how many and where.
std::pair<double, FoundColumn> Judge(const Json& column, const std::vector<Term>& terms) {
  const std::string name = IndexText(column[size_t{0}].Text()), title = IndexText(column[1].Text());
  const std::string text = IndexText(column[2].Text()), tags = IndexText(column[3].Text());
  double score = 0;
  for (const Term& term : terms) {
    score += std::max({4 * Stands(name, term), 4 * Stands(title, term), 3 * Stands(tags, term), Stands(text, term)});
  }
  return {score, {column[size_t{0}].Text(), column[1].Text(), SnippetOrText(column[2].Text(), terms)}};
}

std::optional<FoundPort> PortOf(const Json& port, const std::vector<Term>& terms) {
  FoundPort found{port["address"].Text(), port["status"].Text(), Snippet(port["text"].Text(), terms), {}, 0};
  std::vector<std::pair<double, FoundColumn>> columns;
  for (const Json& column : port["columns"].Items()) {
    auto judged = Judge(column, terms);
    if (judged.first > 0) columns.push_back(std::move(judged));
  }
  std::ranges::stable_sort(columns, std::greater(), [](const auto& column) { return column.first; });
  if (columns.size() > kColumnsShown) {
    found.more = columns.size() - kColumnsShown;
    columns.resize(kColumnsShown);
  }
  for (auto& [score, column] : columns) found.columns.push_back(std::move(column));
  const std::string name = found.address.substr(found.address.rfind('/') + 1);
  const bool named = !Snippet(name + " " + port["name"].Text(), terms).empty();
  if (found.columns.empty() && found.snippet.empty() && !named) return std::nullopt;
  return found;
}

std::vector<std::string> Values(std::string_view joined) {
  return joined.empty() ? std::vector<std::string>() : Split(joined, '\x1f');
}

// The first of those that speak of a term.
Result<std::vector<FoundPort>> UsersOf(store::Txn& txn, const model::Sight& sight, const std::string& term) {
  std::vector<FoundPort> ports;
  for (const TermColumn& use : TRY(TermColumns(txn, sight, term))) {
    if (ports.empty() || ports.back().address != use.Where()) {
      if (ports.size() == kUsersShown) break;
      ports.push_back({use.Where(), "", "", {}, 0});
    }
    FoundPort& port = ports.back();
    if (use.column.empty()) continue;
    if (port.columns.size() < kColumnsShown) {
      port.columns.push_back({use.column, "", ""});
    } else {
      ++port.more;
    }
  }
  return ports;
}

Result<std::vector<Hit>> Shown(store::Txn& txn, const model::Sight& sight, const std::vector<std::string>& ids,
                               const std::vector<Term>& terms) {
  std::map<std::string, Hit> by_id;
  const Owners owners = TRY(Owners::Of(txn));
  for (const store::Row& row :
       TRY(Docs(txn, "d.id, d.kind, d.domain, d.name, d.status, d.type, d.text, d.ports, f.facets, f.fresh_at", ids))) {
    Hit hit;
    hit.kind = row.text(1);
    hit.address = row.text(2).empty() ? row.text(3) : row.text(2) + "/" + row.text(3);
    hit.title = row.text(3);
    hit.status = row.text(4);
    hit.type = row.text(5);
    hit.snippet = SnippetOrText(row.text(6), terms);
    const std::vector<std::string> facets = Split(row.text(8), '\x1e');
    hit.tags = Values(facets.at(1));
    hit.owners = Values(facets.at(3));
    for (const std::string& owner : owners.In(row.text(2))) {
      if (std::ranges::find(hit.owners, owner) == hit.owners.end()) hit.owners.push_back(owner);
    }
    if (!row.text(9).empty()) hit.fresh_at = TRY(row.maybe_time(9));
    if (hit.kind == "term") hit.ports = TRY(UsersOf(txn, sight, hit.title));
    const Json ports = TRY(Json::Parse(row.text(7)));
    for (const Json& port : ports.Items()) {
      if (auto found = PortOf(port, terms)) hit.ports.push_back(std::move(*found));
    }
    by_id.emplace(row.text(0), std::move(hit));
  }
  std::vector<Hit> hits;
  for (const std::string& id : ids) hits.push_back(std::move(by_id[id]));
  return hits;
}

// What finds something where all of it together does not: each word alone, and the words without the filters.
std::vector<std::pair<std::string, int64_t>> Instead(const index::Frame& frame, const index::Frame& all, bool filtered,
                                                     const std::vector<const index::Impacts*>& terms,
                                                     const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, int64_t>> instead;
  if (filtered && !terms.empty()) {
    const int64_t count = index::Count(index::Match(all, terms));
    if (count > 0) instead.emplace_back(Join(words, " "), count);
    if (!instead.empty()) return instead;
  }
  for (size_t i = 0; terms.size() > 1 && i < terms.size(); ++i) {
    const int64_t count = index::Count(index::Match(frame, {terms[i]}));
    if (count > 0) instead.emplace_back(words[i], count);
  }
  return instead;
}

}  // namespace

Result<Found> Search(store::Txn& txn, Clock& clock, const model::Sight& sight, const Question& question) {
  Found found;
  const index::Narrowed to = TRY(NarrowedBy(txn, question.filters));
  const bool filtered = !to.marks.empty() || !to.fresh_since.empty();
  std::vector<Token> asked = TokensOf(question.words);
  if (asked.size() > kMaxWords) asked.resize(kMaxWords);
  if (asked.empty() && (!filtered || !Trim(question.words).empty())) return found;
  const index::Reader reader = TRY(index::Reader::Open(txn));
  const index::Frame seen = TRY(index::SeenBy(txn, reader, sight));
  index::Frame frame = seen;
  TRY(index::Narrow(txn, reader, to, &frame));
  std::vector<std::string> words;
  std::vector<Sought> sought;
  for (size_t i = 0; i < asked.size(); ++i) {
    words.emplace_back(question.words.substr(asked[i].begin, asked[i].end - asked[i].begin));
    sought.push_back(TRY(Seek(txn, reader, frame, asked[i].word, words.back(), i + 1 == asked.size(), &found)));
  }
  std::vector<Term> terms;
  std::vector<const index::Impacts*> in;
  for (const Sought& each : sought) {
    terms.push_back(each.term);
    in.push_back(&each.in);
  }
  const index::Scores scores = index::Match(frame, in);
  found.total = index::Count(scores);
  if (found.total == 0) {
    index::Frame all = seen;
    TRY(index::Narrow(txn, reader, TRY(NarrowedBy(txn, {})), &all));
    found.instead = Instead(frame, all, filtered, in, words);
    return found;
  }
  const std::vector<std::string> best = TRY(Rank(txn, reader, scores, static_cast<size_t>(question.limit)));
  found.hits = TRY(Shown(txn, sight, best, terms));
  if (question.facets) found.facets = TRY(CountFacets(txn, clock, scores));
  return found;
}

}  // namespace weft::catalog
