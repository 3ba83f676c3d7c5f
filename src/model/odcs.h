// The parts of ODCS that several of its tables share: its versions and its servers.
#pragma once

#include "model/standards.h"

namespace weft::model::standards {

constexpr int kV31 = 310;
constexpr int kV32 = 320;

extern const shape::Type kServerType;
// Adds the fields of the server's type.
void AlsoServer(const yaml::Node& map, int version, std::vector<const shape::Shape*>& shapes);

extern const shape::Type kQuality;     // A list of rules.
extern const shape::Type kProperties;  // A list of properties.
extern const shape::Type kCustomProperties;
extern const shape::Type kDefinitions;
extern const shape::Type kRelationsOfObject;
extern const shape::Type kRelationsOfProperty;
extern const shape::Type kSynonyms;
extern const shape::Type kStableId;

}  // namespace weft::model::standards
