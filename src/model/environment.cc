#include "model/environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "model/reading.h"
#include "model/schedule.h"

namespace weft::model {
namespace {

using reading::Text;
using yaml::Node;

constexpr std::string_view kFolder = "env/";
constexpr std::string_view kEnding = ".yaml";

bool IsMap(const Node& node) { return node.kind == Node::Kind::kMap; }

void StandAt(Node& node, int line, int column) {
  node.line = line;
  node.column = column;
  for (Node::Entry& entry : node.entries) {
    entry.line = line;
    entry.column = column;
    StandAt(entry.value, line, column);
  }
}

void LayStorage(OutputPort& port, const Node& was, const Node& over, const Overlay& overlay) {
  if (!IsMap(over)) return;
  port.storage = Storage::Of(LaidOver(was, over));
  port.storage->overlay = overlay.ShortName();
}

void LaySchedule(OutputPort& port, const Node& over) {
  if (over.kind == Node::Kind::kText && port.build) SetSchedule(*port.build, over.scalar);
}

// "host db.example.com", "password secret prod-db", "without sslmode".
std::string Told(const Node::Entry& entry) {
  const Node& value = entry.value;
  if (value.kind == Node::Kind::kNull) return "without " + entry.key;
  if (value.is_scalar()) return entry.key + " " + value.scalar;
  const std::string secret = Text(value["secret"]);
  return entry.key + " " + (secret.empty() ? value.ToJson().Dump() : "secret " + secret);
}

void AddLines(const Node& ports, std::string_view what, std::vector<std::string>* lines) {
  for (const Node::Entry& port : ports.entries) {
    std::vector<std::string> keys;
    for (const Node::Entry& entry : port.value.entries) keys.push_back(Told(entry));
    if (port.value.is_scalar()) keys.push_back(port.value.scalar);
    lines->push_back(fmt::format("{} of {}: {}", what, port.key, keys.empty() ? "as it is" : Join(keys, ", ")));
  }
}

}  // namespace

std::string EnvironmentOfFile(std::string_view inside) {
  if (!inside.starts_with(kFolder) || !inside.ends_with(kEnding)) return "";
  if (inside.size() <= kFolder.size() + kEnding.size()) return "";
  inside.remove_prefix(kFolder.size());
  inside.remove_suffix(kEnding.size());
  return inside.find('/') == inside.npos ? std::string(inside) : "";
}

Node LaidOver(const Node& base, const Node& over) {
  Node laid = over;
  laid.entries.clear();
  for (const Node::Entry& entry : base.entries) {
    if (!IsMap(base) || over[entry.key].kind != Node::Kind::kMissing) continue;
    laid.entries.push_back(entry);
    laid.entries.back().line = over.line;
    laid.entries.back().column = over.column;
    StandAt(laid.entries.back().value, over.line, over.column);
  }
  for (const Node::Entry& entry : over.entries) {
    if (entry.value.kind != Node::Kind::kNull) laid.entries.push_back(entry);
  }
  return laid;
}

Node LaidOverSource(const Node& base, const Node& over) {
  const std::string kind = Text(over["kind"]);
  return LaidOver(kind.empty() || kind == Text(base["kind"]) ? base : Node(), over);
}

Product LaidOver(const Product& product, const Overlay& overlay) {
  Product laid = product;
  const auto base = yaml::Parse(product.bytes, product.file);
  const auto over = yaml::Parse(overlay.bytes, overlay.file);
  if (!base || !over) return laid;
  for (size_t i = 0; i < laid.inputs.size(); ++i) {
    InputPort& port = laid.inputs[i];
    const Node& source = (*over)["sources"][port.name];
    if (!IsMap(source)) continue;
    port.source = Source::Of(LaidOverSource(reading::OwnValue((*base)["inputPorts"][i], "source"), source),
                             "sources." + port.name, overlay.file);
    port.source->overlay = overlay.ShortName();
  }
  for (size_t i = 0; i < laid.outputs.size(); ++i) {
    OutputPort& port = laid.outputs[i];
    LaySchedule(port, (*over)["schedules"][port.name]);
    LayStorage(port, reading::OwnValue((*base)["outputPorts"][i], "storage"), (*over)["storage"][port.name], overlay);
  }
  return laid;
}

std::vector<std::string> LinesOf(const Overlay& overlay) {
  std::vector<std::string> lines;
  const auto over = yaml::Parse(overlay.bytes, overlay.file);
  if (!over) return lines;
  AddLines((*over)["sources"], "source", &lines);
  AddLines((*over)["schedules"], "schedule", &lines);
  AddLines((*over)["storage"], "storage", &lines);
  return lines;
}

}  // namespace weft::model
