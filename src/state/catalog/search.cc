#include "state/catalog/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "state/catalog/rows.h"
#include "state/catalog/search_docs.h"
#include "state/catalog/search_index.h"
#include "state/catalog/terms.h"
#include "state/catalog/words.h"

namespace weft::catalog {
namespace {

constexpr size_t kMaxWords = 16;
constexpr int64_t kMostCounted = 10'000;
constexpr int kCandidates = 200;     // That are held against each other, at most.
constexpr size_t kRowsAtOnce = 50;   // Of one statement.
constexpr size_t kColumnsShown = 3;  // Of a port.
constexpr size_t kUsersShown = 5;    // Ports that speak of a term.
constexpr size_t kMostValues = 20;   // Of a facet.
constexpr size_t kMostNear = 8;      // Words that one which nothing has is taken for.
constexpr std::string_view kRetired = "retired";

// What is asked of the index, but for the words.
Result<index::Query> Frame(store::Txn& txn, const Filters& filters) {
  index::Query query;
  const auto ask = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) query.marks.push_back({MarkOf(what, value)});
  };
  ask("domain", filters.domain);
  ask("kind", filters.kind);
  ask("tag", filters.tag);
  ask("classification", filters.classification);
  ask("format", filters.format);
  const std::string retired = MarkOf(kRetired, "");
  if (filters.status == kRetired) {
    query.marks.push_back({retired});
  } else {
    ask("status", filters.status);
    query.without.push_back(retired);
  }
  if (!filters.owner.empty()) {
    std::vector<std::string> any = {MarkOf("owner", filters.owner)};
    for (const store::Row& row :
         TRY(txn.Run("SELECT domain FROM team_members WHERE principal = $1 AND product = '' AND role = 'owner' "
                     "ORDER BY domain",
                     {filters.owner}))) {
      any.push_back(MarkOf("domain", row.text(0)));
    }
    query.marks.push_back(std::move(any));
  }
  if (filters.fresh_since) query.fresh_since = filters.fresh_since->Text();
  return query;
}

Result<bool> Finds(store::Txn& txn, const index::Query& frame, const Term& term) {
  index::Query one = frame;
  one.terms = {term};
  return !TRY(index::Find(txn, one, index::Scope::kAnywhere, 1)).empty();
}

// How a word is looked for: as it stands, as a beginning, or as the nearest one that finds something of what is asked.
Result<Term> TermOf(store::Txn& txn, const index::Query& frame, const std::string& word, const std::string& written,
                    bool last, Found* found) {
  Term term{word, last && word.size() > 1};
  if (TRY(Finds(txn, frame, term))) return term;
  term.beginning = word.size() > 1;  // One letter begins too much to mean something.
  if (!last && TRY(Finds(txn, frame, term))) return term;
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
    if (TRY(Finds(txn, frame, {nearest, false}))) {
      found->read_as.emplace_back(written, nearest);
      return Term{nearest, false};
    }
    std::erase(near, nearest);
  }
  return Term{word, last};
}

struct Candidate {
  std::string id, kind, name, status;
  std::string title, tags, description, context;  // Words between spaces.
  std::string address;
  double score = 0;
};

// How well a term stands in a field: a whole word counts for more than a beginning.
double Stands(const std::string& field, const Term& term) {
  const std::string words = " " + field + " ";
  if (words.find(" " + term.word + " ") != words.npos) return 1;
  return term.beginning && words.find(" " + term.word) != words.npos ? 0.6 : 0;
}

