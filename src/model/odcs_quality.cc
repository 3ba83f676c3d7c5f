#include "model/odcs.h"

#include <fmt/format.h>

namespace weft::model::standards {
namespace {

using namespace shape;  // The tables below are made of its words.
using NodeKind = yaml::Node::Kind;

bool IsWord(const yaml::Node& node, std::string_view word) {
  return node.kind == NodeKind::kText && node.scalar == word;
}

// ---- What a rule is compared with.

constexpr Type kRange{.kinds = kIsList, .items = &kNumber, .least = 2, .most = 2, .distinct = true};

constexpr Key kOperatorKeys[] = {
    {"mustBe", &kAny},
    {"mustNotBe", &kAny},
    {"mustBeGreaterThan", &kNumber},
    {"mustBeGreaterOrEqualTo", &kNumber},
    {"mustBeLessThan", &kNumber},
    {"mustBeLessOrEqualTo", &kNumber},
    {"mustBeBetween", &kRange},
    {"mustNotBeBetween", &kRange},
};

void ExactlyOneOperator(Checker& checker, const yaml::Node& map, const std::string& path) {
  std::vector<std::string_view> found;
  for (const Key& key : kOperatorKeys) {
    if (map[key.name].kind != NodeKind::kMissing) found.push_back(key.name);
  }
  if (found.empty()) {
    checker.Fail(map, path, "a rule of this type needs one operator, such as 'mustBe' or 'mustBeLessThan'");
  } else if (found.size() > 1) {
    checker.Fail(map, path,
                 fmt::format("has '{}' and '{}'; a rule has one operator: write two rules", found[0], found[1]));
  }
}

constexpr Shape kOperators{"a rule", kOperatorKeys, 0, nullptr, ExactlyOneOperator};

// ---- What a rule has more, by type.

constexpr Word kMetrics[] = {{"nullValues"}, {"missingValues"}, {"invalidValues"}, {"duplicateValues"}, {"rowCount"}};
constexpr Type kMetric{.kinds = kIsText, .words = kMetrics};
constexpr Type kImplementation{.kinds = kIsText | kIsMap};

constexpr Key kLibraryKeys[] = {{"metric", &kMetric, kRequired}, {"rule", &kText}, {"arguments", &kAnyMap}};
constexpr Key kOldLibraryKeys[] = {{"rule", &kText, kRequired}};
constexpr Key kSqlKeys[] = {{"query", &kText, kRequired}};
constexpr Key kCustomKeys[] = {{"engine", &kText, kRequired}, {"implementation", &kImplementation, kRequired}};
constexpr Shape kLibrary{"a library rule", kLibraryKeys};
constexpr Shape kOldLibrary{"a library rule", kOldLibraryKeys};
constexpr Shape kOldOperators{"a library rule", kOperatorKeys};
constexpr Shape kSql{"an sql rule", kSqlKeys};
constexpr Shape kCustom{"a custom rule", kCustomKeys};

void AlsoRule(const yaml::Node& map, int version, std::vector<const Shape*>& shapes) {
  const yaml::Node& type = map["type"];
  bool library = IsWord(type, "library");
  bool sql = IsWord(type, "sql");
  if (version < kV31) {
    if (library || type.kind == NodeKind::kMissing) shapes.insert(shapes.end(), {&kOldLibrary, &kOldOperators});
  } else {
    if (library || map["metric"].kind == NodeKind::kText) shapes.push_back(&kLibrary);
    if (sql || shapes.back() == &kLibrary) shapes.push_back(&kOperators);
  }
  if (sql) shapes.push_back(&kSql);
  if (IsWord(type, "custom")) shapes.push_back(&kCustom);
}

constexpr Word kDimensions[] = {{"accuracy"}, {"completeness"}, {"conformity"}, {"consistency"},
                                {"coverage"}, {"timeliness"},   {"uniqueness"}};
constexpr Type kDimension{.kinds = kIsText, .words = kDimensions};
constexpr Word kRuleTypes[] = {{"text"}, {"library"}, {"sql"}, {"custom"}};
constexpr Type kRuleType{.kinds = kIsText, .words = kRuleTypes};

constexpr Key kRuleKeys[] = {
    {"id", &kStableId, false, kV31},
    {"authoritativeDefinitions", &kDefinitions},
    {"businessImpact", &kText},
    {"customProperties", &kCustomProperties},
    {"description", &kText},
    {"dimension", &kDimension},
    {"method", &kText},
    {"name", &kText},
    {"schedule", &kText},
    {"scheduler", &kText},
    {"severity", &kText},
    {"tags", &kTexts},
    {"type", &kRuleType},
    {"unit", &kText},
};
constexpr Shape kRuleShape{"a quality rule", kRuleKeys, kV31, AlsoRule};
constexpr Type kRule = MapOf(kRuleShape);

// ---- Foreign keys.

#define SHORTHAND_31 R"([A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*)"
#define SHORTHAND_32 R"([A-Za-z_][A-Za-z0-9_\-]*(?:\.[A-Za-z_][A-Za-z0-9_\-]*)+)"
#define FILE_PREFIX(SUFFIX) R"((?:(?:https?://)?[A-Za-z0-9._\-/]+\.)" SUFFIX R"(#)?/?)"
#define STEP_31 R"([A-Za-z_][A-Za-z0-9_]*/[A-Za-z0-9_-]+)"
#define STEP_32 R"([A-Za-z_][A-Za-z0-9_]*/[^\s\pZ.#/\\@!%&^]+)"
constexpr Pattern kReferences[] = {
    {kV31, SHORTHAND_31 "|" FILE_PREFIX("yaml") STEP_31 "(?:/" STEP_31 ")*",
     "'table.column' or '/schema/ID/properties/ID'"},
    {kV32, SHORTHAND_32 "|" FILE_PREFIX("ya?ml") STEP_32 "(?:/" STEP_32 ")*",
     "'table.column', 'domain.product.port.column' or '/schema/ID/properties/ID'"},
};
#undef SHORTHAND_31
#undef SHORTHAND_32
#undef FILE_PREFIX
#undef STEP_31
#undef STEP_32
constexpr Type kReference{.kinds = kIsText, .patterns = kReferences};
constexpr Type kReferenceOrList{.kinds = kIsText | kIsList, .items = &kReference, .patterns = kReferences, .least = 1};
constexpr Word kRelationTypes[] = {{"foreignKey"}};
constexpr Type kRelationType{.kinds = kIsText, .words = kRelationTypes};

void SameLength(Checker& checker, const yaml::Node& map, const std::string& path) {
  const yaml::Node &from = map["from"], &to = map["to"];
  auto known = [](const yaml::Node& node) { return node.kind == NodeKind::kText || node.kind == NodeKind::kList; };
  if (known(from) && known(to) && from.kind != to.kind) {
    checker.Fail(map, path, "'from' and 'to' must both be one reference, or both be lists of them");
  }
}

void OwnColumn(Checker& checker, const yaml::Node& map, const std::string& path) {
  if (map["from"].kind != NodeKind::kMissing) {
    checker.Fail(map["from"], Child(path, "from"),
                 "is the property itself here: remove 'from', or move this to the object");
  }
}

constexpr Key kObjectRelationKeys[] = {
    {"id", &kText, false, kV32},
    {"type", &kRelationType},
    {"from", &kReferenceOrList, kRequired},
    {"to", &kReferenceOrList, kRequired},
    {"customProperties", &kCustomProperties},
};
constexpr Key kPropertyRelationKeys[] = {
    {"id", &kText, false, kV32},
    {"type", &kRelationType},
    {"from", &kAny},
    {"to", &kReferenceOrList, kRequired},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kObjectRelationShape{"a relationship", kObjectRelationKeys, 0, nullptr, SameLength};
constexpr Shape kPropertyRelationShape{"a relationship", kPropertyRelationKeys, 0, nullptr, OwnColumn};
constexpr Type kObjectRelation = MapOf(kObjectRelationShape);
constexpr Type kPropertyRelation = MapOf(kPropertyRelationShape);

}  // namespace

constexpr Type kQuality = ListOf(kRule);
constexpr Type kRelationsOfObject = ListOf(kObjectRelation);
constexpr Type kRelationsOfProperty = ListOf(kPropertyRelation);

}  // namespace weft::model::standards
