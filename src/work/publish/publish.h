// Publishing: compare a folder of files with what the mesh has, say what would change, and change it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/engine/engine.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/compat.h"
#include "model/repository.h"
#include "state/access/access.h"
#include "state/secrets/secrets.h"
#include "state/uploads/uploads.h"
#include "work/publish/readers.h"

namespace weft::publish {

// A difference between two versions of a port's contract, and who reads what it is about.
struct Finding {
  model::Difference difference;
  std::string file;      // Of the newer version,
  std::string previous;  // and the number of the older one.
  Readers readers;       // Where it is not compatible.
};

struct Change {
  enum class Kind { kCreate, kUpdate, kStatus, kData, kUnchanged, kMissing };
  Kind kind = Kind::kUnchanged;
  std::string address;  // "mesh", "operations/flights", "operations/flights/flights@1"
  std::string from;     // Version or status before; empty where new.
  std::string to;
  std::vector<std::string> notes;      // "adds port x 1.0.0", "3 data files"
  std::vector<Finding> findings = {};  // How its ports' contracts differ from the versions before.
};
std::string_view KindName(Change::Kind kind);

// What a reader gains or loses by what is planned.
struct Effect {
  std::string principal;
  std::string address;
  std::vector<std::string> purposes;  // For which, "" without one; none: for all that it was asked for.
  std::vector<std::string> notes;     // "mail: shown → mask-alphanum", "may no longer read: …"
};

// Behind the name of a problem's file that was not sent: it is in force, as it was applied before.
inline constexpr std::string_view kRegistered = " (registered)";

struct Plan {
  std::string environment;        // Of the store; empty: of none.
  std::vector<Change> changes;    // kMissing: registered in an applied domain but not in the folder; only told.
  std::vector<Problem> problems;  // Errors refuse the apply as a whole.
  std::vector<Effect> effects;    // Of policies that change.
  bool effects_cut = false;       // Not all of them.
  // Hashes that must be uploaded before an apply: that the node has a file, sent by another, is nobody's business.
  std::vector<std::string> missing_data;
  std::vector<std::string> wanted;  // Folders that were kept back and must be sent: then the plan is nothing else.
  bool refused() const;
  Json ToJson() const;
};

struct Submission {
  std::vector<model::TextFile> files;
  std::vector<model::DataFile> data;
  // Folders of products that are as they were applied, and were kept back: "domains/DOMAIN/PRODUCT" → FolderDigest.
  std::map<std::string, std::string> kept = {};
};

struct Context {
  store::Store& store;
  Clock& clock;
  uploads::Uploads& uploads;
  engine::MemoryBroker& memory;
  secrets::Vault& vault;
  Millis memory_wait{10'000};  // A plan's engine waits so long for its memory, then kUnavailable.
};

// Data files stay on the node's disk: who sends one must be allowed to publish somewhere. A domain where the caller
// may, to be decided about; the mesh where there is none.
Result<model::Resource> WhereToPublish(Context& context, const model::Caller& caller);
// What the caller has sent is theirs to publish from now on. kConflict where the file has been swept meanwhile.
Status NoteUpload(Context& context, const model::Caller& caller, const std::string& sha256);
// Removes data files that no product names and nobody has sent for so long.
struct Swept {
  int64_t files = 0;
  int64_t bytes = 0;
};
Result<Swept> SweepUploads(Context& context, Millis age);

// Tells the ledger, once for each, of deprecated ports that are past their sunset: nothing retires them. How many.
Result<int> TellSunsets(store::Store& store, Clock& clock);

// Compares outside any writing transaction; decides kPublish of each domain (and kAdminister for mesh.yaml), so that
// a plan tells a denial like any other problem.
Result<Plan> MakePlan(Context& context, const model::Caller& caller, const Submission& submission);

// Plans again, then registers each product in its own batch transaction together with its ledger rows. Nothing is
// registered when the plan is refused (kInvalid or kDenied with its problems). Two appliers of one version: the
// second sees what the first registered (kConflict when its bytes differ).
Result<Plan> Apply(Context& context, const model::Caller& caller, const Submission& submission);

}  // namespace weft::publish
