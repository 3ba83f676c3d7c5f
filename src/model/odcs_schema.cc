#include "model/odcs.h"

namespace weft::model::standards {
namespace {

using namespace shape;  // The tables below are made of its words.
using NodeKind = yaml::Node::Kind;

bool IsWord(const yaml::Node& node, std::string_view word) {
  return node.kind == NodeKind::kText && node.scalar == word;
}

// ---- logicalTypeOptions, by logicalType.

constexpr Type kCount{.kinds = kIsInteger, .minimum = 0};
constexpr Type kAtLeastOne{.kinds = kIsInteger, .minimum = 1};
constexpr Type kStep{.kinds = kIsNumber, .above = 0};
constexpr Type kNames{.kinds = kIsList, .items = &kText, .least = 1, .distinct = true};
constexpr Word kWholeFormats[] = {{"i8"}, {"i16"}, {"i32"}, {"i64"}, {"i128"},
                                  {"u8"}, {"u16"}, {"u32"}, {"u64"}, {"u128"}};
constexpr Type kWholeFormat{.kinds = kIsText, .words = kWholeFormats};
constexpr Word kFloatFormats[] = {{"f32"}, {"f64"}};
constexpr Type kFloatFormat{.kinds = kIsText, .words = kFloatFormats};
constexpr Word kElementTypes[] = {{"bfloat16"}, {"binary"}, {"float16"}, {"float32"}, {"float64"}, {"int8"}, {"uint8"}};
constexpr Type kElementType{.kinds = kIsText, .words = kElementTypes};
constexpr Word kDistances[] = {{"cosine"}, {"dotProduct"}, {"euclidean"}, {"hamming"}, {"manhattan"}};
constexpr Type kDistance{.kinds = kIsText, .words = kDistances};

constexpr Key kStringOptionKeys[] = {
    {"minLength", &kCount},
    {"maxLength", &kCount},
    {"pattern", &kText},
    {"format", &kText},
};
constexpr Key kDateOptionKeys[] = {
    {"format", &kText},
    {"maximum", &kText},
    {"minimum", &kText},
    {"exclusiveMaximum", &kBool, false, 0, kV31},
    {"exclusiveMaximum", &kText, false, kV31},
    {"exclusiveMinimum", &kBool, false, 0, kV31},
    {"exclusiveMinimum", &kText, false, kV31},
};
constexpr Key kTimeOptionKeys[] = {
    {"format", &kText},           {"maximum", &kText},  {"minimum", &kText},         {"exclusiveMaximum", &kText},
    {"exclusiveMinimum", &kText}, {"timezone", &kBool}, {"defaultTimezone", &kText},
};
constexpr Key kIntegerOptionKeys[] = {
    {"multipleOf", &kStep},
    {"maximum", &kNumber},
    {"minimum", &kNumber},
    {"exclusiveMaximum", &kBool, false, 0, kV31},
    {"exclusiveMaximum", &kNumber, false, kV31},
    {"exclusiveMinimum", &kBool, false, 0, kV31},
    {"exclusiveMinimum", &kNumber, false, kV31},
    {"format", &kWholeFormat},
};
constexpr Key kNumberOptionKeys[] = {
    {"multipleOf", &kStep},
    {"maximum", &kNumber},
    {"minimum", &kNumber},
    {"exclusiveMaximum", &kBool, false, 0, kV31},
    {"exclusiveMaximum", &kNumber, false, kV31},
    {"exclusiveMinimum", &kBool, false, 0, kV31},
    {"exclusiveMinimum", &kNumber, false, kV31},
    {"format", &kFloatFormat},
};
constexpr Key kObjectOptionKeys[] = {
    {"maxProperties", &kCount},
    {"minProperties", &kCount},
    {"required", &kNames},
};
constexpr Key kArrayOptionKeys[] = {
    {"maxItems", &kCount},
    {"minItems", &kCount},
    {"uniqueItems", &kBool},
};
constexpr Key kVectorOptionKeys[] = {
    {"dimensions", &kAtLeastOne, kRequired}, {"elementType", &kElementType},
    {"distanceMetric", &kDistance},          {"embeddingModel", &kText},
    {"embeddingModelVersion", &kText},       {"normalized", &kBool},
};
constexpr Shape kStringOptionShape{"the options of a string", kStringOptionKeys};
constexpr Shape kDateOptionShape{"the options of a date", kDateOptionKeys};
constexpr Shape kTimeOptionShape{"the options of a time or timestamp", kTimeOptionKeys};
constexpr Shape kIntegerOptionShape{"the options of an integer", kIntegerOptionKeys};
constexpr Shape kNumberOptionShape{"the options of a number", kNumberOptionKeys};
constexpr Shape kObjectOptionShape{"the options of an object", kObjectOptionKeys};
constexpr Shape kArrayOptionShape{"the options of an array", kArrayOptionKeys};
constexpr Shape kVectorOptionShape{"the options of a vector", kVectorOptionKeys};
constexpr Shape kNoOptionShape{"the options of a property without logicalType", {}};
constexpr Type kStringOptions = MapOf(kStringOptionShape);
constexpr Type kDateOptions = MapOf(kDateOptionShape);
constexpr Type kTimeOptions = MapOf(kTimeOptionShape);
constexpr Type kIntegerOptions = MapOf(kIntegerOptionShape);
constexpr Type kNumberOptions = MapOf(kNumberOptionShape);
constexpr Type kObjectOptions = MapOf(kObjectOptionShape);
constexpr Type kArrayOptions = MapOf(kArrayOptionShape);
constexpr Type kVectorOptions = MapOf(kVectorOptionShape);
constexpr Type kNoOptions = MapOf(kNoOptionShape);

// ---- What a property has more, by logicalType.

extern const Type kItem;
extern const Type kEntry;

constexpr Key kStringKeys[] = {{"logicalTypeOptions", &kStringOptions}};
constexpr Key kDateKeys[] = {{"logicalTypeOptions", &kDateOptions}};
constexpr Key kTimeKeys[] = {{"logicalTypeOptions", &kTimeOptions}};
constexpr Key kIntegerKeys[] = {{"logicalTypeOptions", &kIntegerOptions}};
constexpr Key kNumberKeys[] = {{"logicalTypeOptions", &kNumberOptions}};
constexpr Key kObjectKeys[] = {{"logicalTypeOptions", &kObjectOptions}, {"properties", &kProperties}};
constexpr Key kArrayKeys[] = {{"logicalTypeOptions", &kArrayOptions}, {"items", &kItem}};
constexpr Key kMapKeys[] = {{"map", &kEntry, kRequired}};
constexpr Key kVectorKeys[] = {{"logicalTypeOptions", &kVectorOptions, kRequired}};
constexpr Key kUntypedKeys[] = {{"logicalTypeOptions", &kNoOptions}, {"properties", &kProperties}, {"items", &kItem}};
constexpr Key kUnclearKeys[] = {{"properties", &kProperties}, {"items", &kItem}, {"map", &kAnyMap}};

constexpr struct {
  std::string_view logical_type;
  Shape shape;
} kByType[] = {
    {"string", {"a string", kStringKeys}},
    {"date", {"a date", kDateKeys}},
    {"timestamp", {"a timestamp", kTimeKeys}},
    {"time", {"a time", kTimeKeys}},
    {"integer", {"an integer", kIntegerKeys}},
    {"number", {"a number", kNumberKeys}},
    {"object", {"an object", kObjectKeys}},
    {"array", {"an array", kArrayKeys}},
    {"map", {"a map", kMapKeys}},
    {"vector", {"a vector", kVectorKeys}},
    {"boolean", {"a boolean", {}}},
};
constexpr Shape kUntyped{"a property without logicalType", kUntypedKeys};
constexpr Shape kUnclear{"a property", kUnclearKeys};  // Its logicalType is a mistake, reported as such.

void AlsoByType(const yaml::Node& map, int, std::vector<const Shape*>& shapes) {
  const yaml::Node& logical_type = map["logicalType"];
  if (logical_type.kind == NodeKind::kMissing) return shapes.push_back(&kUntyped);
  for (const auto& [name, shape] : kByType) {
    if (IsWord(logical_type, name)) return shapes.push_back(&shape);
  }
  shapes.push_back(&kUnclear);
}

constexpr Key kNamedKeys[] = {{"name", &kText, kRequired}};
constexpr Shape kNamed{"a property", kNamedKeys};

void AlsoProperty(const yaml::Node& map, int version, std::vector<const Shape*>& shapes) {
  shapes.push_back(&kNamed);
  AlsoByType(map, version, shapes);
}

// In version 3.0 an item may have properties whatever its type.
constexpr Key kOldItemKeys[] = {{"properties", &kProperties}};
constexpr Shape kOldItem{"an item", kOldItemKeys};

void AlsoItem(const yaml::Node& map, int version, std::vector<const Shape*>& shapes) {
  if (version < kV31) shapes.push_back(&kOldItem);
  AlsoByType(map, version, shapes);
}

// ---- A property.

constexpr Word kLogicalTypes[] = {{"string"},  {"date"},      {"timestamp", kV31}, {"time", kV31},
                                  {"number"},  {"integer"},   {"object"},          {"array"},
                                  {"boolean"}, {"map", kV32}, {"vector", kV32}};
constexpr Type kLogicalType{.kinds = kIsText, .words = kLogicalTypes};
constexpr Word kSemanticTypes[] = {{"column"}, {"measure"}, {"dimension"}};
constexpr Type kSemanticType{.kinds = kIsText, .words = kSemanticTypes};

constexpr Key kEnumValueKeys[] = {
    {"value", &kScalar, kRequired},
    {"label", &kText},
    {"id", &kStableId},
    {"description", &kText},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
    {"tags", &kTexts},
};
constexpr Shape kEnumValueShape{"a value of enum", kEnumValueKeys};
constexpr Type kEnumValue = MapOf(kEnumValueShape);
constexpr Type kEnum{.kinds = kIsList, .items = &kEnumValue, .least = 1, .distinct = true};

constexpr Key kPropertyKeys[] = {
    {"id", &kStableId, false, kV31},
    {"name", &kText},
    {"physicalType", &kText},
    {"description", &kText},
    {"businessName", &kText},
    {"deprecated", &kBool, false, kV32},
    {"synonyms", &kSynonyms, false, kV32},
    {"authoritativeDefinitions", &kDefinitions},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"primaryKey", &kBool},
    {"primaryKeyPosition", &kInteger},
    {"logicalType", &kLogicalType},
    {"logicalTypeOptions", &kAnyMap},
    {"physicalName", &kText},
    {"required", &kBool},
    {"unique", &kBool},
    {"semanticType", &kSemanticType, false, kV32},
    {"partitioned", &kBool},
    {"partitionKeyPosition", &kInteger},
    {"classification", &kText},
    {"encryptedName", &kText},
    {"transformSourceObjects", &kTexts},
    {"transformLogic", &kText},
    {"transformDescription", &kText},
    {"examples", &kAnyList},
    {"enum", &kEnum, false, kV32},
    {"criticalDataElement", &kBool},
    {"relationships", &kRelationsOfProperty, false, kV31},
    {"quality", &kQuality},
};
constexpr Shape kPropertyShape{"a property", kPropertyKeys, 0, AlsoProperty};
constexpr Shape kItemShape{"an item", kPropertyKeys, 0, AlsoItem};
constexpr Type kProperty = MapOf(kPropertyShape);
constexpr Type kItem = MapOf(kItemShape);

constexpr Key kEntryKeys[] = {{"key", &kItem, kRequired}, {"value", &kItem, kRequired}};
constexpr Shape kEntryShape{"a map's types", kEntryKeys};
constexpr Type kEntry = MapOf(kEntryShape);

}  // namespace

constexpr Type kProperties = ListOf(kProperty);

}  // namespace weft::model::standards
