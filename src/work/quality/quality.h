// Runs a contract's checks over the files of a run before they can be seen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/checks.h"
#include "state/lake/lake.h"
#include "state/runs/runs.h"

namespace weft::quality {

struct Subject {
  std::string staged;  // SELECT over the staged files.
  std::string whole;   // SELECT over what the table will hold: parent (less what is replaced) plus staged.
  // Of a unique check the part of `whole` that may hold duplicates, where it is known to be less; may be empty.
  std::function<Result<std::string>(const model::Check&)> among = {};
  // The SELECT that reads a foreign key's target table, by PortKey-like text as written; kNotFound where it is unknown.
  std::function<Result<std::string>(const model::Check&)> target;
};

struct Verdict {
  std::vector<runs::CheckResult> results;  // In the order of the checks.
  bool refused = false;                    // Some check of severity error failed.
  std::string summary;                     // "3 of 21 checks failed: …"
};

// All row checks and plain measures in one scan where they can be one. A check that cannot run is an error (kInvalid
// naming it), never a pass.
Result<Verdict> Evaluate(engine::Connection& connection, const std::vector<model::Check>& checks,
                         const Subject& subject, const std::string& contract_file);

}  // namespace weft::quality
