#include "model/exchange/settle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <variant>

#include "base/text.h"
#include "model/checks.h"
#include "model/rules.h"
#include "model/schema.h"
#include "model/shape.h"

namespace weft::model::exchange {
namespace {

constexpr int kRounds = 24;  // Each takes away everything that is seen to be wrong.

using Step = std::variant<std::string, size_t>;
using Steps = std::vector<Step>;

// "schema[0].properties[2].name" as its steps.
Steps StepsOf(const std::string& path) {
  Steps steps;
  size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '[') {
      size_t index = 0;
      const size_t close = std::min(path.find(']', at), path.size());
      std::from_chars(path.data() + at + 1, path.data() + close, index);
      steps.emplace_back(index);
      at = close + 1;
    } else {
      if (path[at] == '.') ++at;
      const size_t end = std::min(path.find_first_of(".[", at), path.size());
      steps.emplace_back(path.substr(at, end - at));
      at = end;
    }
  }
  return steps;
}

const Json* Find(const Json& at, const Step& step) {
  if (const auto* index = std::get_if<size_t>(&step)) return *index < at.size() ? &at[*index] : nullptr;
  const std::string& key = std::get<std::string>(step);
  return at.Has(key) ? &at[key] : nullptr;
}

// The value with what stands at the end of `steps` replaced, or without it.
Json With(const Json& at, std::span<const Step> steps, const std::optional<Json>& value) {
  Json changed = at.is_array() ? Json(Json::Array()) : Json(Json::Object());
  auto next = [&](const Json& inner) { return steps.size() == 1 ? value : With(inner, steps.subspan(1), value); };
  for (size_t i = 0; i < at.Items().size(); ++i) {
    const bool here = std::get<size_t>(steps[0]) == i;
    if (std::optional<Json> item = here ? next(at[i]) : at[i]) changed.Push(std::move(*item));
  }
  for (const auto& [key, member] : at.Members()) {
    const bool here = std::get<std::string>(steps[0]) == key;
    if (std::optional<Json> kept = here ? next(member) : member) changed.Set(key, std::move(*kept));
  }
  return changed;
}

// The first so many steps as a path.
std::string PathOf(std::span<const Step> steps) {
  std::string path;
  for (const Step& step : steps) {
    path = std::holds_alternative<size_t>(step) ? shape::Child(path, std::get<size_t>(step))
                                                : shape::Child(path, std::get<std::string>(step));
  }
  return path;
}

class Settling {
 public:
  Settling(Json& contract, const Origins& origins, std::string_view vendor, Document& document)
      : contract_(contract), origins_(origins), vendor_(vendor), document_(document) {}

  void Run() {
    for (int round = 0; round < kRounds; ++round) {
      std::vector<Problem> problems = Problems();
      if (problems.empty()) return;
      // From the last to the first, so that the paths of those that are left stay right.
      bool moved = false;
      std::string last;
      for (auto problem = problems.rbegin(); problem != problems.rend(); ++problem) {
        if (problem->path == last) continue;
        last = problem->path;
        moved = Move(*problem) || moved;
      }
      if (!moved) return;
    }
  }

 private:
  std::vector<Problem> Problems() const {
    const yaml::Node node = NodeOf(contract_);
    auto contract = Contract::Of(node, "");
    if (!contract) return Errors(contract.TakeError().problems);
    std::vector<Problem> problems = Errors(JudgePromises(*contract, node));
    if (!problems.empty() || contract->schema.size() != 1) return problems;
    auto schema = SchemaOf(contract->schema[0], nullptr);
    if (!schema) return Errors(schema.TakeError().problems);
    const Entities none;
    auto checks = CompileChecks(*contract, *schema, none);
    return checks ? std::vector<Problem>() : Errors(checks.TakeError().problems);
  }

  static std::vector<Problem> Errors(std::vector<Problem> problems) {
    std::erase_if(problems, [](const Problem& each) { return each.level != Problem::Level::kError; });
    return problems;
  }

