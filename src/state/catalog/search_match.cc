#include "state/catalog/search_match.h"

#include <algorithm>
#include <map>

#include "state/catalog/search_docs.h"

namespace weft::catalog::index {
namespace {

constexpr int kMostPopular = 6;

bool Has(const Impacts& set, int64_t id) {
  return id >= 0 && static_cast<size_t>(id) < set.size() && set[static_cast<size_t>(id)] != 0;
}

// The documents of products whose drafts are all seen.
Result<Impacts> AreaOf(store::Txn& txn, const Reader& reader, const model::Sight& sight) {
  Impacts area = reader.None();
  std::vector<std::string> domains;
  for (const auto& [domain, product] : sight.teams()) {
    if (product.empty()) {
      domains.push_back(MarkOf("domain", domain));
      continue;
    }
    for (const store::Row& row : TRY(txn.Run(
             "SELECT id FROM search_docs WHERE kind = 'product' AND domain = $1 AND name = $2", {domain, product}))) {
      if (const int64_t id = row.integer(0); static_cast<size_t>(id) < area.size()) area[static_cast<size_t>(id)] = 1;
    }
  }
  const Impacts whole = TRY(reader.Marked(domains));
  for (size_t id = 0; id < area.size(); ++id) area[id] |= whole[id];
  return area;
}

// A draft port that was granted is seen in the place of what everybody sees of its product.
Status AddGranted(store::Txn& txn, const model::Sight& sight, const Impacts& granted, const Impacts& area,
                  Frame* frame) {
  std::map<std::pair<std::string, std::string>, std::vector<int64_t>> products;
  for (const model::PortKey& port : sight.ports()) {
    for (const store::Row& row :
         TRY(txn.Run("SELECT id FROM search_docs WHERE kind = 'product' AND domain = $1 AND name = $2 AND part = $3",
                     {port.domain, port.product, PartOf(port.port, port.major)}))) {
      const int64_t id = row.integer(0);
      if (Has(granted, id) && !Has(area, id)) products[{port.domain, port.product}].push_back(id);
    }
  }
  for (auto& [product, ids] : products) {
    for (const int64_t id : ids) frame->in[static_cast<size_t>(id)] = 1;
    for (const store::Row& row :
         TRY(txn.Run("SELECT id FROM search_docs WHERE kind = 'product' AND domain = $1 AND name = $2 AND part = ''",
                     {product.first, product.second}))) {
      if (static_cast<size_t>(row.integer(0)) < frame->in.size()) frame->in[static_cast<size_t>(row.integer(0))] = 0;
    }
    if (ids.size() > 1) frame->of_each.push_back(std::move(ids));
  }
  return {};
}

bool Any(const Impacts& set) {
  return std::ranges::any_of(set, [](uint8_t in) { return in != 0; });
}

}  // namespace

Result<Frame> SeenBy(store::Txn& txn, const Reader& reader, const model::Sight& sight) {
  Frame frame{Impacts(reader.size(), 1), {}};
  const Impacts hidden = TRY(reader.Marked(MarkOf(kHidden, "")));
  if (!Any(hidden)) return frame;
  const Impacts granted = TRY(reader.Marked(MarkOf(kGranted, "")));
  const Impacts shadowed = TRY(reader.Marked(MarkOf(kShadowed, "")));
  const Impacts area = sight.all() ? Impacts(reader.size(), 1) : TRY(AreaOf(txn, reader, sight));
  for (size_t id = 0; id < frame.in.size(); ++id) {
    const bool out = granted[id] != 0 || (area[id] != 0 ? shadowed[id] : hidden[id]) != 0;
    frame.in[id] = out ? 0 : 1;
  }
  if (!sight.all()) TRY(AddGranted(txn, sight, granted, area, &frame));
  return frame;
}

Status Narrow(store::Txn& txn, const Reader& reader, const Narrowed& to, Frame* frame) {
  for (const std::vector<std::string>& any : to.marks) {
    const Impacts marked = TRY(reader.Marked(any));
    for (size_t id = 0; id < frame->in.size(); ++id) frame->in[id] &= marked[id];
  }
  const Impacts without = TRY(reader.Marked(to.without));
  for (size_t id = 0; id < frame->in.size(); ++id) frame->in[id] &= static_cast<uint8_t>(without[id] ^ 1U);
  if (to.fresh_since.empty()) return {};
  Impacts fresh = reader.None();
  for (const store::Row& row : TRY(txn.Run("SELECT id FROM search_facets WHERE fresh_at >= $1", {to.fresh_since}))) {
    if (static_cast<size_t>(row.integer(0)) < fresh.size()) fresh[static_cast<size_t>(row.integer(0))] = 1;
  }
  for (size_t id = 0; id < frame->in.size(); ++id) frame->in[id] &= fresh[id];
  return {};
}

Scores Match(const Frame& frame, const std::vector<const Impacts*>& terms) {
  Scores scores(frame.in.begin(), frame.in.end());
  for (const Impacts* term : terms) {
    const bool first = term == terms.front();
    for (size_t id = 0; id < scores.size(); ++id) {
      const unsigned so_far = first ? 0 : scores[id];
      scores[id] = scores[id] != 0 && (*term)[id] != 0 ? static_cast<uint16_t>(so_far + (*term)[id]) : 0;
    }
  }
  for (const std::vector<int64_t>& same : frame.of_each) {
    const auto score = [&](int64_t id) { return scores[static_cast<size_t>(id)]; };
    const int64_t best = std::ranges::max(same, {}, score);
    for (const int64_t id : same) {
      if (id != best) scores[static_cast<size_t>(id)] = 0;
    }
  }
  return scores;
}

int64_t Count(const Scores& scores) {
  return std::ranges::count_if(scores, [](uint16_t score) { return score != 0; });
}

Result<std::vector<Ranked>> Best(const Reader& reader, const Scores& scores, size_t most) {
  const Impacts popular = TRY(reader.Marked(PopularMark()));
  std::vector<Ranked> ranked;
  for (size_t id = 0; id < scores.size(); ++id) {
    if (scores[id] != 0) ranked.push_back({static_cast<int64_t>(id), scores[id], popular[id]});
  }
  const auto better = [](const Ranked& a, const Ranked& b) {
    return std::tie(b.score, b.popular, b.id) < std::tie(a.score, a.popular, a.id);
  };
  if (ranked.size() > most) {
    std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(most), ranked.end(), better);
    ranked.resize(most);
  }
  std::ranges::sort(ranked, better);
  return ranked;
}

// Each level asks for four times as many.
int PopularOf(int64_t grants) {
  int level = 0;
  for (int64_t least = 1; level < kMostPopular && grants >= least; least *= 4) ++level;
  return level;
}

std::string PopularMark() { return MarkOf("popular", ""); }

}  // namespace weft::catalog::index
