#include "ports/rest/rest.h"

#include "ports/rest/handlers.h"

namespace weft::rest {

// Where the right depends on a port that the body or the query names, the entry asks for kBrowse and the handler (or
// the work that it calls) asks the gate again with the port in hand.
std::span<const gate::Route<Api>> Routes() {
  using enum model::Action;
  static const gate::Route<Api> kRoutes[] = {
      {"GET", "/v1/health", kOpen, nullptr, Health},
      {"GET", "/v1/ready", kOpen, nullptr, Ready},
      {"GET", "/metrics", kOpen, nullptr, Metrics},
      {"GET", "/v1/node", kBrowse, nullptr, Node},
      {"GET", "/v1/whoami", kBrowse, nullptr, WhoAmI},
      {"POST", "/v1/plan", kBrowse, nullptr, MakePlan},
      {"POST", "/v1/apply", kBrowse, nullptr, Apply},
      {"PUT", "/v1/data/{sha256}", kBrowse, nullptr, PutData},
      {"GET", "/v1/products", kBrowse, nullptr, ListProducts},
      {"GET", "/v1/products/{domain}/{product}", kBrowse, nullptr, ShowProduct},
      {"GET", "/v1/ports/{domain}/{product}/{port}", kBrowse, nullptr, ShowPort},
      {"GET", "/v1/files/{domain}/{product}", kBrowse, nullptr, ShowFile},
      {"GET", "/v1/search", kBrowse, nullptr, Search},
      {"GET", "/v1/lineage", kBrowse, nullptr, Lineage},
      {"POST", "/v1/runs", kBrowse, nullptr, StartRuns},
      {"GET", "/v1/runs", kBrowse, nullptr, ListRuns},
      {"GET", "/v1/runs/{id}", kBrowse, nullptr, ShowRun},
      {"POST", "/v1/runs/{id}/cancel", kBrowse, nullptr, CancelRun},
      {"POST", "/v1/runs/{id}/retry", kBrowse, nullptr, RetryRun},
      {"GET", "/v1/snapshots", kBrowse, nullptr, ListSnapshots},
      {"POST", "/v1/tags", kBrowse, nullptr, TagSnapshot},
      {"POST", "/v1/sweep", kAdminister, nullptr, Sweep},
      {"GET", "/v1/grants", kBrowse, nullptr, ListGrants},
      {"POST", "/v1/grants", kBrowse, nullptr, PutGrant},
      {"DELETE", "/v1/grants", kBrowse, nullptr, DeleteGrants},
      {"GET", "/v1/tokens", kBrowse, nullptr, ListTokens},
      {"POST", "/v1/tokens", kBrowse, nullptr, CreateToken},
      {"DELETE", "/v1/tokens/{id}", kBrowse, nullptr, DeleteToken},
      {"GET", "/v1/audit", kAudit, nullptr, ListAudit},
      {"POST", "/v1/audit/verify", kAudit, nullptr, VerifyAudit},
  };
  return kRoutes;
}

}  // namespace weft::rest
