#include "base/span.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <span>

#include "base/text.h"

namespace weft {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMost = 100'000;  // Of one unit.

struct Unit {
  std::string_view names;  // Each between blanks.
  Span span;
};
constexpr Unit kUnits[] = {
    {" s sec second seconds ", {0, kSecond}},
    {" m min minute minutes ", {0, 60 * kSecond}},
    {" h hour hours ", {0, 3600 * kSecond}},
    {" d day days ", {0, 86'400 * kSecond}},
    {" w week weeks ", {0, 7 * 86'400 * kSecond}},
    {" mo month months ", {1, 0}},
    {" quarter quarters ", {3, 0}},
    {" y year years ", {12, 0}},
};
// ISO 8601's letters before and after its T.
constexpr Unit kDateUnits[] = {
    {"Y", {12, 0}}, {"M", {1, 0}}, {"W", {0, 7 * 86'400 * kSecond}}, {"D", {0, 86'400 * kSecond}}};
constexpr Unit kTimeUnits[] = {{"H", {0, 3600 * kSecond}}, {"M", {0, 60 * kSecond}}, {"S", {0, kSecond}}};

Span Times(const Span& span, int64_t count) { return {span.months * count, span.micros * count}; }

// Takes the digits off the front; none where there are none, or too many.
bool TakeCount(std::string_view* text, int64_t* count) {
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), *count);
  if (failure != std::errc() || *count < 1 || *count > kMost) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

bool ParseIso(std::string_view text, Span* span) {
  text.remove_prefix(1);
  bool time = false;
  while (!text.empty()) {
    if (!time && text.starts_with('T')) {
      time = true;
      text.remove_prefix(1);
    }
    int64_t count = 0;
    if (!TakeCount(&text, &count) || text.empty()) return false;
    const Unit* found = nullptr;
    for (const Unit& unit : time ? std::span<const Unit>(kTimeUnits) : std::span<const Unit>(kDateUnits)) {
      if (unit.names[0] == text[0]) found = &unit;
    }
    if (!found) return false;
    const Span more = Times(found->span, count);
    span->months += more.months;
    span->micros += more.micros;
    text.remove_prefix(1);
  }
  return true;
}

bool ParseWords(std::string_view text, Span* span) {
  int64_t count = 1;
  const bool counted = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (counted && !TakeCount(&text, &count)) return false;
  const std::string name = Lower(Trim(text));
  if (name.empty() || name.find(' ') != name.npos || (!counted && name.size() < 3)) return false;
  for (const Unit& unit : kUnits) {
    if (unit.names.find(" " + name + " ") == unit.names.npos) continue;
    *span = Times(unit.span, count);
    return true;
  }
  return false;
}

}  // namespace

Result<Span> Span::Parse(std::string_view text) {
  Span span;
  const std::string_view trimmed = Trim(text);
  const bool read = trimmed.starts_with('P') ? ParseIso(trimmed, &span) : ParseWords(trimmed, &span);
  if (read && (span.months > 0 || span.micros > 0)) return span;
  return Error{Code::kInvalid, fmt::format("'{}' is no span of time: write it like 2d, 12h, month or P1M", text)};
}

Instant Span::After(Instant begin, int64_t times) const {
  using namespace std::chrono;
  const sys_time<microseconds> at{microseconds(begin.micros)};
  const sys_days day = floor<days>(at);
  year_month_day date = year_month_day(day) + std::chrono::months(static_cast<int>(months * times));
  if (!date.ok()) date = date.year() / date.month() / last;
  const auto moved = sys_days(date) + (at - day);
  return {moved.time_since_epoch().count() + micros * times};
}

std::string Span::Interval() const { return fmt::format("(to_months({}) + to_microseconds({}))", months, micros); }

}  // namespace weft
