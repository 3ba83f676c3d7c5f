// YAML 1.2 (core schema) that remembers where each node stood, and a reader that collects every mistake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft::yaml {

// One node of a text. A scalar's kind follows the 1.2 core schema; quoted scalars are always kText.
struct Node {
  enum class Kind { kMissing, kNull, kBool, kInt, kDouble, kText, kList, kMap };
  struct Entry;

  Kind kind = Kind::kMissing;
  int line = 0;                // From 1; of the node itself, not of its key.
  int column = 0;              // From 1, in characters.
  std::string scalar;          // As written, less quotes and escapes.
  std::vector<Entry> entries;  // Of a map, in order; of a list, with empty keys.

  bool is_scalar() const { return kind >= Kind::kNull && kind <= Kind::kText; }
  const Node& operator[](std::string_view key) const;  // A kMissing node where there is none.
  const Node& operator[](size_t index) const;
  size_t size() const;
  Json ToJson() const;
};

struct Node::Entry {
  std::string key;
  int line = 0;  // Of the key.
  int column = 0;
  Node value;
};

inline size_t Node::size() const { return entries.size(); }

// Refused, each with its place: anchors and aliases, tags, duplicate keys, keys that are not scalars, several
// documents, text that is no UTF-8, more than 16 MiB, 64 levels or a million nodes. Never throws, never recurses
// deeper than the limit. An empty text is a kNull node.
Result<Node> Parse(std::string_view text, const std::string& file);

}  // namespace weft::yaml
