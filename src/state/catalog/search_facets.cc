#include "state/catalog/search_facets.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace weft::catalog {
namespace {

constexpr size_t kMostValues = 20;    // Of a facet.
constexpr size_t kRowsAtOnce = 50;    // Of one statement.
constexpr int64_t kReadAllFrom = 10;  // One in so many is found: to read all costs less than to look each up.
constexpr int64_t kDay = 86'400'000'000;

// Counts of texts, each of which is copied once.
class Tally {
 public:
  void Add(std::string_view value) {
    auto at = counts_.find(value);
    if (at == counts_.end()) at = counts_.emplace(std::string(value), 0).first;
    ++at->second;
  }
  // The most frequent ones first.
  std::vector<std::pair<std::string, int64_t>> Most() const {
    std::vector<std::pair<std::string, int64_t>> most(counts_.begin(), counts_.end());
    std::ranges::sort(
        most, [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
    if (most.size() > kMostValues) most.resize(kMostValues);
    return most;
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;
};

// When rows were last committed, as texts of one form, which stand in the order of time.
class Freshness {
 public:
  explicit Freshness(Instant now) : day_(Before(now, 1)), week_(Before(now, 7)), month_(Before(now, 30)) {}
  std::string_view Of(const std::string& at) const {
    return at.empty()    ? "never"
           : at > day_   ? "last day"
           : at > week_  ? "last week"
           : at > month_ ? "last month"
                         : "older";
  }

 private:
  static std::string Before(Instant now, int64_t days) { return Instant{now.micros - days * kDay}.Text(); }
  const std::string day_, week_, month_;
};

class Counting {
 public:
  Counting(Owners owners, Instant now) : owners_(std::move(owners)), freshness_(now) {}

  // (id, domain, facets, fresh_at)
  void Add(const store::Row& row) {
    const std::string& domain = *row[1];
    size_t facet = kFirst;
    EachPart(*row[2], '\x1e', [&](std::string_view values) {
      if (!values.empty()) EachPart(values, '\x1f', [&](std::string_view value) { tallies_[facet].Add(value); });
      if (facet == kOwner) {
        for (const std::string& owner : owners_.In(domain)) {
          if (!HasValue(values, owner)) tallies_[facet].Add(owner);
        }
      }
      ++facet;
    });
    if (domain.empty()) return;
    tallies_[0].Add(domain);
    tallies_[kFreshness].Add(freshness_.Of(*row[3]));
  }

  std::vector<Facet> Take() const {
    std::vector<Facet> facets;
    for (size_t i = 0; i < std::size(kNames); ++i) {
      Facet facet{kNames[i], tallies_[i].Most()};
      if (!facet.values.empty()) facets.push_back(std::move(facet));
    }
    return facets;
  }

 private:
  static constexpr const char* kNames[] = {"domain", "kind",           "tag",    "status",
                                           "owner",  "classification", "format", "freshness"};
  static constexpr size_t kFirst = 1, kOwner = 4, kFreshness = 7;

  static bool HasValue(std::string_view values, std::string_view wanted) {
    bool has = false;
    EachPart(values, '\x1f', [&](std::string_view value) { has = has || value == wanted; });
    return has;
  }

  const Owners owners_;
  const Freshness freshness_;
  Tally tallies_[std::size(kNames)];
};

constexpr std::string_view kRows = "SELECT id, domain, facets, fresh_at FROM search_facets";

}  // namespace

Result<Owners> Owners::Of(store::Txn& txn) {
  Owners owners;
  for (const store::Row& row : TRY(txn.Run("SELECT m.domain, m.principal FROM domains d CROSS JOIN team_members m "
                                           "WHERE m.domain = d.name AND m.product = "
                                           "'' AND m.role = 'owner' ORDER BY m.domain, m.position"))) {
    owners.of_[row.text(0)].push_back(row.text(1));
  }
  return owners;
}

const std::vector<std::string>& Owners::In(const std::string& domain) const {
  static const std::vector<std::string> none;
  const auto at = of_.find(domain);
  return at == of_.end() ? none : at->second;
}

Result<std::vector<Facet>> CountFacets(store::Txn& txn, Clock& clock, const index::Scores& scores) {
  Counting counting(TRY(Owners::Of(txn)), clock.Now());
  if (index::Count(scores) * kReadAllFrom > static_cast<int64_t>(scores.size())) {
    TRY(txn.Each(kRows, [&](const store::Row& row) -> Status {
      const auto id = static_cast<size_t>(row.integer(0));
      if (id < scores.size() && scores[id] != 0) counting.Add(row);
      return {};
    }));
    return counting.Take();
  }
  std::vector<std::string> places;
  for (size_t i = 1; i <= kRowsAtOnce; ++i) places.push_back(fmt::format("${}", i));
  const std::string sql = fmt::format("{} WHERE id IN ({})", kRows, Join(places, ", "));
  std::vector<store::Cell> cells;
  const auto read = [&]() -> Status {
    if (cells.empty()) return {};
    cells.resize(kRowsAtOnce, store::Int(-1));
    for (const store::Row& row : TRY(txn.Run(sql, cells))) counting.Add(row);
    cells.clear();
    return {};
  };
  for (size_t id = 0; id < scores.size(); ++id) {
    if (scores[id] == 0) continue;
    cells.push_back(store::Int(static_cast<int64_t>(id)));
    if (cells.size() == kRowsAtOnce) TRY(read());
  }
  TRY(read());
  return counting.Take();
}

}  // namespace weft::catalog
