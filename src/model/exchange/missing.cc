#include "model/exchange/missing.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/exchange/part.h"
#include "model/shape.h"

namespace weft::model::exchange {
namespace {

using Kind = yaml::Node::Kind;
using yaml::Node;

class Search {
 public:
  explicit Search(const std::string& why) : why_(why) {}

  void Compare(const Node& original, const Json* back, const std::string& path) {
    if (IsEmpty(original)) return;
    if (!back || back->is_null()) return Tell(original, path, why_);
    if (original.kind == Kind::kMap && back->is_object()) {
      for (const Node::Entry& entry : original.entries) {
        Compare(entry.value, back->Has(entry.key) ? &(*back)[entry.key] : nullptr, shape::Child(path, entry.key));
      }
    } else if (original.kind == Kind::kList && back->is_array()) {
      List(original, *back, path);
    } else if (original.ToJson() != *back) {
      Tell(original, path, fmt::format("it comes back as {}", Shown(*back)));
    }
  }

  std::vector<Told> Take() { return std::move(told_); }

 private:
  void List(const Node& original, const Json& back, const std::string& path) {
    std::vector<bool> used(back.size());
    std::vector<const Json*> twins(original.size());
    auto pair_up = [&](auto same) {
      for (size_t i = 0; i < original.size(); ++i) {
        for (size_t k = 0; k < back.size() && !twins[i]; ++k) {
          if (used[k] || !same(original[i], back[k])) continue;
          used[k] = true;
          twins[i] = &back[k];
        }
      }
    };
    pair_up([](const Node& a, const Json& b) { return a.ToJson() == b; });
    pair_up([](const Node& a, const Json& b) { return IsWithin(a, b); });
    pair_up([](const Node& a, const Json& b) { return SameName(a, b); });
    for (size_t i = 0; i < original.size(); ++i) Compare(original[i], twins[i], shape::Child(path, i));
  }

  // What is written out on the way, and was meant before, is no loss.
  static bool IsWithin(const Node& original, const Json& back) {
    return original.kind == Kind::kMap && back.is_object() &&
           std::ranges::all_of(original.entries,
                               [&](const Node::Entry& entry) { return entry.value.ToJson() == back[entry.key]; });
  }

  static bool SameName(const Node& original, const Json& back) {
    if (original.kind != Kind::kMap || !back.is_object()) return false;
    for (const char* key : {"property", "server", "role", "username", "channel", "name", "id", "url", "value"}) {
      const Node& name = original[key];
      if (name.is_scalar()) return name.ToJson() == back[key];
    }
    return false;
  }

  void Tell(const Node& node, const std::string& path, std::string why) {
    told_.push_back({path, node.line, node.column, Shown(node.ToJson()), std::move(why), "", ""});
  }

  const std::string& why_;
  std::vector<Told> told_;
};

}  // namespace

std::vector<Told> Missing(const Node& original, const Json& back, const std::string& why) {
  Search search(why);
  search.Compare(original, &back, "");
  return search.Take();
}

}  // namespace weft::model::exchange
