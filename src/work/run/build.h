// A build's SQL, judged and made into the SELECT that writes the port's rows.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/repository.h"
#include "model/schema.h"

namespace weft::run {

struct Judged {
  std::string sql;        // One SELECT over the inputs' views.
  bool uses_now = false;  // Then the logical time is part of what the rows depend on.
};

// Walks the build: one SELECT that names its input ports and nothing else, no function outside the list, no random
// one unless the build says `nondeterministic`. Without SQL the single input is taken as it is.
Result<Judged> JudgeBuild(engine::Connection& connection, const model::Bundle& bundle, const model::Build& build);

// Shadows every spelling of the present with `now`, in this instance and for as long as it lives. Names that are
// qualified with a schema would miss the shadow: JudgeBuild refuses them.
Status BindNow(engine::Connection& connection, Instant now);

// `sql` as exactly the schema's columns, by name and cast to their types. kInvalid says which columns of the contract
// the build lacks, and (unless `extra` are welcome) which it has besides.
Result<std::string> Project(engine::Connection& connection, const std::string& sql, const model::TableSchema& schema,
                            bool extra);

// Of `sql`'s rows those that begin a key: the first of the batch, and none whose key `parent` has.
std::string FirstOfKey(const std::string& sql, const std::vector<std::string>& key, const std::string& parent);

}  // namespace weft::run