  // Whether something was moved away for it.
  bool Move(const Problem& problem) {
    Steps steps = StepsOf(problem.path);
    const Json* at = &contract_;
    size_t depth = 0;
    while (depth < steps.size()) {
      const Json* inner = Find(*at, steps[depth]);
      if (!inner) break;
      at = inner;
      ++depth;
    }
    steps.resize(depth);
    if (steps.empty() || IsTable(steps)) return false;
    const Json value = *at;
    const std::string path = PathOf(steps);
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      if (steps[i] == Step("quality")) return RuleAsText(std::span(steps).first(i + 2), problem);
    }
    if (IsProperty(steps)) return TypeAsText(steps, value, problem);
    // Its holder: the nearest map around it that may have custom properties.
    size_t holder = steps.size() - 1;
    while (holder > 0 && !Holds(steps, holder)) --holder;
    const std::string name = PathOf(std::span(steps).subspan(holder));
    contract_ = With(contract_, steps, std::nullopt);
    Keep(std::span(steps).first(holder), name, value);
    Tell(path, value, problem, fmt::format("the custom property {} of vendor {}", name, vendor_));
    return true;
  }

  static bool IsTable(const Steps& steps) { return steps[0] == Step("schema") && steps.size() <= 2; }

  static bool IsProperty(const Steps& steps) {
    const Step& last = steps.back();
    if (std::holds_alternative<size_t>(last)) return steps.size() > 1 && steps[steps.size() - 2] == Step("properties");
    if (steps[0] != Step("schema")) return false;
    return last == Step("items") || (steps.size() > 1 && steps[steps.size() - 2] == Step("map"));
  }

  // Whether the first so many steps lead to a map that may have custom properties.
  static bool Holds(const Steps& steps, size_t count) {
    static const Step kLists[] = {Step("schema"),        Step("properties"), Step("servers"), Step("support"),
                                  Step("slaProperties"), Step("members"),    Step("roles")};
    const Step& last = steps[count - 1];
    if (std::holds_alternative<size_t>(last)) {
      return count > 1 && std::ranges::find(kLists, steps[count - 2]) != std::end(kLists);
    }
    return last == Step("description") || last == Step("team") || last == Step("items");
  }

  void Keep(std::span<const Step> holder, const std::string& name, const Json& value) {
    Json map = contract_;
    for (const Step& step : holder) map = Json(*Find(map, step));
    AddCustom(map, name, value, vendor_);
    contract_ = holder.empty() ? map : With(contract_, holder, map);
  }

  bool RuleAsText(std::span<const Step> steps, const Problem& problem) {
    const Json* at = &contract_;
    for (const Step& step : steps) at = Find(*at, step);
    const Json rule = *at;
    if (rule["type"].Text() == "text") return false;
    Json text = Json::Map({{"type", "text"}});
    Put(text, "description", rule["description"].Text("A check that Weft does not run."));
    AddCustom(text, "rule", rule, vendor_);
    contract_ = With(contract_, steps, text);
    Tell(PathOf(steps), rule, problem,
         fmt::format("a rule of type text, with the custom property rule of vendor {}", vendor_));
    return true;
  }

  // A property whose type says nothing to Weft is read as text.
  bool TypeAsText(const Steps& steps, const Json& value, const Problem& problem) {
    Json type = Json::Object(), property = Json::Object();
    for (const auto& [key, member] : value.Members()) {
      const bool of_type = key == "logicalType" || key == "physicalType" || key == "logicalTypeOptions" ||
                           key == "properties" || key == "items" || key == "map";
      (of_type ? type : property).Set(key, member);
    }
    if (type == Json::Map({{"logicalType", "string"}})) {  // It is something else: the whole goes.
      if (std::holds_alternative<std::string>(steps.back())) return false;
      contract_ = With(contract_, steps, std::nullopt);
      Tell(PathOf(steps), value, problem, "");
      return true;
    }
    property.Set("logicalType", "string");
    if (type.size() > 0) AddCustom(property, "type", type, vendor_);
    contract_ = With(contract_, steps, property);
    Tell(PathOf(steps), type, problem,
         fmt::format("read as a string, with the custom property type of vendor {}", vendor_));
    return true;
  }

  void Tell(const std::string& path, const Json& value, const Problem& problem, std::string kept) {
    // Where the nearest part around it came from.
    std::string known = path;
    while (!known.empty() && !origins_.contains(known)) {
      const size_t end = known.find_last_of(".[");
      known.resize(end == known.npos ? 0 : end);
    }
    Told told{path, 0, 0, Shown(value), problem.message, std::move(kept), ""};
    if (const auto origin = origins_.find(known); origin != origins_.end()) {
      std::string rest = path.substr(known.size());
      if (origin->second.path.empty() && rest.starts_with('.')) rest.erase(0, 1);
      told.path = origin->second.path + rest;
      told.line = origin->second.line;
      told.column = origin->second.column;
    }
    document_.Tell(std::move(told));
  }

  Json& contract_;
  const Origins& origins_;
  const std::string vendor_;
  Document& document_;
};

}  // namespace

void Settle(Json& contract, const Origins& origins, std::string_view vendor, Document& document) {
  Settling(contract, origins, vendor, document).Run();
}

}  // namespace weft::model::exchange
