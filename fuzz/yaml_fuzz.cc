// YAML of any bytes: a tree whose places lie inside the text and whose JSON can be written, or one problem.
#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "base/yaml.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckNode(const weft::yaml::Node& node, int lines) {
  Check(node.line >= 1 && node.line <= lines && node.column >= 1);
  for (const auto& entry : node.entries) {
    if (node.kind == weft::yaml::Node::Kind::kMap) Check(node[entry.key].kind != weft::yaml::Node::Kind::kMissing);
    CheckNode(entry.value, lines);
  }
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
  auto again = weft::Json::Parse(node->ToJson().Dump());
  Check(again.has_value());
  return 0;
}
