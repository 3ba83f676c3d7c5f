#include <fmt/format.h>

#include <deque>

#include "base/id.h"
#include "state/access/access.h"

namespace weft::access {
namespace {

constexpr size_t kKept = 4;

// Compiled policies by the hash of their texts: what is the same is compiled once, and never mistaken for another.
class Kept {
 public:
  std::shared_ptr<const model::Policies> Find(const std::string& digest) {
    std::lock_guard lock(mutex_);
    for (const auto& [known, policies] : kept_) {
      if (known == digest) return policies;
    }
    return nullptr;
  }
  void Put(const std::string& digest, std::shared_ptr<const model::Policies> policies) {
    std::lock_guard lock(mutex_);
    kept_.emplace_front(digest, std::move(policies));
    if (kept_.size() > kKept) kept_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::deque<std::pair<std::string, std::shared_ptr<const model::Policies>>> kept_;
};

Kept& KeptPolicies() {
  static Kept kept;
  return kept;
}

}  // namespace

Status PutPolicies(store::Txn& txn, Clock& clock, const std::vector<model::PolicyFile>& files,
                   const std::string& principal) {
  for (const model::PolicyFile& file : files) {
    TRY(
        txn.Run("INSERT INTO policy_files (path, text, applied_by, applied_at) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (path) DO UPDATE SET text = excluded.text, applied_by = excluded.applied_by, "
                "applied_at = excluded.applied_at",
                {file.file, file.bytes, principal, clock.Now().Text()}));
  }
  Hasher hasher;
  for (const store::Row& row : TRY(txn.Run("SELECT path, text FROM policy_files ORDER BY path"))) {
    hasher.Add(fmt::format("{} {} {}\n", row.text(0), row.text(0).size(), row.text(1).size())).Add(row.text(1));
  }
  TRY(
      txn.Run("INSERT INTO policy_epoch (id, digest) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET digest = "
              "excluded.digest",
              {hasher.Hex()}));
  return {};
}

Result<std::shared_ptr<const model::Policies>> PoliciesOf(store::Txn& txn) {
  const auto epoch = TRY(txn.Run("SELECT digest FROM policy_epoch WHERE id = 1"));
  const std::string digest = epoch.empty() ? "" : epoch[0].text(0);
  if (auto known = KeptPolicies().Find(digest)) return known;
  std::vector<model::PolicyFile> files;
  for (const store::Row& row : TRY(txn.Run("SELECT path, text FROM policy_files ORDER BY path"))) {
    files.push_back(TRY(model::PolicyFile::Parse(row.text(1), row.text(0))));
  }
  auto policies = TRY(model::Policies::Compile(std::move(files)));
  KeptPolicies().Put(digest, policies);
  return policies;
}

}  // namespace weft::access
