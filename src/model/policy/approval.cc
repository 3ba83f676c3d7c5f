#include "model/policy/approval.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace weft::model {
namespace {

constexpr int64_t kMost = int64_t{100} * 366 * 86'400;

std::optional<int64_t> Shorter(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// A reminder that comes earlier is in time for both.
std::optional<int64_t> Longer(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

}  // namespace

Chain Chain::Strictest(Chain first, const Chain& second) {
  for (const std::string& step : second.asked.steps) {
    if (std::ranges::find(first.asked.steps, step) == first.asked.steps.end()) first.asked.steps.push_back(step);
  }
  first.asked.until_s = Shorter(first.asked.until_s, second.asked.until_s);
  first.asked.remind_s = Longer(first.asked.remind_s, second.asked.remind_s);
  first.asked.same = first.asked.same && second.asked.same;
  for (const AppliedPolicy& policy : second.policies) {
    const bool known = std::ranges::any_of(first.policies, [&](const AppliedPolicy& each) {
      return each.policy->name == policy.policy->name && each.policy->where == policy.policy->where;
    });
    if (!known) first.policies.push_back(policy);
  }
  return first;
}

std::optional<int64_t> SecondsOf(std::string_view text) {
  int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const int64_t seconds = unit == "d" ? 86'400 : unit == "h" ? 3'600 : unit == "m" ? 60 : 0;
  if (failure != std::errc() || seconds == 0 || count <= 0 || count > kMost / seconds) return std::nullopt;
  return count * seconds;
}

std::string DurationText(int64_t seconds) {
  if (seconds % 86'400 == 0) return fmt::format("{}d", seconds / 86'400);
  if (seconds % 3'600 == 0) return fmt::format("{}h", seconds / 3'600);
  return fmt::format("{}m", seconds / 60);
}

}  // namespace weft::model