double ScoreOf(const Candidate& candidate, const std::vector<Term>& terms) {
  double score = 0;
  for (const Term& term : terms) {
    score += std::max({10 * Stands(candidate.title, term), 6 * Stands(candidate.tags, term),
                       4 * Stands(candidate.description, term), 1 * Stands(candidate.context, term)});
  }
  // Who names a thing by most of its name means it.
  const std::vector<Token> name = TokensOf(candidate.name);
  const auto named = std::ranges::count_if(name, [&](const Token& token) {
    return std::ranges::any_of(terms, [&](const Term& term) { return term.word == token.word; });
  });
  if (!name.empty()) score += 8.0 * static_cast<double>(named) / static_cast<double>(name.size());
  if (candidate.kind == "term") score *= 1.5;
  return candidate.status == "active" || candidate.kind == "term" ? score : 0.8 * score;
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

// The best candidates, best first. Of many, those whose names have the words are looked at before others.
Result<std::vector<Candidate>> Rank(store::Txn& txn, const index::Query& query, int64_t total, int limit) {
  using index::Scope;
  const size_t enough = std::max(static_cast<size_t>(limit) * 2, size_t{50});
  std::vector<std::string> ids;
  std::set<int64_t> seen;
  for (Scope scope : {Scope::kTitle, Scope::kTitleOrTags, Scope::kSomeInTitle, Scope::kAnywhere}) {
    if (total <= kCandidates && scope != Scope::kAnywhere) continue;
    if (query.terms.empty() && scope != Scope::kAnywhere) continue;
    for (int64_t id : TRY(index::Find(txn, query, scope, std::max(kCandidates, limit)))) {
      if (seen.insert(id).second) ids.push_back(std::to_string(id));
    }
    if (ids.size() >= enough) break;  // What stands elsewhere comes after all of these.
  }
  std::vector<Candidate> candidates;
  for (const store::Row& row :
       TRY(Docs(txn, "d.id, d.kind, d.domain, d.name, d.status, d.title, d.tags, d.description, d.context", ids))) {
    Candidate candidate{row.text(0), row.text(1), row.text(3), row.text(4), row.text(5),
                        row.text(6), row.text(7), row.text(8), "",          0};
    candidate.address = row.text(2).empty() ? row.text(3) : row.text(2) + "/" + row.text(3);
    candidate.score = ScoreOf(candidate, query.terms);
    candidates.push_back(std::move(candidate));
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(b.score, a.address, a.id) < std::tie(a.score, b.address, b.id);
  });
  const auto again = std::ranges::unique(candidates, {}, &Candidate::id);
  candidates.erase(again.begin(), again.end());
  if (candidates.size() > static_cast<size_t>(limit)) candidates.resize(static_cast<size_t>(limit));
  return candidates;
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

// Owners of domains, each asked once: they own all that is in theirs.
class Owners {
 public:
  explicit Owners(store::Txn& txn) : txn_(txn) {}
  // To a product's own, those of its domain.
  Status Add(const std::string& domain, std::vector<std::string>* own) {
    if (domain.empty()) return {};
    auto known = known_.find(domain);
    if (known == known_.end()) known = known_.emplace(domain, TRY(TeamOf(txn_, domain)).owners).first;
    for (const std::string& owner : known->second) {
      if (std::ranges::find(*own, owner) == own->end()) own->push_back(owner);
    }
    return {};
  }

 private:
  store::Txn& txn_;
  std::map<std::string, std::vector<std::string>> known_;
};

// The first of those that speak of a term.
Result<std::vector<FoundPort>> UsersOf(store::Txn& txn, const std::string& term) {
  std::vector<FoundPort> ports;
  for (const TermColumn& use : TRY(TermColumns(txn, term))) {
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

Result<std::vector<Hit>> Shown(store::Txn& txn, const std::vector<Candidate>& best, const std::vector<Term>& terms) {
  std::vector<std::string> ids;
  for (const Candidate& candidate : best) ids.push_back(candidate.id);
  std::map<std::string, Hit> by_id;
  Owners owners(txn);
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
    TRY(owners.Add(row.text(2), &hit.owners));
    if (!row.text(9).empty()) hit.fresh_at = TRY(row.maybe_time(9));
    if (hit.kind == "term") hit.ports = TRY(UsersOf(txn, hit.title));
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

std::string Freshness(const std::string& at, Instant now) {
  const auto time = at.empty() ? Result<Instant>(Error{Code::kInvalid, ""}) : Instant::Parse(at);
  if (!time) return "never";
  const int64_t days = (now.micros - time->micros) / 86'400'000'000;
  return days < 1 ? "last day" : days < 7 ? "last week" : days < 30 ? "last month" : "older";
}

Result<std::vector<Facet>> CountFacets(store::Txn& txn, Clock& clock, const index::Query& query) {
  constexpr const char* kNames[] = {"domain", "kind",           "tag",    "status",
                                    "owner",  "classification", "format", "freshness"};
  Owners owners(txn);
  const Instant now = clock.Now();
  std::map<std::string, int64_t> counts[std::size(kNames)];
  for (const store::Row& row : TRY(index::Facets(txn, query))) {
    const std::string domain = row.text(0);
    if (!domain.empty()) ++counts[0][domain];
    std::vector<std::string> fields = Split(row.text(1), '\x1e');
    for (size_t i = 0; i < fields.size(); ++i) {
      std::vector<std::string> values = Values(fields[i]);
      if (i == 3) TRY(owners.Add(domain, &values));
      for (const std::string& value : values) ++counts[i + 1][value];
    }
    if (!domain.empty()) ++counts[7][Freshness(row.text(2), now)];
  }
  std::vector<Facet> facets;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    Facet facet{kNames[i], {counts[i].begin(), counts[i].end()}};
    std::ranges::stable_sort(facet.values, std::greater(), [](const auto& value) { return value.second; });
    if (facet.values.size() > kMostValues) facet.values.resize(kMostValues);
    if (!facet.values.empty()) facets.push_back(std::move(facet));
  }
  return facets;
}

// What finds something where all of it together does not: each word alone, and the words without the filters.
Result<std::vector<std::pair<std::string, int64_t>>> Instead(store::Txn& txn, const index::Query& query,
                                                             const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, int64_t>> instead;
  const bool filtered = !query.marks.empty() || !query.fresh_since.empty();
  if (filtered && !query.terms.empty()) {
    index::Query all = TRY(Frame(txn, {}));
    all.terms = query.terms;
    if (const int64_t count = TRY(index::Count(txn, all, kMostCounted)); count > 0)
      instead.emplace_back(Join(words, " "), count);
    if (!instead.empty()) return instead;
  }
  for (size_t i = 0; query.terms.size() > 1 && i < query.terms.size(); ++i) {
    index::Query one = query;
    one.terms = {query.terms[i]};
    if (const int64_t count = TRY(index::Count(txn, one, kMostCounted)); count > 0)
      instead.emplace_back(words[i], count);
  }
  return instead;
}

}  // namespace

Result<Found> Search(store::Txn& txn, Clock& clock, const Question& question) {
  Found found;
  index::Query query = TRY(Frame(txn, question.filters));
  std::vector<Token> asked = TokensOf(question.words);
  if (asked.size() > kMaxWords) asked.resize(kMaxWords);
  if (asked.empty() && (query.marks.empty() || !Trim(question.words).empty())) return found;
  const index::Query frame = query;
  std::vector<std::string> words;
  for (size_t i = 0; i < asked.size(); ++i) {
    words.emplace_back(question.words.substr(asked[i].begin, asked[i].end - asked[i].begin));
    query.terms.push_back(TRY(TermOf(txn, frame, asked[i].word, words.back(), i + 1 == asked.size(), &found)));
  }
  found.total = TRY(index::Count(txn, query, kMostCounted + 1));
  found.more = found.total > kMostCounted;
  if (found.more) found.total = kMostCounted;
  if (found.total == 0) {
    found.instead = TRY(Instead(txn, query, words));
    return found;
  }
  found.hits = TRY(Shown(txn, TRY(Rank(txn, query, found.total, question.limit)), query.terms));
  if (question.facets) found.facets = TRY(CountFacets(txn, clock, query));
  return found;
}

}  // namespace weft::catalog
