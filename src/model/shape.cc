#include "model/shape.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <unordered_set>

#include "base/text.h"

namespace weft::model::shape {
namespace {

using yaml::Node;
using NodeKind = yaml::Node::Kind;

constexpr size_t kMaxShown = 60;       // Characters of a value that a message quotes.
constexpr size_t kMaxProblems = 1000;  // Of one file: more help nobody.

bool IsWhole(double value) { return std::isfinite(value) && std::floor(value) == value; }

int KindsOf(const Node& node) {
  switch (node.kind) {
    case NodeKind::kText:
      return kIsText;
    case NodeKind::kInt:
      return kIsNumber | kIsInteger;
    case NodeKind::kDouble:
      return IsWhole(node.ToJson().Double()) ? kIsNumber | kIsInteger : kIsNumber;
    case NodeKind::kBool:
      return kIsBool;
    case NodeKind::kList:
      return kIsList;
    case NodeKind::kMap:
      return kIsMap;
    default:
      return kIsNull;
  }
}

std::string KindsText(int kinds) {
  static constexpr std::pair<int, std::string_view> kNames[] = {
      {kIsText, "a text"},        {kIsNumber, "a number"},     {kIsInteger, "a whole number"},
      {kIsBool, "true or false"}, {kIsNull, "nothing (null)"}, {kIsList, "a list"},
      {kIsMap, "a map"}};
  std::vector<std::string> names;
  for (const auto& [kind, name] : kNames) {
    if (kinds & kind) names.emplace_back(name);
  }
  if (names.size() < 2) return Join(names, "");
  std::string last = names.back();
  names.pop_back();
  return Join(names, ", ") + " or " + last;
}

std::string Quote(std::string_view text) {
  size_t end = text.size();
  if (end > kMaxShown) {
    end = kMaxShown;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  }
  std::string shown(text.substr(0, end));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';  // A message is one line.
  }
  return fmt::format("'{}{}'", shown, end < text.size() ? "…" : "");
}

// Compiled once, shared by all threads; the tables are few and never change.
const RE2& Compiled(const char* regex) {
  static std::mutex mutex;
  static std::map<const char*, std::unique_ptr<RE2>> compiled;
  std::lock_guard lock(mutex);
  std::unique_ptr<RE2>& entry = compiled[regex];
  if (!entry) entry = std::make_unique<RE2>(regex);
  return *entry;
}

// A text that two values share exactly when JSON Schema calls them equal: 1 is 1.0, the order of keys is nothing.
void AppendCanonical(const Json& value, std::string& out) {
  if (value.is_number()) {
    double number = value.Double();
    out += value.kind() == Json::Kind::kDouble && IsWhole(number) && std::fabs(number) < 9e15
               ? Json(static_cast<int64_t>(number)).Dump()
               : value.Dump();
  } else if (value.is_array()) {
    out += '[';
    for (const Json& item : value.Items()) {
      AppendCanonical(item, out);
      out += ',';
    }
    out += ']';
  } else if (value.is_object()) {
    std::vector<const Json::Member*> members;
    for (const auto& member : value.Members()) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    out += '{';
    for (const auto* member : members) {
      out += Json(member->first).Dump() + ":";
      AppendCanonical(member->second, out);
      out += ',';
    }
    out += '}';
  } else {
    out += value.Dump();
  }
}

bool Has(const Key& key, int version) { return key.since <= version && version < key.before; }

}  // namespace

std::string Shown(const Node& node) {
  switch (node.kind) {
    case NodeKind::kText:
      return Quote(node.scalar);
    case NodeKind::kInt:
    case NodeKind::kDouble:
      return "the number " + node.scalar.substr(0, kMaxShown);
    case NodeKind::kBool:
      return "the boolean " + node.scalar;
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
    default:
      return "nothing (null)";
  }
}

std::string Child(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}
std::string Child(const std::string& path, size_t index) { return fmt::format("{}[{}]", path, index); }

Error AsError(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  std::string message = problems.empty() ? "invalid" : problems[0].Text();
  if (problems.size() > 1) message += fmt::format(" (and {})", Count(problems.size() - 1, "more problem"));
  return Error{Code::kInvalid, std::move(message), std::move(problems)};
}

void Checker::Fail(const Node& at, const std::string& path, std::string message) {
  Fail(at.line, at.column, path, std::move(message));
}
void Checker::Fail(int line, int column, const std::string& path, std::string message) {
  if (problems_.size() < kMaxProblems) problems_.push_back({file_, line, column, path, rule_, std::move(message)});
}

