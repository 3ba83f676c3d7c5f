#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace weft {

std::vector<std::string> Split(std::string_view text, char by) {
  std::vector<std::string> pieces;
  while (true) {
    size_t at = text.find(by);
    pieces.emplace_back(text.substr(0, at));
    if (at == text.npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::string Join(std::span<const std::string> pieces, std::string_view between) {
  return fmt::format("{}", fmt::join(pieces, between));
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (size_t at; !from.empty() && (at = text.find(from)) != text.npos; text.remove_prefix(at + from.size())) {
    out.append(text.substr(0, at)).append(to);
  }
  return out.append(text);
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    int more = c < 0x80 ? 0 : (c >> 5) == 6 ? 1 : (c >> 4) == 14 ? 2 : (c >> 3) == 30 ? 3 : -1;
    if (more < 0 || i + more >= text.size()) return false;
    uint32_t point = more == 0 ? c : c & (0x3f >> more);
    for (int k = 1; k <= more; ++k) {
      auto next = static_cast<unsigned char>(text[i + k]);
      if ((next >> 6) != 2) return false;
      point = point << 6 | (next & 0x3f);
    }
    constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (point < kLeast[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    i += more + 1;
  }
  return true;
}

namespace {

// Letters that are wrong, missing, one too many, or swapped with their neighbour.
size_t Slips(std::string_view from, std::string_view to) {
  std::vector<size_t> before, last(to.size() + 1), row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      row[j + 1] = std::min({last[j] + (from[i] != to[j]), row[j] + 1, last[j + 1] + 1});
      const bool swapped = i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j];
      if (swapped) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string_view Nearest(std::string_view written, std::span<const std::string_view> candidates) {
  const std::string from = Lower(written);
  std::string_view best;
  size_t least = SIZE_MAX;
  for (std::string_view candidate : candidates) {
    const std::string to = Lower(candidate);
    if (from.size() > 256 || to.size() > 256) continue;
    const size_t slips = Slips(from, to);
    if (slips < least && slips <= std::max<size_t>(1, std::max(from.size(), to.size()) / 3)) {
      least = slips;
      best = candidate;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view written, std::span<const std::string_view> candidates) {
  std::string_view nearest = Nearest(written, candidates);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

std::string SqlText(std::string_view value) { return "'" + ReplaceAll(value, "'", "''") + "'"; }
std::string SqlName(std::string_view name) { return "\"" + ReplaceAll(name, "\"", "\"\"") + "\""; }

std::string Count(size_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

std::string HumanCount(int64_t n) {
  std::string digits = std::to_string(n);
  for (int at = static_cast<int>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3) digits.insert(at, ",");
  return digits;
}

std::string HumanBytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1000 && unit < 5; ++unit) value /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace weft
