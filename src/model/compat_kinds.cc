#include "model/compat_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/text.h"

namespace weft::model::compat {
namespace {

// In the order of KindIndex.
constexpr Kind kKinds[] = {
    {"object-removed", Impact::kBreaking, Step::kMajor, "the table is gone"},
    {"column-removed", Impact::kBreaking, Step::kMajor, "a column, or a field within one, is gone"},
    {"column-renamed", Impact::kBreaking, Step::kMajor, "the same column by its `id` has another name"},
    {"column-retyped", Impact::kBreaking, Step::kMajor,
     "its values are of a type that does not hold all that they were"},
    {"column-nullable", Impact::kBreaking, Step::kMajor, "no longer `required`: nulls may come"},
    {"column-required", Impact::kBreaking, Step::kMajor,
     "newly `required`: the rows that are there may hold nulls, so the promise would not be true of them"},
    {"key-changed", Impact::kBreaking, Step::kMajor, "the primary key is of other columns"},
    {"unique-dropped", Impact::kBreaking, Step::kMajor, "no longer `unique`: joins on it may multiply rows"},
    {"unit-changed", Impact::kBreaking, Step::kMajor,
     "its custom property `unit` is another: the same number means something else"},
    {"entity-changed", Impact::kBreaking, Step::kMajor, "it identifies another entity, or none"},
    {"column-widened", Impact::kRisky, Step::kMinor,
     "integer to bigint, float to double, a decimal of more digits: every value stays, a typed program may have to "
     "follow"},
    {"enum-widened", Impact::kRisky, Step::kMinor, "more values than were listed may come"},
    {"limit-loosened", Impact::kRisky, Step::kMinor, "a `logicalTypeOptions` limit allows more than it did"},
    {"check-removed", Impact::kRisky, Step::kMinor, "a quality rule is gone"},
    {"check-weakened", Impact::kRisky, Step::kMinor, "a quality rule allows more, or asks something else"},
    {"reference-removed", Impact::kRisky, Step::kMinor, "a foreign key is gone: joins may find nothing"},
    {"slo-removed", Impact::kRisky, Step::kMinor, "a promise of service is gone"},
    {"slo-weakened", Impact::kRisky, Step::kMinor, "a promise of service is a lesser one, or another"},
    {"classification-changed", Impact::kRisky, Step::kMinor,
     "its classification or its tags are others: policies may hide it, or show it"},
    {"meaning-changed", Impact::kRisky, Step::kMinor, "what a row is about (`dataGranularityDescription`) is another"},
    {"column-added", Impact::kCompatible, Step::kMinor, "a column, or a field within one, is new"},
    {"unique-added", Impact::kCompatible, Step::kMinor, "newly `unique`"},
    {"enum-narrowed", Impact::kCompatible, Step::kMinor, "fewer values than were listed may come"},
    {"limit-tightened", Impact::kCompatible, Step::kMinor, "a `logicalTypeOptions` limit allows less than it did"},
    {"check-added", Impact::kCompatible, Step::kMinor, "a quality rule is new"},
    {"check-tightened", Impact::kCompatible, Step::kMinor, "a quality rule allows less than it did"},
    {"reference-added", Impact::kCompatible, Step::kMinor, "a foreign key is new"},
    {"slo-added", Impact::kCompatible, Step::kMinor, "a promise of service is new"},
    {"slo-tightened", Impact::kCompatible, Step::kMinor, "a promise of service is a greater one"},
    {"words-changed", Impact::kCompatible, Step::kPatch,
     "descriptions, business names and lengths of texts, which no reader's program sees"},
};
static_assert(std::size(kKinds) == kWordsChanged + 1);

// The values that a comparison lets pass.
struct Range {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;

  bool Within(const Range& other) const {
    const bool above = low > other.low || (low == other.low && (low_open || !other.low_open));
    const bool below = high < other.high || (high == other.high && (high_open || !other.high_open));
    return above && below;
  }
  bool operator==(const Range&) const = default;
};

std::optional<Range> RangeOf(std::string_view op, const Json& bound) {
  if (op == "mustBeBetween") {
    if (!bound.is_array() || bound.size() != 2) return std::nullopt;
    return Range{bound.Items()[0].Double(), bound.Items()[1].Double()};
  }
  if (!bound.is_number()) return std::nullopt;
  const double limit = bound.Double();
  if (op == "mustBe") return Range{limit, limit};
  Range range;
  if (op == "mustBeGreaterThan" || op == "mustBeGreaterOrEqualTo") {
    range.low = limit;
    range.low_open = op == "mustBeGreaterThan";
    return range;
  }
  if (op == "mustBeLessThan" || op == "mustBeLessOrEqualTo") {
    range.high = limit;
    range.high_open = op == "mustBeLessThan";
    return range;
  }
  return std::nullopt;
}

enum class Better { kLess, kMore, kUnknown };

Better BetterOf(std::string_view promise) {
  static constexpr std::string_view kLess[] = {"latency",      "frequency",    "timeToDetect",
                                               "timeToNotify", "timeToRepair", "errorRate"};
  static constexpr std::string_view kMore[] = {"retention", "availability", "throughput", "endOfSupport", "endOfLife"};
  if (std::ranges::find(kLess, promise) != std::end(kLess)) return Better::kLess;
  return std::ranges::find(kMore, promise) == std::end(kMore) ? Better::kUnknown : Better::kMore;
}

Trend Toward(Better better, bool greater) {
  return (better == Better::kMore) == greater ? Trend::kTighter : Trend::kLooser;
}

}  // namespace

std::optional<double> SecondsOf(std::string_view unit) {
  const std::string name = Lower(unit);
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"s", 1},         {"sec", 1},         {"second", 1},      {"seconds", 1},      {"m", 60},
      {"min", 60},      {"minute", 60},     {"minutes", 60},    {"h", 3600},         {"hour", 3600},
      {"hours", 3600},  {"d", 86400},       {"day", 86400},     {"days", 86400},     {"w", 604800},
      {"week", 604800}, {"weeks", 604800},  {"month", 2629746}, {"months", 2629746}, {"y", 31556952},
      {"yr", 31556952}, {"year", 31556952}, {"years", 31556952}};
  for (const auto& [word, seconds] : kUnits) {
    if (word == name) return seconds;
  }
  return std::nullopt;
}

