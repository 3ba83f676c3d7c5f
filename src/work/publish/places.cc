#include "base/yaml.h"
#include "work/publish/plan.h"

namespace weft::publish {

model::Place PlaceOf(const std::string& text, const std::string& file, const std::vector<std::string>& path) {
  model::Place place;
  auto parsed = yaml::Parse(text, file);
  if (!parsed) return place;
  const yaml::Node* node = &*parsed;
  for (const std::string& key : path) {
    node = &(*node)[key];
    place.path += (place.path.empty() ? "" : ".") + key;
  }
  place.line = node->line;
  place.column = node->column;
  return place;
}

Problem ProblemAt(const std::string& file, const model::Place& place, std::string rule, std::string message) {
  return {file, place.line, place.column, place.path, std::move(rule), std::move(message), Problem::Level::kError};
}

}  // namespace weft::publish
