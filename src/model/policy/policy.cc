#include "model/policy/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/yaml.h"
#include "model/own.h"
#include "model/policy/published.h"
#include "model/reading.h"
#include "model/shape.h"

namespace weft::model {
namespace {

using namespace shape;  // The tables below are made of its words.
using reading::Text;
using reading::Texts;
using yaml::Node;

// ---- the file as tables

constexpr Key kScopeKeys[] = {{"domains", &kTexts}, {"products", &kTexts},        {"ports", &kTexts},
                              {"tags", &kTexts},    {"classifications", &kTexts}, {"statuses", &kTexts},
                              {"columns", &kAnyMap}};
constexpr Key kColumnsKeys[] = {{"names", &kTexts}, {"tags", &kTexts}, {"classifications", &kTexts}};
constexpr Shape kColumnsShape{"columns", kColumnsKeys};
constexpr shape::Type kColumns = MapOf(kColumnsShape);
constexpr Shape kScopeShape{"a scope", kScopeKeys, 0, nullptr,
                            [](Checker& checker, const Node& map, const std::string& path) {
                              if (map["columns"].kind == Node::Kind::kMap) {
                                checker.Check(map["columns"], kColumns, Child(path, "columns"));
                              }
                            }};
constexpr shape::Type kScope = MapOf(kScopeShape);

constexpr Word kActions[] = {{"read"}};
constexpr shape::Type kAction{.kinds = kIsText, .words = kActions};
constexpr shape::Type kActionList{.kinds = kIsList, .items = &kAction, .least = 1, .distinct = true};
// In the order of MaskAction.
constexpr Word kMasks[] = {
    {"show-first-4"},   {"show-last-4"}, {"truncate-to-month"},   {"truncate-to-year"},    {"mask-alphanum"},
    {"sha-256-global"}, {"pseudonym"},   {"sha-256-query-local"}, {"mask-to-fixed-value"}, {"replace-with-null"}};
static_assert(std::size(kMasks) == static_cast<size_t>(MaskAction::kReplaceWithNull) + 1);
constexpr shape::Type kMaskName{.kinds = kIsText, .words = kMasks};
constexpr Key kByTypeKeys[] = {{"string", &kMaskName},   {"integer", &kMaskName}, {"number", &kMaskName},
                               {"boolean", &kMaskName},  {"date", &kMaskName},    {"timestamp", &kMaskName},
                               {"time", &kMaskName},     {"object", &kMaskName},  {"array", &kMaskName},
                               {"otherwise", &kMaskName}};
constexpr Shape kByTypeShape{"a mask by type", kByTypeKeys};
constexpr shape::Type kByType = MapOf(kByTypeShape);
constexpr shape::Type kMask{.kinds = kIsText | kIsMap};
constexpr Word kSeverities[] = {{"error"}, {"warning"}};
constexpr shape::Type kSeverity{.kinds = kIsText, .words = kSeverities};

constexpr Key kApproveKeys[] = {{"steps", &kTexts, kRequired}, {"until", &kText}, {"remind", &kText}, {"same", &kBool}};

// Steps and times are texts of their own kinds.
void TimeRule(Checker& checker, const Node& map, const std::string& path) {
  for (std::string_view key : {"until", "remind"}) {
    if (!map[key].is_scalar() || SecondsOf(map[key].scalar)) continue;
    checker.Fail(map[key], Child(path, key), fmt::format("'{}' is no time: write 90d, 12h or 30m", map[key].scalar));
  }
}
void ApproveRule(Checker& checker, const Node& map, const std::string& path) {
  TimeRule(checker, map, path);
  std::set<std::string> seen;
  for (size_t i = 0; i < map["steps"].size(); ++i) {
    const Node& step = map["steps"][i];
    if (!step.is_scalar()) continue;
    const std::string at = Child(Child(path, "steps"), i);
    if (step.scalar.empty() || step.scalar == "group:") {
      checker.Fail(step, at, "nobody is named: write owners, stewards, group:NAME or a principal");
    } else if (step.scalar == "owner" || step.scalar == "steward") {
      checker.Fail(step, at, fmt::format("write {}s: the port's, whoever they are", step.scalar));
    } else if (!seen.insert(step.scalar).second) {
      checker.Fail(step, at, fmt::format("the step '{}' stands twice: remove one", step.scalar));
    }
  }
}
constexpr Shape kApproveShape{"an approval", kApproveKeys, 0, nullptr, ApproveRule};
constexpr shape::Type kApprove = MapOf(kApproveShape);

constexpr Key kPolicyKeys[] = {
    {"name", &kText, kRequired}, {"description", &kText}, {"message", &kText}, {"scope", &kScope},
    {"principals", &kTexts},     {"purposes", &kTexts},   {"when", &kText},    {"allow", &kActionList},
    {"deny", &kActionList},      {"filter", &kText},      {"mask", &kMask},    {"require", &kText},
    {"approve", &kApprove},      {"severity", &kSeverity}};
constexpr std::pair<std::string_view, Policy::Effect> kEffects[] = {
    {"allow", Policy::Effect::kAllow}, {"deny", Policy::Effect::kDeny},       {"filter", Policy::Effect::kFilter},
    {"mask", Policy::Effect::kMask},   {"require", Policy::Effect::kRequire}, {"approve", Policy::Effect::kApprove}};

bool Has(const Node& map, std::string_view key) { return map[key].kind != Node::Kind::kMissing; }

// What a table of keys cannot say of a policy.
void PolicyRule(Checker& checker, const Node& map, const std::string& path) {
  std::vector<std::string> effects;
  for (const auto& [key, effect] : kEffects) {
    if (Has(map, key)) effects.emplace_back(key);
  }
  if (effects.empty()) {
    checker.Fail(map, path, "does nothing: give it one of allow, deny, filter, mask, require or approve");
  } else if (effects.size() > 1) {
    checker.Fail(map, path, fmt::format("does {} at once: write a policy for each", Join(effects, " and ")));
  }
  if (map["mask"].kind == Node::Kind::kMap) checker.Check(map["mask"], kByType, Child(path, "mask"));
  if (map["mask"].is_scalar()) checker.Check(map["mask"], kMaskName, Child(path, "mask"));
  const bool columns = Has(map["scope"], "columns");
  if (Has(map, "mask") && (!columns || map["scope"]["columns"].size() == 0)) {
    checker.Fail(map["mask"], Child(path, "mask"),
                 "says no columns: add scope.columns with names, tags or classifications");
  }
  if (columns && !effects.empty() && !Has(map, "mask")) {
    checker.Fail(map["scope"]["columns"], Child(path, "scope.columns"),
                 fmt::format("columns are for a mask, and this policy is {}: remove them", effects[0]));
  }
  for (std::string_view key : {"when", "filter", "require"}) {
    if (!map[key].is_scalar() || !Trim(map[key].scalar).empty()) continue;
    checker.Fail(map[key], Child(path, key), fmt::format("{} is empty: write a condition in CEL", key));
  }
  if (Has(map, "severity") && !Has(map, "require")) {
    checker.Fail(map["severity"], Child(path, "severity"), "severity is for require alone: remove it");
  }
  for (std::string_view key : {"principals", "purposes"}) {
    if (!Has(map, "require") || !Has(map, key)) continue;
    checker.Fail(map[key], Child(path, key),
                 fmt::format("{} are for decisions, and require judges what is published: remove them", key));
  }
}
constexpr Shape kPolicyShape{"a policy", kPolicyKeys, 0, nullptr, PolicyRule};
constexpr shape::Type kPolicy = MapOf(kPolicyShape);
constexpr shape::Type kPolicies = ListOf(kPolicy);

constexpr Word kKinds[] = {{"user"}, {"service"}, {"product"}};
constexpr shape::Type kKind{.kinds = kIsText, .words = kKinds};
constexpr Key kPrincipalKeys[] = {
    {"name", &kText, kRequired}, {"kind", &kKind}, {"groups", &kTexts}, {"attributes", &kAnyMap}};
constexpr Shape kPrincipalShape{"a principal", kPrincipalKeys};
constexpr shape::Type kPrincipal = MapOf(kPrincipalShape);
constexpr Key kColumnKeys[] = {{"name", &kText, kRequired},
                               {"type", &kText, kRequired},
                               {"tags", &kTexts},
                               {"classification", &kText},
                               {"required", &kBool}};
constexpr Shape kColumnShape{"a column", kColumnKeys};
constexpr shape::Type kColumn = MapOf(kColumnShape);
constexpr shape::Type kColumnList = ListOf(kColumn);
constexpr Key kResourceKeys[] = {{"domain", &kText, kRequired},
                                 {"product", &kText, kRequired},
                                 {"port", &kText, kRequired},
                                 {"purpose", &kText},
                                 {"tags", &kTexts},
                                 {"columns", &kColumnList},
                                 {"classification", &kText}};
constexpr Shape kResourceShape{"a resource", kResourceKeys};
constexpr shape::Type kResource{.kinds = kIsText | kIsMap, .shape = &kResourceShape};
constexpr Word kVerdicts[] = {{"permit"}, {"deny"}};
constexpr shape::Type kVerdictText{.kinds = kIsText, .words = kVerdicts};
constexpr Key kExpectKeys[] = {{"approve", &kTexts, kRequired}, {"until", &kText}};
constexpr Shape kExpectShape{"what is expected", kExpectKeys, 0, nullptr, TimeRule};
constexpr shape::Type kVerdict{.kinds = kIsText | kIsMap, .shape = &kExpectShape};
constexpr shape::Type kRows{.kinds = kIsList, .items = &kAnyMap};
constexpr Key kSightKeys[] = {{"principal", &kPrincipal, kRequired},
                              {"purpose", &kText},
                              {"resource", &kResource, kRequired},
                              {"expect", &kVerdict, kRequired},
                              {"masked", &kAnyMap},
                              {"rows", &kRows},
                              {"visible", &kRows}};

void SightRule(Checker& checker, const Node& map, const std::string& path) {
  if (Has(map, "rows") != Has(map, "visible")) {
    checker.Fail(map, path, "rows and visible belong together: the rows that there are, and those that are seen");
  }
  if (map["expect"].is_scalar()) checker.Check(map["expect"], kVerdictText, Child(path, "expect"));
  for (std::string_view key : {"masked", "rows", "visible"}) {
    if (map["expect"].kind != Node::Kind::kMap || !Has(map, key)) continue;
    checker.Fail(map[key], Child(path, key), "a test expects an approval or what is seen: write another test for this");
  }
  for (const Node::Entry& mask : map["masked"].entries) {
    checker.Check(mask.value, kMaskName, Child(Child(path, "masked"), mask.key));
  }
}
constexpr Shape kSightShape{"a test of what is seen", kSightKeys, 0, nullptr, SightRule};

constexpr Word kOutcomes[] = {{"passes"}, {"warns"}, {"refused"}};
constexpr shape::Type kOutcome{.kinds = kIsText, .words = kOutcomes};
constexpr Key kTeamKeys[] = {{"owners", &kTexts}, {"stewards", &kTexts}, {"engineers", &kTexts}};
constexpr Shape kTeamShape{"a domain", kTeamKeys};
constexpr shape::Type kTeam = MapOf(kTeamShape);
// The documents are judged by their standards.
constexpr Key kGateKeys[] = {{"policy", &kText},     {"product", &kAnyMap}, {"contract", &kAnyMap},
                             {"previous", &kAnyMap}, {"domain", &kTeam},    {"expect", &kOutcome, kRequired},
                             {"message", &kText}};

void GateRule(Checker& checker, const Node& map, const std::string& path) {
  if (!Has(map, "product") && !Has(map, "contract")) {
    checker.Fail(map, path, "publishes nothing: add product or contract, with what the gate looks at");
  }
  if (Text(map["expect"]) == "passes" && Has(map, "message")) {
    checker.Fail(map["message"], Child(path, "message"), "what passes is told nothing: remove it");
  }
}
constexpr Shape kGateShape{"a test of what is published", kGateKeys, 0, nullptr, GateRule};

bool IsOfGates(const Node& test) {
  if (Has(test, "principal") || Has(test, "resource")) return false;
  return Has(test, "product") || Has(test, "contract") ||
         std::ranges::any_of(kOutcomes, [&](const Word& word) { return Text(test["expect"]) == word.text; });
}

constexpr Key kTestKeys[] = {{"name", &kText, kRequired}};
constexpr const Shape* kTestShapes[] = {&kGateShape, &kSightShape};

void AlsoTest(const Node& map, int, std::vector<const Shape*>& shapes) {
  shapes.push_back(IsOfGates(map) ? &kGateShape : &kSightShape);
}
constexpr Shape kTestShape{"a test", kTestKeys, 0, AlsoTest, nullptr, kTestShapes};
constexpr shape::Type kTest = MapOf(kTestShape);
constexpr shape::Type kTests = ListOf(kTest);
constexpr Key kPurposeKeys[] = {
    {"name", &kText, kRequired}, {"description", &kText}, {"parent", &kText}, {"incompatible", &kTexts}};
constexpr Shape kPurposeShape{"a purpose", kPurposeKeys};
constexpr shape::Type kPurpose = MapOf(kPurposeShape);
constexpr shape::Type kPurposes = ListOf(kPurpose);
constexpr Key kFileKeys[] = {{"purposes", &kPurposes}, {"policies", &kPolicies}, {"tests", &kTests}};
constexpr Shape kFileShape{"a policies file", kFileKeys};
constexpr shape::Type kFile = MapOf(kFileShape);

// ---- the file as values

Expression ExpressionOf(const Node& node, std::string path) {
  return {Text(node), reading::PlaceOf(node, std::move(path))};
}

std::vector<Purpose::Named> NamedOf(const Node& list, const std::string& path) {
  std::vector<Purpose::Named> names;
  for (size_t i = 0; i < list.size(); ++i) {
    names.push_back({Text(list[i]), reading::PlaceOf(list[i], Child(path, i))});
  }
  return names;
}

Purpose PurposeOf(const Node& node, const std::string& path, const std::string& file) {
  Purpose purpose;
  purpose.name = Text(node["name"]);
  purpose.description = Text(node["description"]);
  purpose.parent = {Text(node["parent"]), reading::PlaceOf(node["parent"], Child(path, "parent"))};
  purpose.incompatible = NamedOf(node["incompatible"], Child(path, "incompatible"));
  purpose.file = file;
  purpose.place = reading::PlaceOf(node["name"], Child(path, "name"));
  return purpose;
}

Policy PolicyOf(const Node& node, const std::string& path, const std::string& file) {
  Policy policy;
  policy.name = Text(node["name"]);
  policy.description = Text(node["description"]);
  policy.message = Text(node["message"]);
  policy.file = file;
  policy.place = reading::PlaceOf(node, path);
  const Node& scope = node["scope"];
  policy.scope = {Texts(scope["domains"]), Texts(scope["products"]),        Texts(scope["ports"]),
                  Texts(scope["tags"]),    Texts(scope["classifications"]), Texts(scope["statuses"])};
  const Node& columns = scope["columns"];
  policy.columns = {Texts(columns["names"]), Texts(columns["tags"]), Texts(columns["classifications"])};
  policy.principals = Texts(node["principals"]);
  policy.purposes = NamedOf(node["purposes"], Child(path, "purposes"));
  policy.when = ExpressionOf(node["when"], Child(path, "when"));
  policy.warns = Text(node["severity"]) == "warning";
  for (const auto& [key, effect] : kEffects) {
    if (!Has(node, key)) continue;
    policy.effect = effect;
    const Node& value = node[key];
    if (effect == Policy::Effect::kFilter || effect == Policy::Effect::kRequire) {
      policy.expression = ExpressionOf(value, Child(path, key));
    }
    if (effect == Policy::Effect::kApprove) {
      policy.approval = {Texts(value["steps"]), SecondsOf(Text(value["until"])), SecondsOf(Text(value["remind"])),
                         reading::IsTrue(value["same"])};
    }
    if (effect != Policy::Effect::kMask) continue;
    if (value.is_scalar()) policy.otherwise = MaskActionFromName(value.scalar);
    for (const Node::Entry& choice : value.entries) {
      const auto action = MaskActionFromName(choice.value.scalar);
      if (choice.key == "otherwise") {
        policy.otherwise = action;
      } else if (action) {
        policy.by_type[choice.key] = *action;
      }
    }
  }
  return policy;
}

PolicyTest TestOf(const Node& node, const std::string& path, const std::string& file, std::vector<Problem>* problems) {
  PolicyTest test;
  test.name = Text(node["name"]);
  test.file = file;
  test.place = reading::PlaceOf(node, path);
  if (IsOfGates(node)) {
    test.gate = GateTestOf(node, path, file, problems);
    return test;
  }
  const Node& principal = node["principal"];
  test.principal.name = Text(principal["name"]);
  test.principal.groups = Texts(principal["groups"]);
  const std::string kind = Text(principal["kind"]);
  if (kind == "service") test.principal.kind = Principal::Kind::kService;
  if (kind == "product") test.principal.kind = Principal::Kind::kProduct;
  test.principal.attributes = principal["attributes"].ToJson();
  test.purpose = Text(node["purpose"]);
  if (node["resource"].is_scalar()) test.address = Text(node["resource"]);
  if (node["resource"].kind == Node::Kind::kMap) test.resource = node["resource"].ToJson();
  test.permitted = Text(node["expect"]) == "permit";
  if (node["expect"].kind == Node::Kind::kMap) {
    test.approve = Texts(node["expect"]["approve"]);
    test.until_s = SecondsOf(Text(node["expect"]["until"]));
  }
  if (Has(node, "masked")) {
    test.masked.emplace();
    for (const Node::Entry& mask : node["masked"].entries) (*test.masked)[mask.key] = Text(mask.value);
  }
  if (Has(node, "rows")) test.rows = node["rows"].ToJson();
  if (Has(node, "visible")) test.visible = node["visible"].ToJson();
  return test;
}

bool Any(const std::vector<std::string>& wanted, std::string_view has) {
  return wanted.empty() || std::ranges::find(wanted, has) != wanted.end();
}

}  // namespace

namespace own {
constexpr shape::Type kPoliciesFile = kFile;
}  // namespace own

std::string_view MaskActionName(MaskAction action) { return std::span(kMasks)[static_cast<size_t>(action)].text; }

std::optional<MaskAction> MaskActionFromName(std::string_view name) {
  const auto* found = std::ranges::find(kMasks, name, &Word::text);
  if (found == std::end(kMasks)) return std::nullopt;
  return static_cast<MaskAction>(found - std::begin(kMasks));
}

std::string_view EffectName(Policy::Effect effect) {
  for (const auto& [key, each] : kEffects) {
    if (each == effect) return key;
  }
  return "";
}

std::string Policy::Where() const { return fmt::format("{}:{}", file, place.line); }

bool PolicyScope::Covers(const Resource& resource) const {
  if (!Any(domains, resource.domain) || !Any(classifications, resource.classification) ||
      !Any(statuses, resource.status)) {
    return false;
  }
  const std::string product = resource.domain + "/" + resource.product;
  if (!Any(products, product)) return false;
  const std::string port = product + "/" + resource.port;
  if (!ports.empty() && !Any(ports, port) && !Any(ports, fmt::format("{}@{}", port, resource.major))) return false;
  return tags.empty() || std::ranges::any_of(resource.tags, [&](const std::string& tag) { return Any(tags, tag); });
}

Result<PolicyFile> PolicyFile::Parse(std::string_view text, const std::string& file) {
  const Node node = TRY(yaml::Parse(text, file));
  Checker checker(file, std::string(kPolicyRule), 0);
  checker.Check(node, kFile, "");
  std::set<std::string> names;
  for (size_t i = 0; i < node["policies"].size(); ++i) {
    const Node& name = node["policies"][i]["name"];
    if (name.is_scalar() && !names.insert(name.scalar).second) {
      checker.Fail(name, Child(Child("policies", i), "name"),
                   fmt::format("the policy '{}' stands twice: rename one", name.scalar));
    }
  }
  std::vector<Problem> problems = checker.TakeProblems();
  if (!problems.empty()) return AsError(std::move(problems));
  PolicyFile parsed;
  parsed.file = file;
  parsed.bytes = text;
  for (size_t i = 0; i < node["purposes"].size(); ++i) {
    parsed.purposes.push_back(PurposeOf(node["purposes"][i], Child("purposes", i), file));
  }
  for (size_t i = 0; i < node["policies"].size(); ++i) {
    parsed.policies.push_back(PolicyOf(node["policies"][i], Child("policies", i), file));
  }
  for (size_t i = 0; i < node["tests"].size(); ++i) {
    parsed.tests.push_back(TestOf(node["tests"][i], Child("tests", i), file, &problems));
  }
  if (!problems.empty()) return AsError(std::move(problems));
  return parsed;
}

}  // namespace weft::model
