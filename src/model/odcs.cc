#include "model/odcs.h"

namespace weft::model::standards {
namespace {

using namespace shape;  // The tables below are made of its words.

constexpr Pattern kStableIds[] = {
    {kV31, "[A-Za-z0-9_-]+", "letters, digits, '_' and '-'"},
    {kV32, R"([^\s\pZ.#/\\@!%&^]+)", "without spaces and none of . # / \\ @ ! % & ^"},
};

constexpr Key kCustomPropertyKeys[] = {
    {"id", &kStableId, false, kV31},  {"property", &kText, false, 0, kV31}, {"property", &kText, kRequired, kV31},
    {"value", &kAny, false, 0, kV31}, {"value", &kAny, kRequired, kV31},    {"description", &kText, false, kV31},
    {"vendor", &kText, false, kV32},
};
constexpr Shape kCustomPropertyShape{"a custom property", kCustomPropertyKeys, kV31};
constexpr Type kCustomProperty = MapOf(kCustomPropertyShape);

constexpr Key kDefinitionKeys[] = {
    {"id", &kStableId, false, kV31},
    {"url", &kText, kRequired},
    {"type", &kText, kRequired},
    {"description", &kText, false, kV31},
};
constexpr Shape kDefinitionShape{"an authoritative definition", kDefinitionKeys, kV31};
constexpr Type kDefinition = MapOf(kDefinitionShape);

constexpr Key kSynonymKeys[] = {
    {"id", &kStableId},
    {"synonym", &kText, kRequired},
    {"description", &kText},
    {"locale", &kText},
    {"source", &kText},
    {"status", &kText},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kSynonymShape{"a synonym", kSynonymKeys};
constexpr Type kSynonym = MapOf(kSynonymShape);

constexpr Key kDescriptionKeys[] = {
    {"usage", &kText},
    {"purpose", &kText},
    {"limitations", &kText},
    {"authoritativeDefinitions", &kDefinitions},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kDescriptionShape{"the description", kDescriptionKeys, kOpen};
constexpr Type kDescription = MapOf(kDescriptionShape);

constexpr Key kStatementKeys[] = {
    {"id", &kText},     {"question", &kText, kRequired},
    {"answer", &kText}, {"authoritativeDefinitions", &kDefinitions},
    {"tags", &kTexts},  {"customProperties", &kCustomProperties},
};
constexpr Shape kStatementShape{"a verified statement", kStatementKeys};
constexpr Type kStatement = MapOf(kStatementShape);
constexpr Type kStatements = ListOf(kStatement);

constexpr Key kConstraintKeys[] = {
    {"id", &kText},    {"constraint", &kText, kRequired},        {"authoritativeDefinitions", &kDefinitions},
    {"tags", &kTexts}, {"customProperties", &kCustomProperties},
};
constexpr Shape kConstraintShape{"a constraint", kConstraintKeys};
constexpr Type kConstraint = MapOf(kConstraintShape);
constexpr Type kConstraints = ListOf(kConstraint);

constexpr Key kContextKeys[] = {
    {"instructions", &kText},
    {"verifiedStatements", &kStatements},
    {"constraints", &kConstraints},
};
constexpr Shape kContextShape{"the context", kContextKeys};
constexpr Type kContext{.kinds = kIsText | kIsMap, .shape = &kContextShape};

constexpr Key kRoleKeys[] = {
    {"id", &kStableId, false, kV31},
    {"role", &kText, kRequired},
    {"description", &kText},
    {"access", &kText},
    {"firstLevelApprovers", &kText},
    {"secondLevelApprovers", &kText},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kRoleShape{"a role", kRoleKeys, kV31};
constexpr Type kRole = MapOf(kRoleShape);
constexpr Type kRoles = ListOf(kRole);

constexpr Key kServerKeys[] = {
    {"id", &kStableId, false, kV31},
    {"server", &kText, kRequired},
    {"type", &kServerType, kRequired},
    {"description", &kText},
    {"environment", &kText},
    {"roles", &kRoles},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kServerShape{"a server", kServerKeys, kV31, AlsoServer};
constexpr Type kServer = MapOf(kServerShape);
constexpr Type kServers = ListOf(kServer);

constexpr Word kObjectTypes[] = {{"object"}, {"blob", kV31}};
constexpr Type kObjectType{.kinds = kIsText, .words = kObjectTypes};

constexpr Key kSchemaObjectKeys[] = {
    {"id", &kStableId, false, kV31},
    {"name", &kText, kRequired},
    {"physicalName", &kText},
    {"physicalType", &kText},
    {"logicalType", &kObjectType},
    {"description", &kText},
    {"businessName", &kText},
    {"deprecated", &kBool, false, kV32},
    {"synonyms", &kSynonyms, false, kV32},
    {"authoritativeDefinitions", &kDefinitions},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"dataGranularityDescription", &kText},
    {"properties", &kProperties},
    {"relationships", &kRelationsOfObject, false, kV31},
    {"quality", &kQuality},
    {"context", &kContext, false, kV32},
};
constexpr Shape kSchemaObjectShape{"an object of the schema", kSchemaObjectKeys};
constexpr Type kSchemaObject = MapOf(kSchemaObjectShape);
constexpr Type kSchema = ListOf(kSchemaObject);

constexpr Key kSupportKeys[] = {
    {"id", &kStableId, false, kV31},
    {"channel", &kText, kRequired},
    {"url", &kText, kRequired, 0, kV31},
    {"url", &kText, false, kV31},
    {"description", &kText},
    {"tool", &kText},
    {"scope", &kText},
    {"invitationUrl", &kText},
    {"customProperties", &kCustomProperties, false, kV31},
};
constexpr Shape kSupportShape{"a support channel", kSupportKeys, kV31};
constexpr Type kSupportChannel = MapOf(kSupportShape);
constexpr Type kSupport = ListOf(kSupportChannel);

constexpr Key kPriceKeys[] = {
    {"id", &kStableId, false, kV31},
    {"priceAmount", &kNumber},
    {"priceCurrency", &kText},
    {"priceUnit", &kText},
};
constexpr Shape kPriceShape{"the price", kPriceKeys, kV31};
constexpr Type kPrice = MapOf(kPriceShape);

constexpr Key kMemberKeys[] = {
    {"id", &kStableId, false, kV31},
    {"username", &kText, false, 0, kV31},
    {"username", &kText, kRequired, kV31},
    {"name", &kText},
    {"description", &kText},
    {"role", &kText},
    {"dateIn", &kText},
    {"dateOut", &kText},
    {"replacedByUsername", &kText},
    {"tags", &kTexts, false, kV31},
    {"customProperties", &kCustomProperties, false, kV31},
    {"authoritativeDefinitions", &kDefinitions, false, kV31},
};
constexpr Shape kMemberShape{"a team member", kMemberKeys, kV31};
constexpr Type kMember = MapOf(kMemberShape);
constexpr Type kMembers = ListOf(kMember);

constexpr Key kTeamKeys[] = {
    {"id", &kStableId},
    {"name", &kText},
    {"description", &kText},
    {"members", &kMembers},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kTeamShape{"the team", kTeamKeys};
constexpr Type kTeam{.kinds = kIsMap | kIsList, .shape = &kTeamShape, .items = &kMember};

constexpr Key kSlaKeys[] = {
    {"id", &kStableId, false, kV31},
    {"property", &kText, kRequired},
    {"value", &kScalar, kRequired},
    {"valueExt", &kScalar},
    {"unit", &kText},
    {"element", &kText},
    {"driver", &kText},
    {"description", &kText, false, kV31},
    {"scheduler", &kText, false, kV31},
    {"schedule", &kText, false, kV31},
    {"customProperties", &kCustomProperties, false, kV32},
    {"authoritativeDefinitions", &kDefinitions, false, kV32},
};
constexpr Shape kSlaShape{"an SLA property", kSlaKeys, kV31};
constexpr Type kSla = MapOf(kSlaShape);
constexpr Type kSlas = ListOf(kSla);

constexpr Word kApiVersions[] = {{"v3.2.0", kV32}, {"v3.1.0", kV31}, {"v3.0.2"}, {"v3.0.1"},
                                 {"v3.0.0"},       {"v2.2.2"},       {"v2.2.1"}, {"v2.2.0"}};
constexpr Type kApiVersion{.kinds = kIsText, .words = kApiVersions};
constexpr Word kKinds[] = {{"DataContract"}};
constexpr Type kKind{.kinds = kIsText, .words = kKinds};

constexpr Key kContractKeys[] = {
    {"version", &kText, kRequired},
    {"kind", &kKind, kRequired},
    {"apiVersion", &kApiVersion, kRequired},
    {"id", &kText, kRequired},
    {"name", &kText},
    {"tenant", &kText},
    {"tags", &kTexts},
    {"status", &kText, kRequired, 0, kV32},
    {"status", &kText, false, kV32},
    {"servers", &kServers},
    {"dataProduct", &kText},
    {"description", &kDescription},
    {"domain", &kText},
    {"context", &kContext, false, kV32},
    {"schema", &kSchema},
    {"support", &kSupport},
    {"price", &kPrice},
    {"team", &kMembers, false, 0, kV31},
    {"team", &kTeam, false, kV31},
    {"roles", &kRoles},
    {"slaDefaultElement", &kText},
    {"slaProperties", &kSlas},
    {"authoritativeDefinitions", &kDefinitions},
    {"customProperties", &kCustomProperties},
    {"contractCreatedTs", &kText},
};
constexpr Shape kContractShape{"a data contract", kContractKeys};

}  // namespace

constexpr Type kStableId{.kinds = kIsText, .patterns = kStableIds};
constexpr Type kCustomProperties = ListOf(kCustomProperty);
constexpr Type kDefinitions = ListOf(kDefinition);
constexpr Type kSynonyms = ListOf(kSynonym);
constexpr Type kOdcs = MapOf(kContractShape);

int OdcsVersion(const yaml::Node& document) {
  const std::string& api_version = document["apiVersion"].scalar;
  if (api_version == "v3.1.0") return kV31;
  for (const Word& word : kApiVersions) {
    if (word.since == 0 && word.text == api_version) return 300;
  }
  return kV32;
}

}  // namespace weft::model::standards
