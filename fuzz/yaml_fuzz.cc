// YAML of any bytes: a tree whose places lie inside the text and that is the same when read from its JSON, or one
// problem.
#include <algorithm>
#include <cstdint>

#include "base/text.h"
#include "base/yaml.h"
#include "fuzz/check.h"

namespace {

void CheckNode(const weft::yaml::Node& node, int lines) {
  Check(node.line >= 1 && node.line <= lines && node.column >= 1);
  for (const auto& entry : node.entries) {
    if (node.kind == weft::yaml::Node::Kind::kMap) Check(node[entry.key].kind != weft::yaml::Node::Kind::kMissing);
    CheckNode(entry.value, lines);
  }
}

// JSON is YAML, but for control characters that JSON need not escape, U+FEFF, and keys longer than YAML's look-ahead.
bool IsYamlToo(const std::string& json) {
  for (size_t i = 0; i < json.size(); ++i) {
    const auto c = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0;
    if (c == 0x7f || (c == 0xc2 && next < 0xa0) || c == 0xef) return false;
  }
  return true;
}

bool HasLongKey(const weft::Json& json) {
  return std::ranges::any_of(json.Items(), HasLongKey) ||
         std::ranges::any_of(json.Members(), [](const weft::Json::Member& member) {
           return weft::Json(member.first).Dump().size() > 900 || HasLongKey(member.second);
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto node = weft::yaml::Parse(text, "f.yaml");
  if (!node) {
    Check(node.error().problems.size() == 1 && weft::IsUtf8(node.error().message));
    return 0;
  }
  // YAML's line breaks are also CR, NEL, LS and PS, each of which has one of these bytes.
  auto breaks = std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r' || (c & 0x80); });
  CheckNode(*node, static_cast<int>(breaks) + 2);
  const std::string json = node->ToJson().Dump();
  auto again = weft::Json::Parse(json);
  Check(again && again->Dump() == json);
  if (!IsYamlToo(json) || HasLongKey(*again)) return 0;
  auto as_yaml = weft::yaml::Parse(json, "f.yaml");
  Check(as_yaml && as_yaml->ToJson().Dump() == json);
  return 0;
}
