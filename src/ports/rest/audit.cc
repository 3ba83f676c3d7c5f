// The ledger, read and verified.
#include "ports/rest/handlers.h"
#include "state/ledger/ledger.h"

namespace weft::rest {

Answer ListAudit(Api& api, const model::Caller&, const http::Request& request) {
  ledger::Query query;
  query.after = TRY(NumberParam(request, "after", 0, 0, INT64_MAX));
  query.limit = static_cast<int>(TRY(NumberParam(request, "limit", 100, 1, 10'000)));
  query.kind = request.Query("kind");
  query.principal = request.Query("principal");
  query.address_prefix = request.Query("address");
  query.newest_first = request.Query("newest") == "1";
  TRY(api.ledger.SealNow());  // What was done before this request is in its answer.
  auto txn = TRY(api.store.Read());
  Json rows = Json::Array();
  for (const ledger::Sealed& row : TRY(ledger::List(*txn, query))) {
    rows.Push(Json::Map({{"seq", row.seq},
                         {"at", row.at.Text()},
                         {"kind", row.entry.kind},
                         {"principal", row.entry.principal},
                         {"purpose", row.entry.purpose},
                         {"address", row.entry.address},
                         {"detail", row.entry.detail},
                         {"hash", row.hash}}));
  }
  return http::Response::Of(Json::Map({{"rows", std::move(rows)}}));
}

Answer VerifyAudit(Api& api, const model::Caller&, const http::Request&) {
  TRY(api.ledger.SealNow());
  const ledger::Verdict verdict = TRY(api.ledger.Verify());
  return http::Response::Of(Json::Map({{"ok", verdict.problem.empty()},
                                       {"rows", verdict.rows},
                                       {"unsealed", verdict.unsealed},
                                       {"head", verdict.head},
                                       {"problem", verdict.problem}}));
}

}  // namespace weft::rest
