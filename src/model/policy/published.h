// What a test of publish gates publishes: documents of which it writes no more than what it is about.
#pragma once

#include <string>
#include <vector>

#include "base/yaml.h"
#include "model/policy/policy.h"

namespace weft::model {

// Of the test's keys product, contract, previous and domain. What every descriptor has and the test does not say is
// added: apiVersion, kind, id, name, domain, version 1.0.0, status active, an output port with a contract of one table.
// Null, with the problems at their places, where the documents are none that could be published: keys that the
// standards do not know, say.
std::optional<GateTest> GateTestOf(const yaml::Node& test, const std::string& path, const std::string& file,
                                   std::vector<Problem>* problems);

}  // namespace weft::model
