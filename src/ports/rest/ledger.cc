#include "state/ledger/ledger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "ports/rest/handlers.h"

namespace weft::rest {
namespace {

Status KnownKind(const std::string& kind) {
  std::vector<std::string_view> names;
  for (const ledger::Kind& known : ledger::Kinds()) names.push_back(known.name);
  if (kind.empty() || std::ranges::find(names, kind) != names.end()) return {};
  return Error{Code::kInvalid, fmt::format("parameter kind: '{}' is none of {}{}", kind, fmt::join(names, ", "),
                                           DidYouMean(kind, names))};
}

}  // namespace

Answer Audit(Api& api, const Caller&, const http::Request& request) {
  TRY(OnlyQuery(request, {"after", "kind", "principal", "address", "limit", "newest"}));
  ledger::Query query;
  query.after = TRY(QueryInt(request, "after", 0, 0, INT64_MAX));
  query.limit = static_cast<int>(TRY(QueryInt(request, "limit", 100, 1, 10'000)));
  query.newest_first = TRY(QueryInt(request, "newest", 0, 0, 1)) == 1;
  query.kind = request.Query("kind");
  TRY(KnownKind(query.kind));
  query.principal = request.Query("principal");
  query.address_prefix = request.Query("address");
  TRY(api.ledger.SealNow());  // So that callers see what they have just done.
  auto txn = TRY(api.store.Read());
  Json::Array rows;
  for (const ledger::Sealed& row : TRY(ledger::List(*txn, query))) {
    rows.push_back(Json::Map({{"seq", row.seq},
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

Answer VerifyAudit(Api& api, const Caller&, const http::Request&) {
  const ledger::Verdict verdict = TRY(api.ledger.Verify());
  return http::Response::Of(Json::Map({{"rows", verdict.rows},
                                       {"unsealed", verdict.unsealed},
                                       {"head", verdict.head},
                                       {"problem", verdict.problem},
                                       {"ok", verdict.problem.empty()}}));
}

}  // namespace weft::rest
