// A build's SQL, judged and made into the SELECT that writes the port's rows.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "model/repository.h"
#include "model/schema.h"
#include "work/run/modes.h"

namespace weft::run {

struct Judged {
  std::string sql;                    // One SELECT over the inputs' views.
  bool uses_now = false;              // Then the logical time is part of what the rows depend on.
  std::set<std::string> inputs = {};  // Names of the input ports that it reads.
};

// Judges builds by a parser of its own, before any engine is furnished. Thread-safe.
class BuildJudge {
 public:
  // As model::JudgeBuild; without SQL the single input is taken as it is.
  Result<Judged> Judge(const model::Bundle& bundle, const model::Build& build);

 private:
  std::mutex mutex_;
  std::unique_ptr<engine::Instance> instance_;  // Opened by the first build that has SQL.
  std::unique_ptr<engine::Connection> connection_;
};

// Shadows every spelling of the present with `now`, in this instance and for as long as it lives. Names that are
// qualified with a schema would miss the shadow: JudgeBuild refuses them.
Status BindNow(engine::Connection& connection, Instant now);

// How a column of the build becomes the contract's: the cast, and what stands in it for a value that is refused.
struct Cast {
  std::string sql;
  std::string refusal;
};
// `from`: the type of the column, which SQL calls `name`.
Cast CastTo(const model::Field& field, const std::string& name, const std::string& from);

// `sql` as exactly the schema's columns, by name and cast to their types. kInvalid says which columns of the contract
// the build lacks, and (unless `extra` are welcome) which it has besides. What is `filled` by the run is added; no
// build gives it.
Result<std::string> Project(engine::Connection& connection, const std::string& sql, const model::TableSchema& schema,
                            bool extra, const std::optional<Filled>& filled = {});

// Of `sql`'s rows those that begin a key: the first of the batch, and none whose key `parent` has.
std::string FirstOfKey(const std::string& sql, const std::vector<std::string>& key, const std::string& parent);

}  // namespace weft::run
