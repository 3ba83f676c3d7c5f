#include "model/standards.h"

namespace weft::model::standards {
namespace {

using namespace shape;  // The tables below are made of its words.

constexpr int kV11 = 110;

constexpr Key kCustomPropertyKeys[] = {
    {"id", &kText, false, kV11}, {"property", &kText, kRequired}, {"value", &kAny, kRequired},
    {"description", &kText},     {"vendor", &kText, false, kV11},
};
constexpr Shape kCustomPropertyShape{"a custom property", kCustomPropertyKeys};
constexpr Type kCustomProperty = MapOf(kCustomPropertyShape);
constexpr Type kCustomProperties = ListOf(kCustomProperty);

constexpr Key kDefinitionKeys[] = {
    {"id", &kText, false, kV11},
    {"type", &kText, kRequired},
    {"url", &kText, kRequired},
    {"description", &kText},
};
constexpr Shape kDefinitionShape{"an authoritative definition", kDefinitionKeys};
constexpr Type kDefinition = MapOf(kDefinitionShape);
constexpr Type kDefinitions = ListOf(kDefinition);

constexpr Key kDescriptionKeys[] = {
    {"purpose", &kText},
    {"limitations", &kText},
    {"usage", &kText},
    {"authoritativeDefinitions", &kDefinitions},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kDescriptionShape{"the description", kDescriptionKeys};
constexpr Type kDescription = MapOf(kDescriptionShape);

constexpr Key kSynonymKeys[] = {
    {"id", &kText},
    {"synonym", &kText, kRequired},
    {"description", &kText},
    {"locale", &kText},
    {"source", &kText},
    {"status", &kText},
    {"customProperties", &kCustomProperties},
};
constexpr Shape kSynonymShape{"a synonym", kSynonymKeys};
constexpr Type kSynonym = MapOf(kSynonymShape);
constexpr Type kSynonyms = ListOf(kSynonym);

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
constexpr Type kContext = MapOf(kContextShape);

constexpr Key kInputPortKeys[] = {
    {"deprecated", &kBool, false, kV11},
    {"id", &kText, false, kV11},
    {"name", &kText, kRequired},
    {"version", &kText, kRequired, 0, kV11},
    {"version", &kText, false, kV11},
    {"contractId", &kText, kRequired, 0, kV11},
    {"contractId", &kText, false, kV11},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kInputPortShape{"an input port", kInputPortKeys};
constexpr Type kInputPort = MapOf(kInputPortShape);
constexpr Type kInputPorts = ListOf(kInputPort);

constexpr Key kSbomKeys[] = {
    {"id", &kText, false, kV11},
    {"type", &kText},
    {"url", &kText, kRequired, 0, kV11},
    {"url", &kText, false, kV11},
    {"tags", &kTexts, false, kV11},
    {"customProperties", &kCustomProperties, false, kV11},
    {"authoritativeDefinitions", &kDefinitions, false, kV11},
};
constexpr Shape kSbomShape{"an SBOM", kSbomKeys};
constexpr Type kSbom = MapOf(kSbomShape);
constexpr Type kSboms = ListOf(kSbom);

constexpr Key kInputContractKeys[] = {{"id", &kText, kRequired}, {"version", &kText, kRequired}};
constexpr Shape kInputContractShape{"an input contract", kInputContractKeys};
constexpr Type kInputContract = MapOf(kInputContractShape);
constexpr Type kInputContracts = ListOf(kInputContract);

constexpr Key kOutputPortKeys[] = {
    {"deprecated", &kBool, false, kV11},
    {"id", &kText, false, kV11},
    {"name", &kText, kRequired},
    {"description", &kText},
    {"type", &kText},
    {"version", &kText, kRequired, 0, kV11},
    {"version", &kText, false, kV11},
    {"contractId", &kText},
    {"sbom", &kSboms},
    {"inputContracts", &kInputContracts},
    {"synonyms", &kSynonyms, false, kV11},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
    {"context", &kContext, false, kV11},
};
constexpr Shape kOutputPortShape{"an output port", kOutputPortKeys};
constexpr Type kOutputPort = MapOf(kOutputPortShape);
constexpr Type kOutputPorts = ListOf(kOutputPort);

constexpr Key kManagementPortKeys[] = {
    {"deprecated", &kBool, false, kV11},
    {"id", &kText, false, kV11},
    {"name", &kText, kRequired},
    {"content", &kText, kRequired},
    {"type", &kText},
    {"url", &kText},
    {"channel", &kText},
    {"description", &kText},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kManagementPortShape{"a management port", kManagementPortKeys};
constexpr Type kManagementPort = MapOf(kManagementPortShape);
constexpr Type kManagementPorts = ListOf(kManagementPort);

constexpr Key kSupportKeys[] = {
    {"id", &kText, false, kV11},
    {"channel", &kText, kRequired},
    {"url", &kText, kRequired},
    {"description", &kText},
    {"tool", &kText},
    {"scope", &kText},
    {"invitationUrl", &kText},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kSupportShape{"a support channel", kSupportKeys};
constexpr Type kSupportChannel = MapOf(kSupportShape);
constexpr Type kSupport = ListOf(kSupportChannel);

constexpr Key kMemberKeys[] = {
    {"id", &kText, false, kV11},
    {"username", &kText, kRequired},
    {"name", &kText},
    {"description", &kText},
    {"role", &kText},
    {"dateIn", &kText},
    {"dateOut", &kText},
    {"replacedByUsername", &kText},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kMemberShape{"a team member", kMemberKeys};
constexpr Type kMember = MapOf(kMemberShape);
constexpr Type kMembers = ListOf(kMember);

constexpr Key kTeamKeys[] = {
    {"name", &kText},
    {"description", &kText},
    {"members", &kMembers},
    {"tags", &kTexts},
    {"customProperties", &kCustomProperties},
    {"authoritativeDefinitions", &kDefinitions},
};
constexpr Shape kTeamShape{"the team", kTeamKeys};
constexpr Type kTeam = MapOf(kTeamShape);

constexpr Word kApiVersions[] = {{"v1.1.0", kV11}, {"v1.0.0"}, {"v0.9.0"}};
constexpr Type kApiVersion{.kinds = kIsText, .words = kApiVersions};
constexpr Word kKinds[] = {{"DataProduct"}};
constexpr Type kKind{.kinds = kIsText, .words = kKinds};

constexpr Key kProductKeys[] = {
    {"apiVersion", &kApiVersion, kRequired},
    {"kind", &kKind, kRequired},
    {"id", &kText, kRequired},
    {"name", &kText},
    {"deprecated", &kBool, false, kV11},
    {"synonyms", &kSynonyms, false, kV11},
    {"version", &kText},
    {"status", &kText, kRequired, 0, kV11},
    {"status", &kText, false, kV11},
    {"domain", &kText},
    {"type", &kText, false, kV11},
    {"context", &kContext, false, kV11},
    {"tenant", &kText},
    {"authoritativeDefinitions", &kDefinitions},
    {"description", &kDescription},
    {"customProperties", &kCustomProperties},
    {"tags", &kTexts},
    {"inputPorts", &kInputPorts},
    {"outputPorts", &kOutputPorts},
    {"managementPorts", &kManagementPorts},
    {"support", &kSupport},
    {"team", &kTeam},
    {"productCreatedTs", &kText},
};
constexpr Shape kProductShape{"a data product", kProductKeys};

}  // namespace

constexpr Type kOdps = MapOf(kProductShape);

int OdpsVersion(const yaml::Node& document) {
  const std::string& api_version = document["apiVersion"].scalar;
  return api_version == "v1.0.0" || api_version == "v0.9.0" ? 100 : kV11;
}

}  // namespace weft::model::standards
