#include <fmt/format.h>

#include "model/address.h"
#include "state/catalog/catalog.h"

namespace weft::catalog {

Result<std::string> EnvironmentOf(store::Txn& txn) {
  const auto rows = TRY(txn.Run("SELECT name FROM environment WHERE id = 1"));
  return rows.empty() ? std::string() : rows[0].text(0);
}

Result<bool> SettleEnvironment(store::Txn& txn, const std::string& name) {
  const std::string known = TRY(EnvironmentOf(txn));
  if (name.empty() || name == known) return false;
  TRY(model::CheckSlug(name, "an environment"));
  // As long as nothing is published, a wrong name may be mended.
  if (!known.empty() && !TRY(txn.Run("SELECT 1 FROM products LIMIT 1")).empty()) {
    return Error{Code::kConflict,
                 fmt::format("the store is of the environment '{}', with all that was published and run there, and "
                             "cannot become '{}': start this node with --environment {} or without, and one of '{}' "
                             "over a store of its own (--store, --data)",
                             known, name, known, name)};
  }
  const auto mesh = TRY(MeshOf(txn));
  if (mesh && !mesh->environments.empty() && !mesh->FindEnvironment(name)) {
    return Error{Code::kInvalid, "--environment: " + mesh->UnknownEnvironment(name)};
  }
  TRY(txn.Run("INSERT INTO environment (id, name) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
              {name}));
  return true;
}

}  // namespace weft::catalog
