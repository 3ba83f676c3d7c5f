#include "model/exchange/part.h"

#include <algorithm>

#include "model/shape.h"

namespace weft::model::exchange {

using Kind = yaml::Node::Kind;
using yaml::Node;

namespace {

constexpr size_t kShown = 80;

bool IsEmptyJson(const Json& value) {
  return value.is_null() || (value.is_text() && value.Text().empty()) ||
         ((value.is_array() || value.is_object()) && value.size() == 0);
}

}  // namespace

bool IsEmpty(const Node& node) {
  switch (node.kind) {
    case Kind::kMissing:
    case Kind::kNull:
      return true;
    case Kind::kText:
      return node.scalar.empty();
    case Kind::kList:
    case Kind::kMap:
      return std::ranges::all_of(node.entries, [](const Node::Entry& entry) { return IsEmpty(entry.value); });
    default:
      return false;
  }
}

std::string Shown(const Json& value) {
  std::string text = value.is_text() ? "'" + value.Text() + "'" : value.Dump();
  if (text.size() <= kShown) return text;
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // Not within a character.
  return text.substr(0, end) + "…";
}

Node NodeOf(const Json& json) {
  Node node;
  switch (json.kind()) {
    case Json::Kind::kNull:
      node.kind = Kind::kNull;
      node.scalar = "null";
      break;
    case Json::Kind::kBool:
      node.kind = Kind::kBool;
      node.scalar = json.Dump();
      break;
    case Json::Kind::kInt:
      node.kind = Kind::kInt;
      node.scalar = json.Dump();
      break;
    case Json::Kind::kDouble:
      node.kind = Kind::kDouble;
      node.scalar = json.Dump();
      break;
    case Json::Kind::kText:
      node.kind = Kind::kText;
      node.scalar = json.Text();
      break;
    case Json::Kind::kArray:
      node.kind = Kind::kList;
      node.entries.reserve(json.size());
      for (const Json& item : json.Items()) node.entries.push_back({"", 0, 0, NodeOf(item)});
      break;
    case Json::Kind::kObject:
      node.kind = Kind::kMap;
      node.entries.reserve(json.size());
      for (const auto& [key, value] : json.Members()) node.entries.push_back({key, 0, 0, NodeOf(value)});
  }
  return node;
}

Result<Node> ParseEither(const std::string& text, const std::string& file) {
  auto node = yaml::Parse(text, file);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (node || first == text.npos || text[first] != '{') return node;
  auto json = Json::Parse(text);
  if (!json) return node;  // Its error has a line.
  return NodeOf(*json);
}

void Put(Json& object, std::string_view key, Json value) {
  if (!IsEmptyJson(value)) object.Set(key, std::move(value));
}

void AddCustom(Json& object, std::string_view property, Json value, std::string_view vendor) {
  Json list = object["customProperties"];
  Json custom = Json::Map({{"property", property}});
  if (!vendor.empty()) custom.Set("vendor", vendor);
  custom.Set("value", std::move(value));
  list.Push(std::move(custom));
  object.Set("customProperties", std::move(list));
}

Part Document::Root() { return {*this, *root_, ""}; }

bool Document::IsTouched(const Node& node) const {
  return IsTaken(node) ||
         std::ranges::any_of(node.entries, [&](const Node::Entry& entry) { return IsTouched(entry.value); });
}

void Document::Tell(const Part& part, std::string why, std::string kept) {
  const Node& node = part.node();
  told_.push_back({part.path(), node.line, node.column, Shown(node.ToJson()), std::move(why), std::move(kept), ""});
}

std::vector<Told> Document::Finish() {
  Rest(*root_, "");
  return std::move(told_);
}

void Document::Rest(const Node& node, const std::string& path) {
  if (IsTaken(node) || IsEmpty(node)) return;
  if (!IsTouched(node)) {
    return Tell(Part(*this, node, path), why_);
  }
  for (size_t i = 0; i < node.size(); ++i) {
    const Node::Entry& entry = node.entries[i];
    Rest(entry.value, node.kind == Kind::kMap ? shape::Child(path, entry.key) : shape::Child(path, i));
  }
}

Part Part::operator[](std::string_view key) const { return {*document_, (*node_)[key], shape::Child(path_, key)}; }

std::vector<std::pair<std::string, Part>> Part::Members() const {
  std::vector<std::pair<std::string, Part>> members;
  if (!is_map()) return members;
  for (const Node::Entry& entry : node_->entries) {
    members.emplace_back(entry.key, Part(*document_, entry.value, shape::Child(path_, entry.key)));
  }
  return members;
}

std::vector<Part> Part::Items() const {
  std::vector<Part> items;
  if (!is_list()) return items;
  for (size_t i = 0; i < node_->size(); ++i)
    items.emplace_back(*document_, node_->entries[i].value, shape::Child(path_, i));
  return items;
}

Json Part::Take() const {
  if (!there()) return {};
  document_->Take(*node_);
  return node_->ToJson();
}

std::string Part::Text() const {
  return node_->is_scalar() && node_->kind != Kind::kNull ? node_->scalar : std::string();
}

std::string Part::TakeText() const {
  std::string text = Text();
  if (!text.empty()) document_->Take(*node_);
  return text;
}

std::string Part::TakeWords() const { return node_->kind == Kind::kText ? TakeText() : ""; }

bool Part::TakeTrue() const {
  if (node_->kind != Kind::kBool || !node_->ToJson().Bool()) return false;
  document_->Take(*node_);
  return true;
}

bool Part::TakeIf(std::string_view text) const {
  if (node_->kind != Kind::kText || node_->scalar != text) return false;
  document_->Take(*node_);
  return true;
}

Json Part::TakeBool() const { return node_->kind == Kind::kBool ? Take() : Json(); }

Json Part::TakeNumber() const { return node_->kind == Kind::kInt || node_->kind == Kind::kDouble ? Take() : Json(); }

Json Part::TakeTexts() const {
  if (!is_list()) return {};
  const bool texts =
      std::ranges::all_of(node_->entries, [](const Node::Entry& entry) { return entry.value.kind == Kind::kText; });
  return texts ? Take() : Json();
}

void Part::KeepRest(Json& target, std::string_view vendor) const {
  for (const auto& [key, part] : Members()) {
    if (IsEmpty(part.node()) || document_->IsTouched(part.node())) continue;
    document_->Tell(part, "ODCS has no word for it", "a custom property of vendor " + std::string(vendor));
    AddCustom(target, key, part.Take(), vendor);
  }
}

}  // namespace weft::model::exchange
