#include "model/reading.h"

#include <algorithm>
#include <climits>
#include <unordered_map>

namespace weft::model::reading {

using yaml::Node;

std::string Text(const Node& node) {
  return node.is_scalar() && node.kind != Node::Kind::kNull ? node.scalar : std::string();
}

std::vector<std::string> Texts(const Node& node) {
  std::vector<std::string> texts;
  if (node.kind != Node::Kind::kList) return texts;
  for (const Node::Entry& entry : node.entries) texts.push_back(Text(entry.value));
  return texts;
}

bool IsTrue(const Node& node) { return node.kind == Node::Kind::kBool && node.ToJson().Bool(); }

int Int(const Node& node) {
  if (node.kind != Node::Kind::kInt && node.kind != Node::Kind::kDouble) return 0;
  double value = node.ToJson().Double();
  return value >= INT_MIN && value <= INT_MAX ? static_cast<int>(value) : 0;
}

Place PlaceOf(const Node& node, std::string path) { return {node.line, node.column, std::move(path)}; }

Json Custom(const Node& list) {
  Json::Object members;
  if (list.kind != Node::Kind::kList) return members;
  std::unordered_map<std::string, size_t> seen;
  for (const Node::Entry& entry : list.entries) {
    std::string name = Text(entry.value["property"]);
    if (name.empty()) continue;
    auto [at, fresh] = seen.emplace(name, members.size());
    if (fresh) members.emplace_back(name, nullptr);
    members[at->second].second = entry.value["value"].ToJson();
  }
  return members;
}

std::string Description(const Node& description) {
  std::string text;
  for (const char* part : {"purpose", "usage", "limitations"}) {
    std::string paragraph = Text(description[part]);
    if (!text.empty() && !paragraph.empty()) text += "\n\n";
    text += paragraph;
  }
  return text;
}

size_t FindOwn(const Node& list, std::string_view name) {
  if (list.kind != Node::Kind::kList) return list.size();
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string& property = list[i]["property"].scalar;
    if (property == name && list[i]["vendor"].scalar == "weft") return i;
    if (property.starts_with("weft.") && std::string_view(property).substr(5) == name) return i;
  }
  return list.size();
}

const Node& OwnValue(const Node& node, std::string_view name) {
  const Node& list = node["customProperties"];
  return list[FindOwn(list, name)]["value"];
}

}  // namespace weft::model::reading