void Checker::Check(const Node& node, const Type& type, const std::string& path) {
  if (problems_.size() >= kMaxProblems) return;
  int kinds = KindsOf(node);
  if (!(kinds & type.kinds)) {
    bool quotes = (type.kinds & kIsText) && (kinds & (kIsNumber | kIsBool));
    Fail(node, path,
         fmt::format("is {}; {} belongs here{}", Shown(node), KindsText(type.kinds),
                     quotes ? fmt::format(": write \"{}\", in quotes", node.scalar.substr(0, kMaxShown)) : ""));
    return;
  }
  if (kinds & kIsText) CheckText(node, type, path);
  if (kinds & kIsNumber) CheckNumber(node, type, path);
  if (kinds & kIsList) CheckList(node, type, path);
  if ((kinds & kIsMap) && type.shape) CheckMap(node, *type.shape, path);
}

void Checker::CheckText(const Node& node, const Type& type, const std::string& path) {
  std::vector<std::string_view> words;
  for (const Word& word : type.words) {
    if (word.since <= version_) words.push_back(word.text);
  }
  if (!type.words.empty() && std::find(words.begin(), words.end(), node.scalar) == words.end()) {
    std::string near = DidYouMean(node.scalar, words);
    if (near.empty()) near = "; it must be one of " + Join(std::vector<std::string>(words.begin(), words.end()), ", ");
    Fail(node, path, fmt::format("is {}, which is not a value it can have{}", Quote(node.scalar), near));
  }
  const Pattern* pattern = nullptr;
  for (const Pattern& candidate : type.patterns) {
    if (candidate.since <= version_) pattern = &candidate;
  }
  if (pattern && !RE2::FullMatch(node.scalar, Compiled(pattern->regex))) {
    Fail(node, path, fmt::format("is {}; it must be {}", Quote(node.scalar), pattern->meaning));
  }
}

void Checker::CheckNumber(const Node& node, const Type& type, const std::string& path) {
  double value = node.ToJson().Double();
  if (type.minimum && value < *type.minimum) {
    Fail(node, path, fmt::format("is {}; it must be at least {}", node.scalar, *type.minimum));
  }
  if (type.above && value <= *type.above) {
    Fail(node, path, fmt::format("is {}; it must be greater than {}", node.scalar, *type.above));
  }
}

void Checker::CheckList(const Node& node, const Type& type, const std::string& path) {
  if (node.size() < type.least || node.size() > type.most) {
    std::string range = type.most == SIZE_MAX     ? "at least " + Count(type.least, "item")
                        : type.least == type.most ? "exactly " + Count(type.least, "item")
                                                  : fmt::format("{} to {} items", type.least, type.most);
    Fail(node, path, fmt::format("has {}; it must have {}", Count(node.size(), "item"), range));
  }
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < node.size(); ++i) {
    if (type.items) Check(node[i], *type.items, Child(path, i));
    if (!type.distinct) continue;
    std::string canonical;
    AppendCanonical(node[i].ToJson(), canonical);
    if (!seen.insert(std::move(canonical)).second) {
      Fail(node[i], Child(path, i), "stands in the list before: remove one of the two");
    }
  }
}

void Checker::CheckMap(const Node& node, const Shape& shape, const std::string& path) {
  std::vector<const Shape*> shapes = {&shape};
  if (shape.also) shape.also(node, version_, shapes);
  bool closed = std::all_of(shapes.begin(), shapes.end(), [&](const Shape* s) { return s->closed_since <= version_; });
  std::unordered_set<std::string_view> present;
  for (const Node::Entry& entry : node.entries) {
    present.insert(entry.key);
    const Type* checked = nullptr;
    for (const Shape* each : shapes) {
      for (const Key& key : each->keys) {
        if (key.name != entry.key || !Has(key, version_) || key.type == checked) continue;
        checked = key.type;
        Check(entry.value, *key.type, Child(path, entry.key));
      }
    }
    if (!checked && closed) UnknownKey(entry, shapes, path);
  }
  for (const Shape* each : shapes) {
    for (const Key& key : each->keys) {
      if (!key.required || !Has(key, version_) || present.contains(key.name)) continue;
      Fail(node, path, fmt::format("{} must have '{}'", each->name, key.name));
    }
    if (each->rule) each->rule(*this, node, path);
  }
}

void Checker::UnknownKey(const Node::Entry& entry, const std::vector<const Shape*>& shapes, const std::string& path) {
  if (problems_.size() >= kMaxProblems) return;
  std::vector<std::string_view> names;
  for (const Shape* shape : shapes) {
    for (const Key& key : shape->keys) {
      if (Has(key, version_)) names.push_back(key.name);
      if (key.name == entry.key && key.since > version_) {
        return Fail(entry.line, entry.column, Child(path, entry.key),
                    fmt::format("'{}' belongs to v{}.{}.{} of the standard: raise apiVersion, or remove it", entry.key,
                                key.since / 100, key.since / 10 % 10, key.since % 10));
      }
    }
  }
  Fail(entry.line, entry.column, Child(path, entry.key.substr(0, kMaxShown)),
       fmt::format("{} is not a key of {}{}", Quote(entry.key), shapes[0]->name, DidYouMean(entry.key, names)));
}

}  // namespace weft::model::shape
