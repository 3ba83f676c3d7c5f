#include "model/policy/purposes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weft::model {
namespace {

constexpr size_t kMaxPurpose = 63;

Problem ProblemAt(const Purpose& purpose, const Place& place, std::string message) {
  return {purpose.file, place.line, place.column, place.path, std::string(kPolicyRule), std::move(message)};
}

}  // namespace

std::string Purpose::Where() const { return fmt::format("{}:{}", file, place.line); }

Status CheckPurposeText(const std::string& purpose) {
  const bool plain =
      std::ranges::all_of(purpose, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  const bool begins = purpose.empty() || (purpose[0] >= 'a' && purpose[0] <= 'z');
  if (plain && begins && purpose.size() <= kMaxPurpose) return {};
  const bool showable = purpose.size() <= kMaxPurpose && IsUtf8(purpose);
  return Error{
      Code::kInvalid,
      fmt::format("{} is no purpose: write up to {} characters of a to z, 0 to 9 and -, beginning with a "
                  "letter, such as demand-forecast",
                  showable ? "'" + purpose + "'" : fmt::format("a text of {} bytes", purpose.size()), kMaxPurpose)};
}

Purposes::Purposes(std::vector<Purpose> all, std::vector<Problem>* problems) : all_(std::move(all)) {
  for (size_t i = 0; i < all_.size(); ++i) {
    const Purpose& purpose = all_[i];
    if (Status text = CheckPurposeText(purpose.name); !text) {
      problems->push_back(ProblemAt(purpose, purpose.place, text.error().message));
    }
    const auto [other, fresh] = by_name_.emplace(purpose.name, i);
    if (fresh) continue;
    problems->push_back(ProblemAt(
        purpose, purpose.place,
        fmt::format("the purpose '{}' stands at {} too: remove one", purpose.name, all_[other->second].Where())));
  }
  JudgeTies(problems);
}

void Purposes::JudgeTies(std::vector<Problem>* problems) const {
  for (const Purpose& purpose : all_) {
    const Purpose::Named& parent = purpose.parent;
    const Purpose* above = Find(parent.name);
    if (!parent.name.empty() && !above) {
      problems->push_back(ProblemAt(purpose, parent.place,
                                    fmt::format("there is no purpose '{}'{}", parent.name, Nearest(parent.name))));
    }
    for (size_t steps = 0; above && steps <= all_.size(); ++steps) {
      if (above->name == purpose.name) {
        problems->push_back(
            ProblemAt(purpose, parent.place,
                      fmt::format("'{}' would be under itself, by '{}': take one parent of the circle away",
                                  purpose.name, parent.name)));
        break;
      }
      above = Find(above->parent.name);
    }
    for (const Purpose::Named& other : purpose.incompatible) {
      if (!Find(other.name)) {
        problems->push_back(ProblemAt(purpose, other.place,
                                      fmt::format("there is no purpose '{}'{}", other.name, Nearest(other.name))));
      } else if (Covers(other.name, purpose.name) || Covers(purpose.name, other.name)) {
        problems->push_back(ProblemAt(
            purpose, other.place,
            fmt::format("'{}' and '{}' are one under the other, and cannot exclude each other: remove it here, or give "
                        "one another parent",
                        purpose.name, other.name)));
      }
    }
  }
}

const Purpose* Purposes::Find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : &all_[at->second];
}

std::string Purposes::Nearest(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const Purpose& purpose : all_) names.push_back(purpose.name);
  return DidYouMean(name, names);
}

Status Purposes::Check(const std::string& purpose) const {
  if (purpose.empty() || !any() || Find(purpose)) return {};
  const std::string near = Nearest(purpose);
  return Error{Code::kInvalid, fmt::format("'{}' is no purpose of this mesh{}", purpose,
                                           near.empty() ? "; `weft purpose list` tells them" : near)};
}

// Bounded, since circles are told and not taken away.
std::vector<std::string_view> Purposes::Line(std::string_view name) const {
  std::vector<std::string_view> line = {name};
  for (const Purpose* at = Find(name); at && !at->parent.name.empty() && line.size() <= all_.size();) {
    line.push_back(at->parent.name);
    at = Find(at->parent.name);
  }
  return line;
}

bool Purposes::Covers(std::string_view wide, std::string_view narrow) const {
  if (wide == narrow) return true;
  const std::vector<std::string_view> line = Line(narrow);
  return std::ranges::find(line, wide) != line.end();
}

bool Purposes::Incompatible(std::string_view a, std::string_view b) const {
  if (!any() || a.empty() || b.empty() || a == b) return false;
  auto excludes = [&](std::string_view one, std::string_view other) {
    const Purpose* purpose = Find(one);
    return purpose &&
           std::ranges::find(purpose->incompatible, other, &Purpose::Named::name) != purpose->incompatible.end();
  };
  for (std::string_view one : Line(a)) {
    for (std::string_view other : Line(b)) {
      if (excludes(one, other) || excludes(other, one)) return true;
    }
  }
  return false;
}

}  // namespace weft::model
