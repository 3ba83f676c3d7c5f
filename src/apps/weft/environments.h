// Which node is of an environment: as the mesh.yaml of a folder says, or that of the mesh that a node serves.
#pragma once

#include <string>

#include "apps/weft/session.h"

namespace weft::app {

// By the mesh.yaml in the folder (empty: none) or in the next one above it, else by the mesh of the node that would be
// asked otherwise. kNotFound says what environments there are, kInvalid what is missing of this one.
Result<std::string> NodeOfEnvironment(const Session& session, const std::string& environment,
                                      const std::string& folder);

}  // namespace weft::app
