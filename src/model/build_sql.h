// A build's SQL held to its product: the one judgement that publishing and running share.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/repository.h"
#include "model/sql.h"

namespace weft::model {

struct BuildSql {
  std::vector<const InputPort*> inputs;  // Those that it reads, of the bundle.
  bool uses_now = false;
};

// `tree` is what json_serialize_sql answered for `text`, the file that the build names. One SELECT over input ports of
// the product and nothing else, no function outside the walker's list or named with a schema, and no random one unless
// the build says `nondeterministic`. kInvalid carries every problem with its place, rule "weft.build".
Result<BuildSql> JudgeBuild(const Json& tree, std::string_view text, const Bundle& bundle, const Build& build);

// A quality rule's query reads the table `own` and no other.
Status ReadsOnly(const Statement& statement, std::string_view own);

}  // namespace weft::model
