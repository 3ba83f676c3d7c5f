#include "work/upkeep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace weft::upkeep {
namespace {

constexpr int kDay = 24 * 60;

// "22:00" as minutes.
std::optional<int> MinutesOf(const std::string& text) {
  const bool shaped = text.size() == 5 && text[2] == ':' && text.find_first_not_of("0123456789:") == text.npos;
  if (!shaped || text.rfind(':') != 2) return std::nullopt;
  const int hours = std::stoi(text.substr(0, 2)), minutes = std::stoi(text.substr(3));
  if (hours > 24 || minutes > 59 || hours * 60 + minutes > kDay) return std::nullopt;
  return hours * 60 + minutes;
}

// The size that those which are worth it do not exceed.
int64_t Largest(std::vector<int64_t> small, int64_t few) {
  std::ranges::sort(small);
  int64_t all = 0;
  for (const int64_t bytes : small) all += bytes;
  while (!small.empty() && small.back() > all - small.back()) {
    all -= small.back();
    small.pop_back();
  }
  return static_cast<int64_t>(small.size()) > few ? small.back() : -1;
}

}  // namespace

std::vector<std::vector<size_t>> GroupsOf(const std::vector<int64_t>& bytes, const Rule& rule, bool anyway) {
  std::vector<int64_t> small;
  for (const int64_t size : bytes) {
    if (rule.IsSmall(size)) small.push_back(size);
  }
  const int64_t most = anyway ? rule.file_bytes : Largest(std::move(small), std::max<int64_t>(rule.small_files, 1));
  std::vector<std::vector<size_t>> groups;
  std::vector<size_t> group;
  int64_t sum = 0;
  auto close = [&] {
    if (group.size() > 1) groups.push_back(std::move(group));
    group.clear();
    sum = 0;
  };
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!rule.IsSmall(bytes[i]) || bytes[i] > most) continue;
    if (sum + bytes[i] > rule.file_bytes) close();
    group.push_back(i);
    sum += bytes[i];
  }
  close();
  return groups;
}

Result<Window> Window::Parse(std::string_view text) {
  Window window;
  if (text.empty()) return window;
  const std::vector<std::string> parts = Split(text, '-');
  const auto from = parts.size() == 2 ? MinutesOf(parts[0]) : std::nullopt;
  const auto to = parts.size() == 2 ? MinutesOf(parts[1]) : std::nullopt;
  if (!from || !to) {
    return Error{Code::kInvalid,
                 fmt::format("'{}' is no time of the day: write it like 22:00-06:00, in UTC; empty is always", text)};
  }
  window.from_ = *from % kDay;
  window.to_ = *to % kDay;
  return window;
}

bool Window::Has(Instant time) const {
  if (from_ == to_) return true;
  const auto minute = static_cast<int>(time.micros / 60'000'000 % kDay);
  if (from_ < to_) return from_ <= minute && minute < to_;
  return minute >= from_ || minute < to_;
}

}  // namespace weft::upkeep
