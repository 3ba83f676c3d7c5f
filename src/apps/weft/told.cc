#include "apps/weft/told.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::app {
namespace {

using model::exchange::Told;

constexpr size_t kShown = 3;  // Of those that are alike.

std::string Line(const std::string& file, const Told& told) {
  std::string place = file;
  if (!told.file.empty()) place += (file.ends_with('/') ? "" : "/") + told.file;
  if (told.line > 0) place += fmt::format(":{}:{}", told.line, told.column);
  return Safe(fmt::format("  {}: {}: {}: {}{}", place, told.path.empty() ? "the whole" : told.path, told.value,
                          told.why, told.kept.empty() ? "" : "; it is kept as " + told.kept));
}

// What two have in common that are alike: the last step of their paths, and what is said of them.
std::string KindOf(const Told& told) {
  const size_t at = told.path.rfind('.');
  return (at == told.path.npos ? told.path : told.path.substr(at)) + "\n" + told.why + "\n" + told.kept;
}

std::string Part(const Session& session, const std::string& file, const std::vector<Told>& told, bool lost) {
  std::vector<std::pair<std::string, std::vector<const Told*>>> kinds;
  size_t count = 0;
  for (const Told& each : told) {
    if (each.kept.empty() != lost) continue;
    ++count;
    const std::string kind = KindOf(each);
    auto at = std::ranges::find_if(kinds, [&](const auto& known) { return known.first == kind; });
    if (at == kinds.end()) at = kinds.insert(kinds.end(), {kind, {}});
    at->second.push_back(&each);
  }
  if (count == 0) return "";
  std::string text = lost ? session.Paint(Style::kWarn, fmt::format("lost: {}", count))
                          : session.Paint(Style::kBold, fmt::format("kept elsewhere: {}", count));
  text += "\n";
  for (const auto& [kind, alike] : kinds) {
    for (size_t i = 0; i < std::min(alike.size(), kShown); ++i) text += Line(file, *alike[i]) + "\n";
    if (alike.size() > kShown) text += fmt::format("  and {} more like it: --json tells all\n", alike.size() - kShown);
  }
  return text;
}

}  // namespace

std::string ToldText(const Session& session, const std::string& file, const std::vector<Told>& told) {
  return Part(session, file, told, false) + Part(session, file, told, true);
}

Json ToldJson(const std::vector<Told>& told, bool lost) {
  Json::Array all;
  for (const Told& each : told) {
    if (each.kept.empty() != lost) continue;
    Json one = Json::Map(
        {{"path", each.path}, {"line", each.line}, {"column", each.column}, {"value", each.value}, {"why", each.why}});
    if (!lost) one.Set("kept", each.kept);
    if (!each.file.empty()) one.Set("file", each.file);
    all.push_back(std::move(one));
  }
  return Json(std::move(all));
}

int64_t LostCount(const std::vector<Told>& told) {
  return std::ranges::count_if(told, [](const Told& each) { return each.kept.empty(); });
}

}  // namespace weft::app
