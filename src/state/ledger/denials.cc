#include "state/ledger/denials.h"

namespace weft::ledger {
namespace {

constexpr size_t kMostOpen = 10'000;  // Beyond it every denial is a row of its own.

// Where one asks from differs with every connection.
Json WithoutPeer(const Json& detail) {
  Json::Object kept;
  for (const Json::Member& member : detail.Members()) {
    if (member.first != "peer") kept.push_back(member);
  }
  return kept;
}

}  // namespace

std::string Denials::KindOf(const Entry& denial) {
  return Json(Json::Array{denial.principal, denial.purpose, denial.address, WithoutPeer(denial.detail)}).Dump();
}

bool Denials::Opens(const Entry& denial) {
  if (window_.count() <= 0) return true;
  std::lock_guard lock(mutex_);
  const std::string kind = KindOf(denial);
  const auto known = open_.find(kind);
  if (known != open_.end()) {
    ++known->second.times;
    return false;
  }
  if (open_.size() < kMostOpen) {
    Entry entry = denial;
    entry.detail = WithoutPeer(denial.detail);
    open_.emplace(kind, Window{std::move(entry), Steady::now() + window_});
  }
  return true;
}

void Denials::Forget(const Entry& denial) {
  std::lock_guard lock(mutex_);
  const auto known = open_.find(KindOf(denial));
  if (known == open_.end()) return;
  if (known->second.times > 0) {
    known->second.entry.detail.Set("times", known->second.times);
    left_.push_back(std::move(known->second.entry));
  }
  open_.erase(known);
}

std::vector<Entry> Denials::Take(bool all) {
  const Steady::time_point now = Steady::now();
  std::lock_guard lock(mutex_);
  std::vector<Entry> entries = std::exchange(left_, {});
  for (auto each = open_.begin(); each != open_.end();) {
    Window& window = each->second;
    if (!all && window.ends > now) {
      ++each;
      continue;
    }
    if (window.times > 0) {
      window.entry.detail.Set("times", window.times);
      entries.push_back(std::move(window.entry));
    }
    each = open_.erase(each);
  }
  return entries;
}

void Denials::PutBack(std::vector<Entry> entries) {
  std::lock_guard lock(mutex_);
  for (Entry& entry : entries) left_.push_back(std::move(entry));
}

}  // namespace weft::ledger
