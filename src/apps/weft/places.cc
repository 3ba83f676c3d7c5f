#include "apps/weft/places.h"

#include "base/file.h"

namespace weft::app {

backup::Places PlacesOf(const Settings& settings) {
  std::error_code ignored;
  const fs::path warehouse = fs::weakly_canonical(settings.Text("warehouse"), ignored);
  return {warehouse.string(),
          UploadFolder(settings),
          {{"seal.key", settings.Text("seal-key")},
           {"ledger-key.json", LedgerKeyFolder(settings) + "/ledger-key.json"},
           {"sign-in.keys", SignInKeyFile(settings)}}};
}

}  // namespace weft::app
