#include "base/id.h"
#include "base/kept.h"
#include "state/access/access.h"

namespace weft::access {
namespace {

// Compiled policies by the epoch's digest of their texts.
Kept<model::Policies>& KeptPolicies() {
  static Kept<model::Policies> kept;
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
  for (const store::Row& row : TRY(txn.Run("SELECT path, text FROM policy_files ORDER BY path")))
    hasher.AddNamed(row.text(0), row.text(1));
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
