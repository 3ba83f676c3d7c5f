// Publishing: compare a folder of files with what the mesh has, say what would change, and change it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "drivers/store/store.h"
#include "model/access.h"
#include "model/repository.h"
#include "state/access/access.h"

namespace weft::publish {

struct Change {
  enum class Kind { kCreate, kUpdate, kStatus, kData, kUnchanged, kMissing };
  Kind kind = Kind::kUnchanged;
  std::string address;  // "mesh", "operations/flights", "operations/flights/flights@1"
  std::string from;     // Version or status before; empty where new.
  std::string to;
  std::vector<std::string> notes;  // "adds column x", "3 data files"
};
std::string_view KindName(Change::Kind kind);

struct Plan {
  std::vector<Change> changes;            // kMissing: registered in an applied domain but not in the folder; only told.
  std::vector<Problem> problems;          // Errors refuse the apply as a whole.
  std::vector<std::string> missing_data;  // Hashes that must be uploaded before an apply.
  bool refused() const;
  Json ToJson() const;
};

struct Submission {
  std::vector<model::TextFile> files;
  std::vector<model::DataFile> data;
};

// Where uploaded data files are kept, by hash.
class Uploads {
 public:
  explicit Uploads(std::string folder) : folder_(std::move(folder)) {}
  bool Has(const std::string& sha256) const;
  std::string PathOf(const std::string& sha256) const;
  // Moves (or copies) `file` in, verifying its hash: kInvalid where it differs, and then `file` stays where it is.
  // Durable when it returns; bytes that are there already are kept.
  Status Put(const std::string& sha256, const std::string& file);
  Status PutBytes(const std::string& sha256, std::string_view bytes);

 private:
  Result<std::string> Place(const std::string& sha256) const;

  std::string folder_;
};

struct Context {
  store::Store& store;
  Clock& clock;
  Uploads& uploads;
};

// Whether the caller may publish anywhere, and so send data files: they stay on the node's disk. The answer of an
// administrator's right where no domain is theirs.
Result<model::Decision> MayUpload(Context& context, const model::Caller& caller);

// Compares outside any writing transaction; decides kPublish of each domain (and kAdminister for mesh.yaml), so that
// a plan tells a denial like any other problem.
Result<Plan> MakePlan(Context& context, const model::Caller& caller, const Submission& submission);

// Plans again, then registers each product in its own batch transaction together with its ledger rows. Nothing is
// registered when the plan is refused (kInvalid or kDenied with its problems). Two appliers of one version: the
// second sees what the first registered (kConflict when its bytes differ).
Result<Plan> Apply(Context& context, const model::Caller& caller, const Submission& submission);

}  // namespace weft::publish
