#include "apps/weft/migrations.h"

#include "state/access/access.h"
#include "state/accounts/accounts.h"
#include "state/catalog/catalog.h"
#include "state/feedback/feedback.h"
#include "state/lake/lake.h"
#include "state/ledger/ledger.h"
#include "state/lineage/lineage.h"
#include "state/nodes/nodes.h"
#include "state/requests/requests.h"
#include "state/runs/runs.h"
#include "state/schedules/schedules.h"
#include "state/secrets/secrets.h"
#include "state/subscriptions/subscriptions.h"
#include "state/uploads/uploads.h"

namespace weft::app {

std::vector<store::Migration> AllMigrations() {
  std::vector<store::Migration> all;
  for (auto part : {ledger::Migrations(), catalog::Migrations(), access::Migrations(), lake::Migrations(),
                    runs::Migrations(), lineage::Migrations(), uploads::Migrations(), secrets::Migrations(),
                    accounts::Migrations(), requests::Migrations(), feedback::Migrations(), subscriptions::Migrations(),
                    nodes::Migrations(), schedules::Migrations()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace weft::app