const Kind& Of(KindIndex index) { return kKinds[index]; }

Step StepOfKind(std::string_view name) {
  const auto kind = std::ranges::find(kKinds, name, &Kind::name);
  return kind == std::end(kKinds) ? Step::kMajor : kind->step;
}

Trend TrendOfLimit(std::string_view option, const Json& was, const Json& is) {
  const bool equal = was.is_number() && is.is_number() && was.Double() == is.Double();
  if (was == is || equal) return Trend::kSame;
  if (was.is_null()) return Trend::kTighter;
  if (is.is_null() || !was.is_number() || !is.is_number()) {
    return is.kind() == Json::Kind::kBool && is.Bool() && was.kind() == Json::Kind::kBool ? Trend::kTighter
                                                                                          : Trend::kLooser;
  }
  const bool floor = option.starts_with("min") || option == "exclusiveMinimum";
  const bool ceiling = option.starts_with("max") || option == "exclusiveMaximum";
  if (floor) return is.Double() > was.Double() ? Trend::kTighter : Trend::kLooser;
  if (ceiling) return is.Double() < was.Double() ? Trend::kTighter : Trend::kLooser;
  // Every multiple of the new number is one of the old.
  const bool finer = option == "multipleOf" && was.Double() != 0 && std::fmod(is.Double(), was.Double()) == 0;
  return finer ? Trend::kTighter : Trend::kLooser;
}

Trend TrendOfRule(const QualityRule& was, const QualityRule& is) {
  if (was.type != is.type || was.metric != is.metric || was.query != is.query || was.engine != is.engine) {
    return Trend::kLooser;
  }
  if (was.arguments != is.arguments) return Trend::kLooser;
  if (is.IsWarning() && !was.IsWarning()) return Trend::kLooser;
  const bool strict = was.IsWarning() && !is.IsWarning();
  const std::string unit = was.unit.empty() ? "rows" : was.unit;
  if (unit != (is.unit.empty() ? "rows" : is.unit)) return Trend::kLooser;
  if (was.op == is.op && was.bound == is.bound) return strict ? Trend::kTighter : Trend::kSame;
  const std::optional<Range> before = RangeOf(was.op, was.bound), after = RangeOf(is.op, is.bound);
  if (!before || !after) return Trend::kLooser;
  if (*before == *after) return strict ? Trend::kTighter : Trend::kSame;
  return after->Within(*before) ? Trend::kTighter : Trend::kLooser;
}

Trend TrendOfSla(const SlaProperty& was, const SlaProperty& is) {
  if (was.value == is.value && was.value_ext == is.value_ext && Lower(was.unit) == Lower(is.unit)) return Trend::kSame;
  const Better better = BetterOf(was.kind);
  if (better == Better::kUnknown || was.value_ext != is.value_ext) return Trend::kLooser;
  if (was.value.is_text() && is.value.is_text()) {  // Dates are in order as texts.
    if (was.value == is.value) return Trend::kLooser;
    return Toward(better, is.value.Text() > was.value.Text());
  }
  if (!was.value.is_number() || !is.value.is_number()) return Trend::kLooser;
  double before = was.value.Double(), after = is.value.Double();
  if (Lower(was.unit) != Lower(is.unit)) {
    const std::optional<double> one = SecondsOf(was.unit), other = SecondsOf(is.unit);
    if (!one || !other) return Trend::kLooser;
    before *= *one;
    after *= *other;
  }
  if (before == after) return Trend::kSame;
  return Toward(better, after > before);
}

}  // namespace weft::model::compat

namespace weft::model {

std::string DifferenceTable() {
  static constexpr std::string_view kSteps[] = {"patch", "minor", "major"};
  std::string text = "| difference | impact | version | what it is |\n|---|---|---|---|\n";
  for (const compat::Kind& kind : compat::kKinds) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", kind.name, ImpactName(kind.impact),
                        kSteps[static_cast<size_t>(kind.step)], kind.meaning);
  }
  return text;
}

}  // namespace weft::model
